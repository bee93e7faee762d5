//! The messages between the parent and the child during set-up, one byte each but for a failure.
//!
//! | from | message | meaning |
//! | --- | --- | --- |
//! | parent | `M` | the id maps are written |
//! | child | `F` + descriptor / parent `f` | have this FUSE device served / it will be |
//! | child | `T` + descriptor | the terminal's leader |
//! | parent | `G` | the network is ready: go |
//! | child | `R` index errno | operation `index` failed; both little-endian 32 bits |
//! | child | end of file | execve has happened |

use nix::errno::Errno;

pub(crate) const MAPPED: u8 = b'M';
pub(crate) const MOUNT_ROOT: u8 = b'F';
pub(crate) const ROOT_MOUNTED: u8 = b'f';
pub(crate) const TERMINAL: u8 = b'T';
pub(crate) const START: u8 = b'G';
const FAILURE: u8 = b'R';

/// What the child says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromChild {
    Terminal,
    MountRoot,
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

/// Reads a message; `None` for one that no child of ours sends.
pub(crate) fn parse(message: &[u8]) -> Option<FromChild> {
    match message {
        [] => Some(FromChild::Executed),
        [TERMINAL] => Some(FromChild::Terminal),
        [MOUNT_ROOT] => Some(FromChild::MountRoot),
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
