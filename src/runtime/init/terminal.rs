//! The payload's session and terminal.

use std::os::fd::AsFd;

use nix::errno::Errno;

use super::{Init, errno, filesystem};
use crate::runtime::op::{Kind, Slot, Target};
use crate::runtime::sync;
use crate::sys::{mount, terminal};

impl Init<'_> {
    /// Opens a pseudo-terminal of the container's own devpts, gives the leader to the parent, and binds the
    /// follower to /dev/console.
    pub(super) fn open_terminal(&mut self, devpts: Slot, console: &Target) -> Result<(), Errno> {
        let instance = self.open_slot(devpts)?;
        let (leader, follower) = terminal::open_pair(instance).map_err(errno)?;
        let number = terminal::follower_number(leader.as_fd()).map_err(errno)?;
        // The first terminals of a new instance: a one-digit name.
        let name = [b'0' + (number % 10) as u8, 0];
        let name = std::ffi::CStr::from_bytes_with_nul(&name).map_err(|_| Errno::EINVAL)?;
        let tree = mount::clone_tree(instance, name, false).map_err(errno)?;
        let target = filesystem::ensure(self.root()?, console, Kind::File)?;
        mount::attach(tree.as_fd(), target.as_fd()).map_err(errno)?;
        self.sync()?.send_with(&[sync::TERMINAL], leader.as_fd()).map_err(errno)?;
        self.terminal = Some(follower);
        Ok(())
    }

    /// A session of its own, with the terminal as its controlling one; standard descriptors.
    pub(super) fn start_session(&mut self) -> Result<(), Errno> {
        nix::unistd::setsid()?;
        if let Some(follower) = &self.terminal {
            terminal::take_control(follower.as_fd()).map_err(errno)?;
            nix::unistd::dup2_stdin(follower)?;
            nix::unistd::dup2_stdout(follower)?;
            nix::unistd::dup2_stderr(follower)?;
        } else if let Some([input, output, error]) = &self.stdio {
            nix::unistd::dup2_stdin(input)?;
            nix::unistd::dup2_stdout(output)?;
            nix::unistd::dup2_stderr(error)?;
        }
        Ok(())
    }
}
