//! config.json -> specification, with every value looked at before anything is done.
//!
//! ```text
//! text ─ JSON ─ schema (each field's type) ─ mend (what oci-spec demands and the specification does not) ─ Spec ─ check
//! ```
//!
//! An error names the path of what is wrong (`process.rlimits[2].type`) and its line and column. What the
//! specification wants to be warned of and not refused is handed to the caller.

mod linux;
mod mend;
mod position;
mod process;
mod schema;
mod seccomp;

use std::fmt;

use oci_spec::runtime::Spec;
use serde_json::Value;

use crate::error::{Context, Error, Kind, Result};

/// A config.json that can be carried out as far as its text tells.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub spec: Spec,
    /// What is not as its author may think: one sentence each.
    pub warnings: Vec<String>,
}

/// Reads the text of a config.json.
pub fn load(text: &str) -> Result<Loaded> {
    let mut config: Value = serde_json::from_str(text).context(|| "config.json is no JSON")?;
    let mut findings = Findings::default();
    mend::drop_nulls(&mut config);
    schema::check(&config, &mut findings);
    findings.verdict(Some(text))?;
    mend::mend(&mut config, &mut findings);
    let spec: Spec = serde_json::from_value(config).context(|| "config.json is not understood")?;
    check_into(&spec, &mut findings);
    findings.verdict(Some(text))?;
    Ok(Loaded { spec, warnings: findings.warnings })
}

/// Checks a specification that was not read from a file; gives the warnings.
pub fn check(spec: &Spec) -> Result<Vec<String>> {
    let mut findings = Findings::default();
    check_into(spec, &mut findings);
    findings.verdict(None)?;
    Ok(findings.warnings)
}

fn check_into(spec: &Spec, findings: &mut Findings) {
    version(spec.version(), findings);
    if let Some(root) = spec.root()
        && root.path().as_os_str().is_empty()
    {
        findings.bad(at("root.path"), "is empty");
    }
    if let Some(process) = spec.process() {
        process::check(process, findings);
    }
    linux::check(spec, findings);
    process::hooks(spec, findings);
}

/// The newest minor version of the specification whose fields are all known here.
const MINOR: u64 = 3;

/// SemVer 2.0.0, of major version 1.
fn version(text: &str, findings: &mut Findings) {
    let path = at("ociVersion");
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<Option<u64>> = core
        .split('.')
        .map(|number| {
            let canonical = number == "0" || !number.starts_with('0');
            number.parse().ok().filter(|_| canonical && number.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .collect();
    let suffix = &text[core.len()..];
    let (pre, build) = suffix.split_once('+').map_or((suffix, None), |(pre, build)| (pre, Some(build)));
    let identifiers = |text: &str| {
        text.split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    };
    let pre_fits = pre.is_empty() || pre.strip_prefix('-').is_some_and(identifiers);
    match numbers[..] {
        [Some(major), Some(minor), Some(_)] if pre_fits && build.is_none_or(identifiers) => {
            if major != 1 {
                findings.unsupported(path, format!("{text:?} is of another major version than 1"));
            } else if minor > MINOR {
                findings.warn(path, format!("{text:?} is newer than 1.{MINOR}: what it adds is ignored"));
            }
        }
        _ => findings.bad(path, format!("{text:?} is no SemVer 2.0.0 version")),
    }
}

/// What was found wrong or strange.
#[derive(Debug, Default)]
struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct Problem {
    path: Path,
    message: String,
    kind: Kind,
}

impl Findings {
    fn bad(&mut self, path: Path, message: impl Into<String>) {
        self.problems.push(Problem { path, message: message.into(), kind: Kind::Invalid });
    }

    fn unsupported(&mut self, path: Path, message: impl Into<String>) {
        self.problems.push(Problem { path, message: message.into(), kind: Kind::Unsupported });
    }

    fn warn(&mut self, path: Path, message: impl fmt::Display) {
        self.warnings.push(format!("config.json: {path}: {message}"));
    }

    /// The first problem as an error, with the number of those behind it.
    fn verdict(&self, text: Option<&str>) -> Result<()> {
        let Some(first) = self.problems.first() else { return Ok(()) };
        let place = match text.map(|text| position::find(text, &first.path)) {
            Some((line, column)) => format!(" line {line} column {column}"),
            None => String::new(),
        };
        let message = format!("config.json{place}: {}: {}", first.path, first.message);
        let error = Error::new(first.kind, message);
        Err(match self.problems.len() - 1 {
            0 => error,
            rest => error.hint(format!("{rest} more in the same file are wrong, too")),
        })
    }
}

/// One step down into a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The way to a value of a JSON document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Path(Vec<Step>);

/// The path of a field that no list and no map is above.
fn at(dotted: &str) -> Path {
    Path(dotted.split('.').map(|key| Step::Key(key.to_owned())).collect())
}

impl Path {
    fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(number) => write!(f, "[{number}]")?,
                Step::Key(key) if !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                    write!(f, "{}{key}", if index == 0 { "" } else { "." })?;
                }
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        if self.0.is_empty() { f.write_str("the document") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
