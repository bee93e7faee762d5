//! `rcon image …`: the verbs of images under one roof.

use std::process::ExitCode;

use serde_json::Value;

use super::{images, pull, rmi};
use crate::cli::error::report_one_of_several;
use crate::cli::{Context, output};
use crate::error::Result;
use crate::ops;

/// Manage images
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
#[command(defer = true)]
enum Verb {
    Exists(Exists),
    Inspect(Inspect),
    #[command(visible_alias = "list")]
    Ls(images::Args),
    Pull(pull::Args),
    #[command(visible_alias = "remove")]
    Rm(rmi::Args),
}

/// Tell by the exit code whether an image is here: 0 or 1
#[derive(clap::Args)]
struct Exists {
    /// A name or an id
    image: String,
}

/// Describe images
///
/// Examples:
///   rcon image inspect alpine
///   rcon image inspect --format '{{.Config.Cmd}}' alpine
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
struct Inspect {
    /// Names or ids
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// json or a Go template
    #[arg(short = 'f', long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Does it.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Exists(args) => {
            let session = cx.session()?;
            Ok(ExitCode::from(u8::from(!ops::images::exists(&session, &args.image)?)))
        }
        Verb::Inspect(args) => inspect(cx, &args),
        Verb::Ls(args) => images::run(cx, args),
        Verb::Pull(args) => pull::run(cx, args),
        Verb::Rm(args) => rmi::run(cx, args),
    }
}

/// Those that are there are described, those that are not make it fail.
fn inspect(cx: &Context, args: &Inspect) -> Result<ExitCode> {
    let session = cx.session()?;
    let mut found = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for name in &args.images {
        match ops::image_inspect::inspect(&session, name) {
            Ok(value) => found.push(value),
            Err(error) => {
                report_one_of_several(cx, &error);
                code = ExitCode::from(125);
            }
        }
    }
    match args.format.as_deref() {
        None | Some("json") => output::print(&output::json::pretty(&Value::Array(found))?)?,
        Some(template) => {
            for value in &found {
                output::print(&output::object(Some(template), value)?)?;
            }
        }
    }
    Ok(code)
}
