//! The oracle is C, so that it gets the C library's own `fgets` and `sscanf`.

fn main() {
    println!("cargo::rerun-if-changed=oracle/spool.c");
    cc::Build::new().file("oracle/spool.c").flag("-Wall").flag("-Wextra").compile("spool_oracle");
}
