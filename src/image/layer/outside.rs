//! Hard links to files of lower layers: the file is looked up as an overlay mount would show it, and copied.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use crate::error::{Context, Error, Result};
use crate::sys::root::{Io, Root};
use crate::sys::xattr;

use super::OutsideLink;
use super::extract::{is_directory, open_directory, stat_at};
use super::whiteout;

/// Makes the hard links that [`super::Unpacked::outside_links`] lists. Their targets are looked up in `into`
/// first and then in `lowers`, topmost first, as an overlay mount of them would (whiteouts hide, opaque
/// directories end the search), and copied into `into` with their attributes.
pub fn resolve_outside_links(lowers: &[Root], into: &Root, links: &[OutsideLink]) -> Result<()> {
    for link in links {
        resolve(lowers, into, link)
            .context(|| format!("cannot link {:?} to {:?}", link.path, link.target))?;
    }
    Ok(())
}

fn resolve(lowers: &[Root], into: &Root, link: &OutsideLink) -> Result<()> {
    let layers: Vec<BorrowedFd<'_>> = std::iter::once(into).chain(lowers).map(AsFd::as_fd).collect();
    let io = |errno: Errno| Error::wrap("the target cannot be looked up", std::io::Error::from(errno));
    let found = find(&layers, &link.target).map_err(io)?;
    let Some((layer, holder, name)) = found else {
        return Err(Error::invalid("no layer below has the target"));
    };
    let (parent, last) = into.parent_of(&link.path)?;
    if layer == 0 {
        return rustix::fs::linkat(&holder, &name, &parent, &last, AtFlags::empty()).map_err(io);
    }
    copy(holder.as_fd(), &name, parent.as_fd(), &last).map_err(io)
}

/// A layer's number, the directory in it, and the name there.
type Found = (usize, OwnedFd, OsString);

/// Looks `path` up in the stack, following links as a process in the merged root would. The last component
/// is not followed, and must not be a directory.
fn find(layers: &[BorrowedFd<'_>], path: &Path) -> Io<Option<Found>> {
    let mut ahead: VecDeque<OsString> = components(path.as_os_str());
    let mut stack: Vec<Vec<(usize, OwnedFd)>> = Vec::new();
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            stack.pop();
            continue;
        }
        let Some((layer, holder, stat)) = top(layers, stack.last(), &name)? else { return Ok(None) };
        let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
        if ahead.is_empty() {
            return if is_directory(&stat) { Err(Errno::ISDIR) } else { Ok(Some((layer, holder, name))) };
        }
        if is_link {
            links += 1;
            if links > 40 {
                return Err(Errno::LOOP);
            }
            let text = rustix::fs::readlinkat(&holder, &name, Vec::new())?;
            if text.as_bytes().starts_with(b"/") {
                stack.clear();
            }
            for component in components(OsStr::from_bytes(text.as_bytes())).into_iter().rev() {
                ahead.push_front(component);
            }
        } else if is_directory(&stat) {
            let merged = merge(layers, stack.last(), &name)?;
            stack.push(merged);
        } else {
            return Err(Errno::NOTDIR);
        }
    }
    Ok(None)
}

fn components(path: &OsStr) -> VecDeque<OsString> {
    let names = path.as_bytes().split(|byte| *byte == b'/');
    let names = names.filter(|name| !name.is_empty() && *name != b".");
    names.map(|name| OsStr::from_bytes(name).to_owned()).collect()
}

/// The directories that make up a merged one: those of `merged`, or the layers' roots.
fn parts<'a>(
    layers: &'a [BorrowedFd<'_>],
    merged: Option<&'a Vec<(usize, OwnedFd)>>,
) -> Vec<(usize, BorrowedFd<'a>)> {
    match merged {
        Some(merged) => merged.iter().map(|(layer, fd)| (*layer, fd.as_fd())).collect(),
        None => layers.iter().map(|fd| fd.as_fd()).enumerate().collect(),
    }
}

/// The topmost object called `name`, with the directory that holds it.
fn top(
    layers: &[BorrowedFd<'_>],
    merged: Option<&Vec<(usize, OwnedFd)>>,
    name: &OsStr,
) -> Io<Option<(usize, OwnedFd, Stat)>> {
    for (layer, directory) in parts(layers, merged) {
        if let Some(stat) = stat_at(directory, name)? {
            let hidden = whiteout::is(directory, name)?;
            let holder = open_directory(directory, OsStr::new("."))?;
            return Ok((!hidden).then_some((layer, holder, stat)));
        }
    }
    Ok(None)
}

/// The directories called `name`, from the top down to the first that hides what is below it.
fn merge(
    layers: &[BorrowedFd<'_>],
    merged: Option<&Vec<(usize, OwnedFd)>>,
    name: &OsStr,
) -> Io<Vec<(usize, OwnedFd)>> {
    let mut found = Vec::new();
    for (layer, directory) in parts(layers, merged) {
        match open_directory(directory, name) {
            Ok(fd) => {
                let opaque = xattr::get(fd.as_fd(), OsStr::new(whiteout::OPAQUE))?;
                found.push((layer, fd));
                if opaque.is_some_and(|value| value == b"y") {
                    break;
                }
            }
            Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR | Errno::LOOP) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(found)
}

/// Copies a file, link or node with owner, mode, attributes and times.
fn copy(from: BorrowedFd<'_>, old: &OsStr, to: BorrowedFd<'_>, new: &OsStr) -> Io<()> {
    let stat = stat_at(from, old)?.ok_or(Errno::NOENT)?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    let own = || {
        let (uid, gid) = (Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
        let now = stat_at(to, new)?.ok_or(Errno::NOENT)?;
        if (now.st_uid, now.st_gid) == (stat.st_uid, stat.st_gid) {
            return Ok(());
        }
        rustix::fs::chownat(to, new, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let source = File::from(rustix::fs::openat(from, old, OFlags::RDONLY | flags, Mode::empty())?);
            let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | flags;
            let mut target = File::from(rustix::fs::openat(to, new, create, Mode::RUSR)?);
            std::io::copy(&mut &source, &mut target)
                .map_err(|error| error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))?;
            own()?;
            rustix::fs::fchmod(&target, mode)?;
            xattr::copy(source.as_fd(), target.as_fd())?;
        }
        FileType::Symlink => {
            let text = rustix::fs::readlinkat(from, old, Vec::new())?;
            rustix::fs::symlinkat(text, to, new)?;
            own()?;
        }
        kind => {
            rustix::fs::mknodat(to, new, kind, mode, stat.st_rdev)?;
            own()?;
        }
    }
    let time = |seconds, nanoseconds: u64| Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ };
    let times = Timestamps {
        last_access: time(stat.st_atime as _, stat.st_atime_nsec as _),
        last_modification: time(stat.st_mtime as _, stat.st_mtime_nsec as _),
    };
    rustix::fs::utimensat(to, new, &times, AtFlags::SYMLINK_NOFOLLOW)
}
