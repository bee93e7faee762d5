//! `rcon inspect`.

use std::process::ExitCode;

use serde_json::Value;

use crate::cli::error::report_one_of_several;
use crate::cli::{Context, output};
use crate::error::{Error, Kind, Result};
use crate::ops::{self, Session};

/// Describe containers and images
///
/// A name is that of a container first, of an image else.
///
/// Examples:
///   rcon inspect web
///   rcon inspect --format '{{.State.Status}} {{.State.ExitCode}}' web
///   rcon inspect --type image --format '{{json .Config.Env}}' alpine
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Names or ids
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// A Go template, or json
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// What the names mean: container, image or all
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        default_value = "all",
        hide_possible_values = true
    )]
    kind: Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    All,
    Container,
    Image,
}

/// Prints what is there; what is not makes it fail.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let session = cx.session()?;
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in &args.names {
        match find(&session, args.kind, name) {
            Ok(value) => found.push(value),
            Err(error) => failures.push(error),
        }
    }
    output::print(&output::objects(args.format.as_deref(), found)?)?;
    for error in &failures {
        report_one_of_several(cx, error);
    }
    Ok(ExitCode::from(if failures.is_empty() { 0 } else { 125 }))
}

fn find(session: &Session, kind: Type, name: &str) -> Result<Value> {
    let missing = |found: &Result<Value>| matches!(found, Err(error) if error.kind() == Kind::NotFound);
    if kind == Type::Image {
        return ops::image_inspect::inspect(session, name);
    }
    let container = ops::inspect::container(session, name);
    if kind == Type::Container || !missing(&container) {
        return container;
    }
    let image = ops::image_inspect::inspect(session, name);
    if missing(&image) { Err(Error::not_found(format!("no such object: {name:?}"))) } else { image }
}
