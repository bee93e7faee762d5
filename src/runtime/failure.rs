//! Which operation failed with which errno -> the sentence.

use nix::errno::Errno;

use super::op::Op;
use super::plan::Plan;
use crate::error::{Error, Kind};
use crate::storage::rootfs::Rootfs;

impl Plan {
    /// The error of operation `index`, as the child reported it.
    pub(super) fn failure(&self, index: usize, errno: Errno) -> Error {
        let Some(op) = self.ops.get(index) else {
            return Error::new(Kind::System, "the container's init talks nonsense");
        };
        let error = Error::wrap(op.describe(), cause_of(errno));
        match (op, errno) {
            (Op::FindProgram { shown, .. } | Op::Exec { shown, .. }, Errno::ENOENT)
                if !shown.contains('/') =>
            {
                // With its cause: engines tell this failure by "no such file or directory".
                Error::wrap(format!("executable file `{shown}` not found in $PATH"), cause_of(errno))
                    .with_kind(Kind::CommandNotFound)
            }
            (Op::FindProgram { .. } | Op::Exec { .. } | Op::Chdir(_), Errno::ENOENT | Errno::ENOTDIR) => {
                error.with_kind(Kind::CommandNotFound)
            }
            (Op::FindProgram { .. } | Op::Exec { .. } | Op::Chdir(_), _) => {
                error.with_kind(Kind::NotExecutable)
            }
            (Op::Overlay(_), Errno::EINVAL | Errno::EPERM | Errno::ENODEV | Errno::ENOSYS | Errno::ELOOP) => {
                error.with_kind(Kind::Unsupported).hint("rcon --storage-driver fuse-overlayfs run …")
            }
            // What the child says of a hook that ran and failed, or did not end.
            (Op::Hook(_), Errno::EPROTO) => {
                Error::new(Kind::System, format!("{}: it says that it failed", op.describe()))
            }
            (Op::Hook(hook), Errno::ETIME) => Error::new(
                Kind::System,
                format!("{}: not done after {} s", op.describe(), hook.timeout.unwrap_or_default()),
            ),
            (Op::Tree { .. } | Op::Change { .. } | Op::Remount { .. }, Errno::EPERM) => {
                error.with_kind(Kind::Denied).hint(
                    "in a user namespace the host's mounts keep what they forbid (ro, nosuid, nodev, noexec), and \
                     how they treat access times",
                )
            }
            _ => error.with_kind(Kind::System),
        }
    }

    /// Whether the child asks its parent for something before it is told to start.
    pub(super) fn asks_before_start(&self) -> bool {
        matches!(self.rootfs, Rootfs::FuseOverlayfs { .. }) || self.has_hooks()
    }

    fn has_hooks(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::RuntimeHooks | Op::Hook(_)))
    }
}

fn cause_of(errno: Errno) -> std::io::Error {
    std::io::Error::from_raw_os_error(errno as i32)
}
