//! Places inside the container: where things are mounted, hidden and written during the set-up.
//!
//! An image, or another container that shares a volume, may lay a symbolic link wherever a path of the
//! container leads, and swap it at any time. So every path is resolved under the root by the kernel (openat2,
//! no magic links), and what lies on a file system that the set-up itself has just made is looked up from that
//! file system's own descriptor: no link and no later mount comes between.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use rustix::fs::{Mode, OFlags};

use super::text::Text;
use super::{Init, errno, is_missing};
use crate::runtime::op::{Kind, Slot, Target};
use crate::sys::mount::{self, Attributes, FsOption};

/// The covers of masked paths, made at their first use and copied afterwards.
#[derive(Default)]
pub(crate) struct Covers {
    file: Option<OwnedFd>,
    directory: Option<OwnedFd>,
}

impl Init<'_> {
    /// Where the resolution of `target` begins, and the path from there.
    fn start<'a>(&'a self, target: &'a Target) -> Result<(BorrowedFd<'a>, &'a CStr), Errno> {
        match &target.within {
            // An empty slot: a file system that this kernel lacks, and that was left out.
            Some((slot, path)) if self.slot(*slot).is_some() => Ok((self.open_slot(*slot)?, path)),
            _ => Ok((self.root()?, &target.path)),
        }
    }

    /// Opens what a target leads to.
    pub(super) fn open(&self, target: &Target, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let (start, path) = self.start(target).map_err(|_| rustix::io::Errno::BADF)?;
        match mount::open_inside(start, path, flags) {
            // The mount is of a file: there is no way on from it but itself.
            Err(rustix::io::Errno::NOTDIR) if path == c"." => rustix::io::fcntl_dupfd_cloexec(start, 0),
            opened => opened,
        }
    }

    /// Opens a target (O_PATH), making it and its missing ancestors first. Symbolic links of the image are
    /// followed inside the root, also where they lead to nothing yet.
    pub(super) fn ensure(&self, target: &Target, kind: Kind) -> Result<OwnedFd, Errno> {
        let (start, path) = self.start(target)?;
        ensure_path(start, path, kind, MAX_LINKS)
    }

    /// `null` is the host's /dev/null: the container's own could be anything.
    pub(super) fn mask(&mut self, target: &Target, null: Slot) -> Result<(), Errno> {
        let covered = match self.open(target, OFlags::PATH) {
            Ok(covered) => covered,
            Err(error) if is_missing(error) => return Ok(()),
            Err(error) => return Err(errno(error)),
        };
        let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&covered).map_err(errno)?.st_mode);
        let is_directory = kind == rustix::fs::FileType::Directory;
        let made = if is_directory { &self.covers.directory } else { &self.covers.file };
        let cover = match made {
            // A detached mount cannot be cloned before Linux 6.15, an attached one can.
            Some(attached) => mount::clone_tree(attached.as_fd(), c"", false).map_err(errno)?,
            None if is_directory => {
                let flags = Attributes::RDONLY | Attributes::NOSUID | Attributes::NODEV | Attributes::NOEXEC;
                mount::filesystem(c"tmpfs", [FsOption::Value(c"size", c"0k")], flags).map_err(errno)?
            }
            None => self.slots[null.0].take().ok_or(Errno::EBADF)?,
        };
        mount::attach(cover.as_fd(), covered.as_fd()).map_err(errno)?;
        let made = if is_directory { &mut self.covers.directory } else { &mut self.covers.file };
        made.get_or_insert(cover);
        Ok(())
    }

    pub(super) fn make_read_only(&self, target: &Target) -> Result<(), Errno> {
        let place = match self.open(target, OFlags::PATH) {
            Ok(place) => place,
            Err(error) if is_missing(error) => return Ok(()),
            Err(error) => return Err(errno(error)),
        };
        let tree = mount::clone_tree(place.as_fd(), c"", true).map_err(errno)?;
        let read_only = Attributes { set: Attributes::RDONLY, recursive: true, ..Attributes::default() };
        mount::set_attributes(tree.as_fd(), &read_only).map_err(errno)?;
        mount::attach(tree.as_fd(), place.as_fd()).map_err(errno)
    }

    /// Writes a value into a file of procfs: of the procfs that was mounted for the container, and of no
    /// other file than the one that is meant, whatever may lie on it (CVE-2025-52881).
    pub(super) fn write_proc(&self, target: &Target, value: &[u8]) -> Result<(), Errno> {
        let (start, path) = self.start(target)?;
        let file = if target.within.is_some() {
            mount::open_on_same_mount(start, path, OFlags::WRONLY)
        } else {
            mount::open_inside(start, path, OFlags::WRONLY | OFlags::NOFOLLOW)
        }
        .map_err(errno)?;
        if rustix::fs::fstatfs(&file).map_err(errno)?.f_type != rustix::fs::PROC_SUPER_MAGIC {
            return Err(Errno::ELOOP);
        }
        rustix::io::write(&file, value).map_err(errno).map(drop)
    }
}

/// As the kernel: more links than this in one path are a loop.
const MAX_LINKS: usize = 40;

fn ensure_path(root: BorrowedFd<'_>, path: &CStr, kind: Kind, links: usize) -> Result<OwnedFd, Errno> {
    match mount::open_inside(root, path, OFlags::PATH) {
        Err(error) if is_missing(error) => {}
        other => return other.map_err(errno),
    }
    let mut parent = mount::open_inside(root, c".", OFlags::PATH).map_err(errno)?;
    let mut so_far = Text::<4096>::default();
    let mut names = path.to_bytes().split(|byte| *byte == b'/').filter(|name| !name.is_empty()).peekable();
    while let Some(name) = names.next() {
        let before = so_far.as_bytes().len();
        so_far.push(b"/")?;
        so_far.push(name)?;
        let step = if names.peek().is_none() { kind } else { Kind::Directory };
        parent = match mount::open_inside(root, so_far.as_c_str()?, OFlags::PATH) {
            Err(rustix::io::Errno::NOENT) => {
                let mut leaf = Text::<256>::default();
                leaf.push(name)?;
                match make(parent.as_fd(), leaf.as_c_str()?, step) {
                    Ok(()) => mount::open_inside(root, so_far.as_c_str()?, OFlags::PATH).map_err(errno)?,
                    Err(Errno::EEXIST) if links > 0 => {
                        let target =
                            link_target(parent.as_fd(), leaf.as_c_str()?, &so_far.as_bytes()[..before])?;
                        ensure_path(root, target.as_c_str()?, step, links - 1)?
                    }
                    Err(error) => return Err(error),
                }
            }
            other => other.map_err(errno)?,
        };
    }
    Ok(parent)
}

fn make(parent: BorrowedFd<'_>, name: &CStr, kind: Kind) -> Result<(), Errno> {
    match kind {
        Kind::Directory => rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)),
        Kind::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o644)).map(drop)
        }
    }
    .map_err(errno)
}

/// Where the link `name` in `directory`, a path inside the root, leads: again a path inside the root.
fn link_target(parent: BorrowedFd<'_>, name: &CStr, directory: &[u8]) -> Result<Text<4096>, Errno> {
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let (target, _) = rustix::fs::readlinkat_raw(parent, name, &mut buffer[..]).map_err(errno)?;
    let mut path = Text::default();
    if target.first() != Some(&b'/') {
        path.push(directory)?;
        path.push(b"/")?;
    }
    path.push(target)?;
    Ok(path)
}
