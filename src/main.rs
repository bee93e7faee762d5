//! The `rcon` binary: everything lives in the library.

fn main() -> std::process::ExitCode {
    rcon::cli::main()
}
