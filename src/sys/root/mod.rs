//! Untrusted paths under a directory: what an image or a container names is looked up here and nowhere else.
//!
//! A [`Root`] is a directory held open. Every path is resolved below it as a process chrooted into it would
//! see it: a leading `/` and a `..` that climbs too far mean the root itself, and symbolic links, absolute
//! ones too, stay inside. The kernel does this (openat2 with `RESOLVE_IN_ROOT`, Linux 5.6); where it lacks
//! openat2 or a filter forbids it, [`walk`] does the same one component at a time.
//!
//! Names are bytes; a path is never joined to the root's own path and looked up again.

mod tree;
mod walk;

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, Timestamps};
use rustix::io::Errno;

use crate::error::{Error, Kind, Result};
use walk::Missing;

/// The result of a single system call.
pub type Io<T> = rustix::io::Result<T>;

/// Set once openat2 has turned out not to be there (ENOSYS).
static WITHOUT_OPENAT2: AtomicBool = AtomicBool::new(false);

/// A racing rename anywhere on the system makes openat2 give up with EAGAIN; after this many attempts the
/// walk, which does not mind, takes over.
const ATTEMPTS: usize = 32;

/// A directory below which untrusted paths are resolved.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
    /// For messages only.
    path: PathBuf,
    /// Tests choose the walk; everyone else lets the kernel do it.
    only_walk: bool,
}

impl Root {
    /// Opens the directory `path`, which the caller trusts.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| failed(errno, &format!("cannot open {}", path.display())))?;
        Ok(Self::from_fd(fd, path))
    }

    /// Takes a directory that is already open; `path` appears in messages.
    pub fn from_fd(fd: OwnedFd, path: impl Into<PathBuf>) -> Self {
        Self { fd, path: path.into(), only_walk: false }
    }

    /// What the root is called in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens what `path` leads to. `flags` must not create; `O_CLOEXEC` is added. With `O_NOFOLLOW` a
    /// symbolic link as the last component is not followed (ELOOP, or the link itself with `O_PATH`).
    pub fn resolve(&self, path: &Path, flags: OFlags) -> Io<OwnedFd> {
        debug_assert!(
            !flags.intersects(OFlags::CREATE) && !flags.contains(OFlags::TMPFILE),
            "resolve does not create"
        );
        let flags = flags | OFlags::CLOEXEC;
        if !self.only_walk && !WITHOUT_OPENAT2.load(Ordering::Relaxed) {
            let asked = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
            for _ in 0..ATTEMPTS {
                match rustix::fs::openat2(&self.fd, asked, flags, Mode::empty(), how) {
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(Errno::NOSYS) => {
                        WITHOUT_OPENAT2.store(true, Ordering::Relaxed);
                        break;
                    }
                    // A seccomp filter of an older container engine answers so for what it does not know.
                    Err(Errno::PERM) => break,
                    done => return done,
                }
            }
        }
        walk::walk(self.fd.as_fd(), path, flags, Missing::Fail)
    }

    /// Opens what `path` leads to, as [`Root::resolve`].
    pub fn open_at(&self, path: &Path, flags: OFlags) -> Result<OwnedFd> {
        self.resolve(path, flags).map_err(|errno| self.failed(errno, "open", path))
    }

    /// A handle (`O_PATH`) on what `path` leads to, links followed: to mount on, to stat, to hold.
    pub fn open_path(&self, path: &Path) -> Result<OwnedFd> {
        self.open_at(path, OFlags::PATH)
    }

    /// The directory that holds the last component of `path`, as a handle, and that component.
    /// [`Kind::Invalid`] where the last component is not a name (`/`, `a/..`).
    pub fn parent_of(&self, path: &Path) -> Result<(OwnedFd, OsString)> {
        let (parent, name) = split(path).ok_or_else(|| {
            Error::invalid(format!("{path:?} does not name a file in {}", self.path.display()))
        })?;
        let fd = self
            .resolve(parent, OFlags::PATH | OFlags::DIRECTORY)
            .map_err(|errno| self.failed(errno, "open the parent of", path))?;
        Ok((fd, name.to_owned()))
    }

    /// Makes the directory `path` and every one above it that is missing, and gives a handle on it.
    /// Dangling links on the way are followed and their targets made, inside the root.
    pub fn mkdir_all(&self, path: &Path, mode: u32) -> Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        match self.resolve(path, flags) {
            Err(Errno::NOENT) => {}
            done => return done.map_err(|errno| self.failed(errno, "open directory", path)),
        }
        walk::walk(self.fd.as_fd(), path, flags, Missing::Directories(Mode::from_raw_mode(mode)))
            .map_err(|errno| self.failed(errno, "create directory", path))
    }

    /// A handle on what `path` leads to; where there is nothing, an empty file is made, and the directories
    /// above it (0755). A target for bind mounts.
    pub fn ensure_file(&self, path: &Path, mode: u32) -> Result<OwnedFd> {
        match self.resolve(path, OFlags::PATH) {
            Err(Errno::NOENT) => {}
            done => return done.map_err(|errno| self.failed(errno, "open", path)),
        }
        walk::walk(self.fd.as_fd(), path, OFlags::PATH, Missing::File(Mode::from_raw_mode(mode)))
            .map_err(|errno| self.failed(errno, "create file", path))
    }

    /// Creates the file `path`, whose parent must exist, and opens it for writing. [`Kind::Conflict`] if
    /// anything, a dangling link too, is there.
    pub fn create_file(&self, path: &Path, mode: u32) -> Result<File> {
        let (parent, name) = self.parent_of(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&parent, &name, flags, Mode::from_raw_mode(mode))
            .map(File::from)
            .map_err(|errno| self.failed(errno, "create file", path))
    }

    /// Reads the regular file that `path` leads to. [`Kind::NotFound`] where there is none,
    /// [`Kind::Invalid`] where it is something else (a FIFO or a device is never waited for) or longer than
    /// `limit` bytes.
    pub fn read_file(&self, path: &Path, limit: u64) -> Result<Vec<u8>> {
        // O_PATH first: opening a device can have effects of its own.
        let handle = self.open_path(path)?;
        let stat = rustix::fs::fstat(&handle).map_err(|errno| self.failed(errno, "stat", path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            let shown = self.shown(path);
            return Err(Error::invalid(format!("cannot read {shown}: it is not a regular file")));
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = self.resolve(path, flags).map_err(|errno| self.failed(errno, "open", path))?;
        let again = rustix::fs::fstat(&fd).map_err(|errno| self.failed(errno, "stat", path))?;
        if (again.st_dev, again.st_ino) != (stat.st_dev, stat.st_ino) {
            return Err(Error::new(
                Kind::Conflict,
                format!("{} changed while it was read", self.shown(path)),
            ));
        }
        let mut bytes = Vec::new();
        File::from(fd)
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Error::wrap(format!("cannot read {}", self.shown(path)), error))?;
        if bytes.len() as u64 > limit {
            let shown = self.shown(path);
            return Err(Error::invalid(format!("cannot read {shown}: it is longer than {limit} bytes")));
        }
        Ok(bytes)
    }

    /// What `path` leads to, links followed.
    pub fn stat(&self, path: &Path) -> Result<Stat> {
        rustix::fs::fstat(self.open_path(path)?).map_err(|errno| self.failed(errno, "stat", path))
    }

    /// The object that `path` names, a link itself.
    pub fn lstat(&self, path: &Path) -> Result<Stat> {
        let fd = self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        rustix::fs::fstat(fd).map_err(|errno| self.failed(errno, "stat", path))
    }

    /// Makes `path` a symbolic link with the text `target`, which is not looked at.
    pub fn symlink(&self, target: &OsStr, path: &Path) -> Result<()> {
        let (parent, name) = self.parent_of(path)?;
        rustix::fs::symlinkat(target, parent, name).map_err(|errno| self.failed(errno, "create link", path))
    }

    /// Makes `path` another name of the object that `from` names (of a link itself, not of its target).
    pub fn link(&self, from: &Path, path: &Path) -> Result<()> {
        let (from_parent, from_name) = self.parent_of(from)?;
        let (parent, name) = self.parent_of(path)?;
        rustix::fs::linkat(from_parent, from_name, parent, name, AtFlags::empty())
            .map_err(|errno| self.failed(errno, "create hard link", path))
    }

    /// Makes a node; `device` is 0 for a FIFO.
    pub fn mknod(&self, path: &Path, kind: FileType, mode: u32, device: u64) -> Result<()> {
        let (parent, name) = self.parent_of(path)?;
        rustix::fs::mknodat(parent, name, kind, Mode::from_raw_mode(mode), device)
            .map_err(|errno| self.failed(errno, "create node", path))
    }

    /// Gives the object that `path` names (a link itself) to `uid` and `gid`.
    pub fn chown(&self, path: &Path, uid: u32, gid: u32) -> Result<()> {
        let fd = self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        chown_handle(fd.as_fd(), uid, gid).map_err(|errno| self.failed(errno, "change the owner of", path))
    }

    /// Sets the times of the object that `path` names (of a link itself).
    pub fn utimens(&self, path: &Path, times: &Timestamps) -> Result<()> {
        let (parent, name) = self.parent_of(path)?;
        rustix::fs::utimensat(parent, name, times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| self.failed(errno, "set the times of", path))
    }

    /// Sets an extended attribute of the regular file or directory `path` leads to.
    pub fn set_xattr(&self, path: &Path, name: &OsStr, value: &[u8]) -> Result<()> {
        let fd = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        super::xattr::set(fd.as_fd(), name, value)
            .map_err(|errno| self.failed(errno, &format!("set {name:?} of"), path))
    }

    /// Removes the object that `path` names and, if it is a directory, all below it; links are removed, not
    /// followed. Directories without permissions are given them. That it is not there is no failure.
    pub fn remove_tree(&self, path: &Path) -> Result<()> {
        let (parent, name) = match self.parent_of(path) {
            Err(error) if error.kind() == Kind::NotFound => return Ok(()),
            found => found?,
        };
        tree::remove(parent.as_fd(), &name).map_err(|errno| self.failed(errno, "remove", path))
    }

    /// Removes everything in the root, and keeps the root.
    pub fn remove_contents(&self) -> Result<()> {
        tree::empty(self.fd.as_fd()).map_err(|errno| self.failed(errno, "empty", Path::new("/")))
    }

    fn shown(&self, path: &Path) -> String {
        format!("{path:?} in {}", self.path.display())
    }

    fn failed(&self, errno: Errno, act: &str, path: &Path) -> Error {
        failed(errno, &format!("cannot {act} {}", self.shown(path)))
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Removes `name` in `parent`, which is a single component, and all below it. Links are not followed; that
/// nothing is there is no failure.
pub fn remove_tree_at(parent: BorrowedFd<'_>, name: &OsStr) -> Io<()> {
    tree::remove(parent, name)
}

/// Changes the owner of what the handle is on, a symbolic link itself too.
pub fn chown_handle(fd: BorrowedFd<'_>, uid: u32, gid: u32) -> Io<()> {
    let (uid, gid) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    rustix::fs::chownat(fd, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH)
}

/// Changes the permissions of what an `O_PATH` handle is on, which must not be a symbolic link.
pub fn chmod_handle(fd: BorrowedFd<'_>, mode: Mode) -> Io<()> {
    // fchmod refuses O_PATH handles, and fchmodat2 is younger (6.6) than what rcon runs on.
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&fd));
    rustix::fs::chmod(path, mode)
}

/// The path before the last component, and that component.
fn split(path: &Path) -> Option<(&Path, &OsStr)> {
    let bytes = path.as_os_str().as_bytes();
    let end = bytes.iter().rposition(|byte| *byte != b'/')? + 1;
    let start = bytes[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let name = &bytes[start..end];
    let is_name = name != b"." && name != b"..";
    is_name.then(|| (Path::new(OsStr::from_bytes(&bytes[..start])), OsStr::from_bytes(name)))
}

fn failed(errno: Errno, context: &str) -> Error {
    Error::wrap(context, std::io::Error::from(errno))
}
