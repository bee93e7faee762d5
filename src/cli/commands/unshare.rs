//! `rcon unshare [COMMAND [ARG...]]`.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::Context;
use crate::config::Paths;
use crate::error::{Error, Result};
use crate::ops::unshare;

/// Run a command as root of your user namespace
///
/// The command (your shell, if none is given) gets the ids that containers get: it is root, and your
/// subordinate ids are the others. With a mount namespace of its own it can mount what a container can.
///
/// Examples:
///   rcon unshare
///   rcon unshare cat /proc/self/uid_map
///   rcon unshare chown -R 0:0 directory
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Join the network namespace that bridge networks share
    #[arg(long, hide = true)]
    rootless_netns: bool,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Becomes the command.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    if args.rootless_netns {
        return Err(Error::unsupported("--rootless-netns: there are no bridge networks yet"));
    }
    let paths = Paths::discover(&cx.env, cx.globals.root.as_deref(), cx.globals.runroot.as_deref())?;
    let namespace = unshare::plan(&cx.env)?;
    for note in paths.notes.iter().chain(&namespace.notes) {
        cx.note(note);
    }
    match unshare::exec(&cx.env, &paths, &namespace, &args.command)? {}
}
