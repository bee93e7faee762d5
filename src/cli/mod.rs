//! argv and terminal, nothing else: what was typed becomes a call into `ops`, and what that returns becomes text.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`commands`] | one file a verb: its arguments (their doc comments are the help) and what it prints |
//! | [`output`] | tables, templates, JSON, units, progress |
//! | [`error`] | how a failure looks and which exit code it has |
//! | [`help`] | what `--help` prints, and what is said of a wrong command line |
//! | [`docs`] | completions and manual pages, made from the same definitions as the help |
//!
//! Exit codes: 125 where rcon failed, 126 and 127 where the command in the container cannot be executed or is not
//! there, 1 and 2 from `rm` and `rmi`, else the container's own.

mod commands;
mod context;
pub mod docs;
mod error;
mod flags;
mod help;
pub(crate) mod output;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Parser};

pub(crate) use context::{Context, LogLevel};

use crate::config::Env;
use crate::error::{Error, Result};
use crate::ops;

/// Rootless containers without a daemon
#[derive(Parser)]
#[command(
    name = "rcon",
    bin_name = "rcon",
    version = concat!("version ", env!("CARGO_PKG_VERSION")),
    disable_version_flag = true,
    args_override_self = true,
    max_term_width = 100,
    after_help = "Examples:\n  rcon run -it alpine sh\n  rcon run --rootfs /:O -it sh\n  rcon ps -a"
)]
struct CommandLine {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Option<commands::Command>,
}

/// Options of every command.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct Globals {
    /// Directory of images and containers [default: $XDG_DATA_HOME/rcon]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]
    #[arg(long, global = true, value_name = "DIR")]
    runroot: Option<PathBuf>,
    /// How root file systems are made: overlay, fuse-overlayfs or vfs
    #[arg(long, global = true, value_name = "NAME")]
    storage_driver: Option<String>,
    /// An option of the storage driver
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    storage_opt: Vec<String>,
    /// Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]
    #[arg(long, global = true, value_name = "NAME")]
    cgroup_manager: Option<String>,
    /// The least grave message to show
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn", hide_possible_values = true)]
    log_level: LogLevel,
    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
}

/// The whole program: from argv to an exit code.
pub fn main() -> ExitCode {
    let env = Env::capture();
    let colour = error::Colour::of_stderr(&env);
    match start(env, arguments()) {
        Ok(code) => code,
        Err(error) => error::report(&error, colour),
    }
}

/// argv. A binary that is called `rcon-runtime` has one command, and `rcon-runtime X` is `rcon runtime X`.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let name = arguments.first().and_then(|program| std::path::Path::new(program).file_name());
    if name.is_some_and(|name| name == "rcon-runtime") {
        arguments.insert(1, "runtime".into());
    }
    arguments
}

fn start(env: Env, arguments: Vec<OsString>) -> Result<ExitCode> {
    let line = match CommandLine::try_parse_from(&arguments) {
        Ok(line) => line,
        Err(error) => return help::answer(&error, &arguments),
    };
    let Some(command) = line.command else {
        output::print(&help::page(&arguments))?;
        return Err(Error::usage("missing command").hint("rcon COMMAND, one of those above"));
    };
    let globals = line.globals;
    let cx = Context {
        env,
        log_level: globals.log_level,
        globals: ops::Globals {
            root: globals.root,
            runroot: globals.runroot,
            storage_driver: globals.storage_driver,
            storage_opts: globals.storage_opt,
            cgroup_manager: globals.cgroup_manager,
        },
    };
    command.run(&cx)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// clap's own assertions on the definitions: clashing names, defaults that do not parse and the like.
    #[test]
    fn the_definitions_hold() {
        let mut command = CommandLine::command();
        command.build();
        command.debug_assert();
    }

    #[test]
    fn global_options_are_taken_before_and_after_the_verb() {
        for line in [
            &["rcon", "--root", "/x", "--log-level=debug", "completion", "bash"][..],
            &["rcon", "completion", "bash", "--root=/y", "--root=/x", "--log-level", "trace"],
        ] {
            let line = CommandLine::try_parse_from(line).unwrap();
            assert_eq!(line.globals.root.as_deref(), Some("/x".as_ref()));
            assert_eq!(line.globals.log_level, LogLevel::Debug);
        }
    }
}
