//! From entries to files: one entry at a time, the later one wins.
//!
//! The parent directory of an entry is resolved by [`Root`] and kept as a handle; the entry itself is made by
//! calls on its last component that never follow a link. For a small file of the usual owner that is
//! openat, write, futimens and close.
//!
//! A directory gets its time, its special bits and permissions that would lock its owner out when all
//! entries are there: writing into it changes the first, a set-group-id bit the group of what is made in it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::sys::root::{Io, Root, remove_tree_at};
use crate::sys::xattr;

use super::archive::{Archive, Entry, Object, Time, refused};
use super::name::{self, Meaning};
use super::notes::{Note, Notes};
use super::parents::Parents;
use super::{Limits, Options, OutsideLink, Override, Owners, whiteout};

/// Everything that [`super::Unpacked`] says but the digest.
pub(super) struct Summary {
    pub(super) bytes: u64,
    pub(super) entries: u64,
    pub(super) has_root_entry: bool,
    pub(super) notes: Notes,
    pub(super) outside_links: Vec<OutsideLink>,
    pub(super) overrides: Vec<Override>,
}

/// The state of one unpacking.
pub(super) struct Extractor<'a> {
    pub(super) root: &'a Root,
    pub(super) limits: Limits,
    pub(super) owners: Owners,
    pub(super) parents: Parents<'a>,
    pub(super) notes: Notes,
    /// Who owns what this process makes.
    pub(super) creator: (u32, u32),
    /// The umask is 0 on this thread: what is made has the mode that was asked for.
    pub(super) exact_modes: bool,
    pub(super) bytes: u64,
    entries: u64,
    has_root_entry: bool,
    /// What is left to do on directories, by path.
    pub(super) deferred: HashMap<Vec<u8>, Deferred>,
    pub(super) links: HashMap<Vec<u8>, (usize, Vec<u8>)>,
    pub(super) overrides: HashMap<Vec<u8>, String>,
    /// Bytes of names in the three maps above.
    names: u64,
}

/// The last touches to a directory.
pub(super) struct Deferred {
    pub(super) time: Time,
    pub(super) mode: Option<Mode>,
    /// A default ACL would change the modes of what is made in the directory.
    pub(super) default_acl: Option<Vec<u8>>,
}

/// An entry's place: its parent and its last component.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) parent: BorrowedFd<'a>,
    pub(super) name: &'a OsStr,
    pub(super) path: &'a [u8],
}

impl<'a> Extractor<'a> {
    pub(super) fn new(root: &'a Root, options: &Options) -> Result<Self> {
        let failed = |errno| cannot("prepare", b"", errno);
        let stat = rustix::fs::fstat(root).map_err(failed)?;
        // A set-group-id bit inherited from the directory above would spread to everything made here.
        rustix::fs::fchmod(root, Mode::from_raw_mode(0o755)).map_err(failed)?;
        let creator = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        if options.owners == Owners::Mapped && (stat.st_uid, stat.st_gid) != creator {
            crate::sys::root::chown_handle(root.as_fd(), creator.0, creator.1).map_err(failed)?;
        }
        Ok(Self {
            root,
            limits: options.limits,
            owners: options.owners,
            parents: Parents::new(root),
            notes: Notes::default(),
            creator,
            exact_modes: without_umask(),
            bytes: 0,
            entries: 0,
            has_root_entry: false,
            deferred: HashMap::new(),
            links: HashMap::new(),
            overrides: HashMap::new(),
            names: 0,
        })
    }

    /// Unpacks the whole archive.
    pub(super) fn run<R: BufRead>(mut self, source: R) -> Result<Summary> {
        let mut archive = Archive::new(source);
        while let Some(entry) = archive.next()? {
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(Error::invalid(format!("layer has more than {} entries", self.limits.entries)));
            }
            self.entry(&entry, &mut archive)?;
        }
        self.finish_directories()?;
        let mut links: Vec<_> = self.links.into_iter().collect();
        links.sort_by_key(|(_, (order, _))| *order);
        let path = |bytes: Vec<u8>| PathBuf::from(OsString::from_vec(bytes));
        let link = |(from, (_, to))| OutsideLink { path: path(from), target: path(to) };
        let mut overrides: Vec<_> = self.overrides.into_iter().collect();
        overrides.sort();
        Ok(Summary {
            bytes: self.bytes,
            entries: self.entries,
            has_root_entry: self.has_root_entry,
            notes: self.notes,
            outside_links: links.into_iter().map(link).collect(),
            overrides: overrides.into_iter().map(|(at, stat)| Override { path: path(at), stat }).collect(),
        })
    }

    fn entry<R: BufRead>(&mut self, entry: &Entry, archive: &mut Archive<R>) -> Result<()> {
        let path = name::clean(&entry.name, &self.limits).map_err(|why| refused(&entry.name, why))?;
        if path.is_empty() {
            return self.root_entry(entry);
        }
        let (directory, last) = name::split(&path);
        if directory.split(|byte| *byte == b'/').any(|name| name.starts_with(b".wh.")) {
            return Err(refused(&entry.name, "its path leads through a whiteout"));
        }
        let meaning = name::meaning(last).map_err(|why| refused(&entry.name, why))?;
        let parent = self.parents.get(directory, &entry.name)?;
        let place = Place { parent: parent.as_fd(), name: OsStr::from_bytes(last), path: &path };
        match meaning {
            Meaning::Entry => self.object(entry, place, archive),
            Meaning::Whiteout(hidden) => self.whiteout(place, OsStr::from_bytes(hidden)),
            Meaning::Opaque => {
                if directory.is_empty() {
                    self.notes.add(Note::OpaqueRoot, b"/");
                }
                self.opaque(place.parent, directory)
            }
            Meaning::Aufs => {
                self.notes.add(Note::Aufs, &path);
                Ok(())
            }
        }
    }

    fn object<R: BufRead>(
        &mut self,
        entry: &Entry,
        place: Place<'_>,
        archive: &mut Archive<R>,
    ) -> Result<()> {
        if !self.links.is_empty() {
            self.links.remove(place.path);
        }
        if !self.overrides.is_empty() {
            self.overrides.remove(place.path);
        }
        match &entry.object {
            Object::File { size, sparse } => self.file(entry, place, archive, (*size, sparse.as_ref())),
            Object::Directory => self.directory(entry, place),
            Object::Symlink(target) => self.symlink(entry, place, target),
            Object::HardLink(target) => self.hard_link(entry, place, target),
            Object::Fifo => self.fifo(entry, place),
            Object::Device(device) => self.device(entry, place, *device),
        }
    }

    /// The layer says what the root directory is like.
    fn root_entry(&mut self, entry: &Entry) -> Result<()> {
        if !matches!(entry.object, Object::Directory) {
            return Err(refused(&entry.name, "it would replace the root directory"));
        }
        self.has_root_entry = true;
        let root = self.root;
        let here = Place { parent: root.as_fd(), name: OsStr::new("."), path: b"" };
        let stat = rustix::fs::fstat(root).map_err(|errno| cannot("stat", b"/", errno))?;
        self.dress_directory(entry, here, Some(stat.st_mode))
    }

    /// Hides `hidden` of the lower layers. What this very layer has under that name stays.
    fn whiteout(&mut self, place: Place<'_>, hidden: &OsStr) -> Result<()> {
        let failed = |errno| cannot("make whiteout", place.path, errno);
        match stat_at(place.parent, hidden).map_err(failed)? {
            None => {
                if whiteout::make(place.parent, hidden).map_err(failed)? == whiteout::Form::Attribute {
                    self.notes.add(Note::XattrWhiteout, place.path);
                }
                Ok(())
            }
            // The layer replaces the directory: its own entries stay, those below are gone.
            Some(stat) if is_directory(&stat) => {
                let fd = open_directory(place.parent, hidden).map_err(failed)?;
                self.opaque(fd.as_fd(), place.path)
            }
            Some(_) => Ok(()),
        }
    }

    /// Ends the search of lower layers at this directory.
    pub(super) fn opaque(&mut self, directory: BorrowedFd<'_>, path: &[u8]) -> Result<()> {
        let fd = open_directory(directory, OsStr::new(".")).map_err(|errno| cannot("open", path, errno))?;
        xattr::set(fd.as_fd(), OsStr::new(whiteout::OPAQUE), b"y").map_err(|errno| {
            let error = cannot("mark as opaque", path, errno);
            match errno {
                Errno::OPNOTSUPP => {
                    error.hint("keep the store on a file system with user extended attributes")
                }
                _ => error,
            }
        })
    }

    /// Removes what is in the way of a new entry; whether something was.
    pub(super) fn clear(&mut self, place: Place<'_>) -> Result<bool> {
        let Some(stat) =
            stat_at(place.parent, place.name).map_err(|errno| cannot("stat", place.path, errno))?
        else {
            return Ok(false);
        };
        remove_tree_at(place.parent, place.name).map_err(|errno| cannot("replace", place.path, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            // Handles on directories that were reached through it lead elsewhere now.
            self.parents.forget();
        }
        Ok(true)
    }

    /// Accounts for a name that has to be remembered.
    pub(super) fn remember(&mut self, bytes: usize) -> Result<()> {
        self.names += bytes as u64 + 64;
        if self.names > self.limits.names {
            return Err(Error::invalid("layer has too many long names to remember"));
        }
        Ok(())
    }

    /// Accounts for content about to be written.
    pub(super) fn account(&mut self, bytes: u64, path: &[u8]) -> Result<()> {
        self.bytes += bytes;
        if self.bytes > self.limits.bytes {
            let reason = format!("with it the layer holds more than {} bytes", self.limits.bytes);
            return Err(refused(path, &reason));
        }
        Ok(())
    }

    fn finish_directories(&mut self) -> Result<()> {
        let mut deferred: Vec<_> = std::mem::take(&mut self.deferred).into_iter().collect();
        // Children before their parents, which may lock their owner out.
        deferred.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (path, last) in &deferred {
            match self.finish_directory(path, last) {
                // A later entry took the directory's place.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                done => done.map_err(|errno| cannot("finish directory", path, errno))?,
            }
        }
        Ok(())
    }

    fn finish_directory(&mut self, path: &[u8], last: &Deferred) -> Io<()> {
        let (directory, name) = name::split(path);
        let parent = self.parents.existing(directory)?;
        let name = if path.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(name) };
        let times = times(last.time);
        let fd = open_directory(parent.as_fd(), name)?;
        if let Some(acl) = &last.default_acl
            && xattr::set(fd.as_fd(), OsStr::new("system.posix_acl_default"), acl).is_err()
        {
            self.notes.add(Note::Xattr, path);
        }
        if let Some(mode) = last.mode {
            rustix::fs::fchmod(&fd, mode)?;
        }
        rustix::fs::futimens(&fd, &times)
    }
}

/// Gives this thread a umask of its own, 0, and says whether it has it.
fn without_umask() -> bool {
    // The umask belongs to the process unless a thread leaves CLONE_FS behind.
    let own = nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).is_ok();
    if own {
        rustix::process::umask(Mode::empty());
    }
    own
}

pub(super) fn times((seconds, nanoseconds): Time) -> rustix::fs::Timestamps {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    rustix::fs::Timestamps { last_access: time, last_modification: time }
}

pub(super) fn stat_at(parent: BorrowedFd<'_>, name: &OsStr) -> Io<Option<Stat>> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(super) fn open_directory(parent: BorrowedFd<'_>, name: &OsStr) -> Io<std::os::fd::OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

pub(super) fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// A system call's failure, told as what it was for.
pub(super) fn cannot(act: &str, path: &[u8], errno: Errno) -> Error {
    let shown = super::archive::shown(path);
    Error::wrap(format!("cannot {act} {shown:?} of the layer"), std::io::Error::from(errno))
}
