//! The `optimizer` command.

fn main() -> std::process::ExitCode {
    retune::cli::main()
}
