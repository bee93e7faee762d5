//! `rcon rmi IMAGE…`.

use std::process::ExitCode;

use crate::cli::error::report_one_of_several;
use crate::cli::{Context, output};
use crate::error::{Error, Kind, Result};
use crate::ops::rmi::{self, Event, Options};

/// Remove images
///
/// A name of an image with several names is only taken away from it. Exits with 1 if an image is not there and
/// with 2 if a container uses one.
///
/// Examples:
///   rcon rmi alpine:3.19
///   rcon rmi --all
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Names or ids
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "IMAGE")]
    images: Vec<String>,
    /// Remove all images
    #[arg(short = 'a', long)]
    all: bool,
    /// Remove an image given by its id also if it has several names
    #[arg(short = 'f', long)]
    force: bool,
    /// Say nothing of images that are not there
    #[arg(short = 'i', long)]
    ignore: bool,
}

/// Does it.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let session = cx.session()?;
    let options = Options { force: args.force, all: args.all, ignore: args.ignore };
    let removed = rmi::remove(&session, &args.images, options)?;
    for event in &removed.events {
        output::print(&match event {
            Event::Untagged(name) => format!("Untagged: {name}\n"),
            Event::Deleted(id) => format!("Deleted: {}\n", id.hex()),
        })?;
    }
    for failure in &removed.failures {
        report_one_of_several(cx, failure);
    }
    Ok(exit_code(&removed.failures))
}

/// podman's: 2 for an image in use, 1 for one that is not there, 125 for anything else; the gravest counts.
fn exit_code(failures: &[Error]) -> ExitCode {
    let code = |error: &Error| match error.kind() {
        Kind::Conflict => 2,
        Kind::NotFound => 1,
        _ => 125,
    };
    ExitCode::from(failures.iter().map(code).max().unwrap_or(0))
}
