//! Layers for another id map: the same files with other owners on disk.
//!
//! Layers are unpacked for the default map (container root is the user). Under `--userns=keep-id` and with
//! maps of one's own, the same owners on disk would be other ids in the container, and an unprivileged user
//! has no idmapped mounts of ext4, xfs or btrfs. So such a map gets a tree of its own for an image, made once
//! and kept:
//!
//! ```text
//! layers/KEY/fs/usr/bin/tool     the layers
//! maps/MAP/CHAIN.shared/usr/…    all of them merged, owners translated, no content: redirect=/KEY/fs/usr/…
//! overlay: lowerdir+=maps/MAP/CHAIN.shared, datadir+=layers
//! ```
//!
//! The content stays where it is: overlayfs takes it from a data-only layer (Linux 6.8), for which it heeds
//! `user.overlay` attributes since 6.16 ([`shares_content`] tries). Elsewhere every layer is copied
//! ([`copy_layer`]), by reference where the file system can.
//!
//! Three things about overlayfs shape this. Under `userxattr` it follows a redirect from the lowest layer of
//! a directory only (EPERM otherwise), hence one merged tree. Layers that contain one another are refused
//! (ELOOP), hence trees outside of `layers`. And a redirect belongs to an inode, while in a stack each of a
//! file's names can be replaced on its own, hence the layer's key in the redirect.

mod attributes;
mod merge;
mod object;
mod probe;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::sys::root::{Io, Root};

pub use probe::shares_content;

/// Where the content of the new tree's files comes from.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Copied, sharing blocks where the file system can.
    Copied,
    /// Left in place. The path of the layer's tree below the directory that the overlay is given as
    /// data-only layer.
    Shared(&'a Path),
}

/// How ids change. The process that copies sees the old ids; it is root of the map that the layer was
/// unpacked for, in which every id of the new map exists too.
pub struct Remap<'a> {
    /// From a user id of the layer to the one that it has to have here, as this process sees it.
    pub uid: &'a dyn Fn(u32) -> Option<u32>,
    /// The same for groups.
    pub gid: &'a dyn Fn(u32) -> Option<u32>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remapped {
    /// Objects made.
    pub objects: u64,
    /// Bytes of content copied.
    pub bytes: u64,
    /// Objects whose owner the new map lacks; they belong to its root, and their owner is recorded.
    pub unmapped: u64,
    /// Attributes and file capabilities that could not be taken over.
    pub lost: u64,
}

/// Makes the layer `from` anew in the empty directory `to` with the owners that `remap` gives, whiteouts
/// included.
pub fn copy_layer(from: &Root, to: &Root, remap: &Remap<'_>, content: Content<'_>) -> Result<Remapped> {
    let mut done = Remapped::default();
    Copy { from, to, remap, content, merging: false, links: HashMap::new(), done: &mut done }.run()?;
    Ok(done)
}

/// Puts `layers`, bottom first, into the empty directory `to` as an overlay mount would show them, with the
/// owners that `remap` gives.
pub fn merge_layers(layers: &[(&Root, Content<'_>)], to: &Root, remap: &Remap<'_>) -> Result<Remapped> {
    let mut done = Remapped::default();
    for (from, content) in layers {
        let links = HashMap::new();
        Copy { from, to, remap, content: *content, merging: true, links, done: &mut done }.run()?;
    }
    Ok(done)
}

struct Copy<'a> {
    from: &'a Root,
    to: &'a Root,
    remap: &'a Remap<'a>,
    content: Content<'a>,
    /// Whether `to` has the layers below in it.
    merging: bool,
    /// Files with several names: their first path in the new tree, by inode.
    links: HashMap<(u64, u64), PathBuf>,
    done: &'a mut Remapped,
}

/// An object to copy: the directories that hold it here and there, its name, and what it is.
struct Item<'a> {
    from: BorrowedFd<'a>,
    to: BorrowedFd<'a>,
    name: &'a OsStr,
    path: &'a Path,
    stat: Stat,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW);

impl Copy<'_> {
    fn run(mut self) -> Result<()> {
        let source = self.from.path().to_owned();
        let failed = |path: &Path, errno: Errno| {
            let context = format!("cannot copy {path:?} of {}", source.display());
            Error::wrap(context, std::io::Error::from(errno))
        };
        let mut directories = vec![PathBuf::new()];
        let mut next = 0;
        while next < directories.len() {
            let directory = directories[next].clone();
            self.children(&directory, &mut directories).map_err(|(path, errno)| failed(&path, errno))?;
            next += 1;
        }
        // Children come after their parents, and what is made in a directory changes its time.
        for directory in directories.iter().rev() {
            self.finish_directory(directory).map_err(|errno| failed(directory, errno))?;
        }
        Ok(())
    }

    /// Makes everything in `directory`, its subdirectories empty, and adds those to `directories`.
    fn children(&mut self, directory: &Path, directories: &mut Vec<PathBuf>) -> Result<(), (PathBuf, Errno)> {
        let here = |errno| (directory.to_owned(), errno);
        let from = self.from.resolve(directory, OFlags::RDONLY | DIRECTORY).map_err(here)?;
        let to = self.to.resolve(directory, OFlags::PATH | DIRECTORY).map_err(here)?;
        for name in names(from.as_fd()).map_err(here)? {
            let path = directory.join(&name);
            let failed = |errno| (path.clone(), errno);
            let stat = rustix::fs::statat(&from, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
            let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            let item = Item { from: from.as_fd(), to: to.as_fd(), name: &name, path: &path, stat };
            if self.merging && self.merge(&item).map_err(failed)? {
                continue;
            }
            self.object(&item).map_err(failed)?;
            self.done.objects += 1;
            if is_directory {
                directories.push(path);
            }
        }
        Ok(())
    }

    fn finish_directory(&mut self, path: &Path) -> Io<()> {
        let from = self.from.resolve(path, OFlags::RDONLY | DIRECTORY)?;
        let to: OwnedFd = self.to.resolve(path, OFlags::RDONLY | DIRECTORY)?;
        let stat = rustix::fs::fstat(&from)?;
        self.own(to.as_fd(), OsStr::new(""), &stat)?;
        rustix::fs::fchmod(&to, Mode::from_raw_mode(stat.st_mode))?;
        self.attributes(from.as_fd(), to.as_fd())?;
        self.record(to.as_fd(), &stat);
        rustix::fs::futimens(&to, &object::times(&stat))
    }
}

fn names(directory: BorrowedFd<'_>) -> Io<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}
