//! How overlayfs is told that something of the lower layers is gone. Source: the kernel's overlayfs.rst.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::sys::root::Io;
use crate::sys::xattr;

use super::extract::{open_directory, stat_at};

/// On a directory: `y` hides what lower layers have in it, `x` says that it holds whiteouts of the second form.
pub(super) const OPAQUE: &str = "user.overlay.opaque";

/// On an empty file: it is a whiteout.
const WHITEOUT: &str = "user.overlay.whiteout";

/// The two ways to write a whiteout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A 0/0 character device, which anyone may make since Linux 5.8.
    Device,
    /// An empty file with an attribute, which overlayfs reads since 6.7.
    Attribute,
}

/// Makes `name` in `parent` a whiteout.
pub(super) fn make(parent: BorrowedFd<'_>, name: &OsStr) -> Io<Form> {
    match rustix::fs::mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0) {
        Ok(()) => Ok(Form::Device),
        Err(errno @ (Errno::PERM | Errno::OPNOTSUPP | Errno::INVAL)) if !reads_attributes() => Err(errno),
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::INVAL) => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(parent, name, flags, Mode::RUSR)?;
            xattr::set(file.as_fd(), OsStr::new(WHITEOUT), b"")?;
            let directory = open_directory(parent, OsStr::new("."))?;
            if xattr::get(directory.as_fd(), OsStr::new(OPAQUE))?.is_none() {
                xattr::set(directory.as_fd(), OsStr::new(OPAQUE), b"x")?;
            }
            Ok(Form::Attribute)
        }
        Err(errno) => Err(errno),
    }
}

/// Whether `name` in `parent` is a whiteout, of either form.
pub(super) fn is(parent: BorrowedFd<'_>, name: &OsStr) -> Io<bool> {
    let Some(stat) = stat_at(parent, name)? else { return Ok(false) };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => Ok(stat.st_rdev == 0),
        FileType::RegularFile if stat.st_size == 0 => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::openat(parent, name, flags, Mode::empty()) {
                Ok(file) => Ok(xattr::get(file.as_fd(), OsStr::new(WHITEOUT))?.is_some()),
                Err(Errno::ACCESS) => Ok(false),
                Err(errno) => Err(errno),
            }
        }
        _ => Ok(false),
    }
}

fn reads_attributes() -> bool {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(7))
}
