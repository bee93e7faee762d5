//! The monitor: the one process that stays for a running container. Forked without exec, in a session of its
//! own, holding the container's lock for life.
//!
//! It makes the container through the runtime, starts the network helper, pumps the standard streams between
//! payload, log and client, reaps, records the end and cleans up.

mod control_group;
mod orphans;
mod pump;
mod stdio;

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;

use jiff::Timestamp;

use super::launch::Job;
use super::logs;
use super::protocol::{self, STARTED};
use super::record::{Phase, State};
use super::remove;
use crate::error::{Context, Result};
use crate::runtime;
use crate::storage::rootfs::fuse;
use crate::sys::channel::Channel;
use crate::sys::clone::Process;
use crate::sys::lock::Lock;
use crate::sys::signal::Signals;
use crate::sys::{exec, process};
use control_group::ControlGroup;
use pump::Pump;

/// Does the whole job; does not return. `lock` is the container's.
pub(super) fn run(job: &Job<'_>, client: Channel, lock: &Lock) -> ! {
    let _ = nix::unistd::setsid();
    let code = match serve(job, &client, lock) {
        Ok(code) => code,
        Err(error) => {
            let _ = client.send(&protocol::failed(&error));
            125
        }
    };
    process::leave(code)
}

fn serve(job: &Job<'_>, client: &Channel, lock: &Lock) -> Result<i32> {
    let signals = Signals::all()?;
    detach_from_caller(&[client.as_fd(), lock.as_fd(), signals.as_fd()])?;
    let started = start(job);
    let outcome = match started {
        Ok(mut running) => {
            let _ = client.send(STARTED);
            let code = Pump::new(running.payload, client, &signals).run()?;
            if let Some(helper) = &mut running.helper
                && job.network.ports.is_empty()
            {
                helper.leave();
            }
            drop((running.helper, running.server));
            let last = running.control_group.end();
            if !job.plan.has_own_processes() {
                orphans::end();
            }
            let state = State { cgroup: last.remaining, oom_killed: last.oom_killed, ..running.state };
            finish(job, &state, code, &running.user_namespace).map(|()| code)
        }
        Err(error) => give_up(job, error),
    };
    if job.network.has_helper() {
        let _ = std::fs::remove_dir_all(&job.run_dir);
    }
    let code = outcome?;
    let _ = client.send(&[b'X', code as u8]);
    Ok(0)
}

/// Records why there was no start; with `--rm`, nothing stays.
fn give_up(job: &Job<'_>, error: crate::error::Error) -> Result<i32> {
    if job.record.remove {
        remove::remove_as_owner(job.store, &job.directory, job.record, None)?;
    } else {
        let state = State { error: Some(error.chain().join(": ")), ..State::default() };
        job.directory.write_state(&state)?;
    }
    Err(error)
}

/// A payload with everything that belongs to it.
struct Running {
    payload: pump::Payload,
    /// Killed when dropped.
    helper: Option<crate::network::Helper>,
    /// Killed when dropped.
    server: Option<fuse::Server>,
    control_group: ControlGroup,
    state: State,
    /// Keeps the user namespace until the container's files are removed in it.
    user_namespace: OwnedFd,
}

fn start(job: &Job<'_>) -> Result<Running> {
    let (ours, theirs) = stdio::make(job)?;
    let group = control_group::prepare(job)?;
    if !job.plan.has_own_processes() {
        orphans::adopt();
    }
    let surroundings = runtime::Surroundings {
        userns: (!job.plan.joins_user_namespace()).then_some(job.userns),
        stdio: theirs,
        cgroup: group.directory(),
        lifetime: runtime::Lifetime::Tied,
    };
    let created = runtime::create(job.plan, surroundings)?;
    let pid = created.init.pid;
    let control_group = match group.adopt(job, pid) {
        Ok(group) => group,
        Err(error) => return Err(created.abandon(error)),
    };
    let path = job.plan.user_namespace(pid);
    let open = std::fs::File::open(&path).context(|| format!("cannot open {}", path.display()));
    let user_namespace = match open {
        Ok(namespace) => namespace.into(),
        Err(error) => return Err(created.abandon(error)),
    };
    let helper = match connect(job, &created) {
        Ok(helper) => helper,
        Err(error) => return Err(created.abandon(error)),
    };
    let mut root = RootServer { job, server: None };
    let started = created.start(&mut root)?;
    let state = State {
        phase: Phase::Running,
        pid: Some(pid.as_raw()),
        monitor: Some(std::process::id() as i32),
        started: Some(Timestamp::now().to_string()),
        cgroup: control_group.cgroup(),
        ..State::default()
    };
    job.directory.write_state(&state)?;
    let payload = pump::Payload {
        init: started.init,
        streams: ours.with_terminal(started.terminal)?,
        log: logs::Writer::new(job.directory.log()),
    };
    Ok(Running { payload, helper, server: root.server, control_group, state, user_namespace })
}

/// Serves the root file system while the container is made, and afterwards.
struct RootServer<'a> {
    job: &'a Job<'a>,
    server: Option<fuse::Server>,
}

impl runtime::Host for RootServer<'_> {
    fn serve_root(&mut self, init: &Process, device: OwnedFd) -> Result<()> {
        self.server = Some(self.job.serve_root(init, device)?);
        Ok(())
    }

    fn state(&mut self, init: &Process) -> Result<Vec<u8>> {
        let state = serde_json::json!({
            "ociVersion": "1.3.0",
            "id": self.job.directory.id(),
            "status": "creating",
            "pid": init.pid.as_raw(),
            "bundle": self.job.directory.path(),
        });
        Ok(state.to_string().into_bytes())
    }
}

/// Starts the network helper beside the rest of the set-up, and waits until it is ready.
fn connect(job: &Job<'_>, created: &runtime::Created<'_>) -> Result<Option<crate::network::Helper>> {
    if job.plan.keeps_ids {
        created.proceed();
    }
    if job.network.has_helper() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&job.run_dir)
            .context(|| format!("cannot create {}", job.run_dir.display()))?;
    }
    let mut helper = job.network.start(created.init.pid, &job.run_dir)?;
    if let Some(helper) = &mut helper {
        helper.wait_ready()?;
    }
    if !job.plan.keeps_ids {
        created.proceed();
    }
    Ok(helper)
}

/// Nothing of the caller stays open or in use but `keep`.
fn detach_from_caller(keep: &[std::os::fd::BorrowedFd<'_>]) -> Result<()> {
    let null = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .context(|| "cannot open /dev/null")?;
    nix::unistd::dup2_stdin(&null).context(|| "dup2")?;
    nix::unistd::dup2_stdout(&null).context(|| "dup2")?;
    nix::unistd::dup2_stderr(&null).context(|| "dup2")?;
    drop(null);
    exec::close_all_but(keep).context(|| "close_range")?;
    std::env::set_current_dir("/").context(|| "cannot change to /")
}

/// Records the end, or removes everything with `--rm`.
fn finish(job: &Job<'_>, state: &State, code: i32, user_namespace: &OwnedFd) -> Result<()> {
    if job.record.remove {
        return remove::remove_as_owner(
            job.store,
            &job.directory,
            job.record,
            Some((user_namespace.as_fd(), job.userns)),
        );
    }
    job.directory.write_state(&State {
        phase: Phase::Exited,
        pid: None,
        monitor: None,
        finished: Some(Timestamp::now().to_string()),
        exit_code: Some(code),
        ..state.clone()
    })
}
