//! `rcon runtime state`.

use std::process::ExitCode;

use crate::cli::output;
use crate::error::Result;
use crate::runtime::lifecycle::Runtime;

/// Print a container's state as JSON
#[derive(clap::Args)]
pub(super) struct Args {
    /// The container's id
    id: String,
}

pub(super) fn run(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    let state = super::container(runtime, &args.id)?.state();
    output::print(&output::object(None, &state)?)?;
    Ok(ExitCode::SUCCESS)
}
