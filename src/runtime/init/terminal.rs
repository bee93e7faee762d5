//! The payload's session and terminal.

use std::os::fd::AsFd;

use nix::errno::Errno;

use super::text::Text;
use super::{Init, errno};
use crate::runtime::op::{Kind, Slot, Target};
use crate::runtime::sync;
use crate::sys::{mount, terminal};

impl Init<'_> {
    /// Opens a pseudo-terminal of the container's own devpts, or of the host's where it has none, gives the leader to the
    /// parent, and binds the follower to `console`.
    pub(super) fn open_terminal(
        &mut self,
        devpts: Option<Slot>,
        console: Option<&Target>,
    ) -> Result<(), Errno> {
        let (leader, follower) = match devpts {
            Some(devpts) => terminal::open_pair(self.open_slot(devpts)?, c"ptmx"),
            None => terminal::open_pair(rustix::fs::CWD, c"/dev/ptmx"),
        }
        .map_err(errno)?;
        if let Some(console) = console {
            let mut name = Text::<32>::default();
            name.push(if devpts.is_some() { b"" } else { b"/dev/pts/" })?;
            name.push_number(terminal::follower_number(leader.as_fd()).map_err(errno)? as i32)?;
            let instance = devpts.map_or(Ok(rustix::fs::CWD), |devpts| self.open_slot(devpts))?;
            let tree = mount::clone_tree(instance, name.as_c_str()?, false).map_err(errno)?;
            let target = self.ensure(console, Kind::File)?;
            mount::attach(tree.as_fd(), target.as_fd()).map_err(errno)?;
        }
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
