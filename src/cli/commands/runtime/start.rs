//! `rcon runtime start`.

use std::process::ExitCode;

use crate::error::Result;
use crate::runtime::lifecycle::{self, Runtime};

/// Start a container that was created
#[derive(clap::Args)]
pub(super) struct Args {
    /// The container's id
    id: String,
}

pub(super) fn run(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    lifecycle::start(runtime, &super::container(runtime, &args.id)?)?;
    Ok(ExitCode::SUCCESS)
}
