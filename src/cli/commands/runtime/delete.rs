//! `rcon runtime delete`.

use std::process::ExitCode;

use crate::error::Result;
use crate::runtime::lifecycle::{self, Runtime};

/// Remove a container that has stopped
#[derive(clap::Args)]
pub(super) struct Args {
    /// Kill it first, if it has not; it is no failure if there is no such container
    #[arg(short, long)]
    force: bool,
    /// The container's id
    id: String,
}

pub(super) fn run(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    match super::container(runtime, &args.id) {
        Err(error) if args.force && super::is_missing(&error) => {}
        found => lifecycle::delete(runtime, &found?, args.force)?,
    }
    Ok(ExitCode::SUCCESS)
}
