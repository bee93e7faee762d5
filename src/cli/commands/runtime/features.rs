//! `rcon runtime features`.

use std::process::ExitCode;

use crate::cli::output;
use crate::error::Result;
use crate::runtime::features;

/// Print what the runtime can do as JSON
#[derive(clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> Result<ExitCode> {
    output::print(&output::object(None, &features())?)?;
    Ok(ExitCode::SUCCESS)
}
