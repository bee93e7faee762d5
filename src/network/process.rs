//! A running pasta or slirp4netns.
//!
//! It is a child of the container's monitor and never outlives it: the kernel kills it when the monitor dies
//! (see [`crate::sys::spawn`]), dropping the [`Helper`] ends it otherwise, and each program also ends by
//! itself when its network namespace does.

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use super::slirp4netns::Forwards;
use crate::error::{Context, Error, Kind, Result};
use crate::sys;

/// How long a helper may take until the namespace is connected. Far above what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much of what a failed helper said goes into an error.
const LAST_WORDS: usize = 2000;

/// How to start a helper.
pub(super) struct Launch {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) directory: PathBuf,
    pub(super) inheritance: sys::spawn::Inheritance,
    pub(super) ready: Ready,
    /// The other end of what the program watches: it ends when this closes.
    pub(super) lifeline: Option<OwnedFd>,
    /// What is left to ask for once the program is ready.
    pub(super) forwards: Option<Forwards>,
}

/// Where a program writes a byte when the namespace is connected.
pub(super) struct Ready {
    pub(super) from: OwnedFd,
    /// A name in the file system that is no longer needed then.
    pub(super) path: Option<PathBuf>,
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A helper that was started. Dropping it kills it and waits for its end, after which its ports are free.
pub struct Helper {
    name: &'static str,
    child: Child,
    watch: OwnedFd,
    messages: std::fs::File,
    ready: Option<Ready>,
    forwards: Option<Forwards>,
    /// Whether nobody waits for its end.
    left: bool,
    _lifeline: Option<OwnedFd>,
}

impl Launch {
    /// Starts the program; [`Helper::wait_ready`] tells when it serves.
    pub(super) fn start(self) -> Result<Helper> {
        let (messages, stderr) = sys::process::pipe()?;
        // A program that has much to say must neither wait for a reader nor lose its network over it.
        for end in [&messages, &stderr] {
            rustix::fs::fcntl_setfl(end, rustix::fs::OFlags::NONBLOCK).context(|| "fcntl(O_NONBLOCK)")?;
        }
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(stderr));
        sys::spawn::tie_to_this_process(&mut command, self.inheritance);
        let mut child =
            command.spawn().context(|| format!("cannot start {} ({})", self.name, self.program.display()))?;
        drop(command);
        let pid = rustix::process::Pid::from_child(&child);
        let watch = match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            Ok(watch) => watch,
            Err(errno) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::wrap(format!("pidfd_open({})", self.name), errno));
            }
        };
        Ok(Helper {
            name: self.name,
            child,
            watch,
            messages: messages.into(),
            ready: Some(self.ready),
            forwards: self.forwards,
            left: false,
            _lifeline: self.lifeline,
        })
    }
}

impl Helper {
    /// The program's process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// A descriptor that is readable when the program has ended (pidfd_open(2)).
    pub fn watch(&self) -> std::os::fd::BorrowedFd<'_> {
        self.watch.as_fd()
    }

    /// Kills the program, and does not wait for its end, neither now nor when this is dropped: the kernel
    /// takes tens of milliseconds to take down a TUN device. For a helper that holds no port of the host, by
    /// a process that ends soon.
    pub fn leave(&mut self) {
        let _ = self.child.kill();
        self.left = true;
    }

    /// Waits until the namespace is connected and every port is published.
    pub fn wait_ready(&mut self) -> Result<()> {
        let Some(ready) = self.ready.take() else { return Ok(()) };
        let deadline = Instant::now() + PATIENCE;
        while !self.hears(&ready, deadline)? {}
        drop(ready);
        match self.forwards.take() {
            Some(forwards) => forwards.request().map_err(|error| self.with_last_words(error)),
            None => Ok(()),
        }
    }

    /// One round of waiting: whether the program has said that it is ready.
    fn hears(&mut self, ready: &Ready, deadline: Instant) -> Result<bool> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [
            PollFd::new(ready.from.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.watch.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, timeout) {
            Ok(0) => {
                return Err(self.with_last_words(Error::new(
                    Kind::System,
                    format!("{} did not connect the container within {} s", self.name, PATIENCE.as_secs()),
                )));
            }
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(Error::wrap(format!("poll({})", self.name), errno)),
        }
        let has = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| events.contains(PollFlags::POLLIN));
        if has(&fds[0]) {
            return Ok(true);
        }
        if has(&fds[1]) {
            let status = self.child.wait().context(|| format!("waitpid({})", self.name))?;
            return Err(self.failure(status));
        }
        // The other end was closed without a word: the program's end is a matter of moments.
        if fds[0].revents().is_some_and(|events| !events.is_empty()) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(false)
    }

    fn failure(&mut self, status: ExitStatus) -> Error {
        let error =
            Error::new(Kind::System, format!("{} cannot connect the container ({status})", self.name));
        self.with_last_words(error)
    }

    /// Puts what the program said below `error`.
    fn with_last_words(&mut self, error: Error) -> Error {
        let mut bytes = vec![0; LAST_WORDS];
        let length = self.messages.read(&mut bytes).unwrap_or(0);
        let said = String::from_utf8_lossy(&bytes[..length]);
        // An old pasta complains that a bare machine has no syslog before it says anything else.
        let noise = |line: &str| line.is_empty() || line.ends_with("bytes to syslog");
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !noise(line)).collect();
        if said.is_empty() {
            return error;
        }
        let clean: String = said.join("; ").chars().filter(|c| !c.is_control()).collect();
        // The second is an old pasta's, which knows no more: the port was free when the plan was made.
        let taken = ["Address already in use", "Failed to bind any port"];
        let kind = if taken.iter().any(|text| clean.contains(text)) { Kind::Conflict } else { error.kind() };
        let message = error.chain().join(": ");
        Error::wrap(message, Error::new(kind, clean))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if !self.left {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A FIFO at `path` and its reading end. A program that "writes a pid file" there says that it is ready.
pub(super) fn ready_fifo(path: &Path) -> Result<Ready> {
    use rustix::fs::{CWD, FileType, Mode, OFlags};
    let _ = std::fs::remove_file(path);
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .context(|| format!("mkfifo {}", path.display()))?;
    let from = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
        .context(|| format!("open {}", path.display()))?;
    Ok(Ready { from, path: Some(path.to_owned()) })
}
