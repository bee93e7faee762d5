//! One layer over those below it: what overlayfs does at a lookup, done on disk.

use std::ffi::OsStr;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::sys::root::{Io, remove_tree_at};
use crate::sys::xattr;

use super::{Copy, DIRECTORY, Item};

const OPAQUE: &str = "user.overlay.opaque";
const WHITEOUT: &str = "user.overlay.whiteout";

impl Copy<'_> {
    /// Clears the way for `item`; whether it was nothing but a whiteout.
    pub(super) fn merge(&mut self, item: &Item<'_>) -> Io<bool> {
        let kind = FileType::from_raw_mode(item.stat.st_mode);
        if is_whiteout(item)? {
            remove_tree_at(item.to, item.name)?;
            return Ok(true);
        }
        let below = match rustix::fs::statat(item.to, item.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(errno),
        };
        if (kind, below) != (FileType::Directory, FileType::Directory) || is_opaque(item)? {
            remove_tree_at(item.to, item.name)?;
            return Ok(false);
        }
        // The upper directory's attributes hide the lower one's.
        let fd = rustix::fs::openat(item.to, item.name, OFlags::RDONLY | DIRECTORY, Mode::empty())?;
        for name in xattr::list(fd.as_fd())? {
            rustix::fs::fremovexattr(&fd, &*name)?;
        }
        Ok(false)
    }
}

fn is_opaque(item: &Item<'_>) -> Io<bool> {
    let fd = rustix::fs::openat(item.from, item.name, OFlags::RDONLY | DIRECTORY, Mode::empty())?;
    Ok(xattr::get(fd.as_fd(), OsStr::new(OPAQUE))?.is_some_and(|value| value == b"y"))
}

fn is_whiteout(item: &Item<'_>) -> Io<bool> {
    match FileType::from_raw_mode(item.stat.st_mode) {
        FileType::CharacterDevice => Ok(item.stat.st_rdev == 0),
        FileType::RegularFile if item.stat.st_size == 0 => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(item.from, item.name, flags, Mode::empty())?;
            Ok(xattr::get(fd.as_fd(), OsStr::new(WHITEOUT))?.is_some())
        }
        _ => Ok(false),
    }
}
