//! What the cloned child does: carries out the plan's operations in order and becomes the payload.
//!
//! From the clone to execve this process makes system calls only: no allocation, no lock, no destructor
//! that matters. The rare exception is marked where it is made. A failure is one message of nine bytes on
//! the sync channel, out of which the parent makes the sentence.

mod filesystem;
mod identity;
mod reaper;
mod terminal;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::op::{Op, Slot};
use super::sync;
use crate::sys::channel::Channel;
use crate::sys::{exec, netdev, process, signal};

/// What the child needs besides the operations; made by the parent before the clone.
pub(crate) struct Init<'a> {
    pub(crate) ops: &'a [Op],
    /// One place for each [`Slot`] of the plan.
    pub(crate) slots: Vec<Option<OwnedFd>>,
    /// The child's end of the sync channel.
    pub(crate) sync: Option<Channel>,
    /// Descriptors to become 0, 1 and 2, unless the plan opens a terminal.
    pub(crate) stdio: Option<[OwnedFd; 3]>,
    /// How many descriptors from 3 on the payload keeps.
    pub(crate) preserve: u32,
    /// The root file system, once it is in place.
    pub(crate) root: Option<Slot>,
    /// The payload's terminal, once it is open.
    pub(crate) terminal: Option<OwnedFd>,
    /// Attached mounts that cover masked files and directories.
    pub(crate) covers: Covers,
}

impl Init<'_> {
    /// Carries out all operations; does not return.
    pub(crate) fn run(mut self) -> ! {
        // The container goes when its parent goes. Set again after the ids change, which clears it.
        let _ = exec::set_parent_death_signal(libc::SIGKILL);
        for (index, op) in self.ops.iter().enumerate() {
            if let Err(errno) = self.carry_out(op) {
                if let Some(sync) = &self.sync {
                    let _ = sync.send(&sync::failure(index, errno));
                }
                process::leave(125)
            }
        }
        process::leave(125)
    }

    fn carry_out(&mut self, op: &Op) -> Result<(), Errno> {
        match op {
            Op::AwaitMaps => self.await_message(sync::MAPPED),
            Op::AwaitStart => self.await_message(sync::START),
            Op::Hostname(name) => nix::unistd::sethostname(as_os(name)),
            Op::Domainname(name) => rustix::system::setdomainname(name).map_err(errno),
            Op::Loopback => netdev::bring_up_loopback(),
            Op::Rlimit { resource, soft, hard } => set_rlimit(*resource, *soft, *hard),
            Op::OomScoreAdj(value) => write_proc(c"/proc/self/oom_score_adj", value),
            Op::Sysctl { path, value } => write_proc(path, value),
            Op::Umask(mask) => {
                rustix::process::umask(rustix::fs::Mode::from_bits_truncate(*mask));
                Ok(())
            }
            Op::Chdir(path) => rustix::process::chdir(path.as_c_str()).map_err(errno),
            Op::Reap { title } => reaper::split(&mut self.sync, title),
            Op::Session => self.start_session(),
            Op::Exec { candidates, image, .. } => self.exec(candidates, image),
            Op::Terminal { devpts, console } => self.open_terminal(*devpts, console),
            Op::BecomeRoot { .. }
            | Op::Identity(_)
            | Op::Bound { .. }
            | Op::NoNewPrivileges
            | Op::Seccomp(_)
            | Op::OwnStdio { .. } => identity::carry_out(op),
            _ => self.arrange_files(op),
        }
    }

    fn sync(&self) -> Result<&Channel, Errno> {
        self.sync.as_ref().ok_or(Errno::EPIPE)
    }

    /// Waits for one message of the parent; that it is gone is an error.
    fn await_message(&self, expected: u8) -> Result<(), Errno> {
        let mut buffer = [0; 4];
        let received = self.sync()?.receive(&mut buffer).map_err(errno)?;
        if received.length == 1 && buffer[0] == expected { Ok(()) } else { Err(Errno::EPIPE) }
    }

    fn slot(&self, slot: Slot) -> Option<BorrowedFd<'_>> {
        self.slots[slot.0].as_ref().map(AsFd::as_fd)
    }

    fn open_slot(&self, slot: Slot) -> Result<BorrowedFd<'_>, Errno> {
        self.slot(slot).ok_or(Errno::EBADF)
    }

    fn root(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.root.and_then(|slot| self.slot(slot)).ok_or(Errno::EBADF)
    }

    fn exec(&self, candidates: &[std::ffi::CString], image: &exec::Image) -> Result<(), Errno> {
        exec::close_on_exec_from(3 + self.preserve)?;
        signal::reset();
        let mut failure = Errno::ENOENT;
        for candidate in candidates {
            match image.exec(candidate) {
                // As a shell does: go on along PATH, but remember what was there and could not be run.
                Errno::ENOENT | Errno::ENOTDIR => {}
                Errno::EACCES => failure = Errno::EACCES,
                other => return Err(other),
            }
        }
        Err(failure)
    }
}

fn set_rlimit(resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    crate::sys::limits::set(resource, soft, hard)
}

/// Writes a value into a file of procfs, which is checked to be procfs: what an image laid over it is not
/// written to.
fn write_proc(path: &std::ffi::CStr, value: &[u8]) -> Result<(), Errno> {
    use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, open};
    let file =
        open(path, OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()).map_err(errno)?;
    if fstatfs(&file).map_err(errno)?.f_type != PROC_SUPER_MAGIC {
        return Err(Errno::ELOOP);
    }
    rustix::io::write(&file, value).map_err(errno).map(drop)
}

fn as_os(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

/// rustix's errno as nix's.
fn errno(error: rustix::io::Errno) -> Errno {
    Errno::from_raw(error.raw_os_error())
}

/// Whether the error says that the object is not there.
fn is_missing(error: rustix::io::Errno) -> bool {
    matches!(error, rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR)
}

pub(crate) use filesystem::Covers;
