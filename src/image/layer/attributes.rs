//! Owners and extended attributes, and the record of those that could not be set.
//!
//! The order on a file is chown, chmod, attributes, times: chown clears set-id bits and file capabilities,
//! and everything changes the times.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Gid, Uid};
use rustix::io::Errno;

use crate::error::Result;
use crate::sys::xattr;

use super::Owners;
use super::archive::Entry;
use super::extract::{Extractor, Place, cannot};
use super::notes::Note;

/// Where containers/storage and fuse-overlayfs keep the owner and mode that an object should have.
const OVERRIDE: &str = "user.containers.override_stat";

const CAPABILITY: &str = "security.capability";

/// `UID:GID:0MODE`, the mode in octal.
pub(super) fn stat(entry: &Entry) -> String {
    format!("{}:{}:0{:o}", entry.uid, entry.gid, entry.mode)
}

impl Extractor<'_> {
    /// Sets the owner of what this entry just made; whether it has to be recorded instead.
    pub(super) fn own(&mut self, entry: &Entry, place: Place<'_>) -> Result<bool> {
        match self.owners {
            Owners::Mapped if (entry.uid, entry.gid) == self.creator => Ok(false),
            Owners::Mapped => self.chown(entry, place),
            Owners::Single if (entry.uid, entry.gid) == (0, 0) => Ok(false),
            Owners::Single => {
                self.notes.add(Note::Owner, place.path);
                Ok(true)
            }
        }
    }

    /// The same for what was there before and may have any owner.
    pub(super) fn own_anew(&mut self, entry: &Entry, place: Place<'_>) -> Result<bool> {
        match self.owners {
            Owners::Mapped => self.chown(entry, place),
            Owners::Single => self.own(entry, place),
        }
    }

    fn chown(&mut self, entry: &Entry, place: Place<'_>) -> Result<bool> {
        let (uid, gid) = (Uid::from_raw_unchecked(entry.uid), Gid::from_raw_unchecked(entry.gid));
        let chown =
            |uid, gid| rustix::fs::chownat(place.parent, place.name, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
        // An id of -1 would mean "leave it" to the kernel.
        let sayable = entry.uid != u32::MAX && entry.gid != u32::MAX;
        match if sayable { chown(Some(uid), Some(gid)) } else { Err(Errno::INVAL) } {
            Ok(()) => Ok(false),
            Err(Errno::INVAL | Errno::PERM | Errno::OVERFLOW) => {
                // Keep the half that exists here.
                if entry.uid != u32::MAX {
                    let _ = chown(Some(uid), None);
                }
                if entry.gid != u32::MAX {
                    let _ = chown(None, Some(gid));
                }
                self.notes.add(Note::Owner, place.path);
                Ok(true)
            }
            Err(errno) => Err(cannot("set the owner of", place.path, errno)),
        }
    }

    /// Records the owner on the object itself, or beside the layer where it cannot carry the record.
    pub(super) fn record_on(
        &mut self,
        fd: BorrowedFd<'_>,
        entry: &Entry,
        place: Place<'_>,
        wanted: bool,
    ) -> Result<()> {
        if wanted && xattr::set(fd, OsStr::new(OVERRIDE), stat(entry).as_bytes()).is_err() {
            self.record_beside(entry, place)?;
        }
        Ok(())
    }

    /// Records the owner of a link or a node, which cannot carry user attributes.
    pub(super) fn record_beside(&mut self, entry: &Entry, place: Place<'_>) -> Result<()> {
        self.remember(place.path.len())?;
        self.overrides.insert(place.path.to_vec(), stat(entry));
        Ok(())
    }

    /// Takes back the record of an earlier entry of the same directory.
    pub(super) fn unrecord(&mut self, fd: BorrowedFd<'_>) {
        let _ = rustix::fs::fremovexattr(fd, OVERRIDE);
    }

    /// Sets the extended attributes, capabilities last: every other change may clear them.
    pub(super) fn xattrs(&mut self, fd: BorrowedFd<'_>, entry: &Entry, place: Place<'_>) {
        let (capabilities, others): (Vec<_>, Vec<_>) =
            entry.xattrs.iter().partition(|(name, _)| name == CAPABILITY);
        for (name, value) in others {
            if name == "system.posix_acl_default" {
                continue;
            }
            if !may_set(name) {
                self.notes.add(Note::ReservedXattr, place.path);
            } else if xattr::set(fd, name, value).is_err() {
                self.notes.add(Note::Xattr, place.path);
            }
        }
        for (name, value) in capabilities {
            if xattr::set(fd, name, value).is_err() {
                self.notes.add(Note::Capability, place.path);
            }
        }
    }
}

/// Attributes that a layer may bring along. What overlayfs, fuse-overlayfs and this store act on would let
/// a layer point into others; labels and trusted attributes are the host's.
fn may_set(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let reserved = [&b"user.overlay."[..], b"user.fuseoverlayfs.", b"user.containers."];
    let allowed = name.starts_with(b"user.") || name == b"system.posix_acl_access";
    allowed && !reserved.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_cannot_steer_overlayfs() {
        for name in ["user.a", "user.overlayfs", "system.posix_acl_access"] {
            assert!(may_set(OsStr::new(name)), "{name}");
        }
        for name in [
            "user.overlay.redirect",
            "user.overlay.opaque",
            "trusted.overlay.opaque",
            "user.containers.override_stat",
            "user.fuseoverlayfs.opaque",
            "security.selinux",
            "trusted.a",
        ] {
            assert!(!may_set(OsStr::new(name)), "{name}");
        }
    }
}
