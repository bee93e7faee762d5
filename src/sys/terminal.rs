//! Terminals: raw mode that is undone on every way out, window sizes, pseudo-terminals.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Result;
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// A terminal in raw mode; dropping it restores the mode that it had.
#[derive(Debug)]
pub struct RawMode<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> RawMode<'a> {
    /// Puts `terminal` into raw mode.
    pub fn enter(terminal: BorrowedFd<'a>) -> Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(terminal, OptionalActions::Now, &raw)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for RawMode<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Whether `fd` is a terminal.
pub fn is_terminal(fd: impl AsFd) -> bool {
    rustix::termios::isatty(fd)
}

/// Rows and columns of a terminal.
pub fn size(terminal: impl AsFd) -> Result<(u16, u16)> {
    tcgetwinsize(terminal).map(|size| (size.ws_row, size.ws_col))
}

/// Sets rows and columns of a terminal; the processes on it get SIGWINCH.
pub fn resize(terminal: impl AsFd, rows: u16, columns: u16) -> Result<()> {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })
}

/// A new pseudo-terminal of the multiplexer `ptmx` in a directory: (leader, follower). The follower is
/// opened through the leader and not by a path, which a container could have replaced. Does not allocate.
pub fn open_pair(directory: BorrowedFd<'_>, ptmx: &CStr) -> Result<(OwnedFd, OwnedFd)> {
    use rustix::fs::{Mode, OFlags, openat};
    use std::os::fd::AsRawFd;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let leader = openat(directory, ptmx, flags, Mode::empty())?;
    rustix::pty::unlockpt(&leader)?;
    // SAFETY: TIOCGPTPEER takes open flags by value and returns a new descriptor or -1.
    let follower = unsafe { libc::ioctl(leader.as_raw_fd(), libc::TIOCGPTPEER, flags.bits()) };
    if follower < 0 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        return Err(rustix::io::Errno::from_raw_os_error(errno));
    }
    // SAFETY: the kernel just gave us this descriptor.
    Ok((leader, unsafe { OwnedFd::from_raw_fd(follower) }))
}

/// The number N of a pseudo-terminal's leader: its follower is `N` in the devpts instance.
pub fn follower_number(leader: BorrowedFd<'_>) -> Result<u32> {
    use std::os::fd::AsRawFd;
    let mut number: libc::c_uint = 0;
    // SAFETY: TIOCGPTN writes one unsigned int.
    let result = unsafe { libc::ioctl(leader.as_raw_fd(), libc::TIOCGPTN, &raw mut number) };
    if result < 0 { Err(rustix::io::Errno::NOTTY) } else { Ok(number) }
}

/// Makes `follower` the controlling terminal of this process, which must lead a session without one.
pub fn take_control(follower: BorrowedFd<'_>) -> Result<()> {
    rustix::process::ioctl_tiocsctty(follower)
}
