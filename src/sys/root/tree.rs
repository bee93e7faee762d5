//! Removal of a tree that others may have made: no link is followed, no permission stands in the way, no
//! depth exhausts the stack or the descriptors.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Io, chmod_handle};

/// How deep the removal descends before it moves what lies deeper up to the top, whence it starts again.
const DEPTH: usize = 48;

/// Removes `name` in `parent` and all below it; nothing there is no failure.
pub(super) fn remove(parent: BorrowedFd<'_>, name: &OsStr) -> Io<()> {
    let name = CString::new(name.as_bytes()).map_err(|_| Errno::INVAL)?;
    match rustix::fs::unlinkat(parent, &name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // POSIX has EPERM for a directory, Linux EISDIR.
        Err(Errno::ISDIR | Errno::PERM | Errno::ACCESS) => {}
        Err(errno) => return Err(errno),
    }
    match rustix::fs::unlinkat(parent, &name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    empty(open_directory(parent, &name)?.as_fd())?;
    gone(rustix::fs::unlinkat(parent, &name, AtFlags::REMOVEDIR))
}

/// Removes everything in `top`.
pub(super) fn empty(top: BorrowedFd<'_>) -> Io<()> {
    let mut removal = Removal { top, moved: 0 };
    // What was moved up, and what a file system's readdir skipped while entries went, is found by another pass.
    while removal.pass(top, 0)? {}
    Ok(())
}

struct Removal<'a> {
    top: BorrowedFd<'a>,
    moved: u64,
}

impl Removal<'_> {
    /// One pass over `directory`; whether it found anything.
    fn pass(&mut self, directory: BorrowedFd<'_>, depth: usize) -> Io<bool> {
        let mut found = false;
        for entry in Dir::read_from(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            found = true;
            self.remove(directory, name, entry.file_type(), depth)?;
        }
        Ok(found)
    }

    fn remove(&mut self, parent: BorrowedFd<'_>, name: &CStr, kind: FileType, depth: usize) -> Io<()> {
        if kind != FileType::Directory {
            match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => {}
                done => return gone(done),
            }
        }
        match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            done => return gone(done),
        }
        let child = open_directory(parent, name)?;
        if depth >= DEPTH {
            return self.move_up(parent, name);
        }
        while self.pass(child.as_fd(), depth + 1)? {}
        gone(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR))
    }

    fn move_up(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> Io<()> {
        loop {
            self.moved += 1;
            let free = format!(".rcon-removed-{}", self.moved);
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(parent, name, self.top, free.as_str(), flags) {
                Err(Errno::EXIST) => {}
                done => return done,
            }
        }
    }
}

/// Opens a directory to empty it, with the permissions that takes.
fn open_directory(parent: BorrowedFd<'_>, name: &CStr) -> Io<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(parent, name, flags | OFlags::PATH, Mode::empty())?;
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&handle)?.st_mode);
    if !mode.contains(Mode::RWXU) {
        // Someone else's directory, or one on a read-only file system, shows in what follows.
        let _ = chmod_handle(handle.as_fd(), Mode::RWXU);
    }
    rustix::fs::openat(&handle, c".", flags | OFlags::RDONLY, Mode::empty())
}

fn gone(result: Io<()>) -> Io<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}
