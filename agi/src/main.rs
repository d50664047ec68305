//! The FastAGI server; see the library.

fn main() -> std::process::ExitCode {
    campanile_agi::agi_main()
}
