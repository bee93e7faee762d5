//! `rcon ps`.

mod filter;
mod row;

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::output::listing::sort_key;
use crate::cli::{Context, output};
use crate::container::{Container, Phase};
use crate::error::{Error, Result};
use crate::ops::ps::{self, Which};

use filter::Filters;
use output::Heading;
use row::{LISTING, Row, Width};

/// List containers
///
/// Those that run, and with --all the others too. Nothing is locked and nothing started for it.
///
/// Examples:
///   rcon ps -a
///   rcon ps -q --filter label=stage=test
///   rcon ps --format "table {{.Names}}\t{{.Status}}"
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Show the containers that do not run too
    #[arg(short, long)]
    all: bool,
    /// Show those alone that meet a condition: ancestor, before, exited, id, label, name, since, status, until, volume
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// A Go template, `table` and a Go template, or json
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show the last N containers that were created, in whatever state
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        allow_negative_numbers = true,
        default_value = "-1",
        hide_default_value = true
    )]
    last: i64,
    /// Show the container that was created last
    #[arg(short, long, conflicts_with = "last")]
    latest: bool,
    /// Do not shorten ids and commands
    #[arg(long)]
    no_trunc: bool,
    /// Leave the headings out
    #[arg(long)]
    noheading: bool,
    /// Print ids alone
    #[arg(short, long, conflicts_with = "format")]
    quiet: bool,
    /// By what to sort: command, created, id, image, names, runningfor, status
    #[arg(long, value_name = "KEY", default_value = "created")]
    sort: String,
}

/// Prints the list.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let key = sort_key(&args.sort, &["command", "created", "id", "image", "names", "runningfor", "status"])?;
    let session = cx.session()?;
    let now = Timestamp::now();
    let mut rows: Vec<Row> =
        ps::list(&session, Which::All)?.iter().map(Row::try_from).collect::<Result<_>>()?;
    let filters = Filters::parse(&args.filter, &rows, now)?;
    let last = if args.latest { 1 } else { args.last };
    let any_state = args.all || last >= 0 || filters.ask_for_state();
    rows.retain(|row| (any_state || row.phase == Phase::Running) && filters.accept(row));
    if let Ok(count) = usize::try_from(last) {
        rows.drain(..rows.len().saturating_sub(count));
    }
    sort(&mut rows, key, now);
    output::print(&show(&args, &rows, now)?)?;
    Ok(ExitCode::SUCCESS)
}

fn show(args: &Args, rows: &[Row], now: Timestamp) -> Result<String> {
    let width = if args.no_trunc { Width::Full } else { Width::Short };
    if args.quiet {
        return Ok(rows.iter().map(|row| format!("{}\n", width.id(&row.id))).collect());
    }
    let heading = if args.noheading { Heading::Hidden } else { Heading::Shown };
    let fields: Vec<_> = rows.iter().map(|row| row.fields(width, now)).collect();
    LISTING.render(args.format.as_deref(), heading, &fields, || {
        rows.iter().map(|row| row.json(now)).collect::<Value>()
    })
}

/// Rows come in the order of their creation, which stays the order among equals.
fn sort(rows: &mut [Row], key: &str, now: Timestamp) {
    match key {
        "command" => rows.sort_by(|a, b| a.command.cmp(&b.command)),
        "id" => rows.sort_by(|a, b| a.id.cmp(&b.id)),
        "image" => rows.sort_by(|a, b| a.image.cmp(&b.image)),
        "names" => rows.sort_by(|a, b| a.name.cmp(&b.name)),
        "status" => rows.sort_by_key(|row| row.status(now)),
        _ => rows.sort_by_key(|row| row.created),
    }
}

impl TryFrom<&Container> for Row {
    type Error = Error;

    fn try_from(container: &Container) -> Result<Self> {
        let (record, state) = (&container.record, &container.state);
        let time = |text: &str| {
            text.parse::<Timestamp>().map_err(|error| {
                Error::wrap(format!("the record of container {} has a wrong time", record.id), error)
            })
        };
        Ok(Self {
            id: record.id.clone(),
            name: record.name.clone(),
            image: record.image.clone(),
            image_id: record.image_id.clone(),
            command: record.command.clone(),
            created: time(&record.created)?,
            started: state.started.as_deref().map(time).transpose()?,
            finished: state.finished.as_deref().map(time).transpose()?,
            phase: state.phase,
            exit_code: state.exit_code.unwrap_or(0),
            pid: state.pid.unwrap_or(0),
            labels: record.labels.clone(),
            mounts: record
                .volumes
                .iter()
                .map(|(path, name)| (path.display().to_string(), name.clone()))
                .collect(),
            ports: record.ports.clone(),
            auto_remove: record.remove,
        })
    }
}
