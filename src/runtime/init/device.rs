//! Device nodes: made where the kernel lets us, else binds of the host's.

use nix::errno::Errno;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid, chmodat, chownat, fstat, mknodat};

use super::{Init, errno, is_missing};
use crate::runtime::op::{Device, Kind, Place};
use crate::sys::mount;

impl Init<'_> {
    /// Supplies a device. What is there already has to be that device, or the empty file that an earlier
    /// start of the container left as a place for the bind.
    pub(super) fn supply_device(&self, device: &Device) -> Result<(), Errno> {
        let root = self.root()?;
        match mount::open_inside(root, &device.target.path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(existing) => {
                let found = fstat(&existing).map_err(errno)?;
                let kind = FileType::from_raw_mode(found.st_mode);
                if kind == device.kind && (kind == FileType::Fifo || found.st_rdev == device.number) {
                    return Ok(());
                }
                if device.host.is_none() || kind != FileType::RegularFile || found.st_size != 0 {
                    return Err(Errno::EEXIST);
                }
                self.bind_device(device)
            }
            Err(error) if is_missing(error) => match self.make_device(device) {
                // Without CAP_MKNOD in the first user namespace, or where a control group forbids it.
                Err(Errno::EPERM) if device.host.is_some() => self.bind_device(device),
                other => other,
            },
            Err(error) => Err(errno(error)),
        }
    }

    fn make_device(&self, device: &Device) -> Result<(), Errno> {
        let Place { directory, name } = &device.place;
        let parent = self.ensure(directory, Kind::Directory)?;
        let mode = Mode::from_raw_mode(device.mode);
        mknodat(&parent, name.as_c_str(), device.kind, mode, device.number).map_err(errno)?;
        let (uid, gid) = (Uid::from_raw(device.uid), Gid::from_raw(device.gid));
        chownat(&parent, name.as_c_str(), Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).map_err(errno)?;
        // The umask has taken from it. Nobody else is in the mount namespace yet who could put a link there.
        chmodat(&parent, name.as_c_str(), mode, AtFlags::empty()).map_err(errno)
    }

    fn bind_device(&self, device: &Device) -> Result<(), Errno> {
        use std::os::fd::AsFd;
        let tree = device.host.and_then(|slot| self.slot(slot)).ok_or(Errno::EPERM)?;
        let target = self.ensure(&device.target, Kind::File)?;
        mount::attach(tree, target.as_fd()).map_err(errno)
    }
}
