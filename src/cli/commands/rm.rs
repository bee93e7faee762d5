//! `rcon rm`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::error::report_one_of_several;
use crate::cli::{Context, output};
use crate::error::{Context as _, Error, Kind, Result};
use crate::ops::{self, ps::Which};

/// Remove containers
///
/// Those that run are left alone, unless --force kills them first. Exits with 1 if a container is not there and with 2
/// if one runs.
///
/// Examples:
///   rcon rm web db
///   rcon rm -fa
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Names or ids
    #[arg(value_name = "CONTAINER", required_unless_present_any = ["all", "cidfile"])]
    containers: Vec<String>,
    /// Remove all containers
    #[arg(short, long, conflicts_with_all = ["containers", "cidfile"])]
    all: bool,
    /// Kill those that run; it is no failure if there is no such container
    #[arg(short, long)]
    force: bool,
    /// It is no failure if there is no such container
    #[arg(short, long)]
    ignore: bool,
    /// Seconds that a container has to stop by itself, with --force: 0, there is no stop yet
    #[arg(short, long, value_name = "SECONDS", requires = "force", value_parser = clap::value_parser!(u32).range(..=0))]
    time: Option<u32>,
    /// Remove anonymous volumes too: rcon always does
    #[arg(short, long)]
    volumes: bool,
    /// Read the id from a file
    #[arg(long, value_name = "FILE")]
    cidfile: Vec<PathBuf>,
}

/// Removes them one after another and prints what was asked for, as it was typed.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let mut names = args.containers;
    for file in &args.cidfile {
        match std::fs::read_to_string(file) {
            Ok(id) => names.push(id.trim().to_owned()),
            Err(error) if args.ignore && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).context(|| format!("cannot read {}", file.display())),
        }
    }
    let session = cx.session()?;
    if args.all {
        names.extend(ops::ps::list(&session, Which::All)?.into_iter().map(|container| container.record.id));
    }
    let may_be_missing = args.ignore || args.force || args.all;
    let mut failures = Vec::new();
    for name in &names {
        match ops::rm::remove_one(&session, name, args.force) {
            Ok(_) => output::print(&format!("{name}\n"))?,
            Err(error) if error.kind() == Kind::NotFound && may_be_missing => {}
            Err(error) => {
                report_one_of_several(cx, &error);
                failures.push(error);
            }
        }
    }
    Ok(ExitCode::from(exit_code(&failures)))
}

/// podman's: 2 for a container that runs, 1 for one that is not there, 125 for anything else; the gravest counts.
fn exit_code(failures: &[Error]) -> u8 {
    let code = |error: &Error| match error.kind() {
        Kind::Conflict => 2,
        Kind::NotFound => 1,
        _ => 125,
    };
    failures.iter().map(code).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_podmans() {
        let code =
            |kinds: &[Kind]| exit_code(&kinds.iter().map(|kind| Error::new(*kind, "x")).collect::<Vec<_>>());
        assert_eq!([code(&[]), code(&[Kind::NotFound]), code(&[Kind::Denied, Kind::NotFound])], [0, 1, 125]);
        assert_eq!(code(&[Kind::NotFound, Kind::Conflict]), 2);
    }
}
