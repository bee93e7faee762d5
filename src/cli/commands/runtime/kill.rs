//! `rcon runtime kill`.

use std::process::ExitCode;

use crate::error::Result;
use crate::runtime::lifecycle::{self, Runtime, Target};
use crate::spec::value::Signal;

/// Send a signal to a container
#[derive(clap::Args)]
pub(super) struct Args {
    /// To every process of the container, not only the first
    #[arg(short, long)]
    all: bool,
    /// The container's id
    id: String,
    /// The signal: a name or a number
    #[arg(default_value = "TERM", allow_hyphen_values = true)]
    signal: Signal,
}

pub(super) fn run(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    let target = if args.all { Target::All } else { Target::First };
    lifecycle::kill(&super::container(runtime, &args.id)?, args.signal.number(), target)?;
    Ok(ExitCode::SUCCESS)
}
