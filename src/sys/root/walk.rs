//! Path resolution in user space, one component at a time: for kernels without openat2, and for making
//! what is missing on the way, which openat2 cannot.
//!
//! Every directory on the way is held open and `..` steps back to the one held before it, so a directory
//! that is moved meanwhile cannot lead outside: at worst an answer is one that was right a moment ago.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Io;

/// Links followed before ELOOP; the kernel's own number.
const LINKS: usize = 40;

/// What to do about a component that is not there.
#[derive(Clone, Copy)]
pub(super) enum Missing {
    /// ENOENT.
    Fail,
    /// Make it, and all below it, a directory with this mode.
    Directories(Mode),
    /// Make the last one an empty file with this mode, those before it directories (0755).
    File(Mode),
}

/// Opens what `path` leads to below `root` with `flags`.
pub(super) fn walk(root: BorrowedFd<'_>, path: &Path, flags: OFlags, missing: Missing) -> Io<OwnedFd> {
    let mut walk = Walk { root, held: Vec::new(), ahead: VecDeque::new(), links: 0 };
    let mut flags = flags;
    flags |= walk.push(path.as_os_str().as_bytes());
    while let Some(name) = walk.ahead.pop_front() {
        if name == ".." {
            walk.held.pop();
        } else if !walk.ahead.is_empty() {
            walk.enter(&name, missing)?;
        } else if let Some(fd) = walk.last(&name, &mut flags, missing)? {
            return Ok(fd);
        }
    }
    // The path ended in the root or in "..": the directory reached is the answer.
    rustix::fs::openat(walk.here(), c".", flags, Mode::empty())
}

struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// The directories below the root that lead to the present one.
    held: Vec<OwnedFd>,
    /// The components not yet looked up.
    ahead: VecDeque<OsString>,
    links: usize,
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.held.last().map_or(self.root, AsFd::as_fd)
    }

    /// Puts the components of `text` before those ahead. Gives `O_DIRECTORY` where a trailing slash, or
    /// what follows, asks for a directory.
    fn push(&mut self, text: &[u8]) -> OFlags {
        if text.first() == Some(&b'/') {
            self.held.clear();
        }
        let wants_directory = text.ends_with(b"/") || text.ends_with(b"/.") || text == b".";
        let names = text.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".");
        for name in names.rev() {
            self.ahead.push_front(OsStr::from_bytes(name).to_owned());
        }
        if wants_directory { OFlags::DIRECTORY } else { OFlags::empty() }
    }

    /// Steps into the directory `name`, or replaces it by the link's text.
    fn enter(&mut self, name: &OsStr, missing: Missing) -> Io<()> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(self.here(), name, flags, Mode::empty()) {
            Ok(fd) => self.held.push(fd),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let text = self.read_link(name, Errno::NOTDIR)?;
                self.push(&text);
            }
            Err(Errno::NOENT) => {
                let mode = match missing {
                    Missing::Fail => return Err(Errno::NOENT),
                    Missing::Directories(mode) => mode,
                    Missing::File(_) => Mode::from_raw_mode(0o755),
                };
                make_directory(self.here(), name, mode)?;
                let fd = rustix::fs::openat(self.here(), name, flags, Mode::empty())?;
                self.held.push(fd);
            }
            Err(errno) => return Err(errno),
        }
        Ok(())
    }

    /// Opens the last component; `None` where it was a link, whose text is now ahead.
    fn last(&mut self, name: &OsStr, flags: &mut OFlags, missing: Missing) -> Io<Option<OwnedFd>> {
        let follow = !flags.contains(OFlags::NOFOLLOW);
        match rustix::fs::openat(self.here(), name, *flags | OFlags::NOFOLLOW, Mode::empty()) {
            // With O_PATH alone a link opens as itself.
            Ok(fd) if follow && flags.contains(OFlags::PATH) && !flags.contains(OFlags::DIRECTORY) => {
                match rustix::fs::readlinkat(&fd, c"", Vec::new()) {
                    Ok(text) => *flags |= self.follow(text.as_bytes())?,
                    Err(_) => return Ok(Some(fd)),
                }
            }
            Ok(fd) => return Ok(Some(fd)),
            Err(errno @ (Errno::NOTDIR | Errno::LOOP)) if follow => {
                let text = self.read_link(name, errno)?;
                *flags |= self.push(&text);
            }
            Err(Errno::NOENT) => {
                match missing {
                    Missing::Fail => return Err(Errno::NOENT),
                    Missing::File(mode) if !flags.contains(OFlags::DIRECTORY) => {
                        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                        match rustix::fs::openat(self.here(), name, create, mode) {
                            Ok(_) | Err(Errno::EXIST) => {}
                            Err(errno) => return Err(errno),
                        }
                    }
                    Missing::File(_) => make_directory(self.here(), name, Mode::from_raw_mode(0o755))?,
                    Missing::Directories(mode) => make_directory(self.here(), name, mode)?,
                }
                let flags = *flags | OFlags::NOFOLLOW;
                return rustix::fs::openat(self.here(), name, flags, Mode::empty()).map(Some);
            }
            Err(errno) => return Err(errno),
        }
        Ok(None)
    }

    /// The text of the link `name`, counted; `otherwise` where it is no link.
    fn read_link(&mut self, name: &OsStr, otherwise: Errno) -> Io<Vec<u8>> {
        let text = rustix::fs::readlinkat(self.here(), name, Vec::new()).map_err(|errno| match errno {
            Errno::INVAL => otherwise,
            errno => errno,
        })?;
        self.count_link()?;
        Ok(OsString::from_vec(text.into_bytes()).into_vec())
    }

    fn follow(&mut self, text: &[u8]) -> Io<OFlags> {
        self.count_link()?;
        Ok(self.push(text))
    }

    fn count_link(&mut self) -> Io<()> {
        self.links += 1;
        if self.links > LINKS { Err(Errno::LOOP) } else { Ok(()) }
    }
}

/// mkdirat, content with a directory that someone else made meanwhile.
fn make_directory(parent: BorrowedFd<'_>, name: &OsStr, mode: Mode) -> Io<()> {
    match rustix::fs::mkdirat(parent, name, mode) {
        Err(Errno::EXIST) => Ok(()),
        done => done,
    }
}
