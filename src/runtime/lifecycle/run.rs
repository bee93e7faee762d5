//! run: create and start in one process, and stay until the end.

use super::create::{Creation, Draft};
use super::{Runtime, Status, delete, hooks, relay};
use crate::error::{Error, Result};
use crate::runtime::Lifetime;
use crate::sys::signal::Signals;

/// How long run stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until the container ends, which is then deleted.
    Foreground,
    /// The same, and the container is kept.
    Kept,
    /// Until the container runs.
    Detached,
}

/// How run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The container ended with this code.
    Exited(i32),
    /// It goes on without us.
    Detached,
}

/// Makes a container and starts it.
pub fn run(runtime: &Runtime<'_>, creation: &Creation<'_>, mode: Mode) -> Result<Outcome> {
    let draft = Draft::new(runtime, creation)?;
    if mode == Mode::Detached && draft.plan.terminal && draft.console.is_none() {
        return Err(Error::usage(
            "process.terminal is true: --console-socket has to say where the terminal goes",
        ));
    }
    let hooks = draft.spec.hooks().clone();
    let to_console = draft.console.is_some();
    // Before the container is made, so that no signal falls between.
    let signals = if mode == Mode::Detached { None } else { Some(Signals::all()?) };
    let (container, started) = draft.make(Lifetime::Own)?;
    let record = &container.record;
    let poststart = hooks.as_ref().and_then(|hooks| hooks.poststart().as_deref());
    if let Err(error) = hooks::run("poststart", poststart, &record.state(Status::Running, record.pid)) {
        let _ = delete(runtime, &container, true);
        return Err(error);
    }
    let Some(signals) = signals else { return Ok(Outcome::Detached) };
    let leader = if to_console { None } else { started.terminal };
    let code = relay::stay(&started.init, leader, &signals)?;
    if mode == Mode::Foreground {
        delete(runtime, &container, true)?;
    }
    Ok(Outcome::Exited(code))
}
