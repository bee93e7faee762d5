//! Copies of trees between directories that are held open: `tmpcopyup`, and the first filling of a volume.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid};
use rustix::io::{Errno, Result};

/// Deep enough for any tree that a person made, shallow enough for the stack and the descriptors.
const MAX_DEPTH: usize = 64;

/// The owner (uid, gid) of a copy, from that of its original.
pub type Owner<'a> = &'a dyn Fn(u32, u32) -> (u32, u32);

/// Copies the content of the directory `from` into the directory `to`, with modes, times and hard links and with
/// the owners that `owner` gives, and those of `from` itself. Devices and sockets are left out.
pub fn tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>, owner: Owner<'_>) -> Result<()> {
    let to =
        rustix::fs::openat(to, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut copy = Copy { root: to.as_fd(), owner, links: HashMap::new(), path: Vec::new() };
    copy.directory(from, to.as_fd(), MAX_DEPTH)
}

struct Copy<'a> {
    root: BorrowedFd<'a>,
    owner: Owner<'a>,
    /// The first copy of a file that has several names, by device and inode of its original.
    links: HashMap<(u64, u64), Vec<u8>>,
    /// The directory that is being copied, below the root.
    path: Vec<u8>,
}

impl Copy<'_> {
    fn directory(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, depth: usize) -> Result<()> {
        if depth == 0 {
            return Err(Errno::LOOP);
        }
        for entry in Dir::read_from(from)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let length = self.path.len();
                if length > 0 {
                    self.path.push(b'/');
                }
                self.path.extend_from_slice(name.to_bytes());
                self.entry(from, to, name, depth)?;
                self.path.truncate(length);
            }
        }
        let stat = rustix::fs::fstat(from)?;
        self.keep_metadata(to, &stat)
    }

    fn entry(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, depth: usize) -> Result<()> {
        let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let open = |dir, flags, mode| {
            let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode))
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o700))?;
                let source = open(from, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
                let copy = open(to, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
                self.directory(source.as_fd(), copy.as_fd(), depth - 1)
            }
            FileType::RegularFile => {
                let original = (stat.st_dev, stat.st_ino);
                if stat.st_nlink > 1 {
                    if let Some(first) = self.links.get(&original) {
                        return rustix::fs::linkat(self.root, &first[..], to, name, AtFlags::empty());
                    }
                    self.links.insert(original, self.path.clone());
                }
                let source = open(from, OFlags::RDONLY, 0)?;
                let copy = open(to, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, 0o600)?;
                while rustix::fs::copy_file_range(&source, None, &copy, None, 1 << 30)
                    .or_else(|_| rustix::fs::sendfile(&copy, &source, None, 1 << 30))?
                    > 0
                {}
                self.keep_metadata(copy.as_fd(), &stat)
            }
            FileType::Symlink => {
                let to_where = rustix::fs::readlinkat(from, name, Vec::new())?;
                rustix::fs::symlinkat(to_where.as_c_str(), to, name)?;
                let _ = chown(to, name, (self.owner)(stat.st_uid, stat.st_gid));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn keep_metadata(&self, file: BorrowedFd<'_>, stat: &Stat) -> Result<()> {
        // An id outside of the map cannot be given; the copy then belongs to who copies.
        let _ = chown(file, c"", (self.owner)(stat.st_uid, stat.st_gid));
        rustix::fs::fchmod(file, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        let times = Timestamps {
            last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as _ },
            last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ },
        };
        rustix::fs::futimens(file, &times)
    }
}

fn chown(at: BorrowedFd<'_>, name: &CStr, (uid, gid): (u32, u32)) -> Result<()> {
    let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    rustix::fs::chownat(at, name, uid, gid, AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_copy_has_the_modes_links_and_times_of_its_original() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("below")).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("one"), "text").unwrap();
        fs::hard_link(from.join("one"), from.join("below/other")).unwrap();
        symlink("nowhere", from.join("link")).unwrap();
        let (source, target) = (fs::File::open(&from).unwrap(), fs::File::open(&to).unwrap());
        tree(source.as_fd(), target.as_fd(), &|uid, gid| (uid, gid)).unwrap();
        let (one, other) = (to.join("one").metadata().unwrap(), to.join("below/other").metadata().unwrap());
        assert_eq!((one.ino(), one.nlink(), one.len()), (other.ino(), 2, 4));
        assert_eq!(one.mtime_nsec(), from.join("one").metadata().unwrap().mtime_nsec());
        assert_eq!(fs::read_link(to.join("link")).unwrap().to_str(), Some("nowhere"));
    }
}
