//! What the cloned child does: carries out the plan's operations in order and becomes the payload.
//!
//! From the clone to execve this process makes system calls only: no allocation, no lock, no destructor
//! that matters. The rare exception is marked where it is made. A failure is one message of nine bytes on
//! the sync channel, out of which the parent makes the sentence.

mod device;
mod filesystem;
mod hook;
mod identity;
mod reaper;
mod setting;
mod targets;
mod terminal;
mod text;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sched::CloneFlags;

use super::op::{Op, Slot};
use super::sync;
use crate::sys::channel::Channel;
use crate::sys::{exec, keyring, netdev, process, seccomp, signal};

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
    /// Whether the container goes when its parent goes.
    pub(crate) tied: bool,
    /// Where it waits for its start, if its parent may be gone by then.
    pub(crate) listener: Option<OwnedFd>,
    /// The container's state for the hooks, once it came.
    pub(crate) state: Option<OwnedFd>,
}

impl Init<'_> {
    /// Carries out all operations; does not return.
    pub(crate) fn run(mut self) -> ! {
        // Set again after the ids change, which clears it.
        let _ = self.tie();
        for (index, op) in self.ops.iter().enumerate() {
            if let Err(errno) = self.carry_out(op) {
                if let Some(sync) = &self.sync {
                    // write(2), which also a strict filter knows.
                    let _ = rustix::io::write(sync.as_fd(), &sync::failure(index, errno));
                }
                process::leave(125)
            }
        }
        process::leave(125)
    }

    fn carry_out(&mut self, op: &Op) -> Result<(), Errno> {
        match op {
            Op::AwaitMaps => self.await_message(sync::MAPPED),
            Op::AwaitStart => self.await_start(),
            Op::NoProcess => Err(Errno::ENOEXEC),
            Op::FindProgram { candidates, .. } => find_program(candidates),
            Op::RuntimeHooks => {
                self.sync()?.send(&[sync::HOOKS]).map_err(errno)?;
                self.await_message(sync::HOOKS_DONE)
            }
            Op::Hook(hook) => self.run_hook(hook),
            Op::Keyring => keyring::start_session(),
            Op::CgroupNamespace => nix::sched::unshare(CloneFlags::CLONE_NEWCGROUP),
            Op::Hostname(name) => nix::unistd::sethostname(as_os(name)),
            Op::Domainname(name) => rustix::system::setdomainname(name).map_err(errno),
            Op::Loopback => netdev::bring_up_loopback(),
            Op::Rlimit { resource, soft, hard } => set_rlimit(*resource, *soft, *hard),
            Op::OwnProc { proc, file, value } => self.write_host_proc(*proc, file, value),
            Op::Sysctl { target, value, proc } => self.set_kernel_parameter(target, value, *proc),
            Op::Setting(setting) => setting::carry_out(setting),
            Op::Device(device) => self.supply_device(device),
            Op::Change { slot, attributes, .. } => match self.slot(*slot) {
                Some(mount) => crate::sys::mount::set_attributes(mount, attributes).map_err(errno),
                None => Ok(()),
            },
            Op::RootPropagation(attributes) => {
                crate::sys::mount::set_attributes(self.root()?, attributes).map_err(errno)
            }
            Op::Remount { target, attributes, options } => self.remount(target, attributes, options),
            Op::TimeNamespace { proc, offsets } => self.make_time_namespace(*proc, offsets),
            Op::ConsoleSize { rows, columns } => match &self.terminal {
                Some(follower) => crate::sys::terminal::resize(follower, *rows, *columns).map_err(errno),
                None => Ok(()),
            },
            Op::Umask(mask) => {
                rustix::process::umask(rustix::fs::Mode::from_bits_truncate(*mask));
                Ok(())
            }
            Op::Chdir(path) => self.change_directory(path),
            Op::Reap { title } => reaper::split(&mut self.sync, title),
            Op::Session => self.start_session(),
            Op::Exec { candidates, image, .. } => self.exec(candidates, image),
            Op::CloseRest => {
                signal::reset();
                exec::keep_on_exec(3, self.preserve)?;
                exec::close_on_exec_from(3 + self.preserve)
            }
            Op::Terminal { devpts, console } => self.open_terminal(*devpts, console.as_ref()),
            Op::BecomeRoot { .. } | Op::Identity(_) => {
                identity::carry_out(op)?;
                self.tie()
            }
            Op::Seccomp(program) if program.notifies() => {
                let listener = seccomp::install_listening(program.instructions(), program.flags())?;
                // The agent, who may be asked about the next call of this process already, gets it from the parent.
                self.sync()?.send_with(&[sync::LISTENER], listener.as_fd()).map_err(errno)
            }
            Op::Bound { .. } | Op::NoNewPrivileges | Op::Seccomp(_) | Op::OwnStdio { .. } => {
                identity::carry_out(op)
            }
            _ => self.arrange_files(op),
        }
    }

    fn sync(&self) -> Result<&Channel, Errno> {
        self.sync.as_ref().ok_or(Errno::EPIPE)
    }

    /// The container goes when its parent goes, if that was asked for.
    fn tie(&self) -> Result<(), Errno> {
        if self.tied { exec::set_parent_death_signal(libc::SIGKILL) } else { Ok(()) }
    }

    /// Waits for one message of the parent; that it is gone is an error.
    fn await_message(&mut self, expected: u8) -> Result<(), Errno> {
        let mut buffer = [0; 4];
        let received = self.sync()?.receive(&mut buffer).map_err(errno)?;
        if received.length == 0 || buffer[0] != expected {
            return Err(Errno::EPIPE);
        }
        self.state = received.fd.or(self.state.take());
        Ok(())
    }

    /// Waits for the go of the parent, or of anybody who may connect to the container's socket.
    fn await_start(&mut self) -> Result<(), Errno> {
        let Some(listener) = self.listener.take() else { return self.await_message(sync::START) };
        self.sync()?.send(&[sync::CREATED]).map_err(errno)?;
        self.sync = None;
        loop {
            // One that connects and says nothing has changed its mind, or was killed.
            self.sync = Some(Channel::accept(listener.as_fd()).map_err(errno)?);
            if self.await_message(sync::START).is_ok() {
                // Others may have connected as well; they hear nothing.
                return self.sync()?.send(&[sync::ACCEPTED]).map_err(errno);
            }
        }
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

    /// By path, as the container's user. Whatever led out of the container's mounts is closed before, and a
    /// directory that is not below its root is refused: /proc/self/fd/N must lead nowhere (CVE-2024-21626).
    fn change_directory(&mut self, path: &std::ffi::CStr) -> Result<(), Errno> {
        for slot in &mut self.slots {
            *slot = None;
        }
        self.covers = Covers::default();
        rustix::process::chdir(path).map_err(errno)?;
        match process::directory_is_reachable() {
            Ok(false) => Err(Errno::EXDEV),
            // A filter that is there already may forbid to ask.
            Ok(true) | Err(Errno::EPERM | Errno::ENOSYS) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    fn exec(&self, candidates: &[std::ffi::CString], image: &exec::Image) -> Result<(), Errno> {
        if let Some(sync) = &self.sync {
            // write(2), which also a strict filter knows.
            let _ = rustix::io::write(sync.as_fd(), &[sync::EXECUTING]);
        }
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

/// Whether one of the candidates exists. Whether the payload's user may execute it is execve's to say.
fn find_program(candidates: &[std::ffi::CString]) -> Result<(), Errno> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    let exists = |path: &std::ffi::CString| accessat(CWD, path.as_c_str(), Access::EXISTS, AtFlags::empty());
    let mut failure = Errno::ENOENT;
    for candidate in candidates {
        match exists(candidate) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {}
            Err(error) => failure = errno(error),
        }
    }
    Err(failure)
}

fn set_rlimit(resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    crate::sys::limits::set(resource, soft, hard)
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

pub(crate) use targets::Covers;
