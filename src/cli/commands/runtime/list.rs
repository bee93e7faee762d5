//! `rcon runtime list`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use crate::cli::output;
use crate::error::Result;
use crate::runtime::lifecycle::{self, Runtime};

/// List the runtime's containers
#[derive(clap::Args)]
pub(super) struct Args {
    /// table or json
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,
    /// Print ids alone
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    let containers = lifecycle::list(runtime.root)?;
    let text = if args.quiet {
        containers.iter().map(|container| format!("{}\n", container.record.id)).collect()
    } else {
        let states: Vec<Value> = containers.iter().map(lifecycle::Container::state).collect();
        match args.format.as_str() {
            "json" => format!("{}\n", Value::Array(states)),
            _ => table(&states),
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// runc's columns.
fn table(states: &[Value]) -> String {
    let keys = ["id", "pid", "status", "bundle", "created", "owner"];
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut rows = vec![keys.map(str::to_uppercase)];
    rows.extend(states.iter().map(|state| keys.map(|key| cell(&state[key]))));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..keys.len()).map(|column| width(column).max(12)).collect();
    let mut text = String::new();
    for row in &rows {
        let (last, others) = row.split_last().unwrap_or((&row[0], &[]));
        for (cell, width) in others.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}");
            text.push_str("   ");
        }
        let _ = writeln!(text, "{last}");
    }
    text
}
