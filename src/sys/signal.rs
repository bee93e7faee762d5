//! Signals as descriptors, and the dispositions that a payload is started with.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::error::{Context, Result};

/// Every signal that can be caught, delivered through a descriptor instead of handlers.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks all signals of this process and opens the descriptor. Signals that a fault raises
    /// synchronously are not blocked.
    pub fn all() -> Result<Self> {
        let mut mask = SigSet::all();
        for synchronous in
            [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT]
        {
            if let Ok(signal) = nix::sys::signal::Signal::try_from(synchronous) {
                mask.remove(signal);
            }
        }
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&mask), None).context(|| "sigprocmask")?;
        let fd = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .context(|| "signalfd")?;
        Ok(Self(fd))
    }

    /// The next pending signal's number, if any.
    pub fn next(&self) -> Option<i32> {
        self.0.read_signal().ok().flatten().map(|info| info.ssi_signo as i32)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Gives the process the signal state of a fresh login: nothing blocked, every disposition the default
/// (Rust's runtime ignores SIGPIPE, and a caller may have left more). Does not allocate.
pub fn reset() {
    let unblocked = SigSet::empty();
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&unblocked), None);
    for number in 1..=64 {
        // SAFETY: SIG_DFL is valid for every signal; the ones that cannot be changed (KILL, STOP, and the
        // two that the C library keeps for itself) give an error, which changes nothing.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
}

/// Blocks every signal that can be blocked (real-time ones included). Does not allocate.
pub fn block_all() {
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None);
}
