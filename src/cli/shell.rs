//! `optimizer completions` and `optimizer man`: help for the shell.

use clap::CommandFactory;

use super::failure::{Failure, code};

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints a completion script.
pub(crate) fn print_completions(arguments: &Completions) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Cli::command(), "optimizer", &mut script);
    super::output::print_result(String::from_utf8_lossy(&script).trim_end())?;
    Ok(0)
}

/// Prints the manual page of the program, its commands included.
pub(crate) fn print_manual() -> Result<u8, Failure> {
    let mut page = Vec::new();
    let failed =
        |error: std::io::Error| Failure::new(code::INTERNAL, format!("cannot write the page: {error}"));
    let mut program = super::Cli::command();
    program.build();
    clap_mangen::Man::new(program.clone()).render(&mut page).map_err(failed)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        clap_mangen::Man::new(command.clone()).render(&mut page).map_err(failed)?;
    }
    super::output::print_result(String::from_utf8_lossy(&page).trim_end())?;
    Ok(0)
}
