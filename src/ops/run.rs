//! `run`: make a container, start it, stay with it until it ends.

use std::os::fd::BorrowedFd;

use super::Session;
use super::create::{self, Reports};
use crate::container::{self, Attachment, Ending, Job};
use crate::error::{Error, Result};
use crate::image::Progress;
use crate::spec::Request;
use crate::spec::value::DetachKeys;
use crate::sys::signal::Signals;

/// The caller's side.
pub struct Caller<'a> {
    /// Standard input.
    pub input: BorrowedFd<'a>,
    /// Standard output.
    pub output: BorrowedFd<'a>,
    /// Standard error.
    pub error: BorrowedFd<'a>,
    /// Progress of a pull.
    pub progress: &'a dyn Progress,
    /// Takes one line about something that is lost.
    pub note: &'a dyn Fn(&str),
}

/// How `run` ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The payload ended with this code.
    Exited(i32),
    /// The user left by the detach keys.
    Detached,
    /// This signal ended the client alone.
    Interrupted(i32),
}

/// Runs a container in the foreground.
pub fn run(session: &Session, request: Request, caller: &Caller<'_>) -> Result<Outcome> {
    let reports = Reports { progress: caller.progress, note: caller.note };
    let created = create::create(session, request, &reports)?;
    let keys = detach_keys(session, &created.record.request)?;
    // Before the fork, so that no signal falls between.
    let signals = Signals::all()?;
    let job = Job {
        store: &session.store,
        directory: created.directory,
        record: &created.record,
        plan: &created.plan,
        userns: &created.userns,
        network: &created.network,
        run_dir: session.paths.run.join(&created.record.id),
        rootfs: &created.rootfs,
        cgroup: created.cgroup.plan.as_ref(),
        monitor_in_scope: created.cgroup.with_monitor,
    };
    let channel = container::launch(&job, created.lock)?;
    let request = &created.record.request;
    let tty = request.process.tty;
    let attachment = Attachment {
        input: request.process.interactive.then_some(caller.input),
        output: caller.output,
        error: caller.error,
        tty,
        signals: &signals,
        proxy_signals: request.terminal.sig_proxy,
        detach_keys: keys.bytes(),
    };
    Ok(match container::attach(&channel, &attachment)? {
        Ending::Exited(code) => Outcome::Exited(code),
        Ending::Detached => Outcome::Detached,
        Ending::Interrupted(signal) => Outcome::Interrupted(signal),
    })
}

fn detach_keys(session: &Session, request: &Request) -> Result<DetachKeys> {
    match (&request.terminal.detach_keys, &session.conf.engine.detach_keys) {
        (Some(keys), _) => Ok(keys.clone()),
        (None, Some(text)) => {
            text.parse().map_err(|error: Error| Error::wrap("containers.conf: detach_keys", error))
        }
        (None, None) => Ok(DetachKeys::default()),
    }
}
