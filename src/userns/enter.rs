//! Entering a user namespace: a piece of work in a child, this very process, or a namespace that exists.
//!
//! The maps are written by a process that stays outside, while the one inside waits at a socket:
//!
//! ```text
//!   inside                       outside
//!   unshare(user, mount)
//!   ── errno ───────────────────►
//!                                newuidmap ‖ newgidmap
//!   ◄─────────────────── mapped ─
//!   setresgid, setresuid
//! ```

use std::io::{Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;

use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Pid, Uid};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Context, Error, Kind, Result};
use crate::sys::process::{self, Fork};
use crate::userns::{UserNamespace, explain};

/// Runs `work` in a child that is root of `namespace` and has a mount namespace of its own, and gives back
/// its result. The child dies with this process, which must be single-threaded. `what` names the work in
/// errors.
pub fn run_inside<T, F>(namespace: &UserNamespace, what: &str, work: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    let (result_read, result_write) = process::pipe()?;
    let (ours, theirs) = UnixStream::pair().context(|| "socketpair")?;
    let parent = Pid::this();
    match process::fork()? {
        Fork::Child => {
            drop((result_read, ours));
            let entered = enter_as_child(namespace, theirs, parent);
            process::hand_over(&entered.and_then(|()| work()), result_write)
        }
        Fork::Parent(pid) => {
            drop((result_write, theirs));
            let mapped = map_when_ready(namespace, ours, pid);
            let result = process::receive(pid, result_read, what);
            // The child knows only that it was left alone; the parent knows why.
            mapped.and(result)
        }
    }
}

fn enter_as_child(namespace: &UserNamespace, mut parent_end: UnixStream, parent: Pid) -> Result<()> {
    die_with(parent)?;
    unshare(&mut parent_end)?;
    become_setup_user(namespace)?;
    // A change of ids clears the death signal.
    die_with(parent)?;
    nix::mount::mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .context(|| "cannot make the mounts private")
        .map_err(with_knob)
}

/// Moves this process, which must be single-threaded, into a new user and mount namespace. A short-lived
/// child writes the maps from outside; it is gone when this returns.
pub fn enter(namespace: &UserNamespace) -> Result<()> {
    let (ours, theirs) = UnixStream::pair().context(|| "socketpair")?;
    let (result_read, result_write) = process::pipe()?;
    let this = Pid::this();
    match process::fork()? {
        Fork::Child => {
            drop((ours, result_read));
            process::hand_over(&map_when_ready(namespace, theirs, this), result_write)
        }
        Fork::Parent(pid) => {
            drop((theirs, result_write));
            let entered = unshare(&mut { ours });
            let mapped: Result<()> = process::receive(pid, result_read, "the writer of the id maps");
            match entered {
                Err(error) if error.kind() != Kind::Conflict => Err(error),
                other => mapped.and(other).and_then(|()| become_setup_user(namespace)),
            }
        }
    }
}

/// Joins the user namespace behind `fd` and becomes its root. This process must be single-threaded.
pub fn join(fd: BorrowedFd<'_>, namespace: &UserNamespace) -> Result<()> {
    nix::sched::setns(fd, CloneFlags::CLONE_NEWUSER).context(|| "cannot join the user namespace")?;
    become_setup_user(namespace)
}

/// The inner half of the hand-shake. [`Kind::Conflict`] says that the maps were not written, which the
/// outer half explains.
fn unshare(outside: &mut UnixStream) -> Result<()> {
    let made = nix::sched::unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS);
    let errno = made.err().map_or(0, |errno| errno as i32);
    outside.write_all(&errno.to_ne_bytes()).context(|| "cannot reach the writer of the id maps")?;
    made.map_err(explain::explain_clone_failure)?;
    let mut mapped = [0];
    outside.read_exact(&mut mapped).map_err(|_| Error::new(Kind::Conflict, "the id maps were not written"))
}

/// The outer half: writes the maps of `pid` when it is in its namespace.
fn map_when_ready(namespace: &UserNamespace, mut inside: UnixStream, pid: Pid) -> Result<()> {
    let mut errno = [0; 4];
    // One that ended before it said a word, or that failed, says so by itself.
    if inside.read_exact(&mut errno).is_err() || i32::from_ne_bytes(errno) != 0 {
        return Ok(());
    }
    namespace.write_maps(pid)?;
    inside.write_all(&[1]).context(|| "cannot reach the process that waits for its id maps")
}

fn become_setup_user(namespace: &UserNamespace) -> Result<()> {
    let (uid, gid) = namespace.setup_ids();
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    nix::unistd::setresgid(gid, gid, gid).context(|| format!("setresgid({gid})")).map_err(with_knob)?;
    nix::unistd::setresuid(uid, uid, uid).context(|| format!("setresuid({uid})")).map_err(with_knob)
}

/// Has the kernel kill this process when `parent` ends, and leaves at once where it already has.
fn die_with(parent: Pid) -> Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).context(|| "prctl(PR_SET_PDEATHSIG)")?;
    if Pid::parent() == parent { Ok(()) } else { process::leave(1) }
}

/// What AppArmor takes from a user namespace it takes late: the namespace is made, its capabilities are not.
fn with_knob(error: Error) -> Error {
    match explain::forbidding_knob() {
        Some(knob) => Error::wrap(knob.what, error).with_kind(Kind::Denied).hint(knob.remedy),
        None => error,
    }
}
