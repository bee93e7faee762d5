//! exec: another process in a container that runs. Nothing of it is kept.

use std::path::Path;

use oci_spec::runtime::{Process, Spec};
use serde_json::Value;

use super::console::Console;
use super::create::{adopt_window, keep_descriptors, standard_streams};
use super::directory::Container;
use super::{Status, relay};
use crate::error::{Context, Error, Kind, Result};
use crate::runtime::{Host, Lifetime, Surroundings, exec_plan, validate};
use crate::sys::signal::Signals;
use crate::sys::{atomic, clone};

/// What exec is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'a> {
    /// Whether nobody waits for its end.
    pub detach: bool,
    /// Where its number is written to.
    pub pid_file: Option<&'a Path>,
    /// Where the terminal is sent to.
    pub console_socket: Option<&'a Path>,
    /// How many descriptors from 3 on it keeps.
    pub preserve_fds: u32,
}

/// How exec ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// The process ended with this code.
    Exited(i32),
    /// It goes on without us.
    Detached,
}

/// All that a process is told of its container.
struct Told<'a>(&'a Container);

impl Host for Told<'_> {
    fn state(&mut self, _: &clone::Process) -> Result<Vec<u8>> {
        Ok(self.0.state().to_string().into_bytes())
    }
}

impl Container {
    /// The container's specification with another process, given as the JSON of `process`.
    pub fn spec_with(&self, process: &Value) -> Result<Spec> {
        let path = self.directory.join("config.json");
        let text = std::fs::read_to_string(&path).context(|| format!("cannot read {}", path.display()))?;
        let mut config: Value =
            serde_json::from_str(&text).context(|| format!("cannot read {}", path.display()))?;
        config["process"] = process.clone();
        Ok(validate::load(&config.to_string())?.spec)
    }

    /// The process that the container was made with.
    pub fn process_of_config(&self) -> Result<Process> {
        let missing = || Error::invalid("the container's config.json has no process");
        self.spec()?.process().clone().ok_or_else(missing)
    }
}

/// Runs `spec.process` in the container.
pub fn exec(container: &Container, mut spec: Spec, execution: &Execution<'_>) -> Result<Ran> {
    keep_descriptors(execution.preserve_fds)?;
    let id = &container.record.id;
    match container.status() {
        Status::Created | Status::Running => {}
        status => {
            return Err(Error::new(Kind::Conflict, format!("cannot exec in container {id}: it is {status}")));
        }
    }
    if execution.console_socket.is_none() {
        adopt_window(&mut spec);
    }
    let plan = exec_plan(&spec, container.record.pid, execution.preserve_fds)?;
    let console = Console::connect(execution.console_socket, plan.terminal)?;
    if execution.detach && plan.terminal && console.is_none() {
        return Err(Error::usage("--tty with --detach: --console-socket has to say where the terminal goes"));
    }
    let signals = if execution.detach { None } else { Some(Signals::all()?) };
    let surroundings = Surroundings {
        userns: None,
        stdio: if plan.terminal { None } else { Some(standard_streams()?) },
        cgroup: None,
        lifetime: Lifetime::Own,
    };
    let created = crate::runtime::create(&plan, surroundings)?;
    let pid = created.init.pid;
    // The namespaces were found by number: it has to have been the container's until they were joined.
    let ready = container.process().and_then(|_| match &container.record.cgroup {
        Some(cgroup) => cgroup.enter(pid),
        None => Ok(()),
    });
    if let Err(error) = ready {
        return Err(created.abandon(error));
    }
    created.proceed();
    let started = created.start(&mut Told(container))?;
    let leader = match (&console, started.terminal) {
        (Some(console), Some(leader)) => {
            console.send(&leader)?;
            None
        }
        (_, leader) => leader,
    };
    if let Some(path) = execution.pid_file {
        atomic::write(path, pid.to_string().as_bytes(), 0o644)?;
    }
    match signals {
        Some(signals) => Ok(Ran::Exited(relay::stay(&started.init, leader, &signals)?)),
        None => Ok(Ran::Detached),
    }
}
