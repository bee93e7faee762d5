//! The console socket: where a terminal's leader is sent to.
//!
//! Source: runc docs/terminals.md, "Detached new terminal".

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::error::{Context, Error, Result};
use crate::sys::channel;

/// A connected console socket. It is connected before anything is made, so that a wrong path costs nothing.
pub(super) struct Console(UnixStream);

impl Console {
    /// Connects, if the container has a terminal; refuses what does not fit together.
    pub(super) fn connect(path: Option<&Path>, terminal: bool) -> Result<Option<Self>> {
        match (path, terminal) {
            (None, _) => Ok(None),
            (Some(_), false) => {
                Err(Error::usage("--console-socket is for a process with a terminal, and this one has none"))
            }
            (Some(path), true) => {
                let stream = UnixStream::connect(path)
                    .context(|| format!("cannot connect to the console socket {}", path.display()))?;
                Ok(Some(Self(stream)))
            }
        }
    }

    /// Sends the leader, and closes it here.
    pub(super) fn send(&self, leader: &OwnedFd) -> Result<()> {
        channel::send_descriptor(self.0.as_fd(), b"/dev/ptmx", leader.as_fd())
            .context(|| "cannot send the terminal to the console socket")
    }
}
