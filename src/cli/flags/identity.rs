//! The container's name and labels, its creation and its end.

use std::path::PathBuf;

use super::{parse, parse_list, parse_option, read, switch};
use crate::error::Result;
use crate::spec::Lifecycle;
use crate::spec::value::{ContainerName, Hostname, Label, parse_label_file};

/// What a container is called.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Identity")]
pub(crate) struct MetadataFlags {
    /// Name of the container
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Host name inside the container [default: its short id]
    #[arg(short = 'h', long, value_name = "NAME")]
    hostname: Option<String>,
    /// Set metadata: KEY=VALUE
    #[arg(short = 'l', long, value_name = "LABEL")]
    label: Vec<String>,
    /// Read labels from a file, one a line
    #[arg(long, value_name = "FILE")]
    label_file: Vec<PathBuf>,
    /// Set an annotation of the OCI specification: KEY=VALUE
    #[arg(long, value_name = "ANNOTATION")]
    annotation: Vec<String>,
}

impl MetadataFlags {
    /// `--name`.
    pub(crate) fn name(&self) -> Result<Option<ContainerName>> {
        parse_option("--name", self.name.as_deref())
    }

    /// `--hostname`.
    pub(crate) fn hostname(&self) -> Result<Option<Hostname>> {
        parse_option("--hostname", self.hostname.as_deref())
    }

    /// The label files' labels, then `--label`.
    pub(crate) fn labels(&self) -> Result<Vec<Label>> {
        let mut labels = Vec::new();
        for path in &self.label_file {
            labels.extend(parse_label_file(&path.display().to_string(), &read("--label-file", path)?)?);
        }
        for text in &self.label {
            labels.push(parse("--label", text)?);
        }
        Ok(labels)
    }

    /// `--annotation`.
    pub(crate) fn annotations(&self) -> Result<Vec<Label>> {
        parse_list("--annotation", &self.annotation)
    }
}

/// How a container comes and goes.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Start and end")]
pub(crate) struct LifecycleFlags {
    /// Remove the container when it has ended
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, hide_default_value = true, value_name = "BOOL")]
    rm: bool,
    /// Remove another container of the same name first
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, hide_default_value = true, value_name = "BOOL")]
    replace: bool,
    /// Write the container's id to this file, which must not exist
    #[arg(long, value_name = "FILE")]
    cidfile: Option<PathBuf>,
    /// Run a small init as pid 1, which forwards signals and reaps
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, value_name = "BOOL")]
    init: Option<bool>,
    /// Signal that asks the container to end [default: the image's, or SIGTERM]
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,
    /// Seconds until a container that was asked to end is killed [default: 10]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    stop_timeout: Option<String>,
}

impl LifecycleFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> Result<Lifecycle> {
        Ok(Lifecycle {
            remove: self.rm,
            replace: self.replace,
            cidfile: self.cidfile.clone(),
            init: self.init,
            stop_signal: parse_option("--stop-signal", self.stop_signal.as_deref())?,
            stop_timeout: parse_option("--stop-timeout", self.stop_timeout.as_deref())?,
        })
    }
}
