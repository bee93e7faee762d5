//! One object of the new tree.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use crate::sys::root::Io;
use crate::sys::xattr;

use super::{Content, Copy, Item};

/// On a file without content of its own: that it is one, and where the content is.
pub(super) const METACOPY: &str = "user.overlay.metacopy";
pub(super) const REDIRECT: &str = "user.overlay.redirect";

impl Copy<'_> {
    /// Makes an object as the layer has it, but for its owner.
    pub(super) fn object(&mut self, item: &Item<'_>) -> Io<()> {
        let kind = FileType::from_raw_mode(item.stat.st_mode);
        if kind == FileType::Directory {
            return match rustix::fs::mkdirat(item.to, item.name, Mode::RWXU) {
                Err(Errno::EXIST) if self.merging => Ok(()),
                done => done,
            };
        }
        let inode = (item.stat.st_dev, item.stat.st_ino);
        if item.stat.st_nlink > 1 {
            if let Some(first) = self.links.get(&inode) {
                return self.link(first, item);
            }
            self.links.insert(inode, item.path.to_owned());
        }
        match kind {
            FileType::RegularFile => return self.file(item),
            FileType::Symlink => {
                let text = rustix::fs::readlinkat(item.from, item.name, Vec::new())?;
                rustix::fs::symlinkat(text, item.to, item.name)?;
            }
            kind => {
                let mode = Mode::from_raw_mode(item.stat.st_mode);
                rustix::fs::mknodat(item.to, item.name, kind, mode, item.stat.st_rdev)?;
                if kind == FileType::CharacterDevice && item.stat.st_rdev == 0 {
                    // A whiteout is its name.
                    return Ok(());
                }
            }
        }
        self.own(item.to, item.name, &item.stat)?;
        rustix::fs::utimensat(item.to, item.name, &times(&item.stat), AtFlags::SYMLINK_NOFOLLOW)
    }

    fn link(&self, first: &Path, item: &Item<'_>) -> Io<()> {
        let name = first.file_name().ok_or(Errno::INVAL)?;
        let parent = first.parent().unwrap_or(Path::new(""));
        let holder = self.to.resolve(parent, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
        rustix::fs::linkat(holder, name, item.to, item.name, AtFlags::empty())
    }

    fn file(&mut self, item: &Item<'_>) -> Io<()> {
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let from = rustix::fs::openat(item.from, item.name, OFlags::RDONLY | flags, Mode::empty())?;
        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | flags;
        let to = rustix::fs::openat(item.to, item.name, create, Mode::RUSR | Mode::WUSR)?;
        let size = item.stat.st_size as u64;
        match self.content {
            _ if size == 0 => {}
            Content::Shared(prefix) => {
                rustix::fs::ftruncate(&to, size)?;
                xattr::set(to.as_fd(), OsStr::new(METACOPY), b"")?;
                xattr::set(to.as_fd(), OsStr::new(REDIRECT), redirect(prefix, item.path).as_bytes())?;
            }
            Content::Copied => {
                let (from, to) =
                    (File::from(from.try_clone().map_err(errno)?), to.try_clone().map_err(errno)?);
                copy(&from, File::from(to), size)?;
                self.done.bytes += size;
            }
        }
        self.own(to.as_fd(), OsStr::new(""), &item.stat)?;
        rustix::fs::fchmod(&to, Mode::from_raw_mode(item.stat.st_mode))?;
        self.attributes(from.as_fd(), to.as_fd())?;
        self.record(to.as_fd(), &item.stat);
        rustix::fs::futimens(&to, &times(&item.stat))
    }
}

/// The content's path below the data-only layer, absolute as overlayfs wants it.
fn redirect(prefix: &Path, path: &Path) -> OsString {
    Path::new("/").join(prefix).join(path).into_os_string()
}

/// Shares the blocks, or copies them inside the kernel.
fn copy(mut from: &File, mut to: File, size: u64) -> Io<()> {
    if rustix::fs::ioctl_ficlone(&to, from).is_ok() {
        return Ok(());
    }
    if from.metadata().map_err(errno)?.len() != size {
        return Err(Errno::STALE);
    }
    // std uses copy_file_range, and reads and writes where that does not serve.
    std::io::copy(&mut from, &mut to).map_err(errno)?;
    Ok(())
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

pub(super) fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds| Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec as _),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec as _),
    }
}
