//! `rcon runtime exec`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::error::{Context as _, Error, Result};
use crate::runtime::lifecycle::{self, Container, Execution, Ran, Runtime};

/// Run another process in a container
///
/// The process is that of the container's config.json with what the options say, or the one of --process.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Take the process from a JSON file: what config.json has as "process"
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["command", "cwd", "env", "user", "cap"])]
    process: Option<PathBuf>,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// Its working directory
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// Add to its environment
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Its user
    #[arg(short, long, value_name = "UID[:GID]")]
    user: Option<String>,
    /// Additional groups
    #[arg(short = 'g', long, value_name = "GID")]
    additional_gids: Vec<u32>,
    /// Add a capability
    #[arg(short, long, value_name = "NAME")]
    cap: Vec<String>,
    /// No program may give it more privileges
    #[arg(long)]
    no_new_privs: bool,
    /// AppArmor profile
    #[arg(long, value_name = "PROFILE")]
    apparmor: Option<String>,
    /// SELinux label
    #[arg(long, value_name = "LABEL")]
    process_label: Option<String>,
    /// Do not stay until it ends
    #[arg(short, long)]
    detach: bool,
    /// Write its number to a file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Send the terminal's leader to a unix socket
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// Keep so many descriptors from 3 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    preserve_fds: u32,
    /// The container's id
    id: String,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required_unless_present = "process")]
    command: Vec<String>,
}

pub(super) fn run(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    let container = super::container(runtime, &args.id)?;
    let process = match &args.process {
        Some(file) => {
            let text = std::fs::read_to_string(file).context(|| format!("cannot read {}", file.display()))?;
            serde_json::from_str(&text).context(|| format!("cannot read {}", file.display()))?
        }
        None => process(&container, args)?,
    };
    let spec = container.spec_with(&with_switches(process, args))?;
    let execution = Execution {
        detach: args.detach,
        pid_file: args.pid_file.as_deref(),
        console_socket: args.console_socket.as_deref(),
        preserve_fds: args.preserve_fds,
    };
    match lifecycle::exec(&container, spec, &execution)? {
        Ran::Exited(code) => Ok(ExitCode::from(code as u8)),
        Ran::Detached => Ok(ExitCode::SUCCESS),
    }
}

/// What goes for a process from a file as well.
fn with_switches(mut process: Value, args: &Args) -> Value {
    if args.tty {
        process["terminal"] = json!(true);
    }
    if args.no_new_privs {
        process["noNewPrivileges"] = json!(true);
    }
    if let Some(profile) = &args.apparmor {
        process["apparmorProfile"] = json!(profile);
    }
    if let Some(label) = &args.process_label {
        process["selinuxLabel"] = json!(label);
    }
    if !args.additional_gids.is_empty() {
        process["user"]["additionalGids"] = json!(args.additional_gids);
    }
    process
}

/// The container's own process with another command.
fn process(container: &Container, args: &Args) -> Result<Value> {
    let own = container.process_of_config()?;
    let mut process = serde_json::to_value(own).context(|| "cannot encode the process")?;
    process["args"] = json!(args.command);
    process["terminal"] = json!(args.tty);
    if let Some(cwd) = &args.cwd {
        process["cwd"] = json!(cwd);
    }
    let mut env: Vec<Value> = process["env"].as_array().cloned().unwrap_or_default();
    env.extend(args.env.iter().map(|entry| json!(entry)));
    process["env"] = Value::Array(env);
    if let Some(user) = &args.user {
        let number = |text: &str| {
            text.parse::<u32>().map_err(|_| Error::usage(format!("--user {user}: expected UID or UID:GID")))
        };
        let (uid, gid) = user.split_once(':').map_or((user.as_str(), None), |(uid, gid)| (uid, Some(gid)));
        process["user"]["uid"] = json!(number(uid)?);
        if let Some(gid) = gid {
            process["user"]["gid"] = json!(number(gid)?);
        }
    }
    for capability in &args.cap {
        for set in ["bounding", "effective", "permitted", "inheritable", "ambient"] {
            let sets = &mut process["capabilities"][set];
            let mut all = sets.as_array().cloned().unwrap_or_default();
            // Ambient ones have to be inheritable too; runc gives them to all five sets.
            all.push(json!(capability));
            *sets = Value::Array(all);
        }
    }
    Ok(process)
}
