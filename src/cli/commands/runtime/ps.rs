//! `rcon runtime ps`.

use std::process::{Command, ExitCode};

use nix::unistd::Pid;
use serde_json::json;

use crate::cli::output;
use crate::error::{Context as _, Error, Kind, Result};
use crate::runtime::lifecycle::{self, Runtime};

/// List a container's processes
///
/// The table is ps(1)'s, with its options; -f json gives the numbers alone.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// table or json
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,
    /// The container's id
    id: String,
    /// Options of ps(1) instead of -ef
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

pub(super) fn run(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    let pids = lifecycle::processes(&super::container(runtime, &args.id)?)?;
    let text = match args.format.as_str() {
        "json" => format!("{}\n", json!(pids.iter().map(|pid| pid.as_raw()).collect::<Vec<_>>())),
        _ => table(&pids, &args.options)?,
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The lines of ps whose PID column has one of the container's processes.
fn table(pids: &[Pid], options: &[String]) -> Result<String> {
    let default = ["-ef".to_owned()];
    let options = if options.is_empty() { &default[..] } else { options };
    let output = Command::new("ps").args(options).output().context(|| "cannot run ps")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(Kind::System, format!("ps failed: {}", said.trim())));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    let column = heading.split_whitespace().position(|name| name == "PID");
    let column = column.ok_or_else(|| Error::usage("these options of ps give no column PID"))?;
    let ours = |line: &&str| {
        let pid = line.split_whitespace().nth(column).and_then(|pid| pid.parse().ok());
        pid.is_some_and(|pid| pids.contains(&Pid::from_raw(pid)))
    };
    Ok(std::iter::once(heading).chain(lines.filter(ours)).map(|line| format!("{line}\n")).collect())
}
