//! What goes to standard output and how it looks: tables, Go templates, JSON, units, progress.
//!
//! Commands build `serde_json` values and hand them to [`Listing::render`] (many objects) or [`object`]
//! (one); the text comes back as a string and goes out through [`print`].
//! Nothing here knows what a container or an image is.

mod functions;
pub(crate) mod json;
pub(crate) mod listing;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod template;
pub(crate) mod units;

use std::fmt;
use std::io::{self, Write};

use serde_json::Value;

use crate::error::{Context as _, Error, Result};

pub(crate) use listing::{Heading, Listing};

/// The reader of our standard output has gone: no failure of ours, the program ends quietly.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads it any more")
    }
}

impl std::error::Error for Closed {}

/// Writes `text` to standard output as it is.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    check(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// The outcome of writing to one of our own streams.
pub(crate) fn check(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Error::wrap("cannot write the output", Closed))
        }
        outcome => outcome.context(|| "cannot write the output"),
    }
}

/// Renders one object (`info`, `version`): a Go template or `json`, as the user asked; without a format, as JSON.
pub(crate) fn object(format: Option<&str>, value: &Value) -> Result<String> {
    match format.map(str::trim) {
        None | Some("json") => json::pretty(value),
        Some(text) => {
            let mut line = template::Template::parse(text)?.render(value)?;
            line.push('\n');
            Ok(line)
        }
    }
}

/// Renders several objects (`inspect`): a line each through a Go template, else one JSON array.
pub(crate) fn objects(format: Option<&str>, values: Vec<Value>) -> Result<String> {
    match format.map(str::trim) {
        None | Some("json") => json::pretty(&Value::Array(values)),
        Some(text) => {
            let template = template::Template::parse(text)?;
            values.iter().map(|value| template.render(value).map(|line| line + "\n")).collect()
        }
    }
}
