//! The container's control group, from before the container is made until nothing of it is left.

use std::os::fd::BorrowedFd;

use nix::unistd::Pid;

use crate::container::launch::Job;
use crate::container::record::State;
use crate::error::Result;
use crate::runtime::cgroup::{Cgroup, Pending};

/// The group before it has a process; none where the container gets none.
pub(super) struct Prepared(Option<Pending>);

/// The group with the container in it. Removed when dropped, for a start that comes to nothing.
pub(super) struct ControlGroup(Option<Cgroup>);

/// What is left to say of a group at its end.
pub(super) struct Last {
    /// Whether one of its processes was killed for lack of memory.
    pub(super) oom_killed: bool,
    /// The group, if it could not be removed.
    pub(super) remaining: Option<Cgroup>,
}

/// Makes what can be made before there is a process. The state tells of it first: a monitor that is killed leaves a
/// group that can be found.
pub(super) fn prepare(job: &Job<'_>) -> Result<Prepared> {
    let Some(plan) = job.cgroup else { return Ok(Prepared(None)) };
    if let Some(cgroup) = plan.group() {
        job.directory.write_state(&State { cgroup: Some(cgroup), ..State::default() })?;
    }
    Ok(Prepared(Some(plan.make()?)))
}

impl Prepared {
    /// Where the first process is to be born.
    pub(super) fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref()?.directory()
    }

    /// Puts the first process into it, which must not have looked at its group yet.
    pub(super) fn adopt(self, job: &Job<'_>, pid: Pid) -> Result<ControlGroup> {
        let monitor = job.monitor_in_scope.then(Pid::this);
        Ok(ControlGroup(self.0.map(|pending| pending.adopt_with(pid, monitor)).transpose()?))
    }
}

impl ControlGroup {
    /// Itself.
    pub(super) fn cgroup(&self) -> Option<Cgroup> {
        self.0.clone()
    }

    /// Reads what it has counted, then removes it with whatever is left in it.
    pub(super) fn end(mut self) -> Last {
        let Some(cgroup) = self.0.take() else { return Last { oom_killed: false, remaining: None } };
        let oom_killed = cgroup.oom_kills() > 0;
        Last { oom_killed, remaining: cgroup.remove().is_err().then_some(cgroup) }
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        if let Some(cgroup) = &self.0 {
            let _ = cgroup.remove();
        }
    }
}
