//! `rcon system …`.

use std::process::ExitCode;

use crate::cli::{Context, output};
use crate::error::Result;
use crate::ops::{self, prune::Ended};

/// Look after what rcon keeps on disk
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
#[command(defer = true)]
enum Verb {
    Prune(Prune),
}

/// Remove what killed processes left
///
/// Nothing that anybody can still use goes, unless --force is given: then containers that have ended go too.
/// Prints what went.
#[derive(clap::Args)]
struct Prune {
    /// Containers that have ended go too
    #[arg(short, long)]
    force: bool,
}

/// Does it.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Prune(args) => {
            let ended = if args.force { Ended::Remove } else { Ended::Keep };
            let removed = ops::prune::prune(&cx.session()?, ended)?;
            output::print(&removed.iter().map(|name| format!("{name}\n")).collect::<String>())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
