//! The hooks that run in the runtime's own namespaces: `prestart` and `createRuntime` while the container is made,
//! `poststart` and `poststop` afterwards.
//!
//! Source: runtime-spec config.md, "POSIX-platform Hooks".

use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oci_spec::runtime::Hook;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::error::{Context, Error, Kind, Result};
use crate::sys::clone::pidfd_open;

/// Runs hooks of one kind in their order; the first that fails ends it.
pub(super) fn run(kind: &str, hooks: Option<&[Hook]>, state: &Value) -> Result<()> {
    for (index, hook) in hooks.unwrap_or_default().iter().enumerate() {
        run_one(hook, state)
            .context(|| format!("hooks.{kind}[{index}] failed ({})", hook.path().display()))?;
    }
    Ok(())
}

/// The same for those whose failure is no more than a warning.
pub(super) fn run_all(kind: &str, hooks: Option<&[Hook]>, state: &Value, note: &dyn Fn(&str)) {
    for (index, hook) in hooks.unwrap_or_default().iter().enumerate() {
        if let Err(error) = run_one(hook, state) {
            note(&format!(
                "hooks.{kind}[{index}] failed ({}): {}",
                hook.path().display(),
                error.chain().join(": ")
            ));
        }
    }
}

fn run_one(hook: &Hook, state: &Value) -> Result<()> {
    let mut command = Command::new(hook.path());
    let mut arguments = hook.args().iter().flatten();
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments).env_clear();
    for entry in hook.env().iter().flatten() {
        let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
        command.env(key, value);
    }
    // A group of its own, so that what it started goes with it when it takes too long.
    let mut child = command.process_group(0).stdin(Stdio::piped()).spawn().context(|| "cannot start it")?;
    if let Some(mut input) = child.stdin.take() {
        // A hook need not read its input.
        let _ = input.write_all(state.to_string().as_bytes());
    }
    let timeout = hook.timeout().and_then(|seconds| u64::try_from(seconds).ok());
    if let Some(seconds) = timeout
        && !ends_within(&child, Duration::from_secs(seconds))?
    {
        let group = nix::unistd::Pid::from_raw(child.id() as i32);
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let _ = child.wait();
        return Err(Error::new(Kind::System, format!("it was not done after {seconds} s")));
    }
    let status = child.wait().context(|| "cannot wait for it")?;
    if status.success() { Ok(()) } else { Err(Error::new(Kind::System, format!("it ended with {status}"))) }
}

fn ends_within(child: &Child, limit: Duration) -> Result<bool> {
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    let pidfd = pidfd_open(pid).context(|| "pidfd_open")?;
    let limit = Timespec::try_from(limit).map_err(|_| Error::invalid("the timeout is too long"))?;
    let ready = poll(&mut [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)], Some(&limit));
    Ok(ready.context(|| "poll")? > 0)
}
