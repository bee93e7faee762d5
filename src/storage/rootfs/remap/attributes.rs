//! Owners and extended attributes that speak of ids.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Gid, Stat, Uid};

use crate::sys::root::Io;
use crate::sys::xattr;

use super::Copy;

/// Where an owner that could not be set is kept; layers are unpacked with the same record.
const OVERRIDE: &str = "user.containers.override_stat";

const CAPABILITY: &str = "security.capability";

/// A named user or group in a POSIX ACL. Source: linux/posix_acl_xattr.h.
const ACL_USER: u16 = 0x02;
const ACL_GROUP: u16 = 0x08;

impl Copy<'_> {
    /// Gives `name` in `at` (or `at` itself, where the name is empty) the translated owner.
    pub(super) fn own(&mut self, at: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Io<()> {
        let owner = (self.remap.uid)(stat.st_uid).zip((self.remap.gid)(stat.st_gid));
        if owner.is_none() {
            self.done.unmapped += 1;
        }
        let Some((uid, gid)) = owner.or_else(|| (self.remap.uid)(0).zip((self.remap.gid)(0))) else {
            return Ok(());
        };
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
        rustix::fs::chownat(at, name, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), flags)
    }

    /// Records an owner that the new map lacks.
    pub(super) fn record(&mut self, fd: BorrowedFd<'_>, stat: &Stat) {
        if (self.remap.uid)(stat.st_uid).is_none() || (self.remap.gid)(stat.st_gid).is_none() {
            let text = format!("{}:{}:0{:o}", stat.st_uid, stat.st_gid, stat.st_mode & 0o7777);
            if xattr::set(fd, OsStr::new(OVERRIDE), text.as_bytes()).is_err() {
                self.done.lost += 1;
            }
        }
    }

    /// Takes the extended attributes over, capabilities last.
    pub(super) fn attributes(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Io<()> {
        let mut names = xattr::list(from)?;
        names.sort_by_key(|name| name == CAPABILITY);
        for name in names {
            // A merged tree has nothing below it to hide.
            if self.merging && name.as_bytes().starts_with(b"user.overlay.") {
                continue;
            }
            let Some(value) = xattr::get(from, &name)? else { continue };
            let value = match name.to_str() {
                Some("system.posix_acl_access" | "system.posix_acl_default") => self.acl(value),
                Some(CAPABILITY) => self.capability(&value),
                _ => Some(value),
            };
            if value.is_none_or(|value| xattr::set(to, &name, &value).is_err()) {
                self.done.lost += 1;
            }
        }
        Ok(())
    }

    /// Translates the ids of named users and groups.
    fn acl(&self, mut value: Vec<u8>) -> Option<Vec<u8>> {
        for entry in value.get_mut(4..)?.chunks_exact_mut(8) {
            let tag = u16::from_le_bytes([entry[0], entry[1]]);
            let id = u32::from_le_bytes(entry[4..].try_into().ok()?);
            let translated = match tag {
                ACL_USER => (self.remap.uid)(id)?,
                ACL_GROUP => (self.remap.gid)(id)?,
                _ => continue,
            };
            entry[4..].copy_from_slice(&translated.to_le_bytes());
        }
        Some(value)
    }

    /// Capabilities hold in a user namespace only if they name its root (version 3). Source:
    /// linux/capability.h, `struct vfs_ns_cap_data`.
    fn capability(&self, value: &[u8]) -> Option<Vec<u8>> {
        const VERSION_3: u32 = 0x0300_0000;
        let flags = u32::from_le_bytes(value.get(..4)?.try_into().ok()?) & 0x00ff_ffff;
        let sets = value.get(4..20)?;
        let root = (self.remap.uid)(0)?;
        Some([&(VERSION_3 | flags).to_le_bytes(), sets, &root.to_le_bytes()].concat())
    }
}
