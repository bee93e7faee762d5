//! Processes: fork with a typed hand-over, exit status, waiting.
//!
//! The rule of this crate: a process that forks without exec is single-threaded. Threads (tokio, layer
//! pipelines) live and die in a child that was made for them.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Context, Error, Kind, Result, Wire};

/// Which side of a [`fork`] this is.
pub enum Fork {
    /// The caller; the child has to be waited for.
    Parent(Pid),
    /// The new process. It must leave by [`leave`], never by returning into its caller's caller.
    Child,
}

/// fork(2). The calling process must be single-threaded.
pub fn fork() -> Result<Fork> {
    debug_assert!(is_single_threaded(), "fork in a process with threads");
    // SAFETY: the process is single-threaded (the rule above), so no lock is held by a thread that the
    // child lacks.
    match unsafe { nix::unistd::fork() }.context(|| "fork")? {
        ForkResult::Parent { child } => Ok(Fork::Parent(child)),
        ForkResult::Child => Ok(Fork::Child),
    }
}

/// Ends this process at once, without destructors or exit handlers: the only way out of a forked child.
pub fn leave(code: i32) -> ! {
    // SAFETY: _exit takes any value and does not return.
    unsafe { libc::_exit(code) }
}

/// Whether this process has one thread (counted in /proc/self/task; true where /proc cannot be read).
pub fn is_single_threaded() -> bool {
    std::fs::read_dir("/proc/self/task").map_or(true, |tasks| tasks.count() <= 1)
}

/// Waits for `pid` and gives its status as a shell does: the exit code, or 128 + the signal.
pub fn wait(pid: Pid) -> Result<i32> {
    loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(128 + signal as i32),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(Error::wrap(format!("waitpid({pid})"), errno)),
        }
    }
}

/// Sends `result` to the parent as JSON and leaves. The other half of [`receive`].
pub fn hand_over<T: Serialize>(result: &Result<T>, to: OwnedFd) -> ! {
    let message = match result {
        Ok(value) => serde_json::to_vec(&Ok::<&T, Wire>(value)),
        Err(error) => serde_json::to_vec(&Err::<&T, Wire>(error.to_wire())),
    };
    let sent = message.is_ok_and(|bytes| std::fs::File::from(to).write_all(&bytes).is_ok());
    leave(if sent { 0 } else { 1 })
}

/// Reads what the child `pid` handed over and reaps it. `what` names the child's work in the error that a
/// child which died without a word leaves.
pub fn receive<T: DeserializeOwned>(pid: Pid, from: OwnedFd, what: &str) -> Result<T> {
    let mut bytes = Vec::new();
    let read = std::fs::File::from(from).read_to_end(&mut bytes);
    let status = wait(pid)?;
    read.context(|| format!("cannot read the result of {what}"))?;
    match serde_json::from_slice::<std::result::Result<T, Wire>>(&bytes) {
        Ok(result) => result.map_err(Error::from),
        Err(_) => Err(Error::new(Kind::System, format!("{what} ended without a result (status {status})"))),
    }
}

/// A pipe whose ends are closed on exec: (read, write).
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(|| "pipe2")
}

/// Runs `work` in a forked child, which may start threads, and gives back its result.
pub fn in_child<T, F>(what: &str, work: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    let (read, write) = pipe()?;
    match fork()? {
        Fork::Parent(pid) => {
            drop(write);
            receive(pid, read, what)
        }
        Fork::Child => {
            drop(read);
            hand_over(&work(), write)
        }
    }
}

/// fork(2) for a cloned child that must not allocate: 0 in the child, its pid in the parent.
pub fn fork_raw() -> std::result::Result<i32, nix::errno::Errno> {
    // SAFETY: as for `fork`; the raw call skips the C library's handlers, of which we registered none.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    nix::errno::Errno::result(pid).map(|pid| pid as i32)
}

/// Waits for a child of [`fork_raw`]: its status as a shell gives it. Does not allocate.
pub fn wait_raw(pid: i32) -> std::result::Result<i32, nix::errno::Errno> {
    loop {
        match waitpid(Pid::from_raw(pid), None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(128 + signal as i32),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// kill(2) by numbers.
pub fn kill_raw(pid: i32, signal: i32) -> std::result::Result<(), nix::errno::Errno> {
    // SAFETY: takes numbers.
    nix::errno::Errno::result(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Waits until one of the blocked signals is pending, takes it, and gives its number.
pub fn wait_for_any_signal() -> i32 {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set.
    let all = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        all.assume_init()
    };
    loop {
        // SAFETY: the set is initialised; the siginfo pointer may be null.
        let signal = unsafe { libc::sigwaitinfo(&raw const all, std::ptr::null_mut()) };
        if signal > 0 {
            return signal;
        }
    }
}

/// Reaps one ended child without waiting: its pid, and its status as a shell gives it.
pub fn reap_raw() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    if pid <= 0 {
        return None;
    }
    let code =
        if libc::WIFSIGNALED(status) { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) };
    Some((pid, code))
}

/// Where this process keeps the arguments that /proc/PID/cmdline shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArgumentArea {
    start: usize,
    length: usize,
}

impl ArgumentArea {
    /// Asks the kernel (proc_pid_stat(5), fields 48 and 49); an empty area where it does not tell.
    pub fn find() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The second field may contain anything; what follows its last parenthesis are numbers.
        let numbers = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let field = |n: usize| numbers.split_ascii_whitespace().nth(n - 3)?.parse::<usize>().ok();
        match (field(48), field(49)) {
            (Some(start), Some(end)) if start != 0 && end > start => Self { start, length: end - start },
            _ => Self::default(),
        }
    }

    /// Shows `title` instead, cut to the room that there is, and renames the process. Does not allocate.
    pub fn overwrite(&self, title: &std::ffi::CStr) {
        if self.length > 1 {
            let title = title.to_bytes();
            let shown = title.len().min(self.length - 1);
            // SAFETY: the kernel named these bytes as the argument strings of this very process image. They
            // are writable, and nothing of ours reads them any more: arguments were copied at the start.
            unsafe {
                std::ptr::write_bytes(self.start as *mut u8, 0, self.length);
                std::ptr::copy_nonoverlapping(title.as_ptr(), self.start as *mut u8, shown);
            }
        }
        let _ = rustix::thread::set_name(title);
    }
}
/// Makes this process the parent of its descendants' orphans (PR_SET_CHILD_SUBREAPER).
pub fn become_subreaper() -> std::result::Result<(), nix::errno::Errno> {
    // SAFETY: the option takes one number and touches no memory.
    nix::errno::Errno::result(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
}

/// Whether the working directory lies below this process's root. Allocates nothing.
pub fn directory_is_reachable() -> std::result::Result<bool, nix::errno::Errno> {
    let mut path = [0u8; 4096];
    // The raw system call: libc's searches parent directories where the kernel says "(unreachable)".
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let length = unsafe { libc::syscall(libc::SYS_getcwd, path.as_mut_ptr(), path.len()) };
    nix::errno::Errno::result(length).map(|_| path[0] == b'/')
}
