//! `rcon runtime create` and `rcon runtime run`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::{Error, Result};
use crate::runtime::lifecycle::{self, Creation, Mode, Outcome, Runtime};

/// Make a container from a bundle; it waits for its start
#[derive(clap::Args)]
pub(super) struct Args {
    /// The bundle's directory
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// Write the number of the container's first process to a file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Send the terminal's leader to a unix socket
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// Keep so many descriptors from 3 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    preserve_fds: u32,
    /// Do not pivot_root: rcon always does, and a bundle in a ramfs works all the same
    #[arg(long, hide = true)]
    no_pivot: bool,
    /// Stay in the caller's session keyring
    #[arg(long)]
    no_new_keyring: bool,
    /// The container's id
    id: String,
}

/// Make a container from a bundle, start it, and stay until it ends
#[derive(clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    create: Args,
    /// Do not stay
    #[arg(short, long)]
    detach: bool,
    /// Keep the container after its end
    #[arg(long)]
    keep: bool,
    /// Accepted for runc's sake: rcon reaps its own child alone
    #[arg(long, hide = true)]
    no_subreaper: bool,
}

impl Args {
    fn creation(&self) -> Result<Creation<'_>> {
        if self.no_pivot {
            return Err(Error::unsupported(
                "--no-pivot: a root file system without pivot_root can be left by the container",
            ));
        }
        Ok(Creation {
            id: &self.id,
            bundle: &self.bundle,
            pid_file: self.pid_file.as_deref(),
            console_socket: self.console_socket.as_deref(),
            preserve_fds: self.preserve_fds,
            keyring: !self.no_new_keyring,
        })
    }
}

pub(super) fn create(runtime: &Runtime<'_>, args: &Args) -> Result<ExitCode> {
    lifecycle::create(runtime, &args.creation()?)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run(runtime: &Runtime<'_>, args: &RunArgs) -> Result<ExitCode> {
    let mode = match (args.detach, args.keep) {
        (true, _) => Mode::Detached,
        (false, true) => Mode::Kept,
        (false, false) => Mode::Foreground,
    };
    match lifecycle::run(runtime, &args.create.creation()?, mode)? {
        Outcome::Exited(code) => Ok(ExitCode::from(code as u8)),
        Outcome::Detached => Ok(ExitCode::SUCCESS),
    }
}
