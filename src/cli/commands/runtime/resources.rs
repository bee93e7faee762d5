//! `rcon runtime pause`, `resume`, `update` and `events`: what is done with a container's control group.

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

use oci_spec::runtime::LinuxResources;
use serde_json::{Value, json};

use crate::cli::output;
use crate::error::{Context as _, Error, Kind, Result};
use crate::runtime::cgroup::{Cgroup, Stats};
use crate::runtime::lifecycle::{Container, Runtime, Status};

/// Freeze a container's processes
#[derive(clap::Args)]
pub(super) struct PauseArgs {
    /// The container's id
    id: String,
}

/// Let a paused container go on
#[derive(clap::Args)]
pub(super) struct ResumeArgs {
    /// The container's id
    id: String,
}

/// Change a container's limits
#[derive(clap::Args)]
pub(super) struct UpdateArgs {
    /// Take them from a JSON file: what config.json has as linux.resources; - is standard input
    #[arg(short, long, value_name = "FILE")]
    resources: Option<String>,
    /// Memory in bytes
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    memory: Option<i64>,
    /// Memory below which nothing is reclaimed first
    #[arg(long, value_name = "BYTES")]
    memory_reservation: Option<i64>,
    /// Memory and swap together
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    memory_swap: Option<i64>,
    /// Length of a period of the quota in microseconds
    #[arg(long, value_name = "USEC")]
    cpu_period: Option<u64>,
    /// Processor time in a period in microseconds
    #[arg(long, value_name = "USEC", allow_hyphen_values = true)]
    cpu_quota: Option<i64>,
    /// Share of processor time beside others
    #[arg(long, visible_alias = "cpu-shares", value_name = "N")]
    cpu_share: Option<u64>,
    /// Processors it may use
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Memory nodes it may use
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// How many processes it may have
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pids_limit: Option<i64>,
    /// Share of disk time beside others
    #[arg(long, value_name = "N")]
    blkio_weight: Option<u16>,
    /// The container's id
    id: String,
}

/// Print what a container uses, again and again
#[derive(clap::Args)]
pub(super) struct EventsArgs {
    /// Once
    #[arg(long)]
    stats: bool,
    /// Seconds between two lines
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    interval: Duration,
    /// The container's id
    id: String,
}

/// `5`, `5s`, `500ms`, `1m`.
fn seconds(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| format!("{text:?} is no duration"))?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number * 60),
        _ => return Err(format!("{text:?} is no duration")),
    };
    if duration.is_zero() { Err("an interval is longer than 0".to_owned()) } else { Ok(duration) }
}

pub(super) fn pause(runtime: &Runtime<'_>, args: &PauseArgs) -> Result<ExitCode> {
    let container = super::container(runtime, &args.id)?;
    expect(&container, &[Status::Running, Status::Created], "pause")?;
    group(&container)?.freeze()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn resume(runtime: &Runtime<'_>, args: &ResumeArgs) -> Result<ExitCode> {
    let container = super::container(runtime, &args.id)?;
    expect(&container, &[Status::Paused], "resume")?;
    group(&container)?.thaw()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn update(runtime: &Runtime<'_>, args: &UpdateArgs) -> Result<ExitCode> {
    let container = super::container(runtime, &args.id)?;
    expect(&container, &[Status::Running, Status::Created, Status::Paused], "update")?;
    let mut resources = match args.resources.as_deref() {
        None => json!({}),
        Some(file) => read(file)?,
    };
    let flags = [
        ("memory", "limit", args.memory.map(Value::from)),
        ("memory", "reservation", args.memory_reservation.map(Value::from)),
        ("memory", "swap", args.memory_swap.map(Value::from)),
        ("cpu", "period", args.cpu_period.map(Value::from)),
        ("cpu", "quota", args.cpu_quota.map(Value::from)),
        ("cpu", "shares", args.cpu_share.map(Value::from)),
        ("cpu", "cpus", args.cpuset_cpus.clone().map(Value::from)),
        ("cpu", "mems", args.cpuset_mems.clone().map(Value::from)),
        ("pids", "limit", args.pids_limit.map(Value::from)),
        ("blockIO", "weight", args.blkio_weight.map(Value::from)),
    ];
    for (controller, key, value) in flags {
        if let Some(value) = value {
            resources[controller][key] = value;
        }
    }
    if resources == json!({}) {
        return Err(Error::usage("nothing to update: name a limit"));
    }
    let resources: LinuxResources =
        serde_json::from_value(resources).context(|| "cannot understand the resources")?;
    group(&container)?.update(&resources)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn events(runtime: &Runtime<'_>, args: &EventsArgs) -> Result<ExitCode> {
    let container = super::container(runtime, &args.id)?;
    loop {
        if container.status() == Status::Stopped {
            return if args.stats { Err(stopped(&container)) } else { Ok(ExitCode::SUCCESS) };
        }
        let data = stats(&group(&container)?.stats());
        let line = json!({ "type": "stats", "id": container.record.id, "data": data });
        output::print(&format!("{line}\n"))?;
        if args.stats {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(args.interval);
    }
}

fn read(file: &str) -> Result<Value> {
    let mut text = String::new();
    if file == "-" {
        std::io::stdin().read_to_string(&mut text).context(|| "cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(file).context(|| format!("cannot read {file}"))?;
    }
    let value: Value = serde_json::from_str(&text).context(|| format!("cannot read {file}"))?;
    if value.is_object() { Ok(value) } else { Err(Error::invalid(format!("{file} holds no JSON object"))) }
}

fn expect(container: &Container, wanted: &[Status], verb: &str) -> Result<()> {
    let status = container.status();
    if wanted.contains(&status) {
        return Ok(());
    }
    let message = format!("cannot {verb} container {}: it is {status}", container.record.id);
    Err(Error::new(Kind::Conflict, message))
}

fn stopped(container: &Container) -> Error {
    Error::new(Kind::Conflict, format!("container {} is not running", container.record.id))
}

fn group(container: &Container) -> Result<&Cgroup> {
    container.record.cgroup.as_ref().ok_or_else(|| {
        let message = format!("container {} has no control group of its own", container.record.id);
        Error::unsupported(message).hint("rcon doctor tells what this machine lacks for control groups")
    })
}

/// runc's form; times are in nanoseconds.
fn stats(stats: &Stats) -> Value {
    let (cpu, memory) = (&stats.cpu, &stats.memory);
    let limit = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    json!({
        "cpu": {
            "usage": { "total": cpu.usage * 1000, "kernel": cpu.system * 1000, "user": cpu.user * 1000 },
            "throttling": {
                "periods": cpu.periods,
                "throttledPeriods": cpu.throttled_periods,
                "throttledTime": cpu.throttled * 1000,
            },
        },
        "memory": {
            "cache": memory.inactive_file,
            "usage": {
                "limit": limit(memory.limit),
                "usage": memory.usage.unwrap_or(0),
                "max": memory.peak.unwrap_or(0),
                "failcnt": memory.limit_hits,
            },
            "swap": {
                "limit": limit(memory.swap_limit),
                "usage": memory.swap_usage.unwrap_or(0),
                "failcnt": 0,
            },
        },
        "pids": stats.pids,
        "blkio": stats.io,
    })
}
