//! `rcon runtime …`: the command line of an OCI runtime, as runc's and crun's. A binary that is called `rcon-runtime` is
//! this alone.

mod create;
mod delete;
mod exec;
mod features;
mod kill;
mod list;
mod ps;
mod resources;
mod spec;
mod start;
mod state;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::cli::error::{Colour, report_as_runtime};
use crate::cli::{Context, LogLevel, output};
use crate::config::Paths;
use crate::error::{Context as _, Error, Kind, Result};
use crate::runtime::NEWEST_SPECIFICATION;
use crate::runtime::cgroup::Manager;
use crate::runtime::lifecycle::Runtime;

/// Run containers from OCI bundles
///
/// The command line of an OCI runtime: what runc and crun are to podman and containerd. A bundle is a directory with a
/// config.json and a root file system. Containers of other commands are not seen here, nor these there. With this command
/// --root is the directory of the runtime's state [default: $XDG_RUNTIME_DIR/rcon/runtime].
///
/// Examples:
///   rcon runtime spec && rcon runtime run mini
///   rcon runtime list
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Write messages to a file
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How messages are written to it
    #[arg(long, value_name = "text|json", default_value = "text")]
    log_format: LogFormat,
    /// Show messages on standard error although they go to a file
    #[arg(long)]
    debug: bool,
    /// Have systemd make control groups; linux.cgroupsPath is slice:prefix:name then
    #[arg(long)]
    systemd_cgroup: bool,
    /// Whether the caller is no root: true and false are checked, auto finds out
    #[arg(long, value_name = "auto", value_parser = ["auto", "true", "false"], default_value = "auto", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    rootless: String,
    /// Print the versions of the runtime and of the specification
    #[arg(short, long)]
    version: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(clap::Subcommand)]
#[command(defer = true)]
enum Verb {
    Create(create::Args),
    Start(start::Args),
    Run(create::RunArgs),
    Exec(exec::Args),
    State(state::Args),
    Kill(kill::Args),
    Delete(delete::Args),
    List(list::Args),
    Ps(ps::Args),
    Pause(resources::PauseArgs),
    Resume(resources::ResumeArgs),
    Update(resources::UpdateArgs),
    Events(resources::EventsArgs),
    Spec(spec::Args),
    Features(features::Args),
}

/// Does it. A failure is told to the log file as well; the exit code is 1, as with other runtimes, unless the
/// program is the reason (126, 127).
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let log = Log { file: args.log.as_deref().map(without_driver).transpose()?, format: args.log_format };
    match act(cx, &args, &log) {
        Ok(code) => Ok(code),
        Err(error) => {
            log.write("error", &error.chain().join(": "));
            Ok(report_as_runtime(&error, Colour::of_stderr(&cx.env)))
        }
    }
}

fn act(cx: &Context, args: &Args, log: &Log) -> Result<ExitCode> {
    if args.version {
        let version = env!("CARGO_PKG_VERSION");
        output::print(&format!("rcon-runtime version {version}\nspec: {NEWEST_SPECIFICATION}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let contradicts = match args.rootless.as_str() {
        "true" => cx.env.uid() == 0 && !in_user_namespace(),
        "false" => cx.env.uid() != 0,
        _ => false,
    };
    if contradicts {
        let message = format!("--rootless {}: the caller has the user id {}", args.rootless, cx.env.uid());
        return Err(Error::usage(message).hint("leave it out: rcon finds out"));
    }
    let Some(verb) = &args.verb else {
        return Err(Error::usage("missing command").hint("rcon runtime --help"));
    };
    let root = match &cx.globals.root {
        Some(root) => std::path::absolute(root).context(|| format!("--root {}", root.display()))?,
        None => Paths::discover(&cx.env, None, cx.globals.runroot.as_deref())?.run.join("runtime"),
    };
    let note = |text: &str| {
        log.write("warning", text);
        if args.debug || (log.file.is_none() && cx.log_level <= LogLevel::Warn) {
            cx.note(text);
        }
    };
    let buses = cx.env.user_bus();
    let manager = cx.globals.cgroup_manager.as_deref().map(str::parse).transpose()?;
    let runtime = Runtime {
        root: &root,
        env: &cx.env,
        // Whoever calls an OCI runtime decides it by that option.
        cgroup_manager: Some(if args.systemd_cgroup {
            Manager::Systemd
        } else {
            manager.unwrap_or(Manager::Cgroupfs)
        }),
        user_bus: &buses,
        note: &note,
    };
    match verb {
        Verb::Create(args) => create::create(&runtime, args),
        Verb::Run(args) => create::run(&runtime, args),
        Verb::Start(args) => start::run(&runtime, args),
        Verb::Exec(args) => exec::run(&runtime, args),
        Verb::State(args) => state::run(&runtime, args),
        Verb::Kill(args) => kill::run(&runtime, args),
        Verb::Delete(args) => delete::run(&runtime, args),
        Verb::List(args) => list::run(&runtime, args),
        Verb::Ps(args) => ps::run(&runtime, args),
        Verb::Pause(args) => resources::pause(&runtime, args),
        Verb::Resume(args) => resources::resume(&runtime, args),
        Verb::Update(args) => resources::update(&runtime, args),
        Verb::Events(args) => resources::events(&runtime, args),
        Verb::Spec(args) => spec::run(cx, args),
        Verb::Features(args) => features::run(args),
    }
}

/// Whether the ids of this process are not the machine's own.
fn in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    !map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// crun names a driver before the file: `file:/path`.
fn without_driver(log: &Path) -> Result<PathBuf> {
    match log.to_str().and_then(|text| text.split_once(':')) {
        Some(("file", path)) => Ok(path.into()),
        Some((driver @ ("journald" | "syslog"), _)) => {
            Err(Error::unsupported(format!("--log {driver}: is not supported, write to a file")))
        }
        _ => Ok(log.to_owned()),
    }
}

/// Where messages go besides standard error.
struct Log {
    file: Option<PathBuf>,
    format: LogFormat,
}

impl Log {
    /// Appends one line. A log that cannot be written is no reason to fail.
    fn write(&self, level: &str, text: &str) {
        let Some(path) = &self.file else { return };
        let time = jiff::Timestamp::now().to_string();
        let line = match self.format {
            LogFormat::Json => json!({ "level": level, "msg": text, "time": time }).to_string(),
            LogFormat::Text => format!("time={time:?} level={level} msg={text:?}"),
        };
        if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path) {
            let _ = writeln!(file, "{line}");
        }
    }
}

/// The container that a command names.
fn container(runtime: &Runtime<'_>, id: &str) -> Result<crate::runtime::lifecycle::Container> {
    crate::runtime::lifecycle::load(runtime.root, id)
}

/// Whether the error says that there is no such container.
fn is_missing(error: &Error) -> bool {
    error.kind() == Kind::NotFound
}
