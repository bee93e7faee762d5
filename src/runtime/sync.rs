//! The messages between the parent and the child during set-up: a byte, and with some of them more.
//!
//! | from | message | meaning |
//! | --- | --- | --- |
//! | parent | `M` | the id maps are written |
//! | child | `F` + descriptor / parent `f` | have this FUSE device served / it will be |
//! | child | `T` + descriptor | the terminal's leader |
//! | child / parent | `H` / `h` + state | have the parent's hooks run / they have, and this is the container's state |
//! | child | `C` | all is prepared: whoever connects to the container's socket starts it |
//! | child | `A` | the start has been taken (only where it waited for one) |
//! | child | `X` | execve comes next: if the channel now closes without a failure, it has happened |
//! | parent | `G` + state | go: the network is ready (no state where there are no hooks) |
//! | child | `R` index errno | operation `index` failed; both little-endian 32 bits |
//! | child | end of file | execve has happened |

use nix::errno::Errno;

use std::os::fd::AsFd;

use crate::error::{Context, Result};
use crate::sys::channel::Channel;
use crate::sys::memory;

pub(crate) const MAPPED: u8 = b'M';
pub(crate) const MOUNT_ROOT: u8 = b'F';
pub(crate) const ROOT_MOUNTED: u8 = b'f';
pub(crate) const TERMINAL: u8 = b'T';
pub(crate) const HOOKS: u8 = b'H';
pub(crate) const HOOKS_DONE: u8 = b'h';
pub(crate) const CREATED: u8 = b'C';
pub(crate) const LISTENER: u8 = b'N';
pub(crate) const ACCEPTED: u8 = b'A';
pub(crate) const EXECUTING: u8 = b'X';
pub(crate) const START: u8 = b'G';
const FAILURE: u8 = b'R';

/// What the child says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromChild {
    Terminal,
    MountRoot,
    Hooks,
    Created,
    Accepted,
    Executing,
    Listener,
    Failed { index: usize, errno: Errno },
    Executed,
}

/// The message that operation `index` failed.
pub(crate) fn failure(index: usize, errno: Errno) -> [u8; 9] {
    let mut message = [FAILURE; 9];
    message[1..5].copy_from_slice(&(index as u32).to_le_bytes());
    message[5..].copy_from_slice(&(errno as i32).to_le_bytes());
    message
}

/// Sends a message of the parent, and with it the container's state for the hooks of the child, if there are any. As a file,
/// since nothing limits what annotations say.
pub(crate) fn send_state(channel: &Channel, message: u8, state: Option<&str>) -> Result<()> {
    match state {
        None => channel.send(&[message]).context(|| "cannot reach the container's init"),
        Some(state) => {
            let file = memory::file(c"container-state", state.as_bytes())?;
            channel.send_with(&[message], file.as_fd()).context(|| "cannot reach the container's init")
        }
    }
}

/// Reads a message; `None` for one that no child of ours sends.
pub(crate) fn parse(message: &[u8]) -> Option<FromChild> {
    match message {
        [] => Some(FromChild::Executed),
        [TERMINAL] => Some(FromChild::Terminal),
        [MOUNT_ROOT] => Some(FromChild::MountRoot),
        [HOOKS] => Some(FromChild::Hooks),
        [CREATED] => Some(FromChild::Created),
        [ACCEPTED] => Some(FromChild::Accepted),
        [EXECUTING] => Some(FromChild::Executing),
        [LISTENER] => Some(FromChild::Listener),
        [FAILURE, rest @ ..] if rest.len() == 8 => {
            let number = |at: usize| [rest[at], rest[at + 1], rest[at + 2], rest[at + 3]];
            Some(FromChild::Failed {
                index: u32::from_le_bytes(number(0)) as usize,
                errno: Errno::from_raw(i32::from_le_bytes(number(4))),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_arrives_as_it_was_sent() {
        let message = failure(300, Errno::ENOSYS);
        assert_eq!(parse(&message), Some(FromChild::Failed { index: 300, errno: Errno::ENOSYS }));
        assert_eq!(parse(b""), Some(FromChild::Executed));
        assert_eq!(parse(b"R123"), None);
    }
}
