//! Handles on the directories that entries go into, by the path that the archive writes.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::error::{Context, Result};
use crate::sys::root::{Io, Root, remove_tree_at};
use crate::sys::xattr;

use super::archive::{refused, shown};
use super::extract::{cannot, open_directory};
use super::{name, whiteout};

/// Handles kept: archives go through a tree in order, so a few are enough; several layers are unpacked at
/// once and share the descriptor limit.
const HANDLES: usize = 64;

const HANDLE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);

/// The cache. It holds only what was found, never that something is missing, so making entries does not
/// make it wrong; removing them can ([`Parents::forget`]).
pub(super) struct Parents<'a> {
    root: &'a Root,
    handles: HashMap<Vec<u8>, Rc<OwnedFd>>,
    last: Option<(Vec<u8>, Rc<OwnedFd>)>,
}

impl<'a> Parents<'a> {
    pub(super) fn new(root: &'a Root) -> Self {
        Self { root, handles: HashMap::new(), last: None }
    }

    /// The directory `path`, made with all above it where the archive did not say what they are like.
    /// `entry` is who asks.
    pub(super) fn get(&mut self, path: &[u8], entry: &[u8]) -> Result<Rc<OwnedFd>> {
        loop {
            match self.existing(path) {
                Ok(handle) => return Ok(handle),
                Err(Errno::NOENT) => {
                    let made = self.root.mkdir_all(as_path(path), 0o755);
                    made.context(|| format!("cannot make the parent of entry {:?}", shown(entry)))?;
                }
                Err(Errno::NOTDIR) => self.unhide(path, entry)?,
                Err(Errno::LOOP) => return Err(refused(entry, "its path is a circle of links")),
                Err(errno) => return Err(cannot("open the parent of", entry, errno)),
            }
        }
    }

    /// The directory `path` if it is there.
    pub(super) fn existing(&mut self, path: &[u8]) -> Io<Rc<OwnedFd>> {
        if let Some((last, handle)) = &self.last
            && last == path
        {
            return Ok(Rc::clone(handle));
        }
        let handle = match self.handles.get(path) {
            Some(handle) => Rc::clone(handle),
            None => {
                let handle = Rc::new(self.root.resolve(as_path(path), HANDLE)?);
                if self.handles.len() >= HANDLES {
                    self.handles.clear();
                }
                self.handles.insert(path.to_vec(), Rc::clone(&handle));
                handle
            }
        };
        self.last = Some((path.to_vec(), Rc::clone(&handle)));
        Ok(handle)
    }

    /// Drops every handle: a directory or a link was removed, and paths may lead elsewhere.
    pub(super) fn forget(&mut self) {
        self.handles.clear();
        self.last = None;
    }

    /// A component of `path` is no directory. If it is a whiteout, an entry below it means that the layer
    /// puts a directory of its own in its place.
    fn unhide(&mut self, path: &[u8], entry: &[u8]) -> Result<()> {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let (above, last) = name::split(&path[..end]);
            let last = OsStr::from_bytes(last);
            let parent = self.root.resolve(as_path(above), HANDLE);
            let parent = parent.map_err(|errno| cannot("open the parent of", entry, errno))?;
            if whiteout::is(parent.as_fd(), last).map_err(|errno| cannot("stat", &path[..end], errno))? {
                self.forget();
                return replace(&parent, last).map_err(|errno| cannot("replace", &path[..end], errno));
            }
        }
        Err(refused(entry, "its parent is not a directory"))
    }
}

/// Puts an opaque directory in a whiteout's place.
fn replace(parent: &OwnedFd, name: &OsStr) -> Io<()> {
    remove_tree_at(parent.as_fd(), name)?;
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
    let fd = open_directory(parent.as_fd(), name)?;
    xattr::set(fd.as_fd(), OsStr::new(whiteout::OPAQUE), b"y")
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
