//! `campanile`: see [`campanile::cli`].

fn main() -> std::process::ExitCode {
    campanile::cli::main()
}
