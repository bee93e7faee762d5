//! Copies of trees between directories that are held open: `tmpcopyup`, and the first filling of a volume.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, Result};

/// Deep enough for any tree that a person made, shallow enough for the stack and the descriptors.
const MAX_DEPTH: usize = 64;

/// Copies the content of the directory `from` into the directory `to`, with modes, owners and times, and
/// the mode and owner of `from` itself. Devices and sockets are left out.
pub fn tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let to =
        rustix::fs::openat(to, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    copy_directory(from, to.as_fd(), MAX_DEPTH)
}

fn copy_directory(from: BorrowedFd<'_>, to: BorrowedFd<'_>, depth: usize) -> Result<()> {
    if depth == 0 {
        return Err(Errno::LOOP);
    }
    for entry in Dir::read_from(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            copy_entry(from, to, name, depth)?;
        }
    }
    let stat = rustix::fs::fstat(from)?;
    keep_metadata(to, &stat)
}

fn copy_entry(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &std::ffi::CStr, depth: usize) -> Result<()> {
    let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let open = |dir, flags, mode| {
        rustix::fs::openat(dir, name, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::from_raw_mode(mode))
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o700))?;
            let source = open(from, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
            let copy = open(to, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
            copy_directory(source.as_fd(), copy.as_fd(), depth - 1)
        }
        FileType::RegularFile => {
            let source = open(from, OFlags::RDONLY, 0)?;
            let copy = open(to, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, 0o600)?;
            while rustix::fs::copy_file_range(&source, None, &copy, None, 1 << 30)
                .or_else(|_| rustix::fs::sendfile(&copy, &source, None, 1 << 30))?
                > 0
            {}
            keep_metadata(copy.as_fd(), &stat)
        }
        FileType::Symlink => {
            let to_where = rustix::fs::readlinkat(from, name, Vec::new())?;
            rustix::fs::symlinkat(to_where.as_c_str(), to, name)
        }
        _ => Ok(()),
    }
}

fn keep_metadata(file: BorrowedFd<'_>, stat: &Stat) -> Result<()> {
    use rustix::fs::{Gid, Timespec, Timestamps, Uid};
    let owner = (Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
    // An id outside of the map cannot be given; the copy then belongs to the container's root.
    let _ = rustix::fs::fchown(file, owner.0, owner.1);
    rustix::fs::fchmod(file, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    let times = Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ },
    };
    rustix::fs::futimens(file, &times)
}
