//! `rcon completion SHELL`.

use std::process::ExitCode;

use crate::cli::docs::{self, Shell};
use crate::cli::{Context, output};
use crate::error::Result;

/// Print the completion script of a shell
///
/// Examples:
///   rcon completion bash > ~/.local/share/bash-completion/completions/rcon
///   rcon completion zsh > "${fpath[1]}/_rcon"
///   rcon completion fish > ~/.config/fish/completions/rcon.fish
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// bash, zsh or fish
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

/// Prints it.
pub(crate) fn run(_: &Context, args: Args) -> Result<ExitCode> {
    output::print(&docs::completion(args.shell))?;
    Ok(ExitCode::SUCCESS)
}
