//! Making the objects of a layer. Nothing here follows a link in the last component.

use std::ffi::OsStr;
use std::io::{BufRead, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::sys::root::Io;

use super::archive::{Archive, Device, Entry, refused};
use super::extract::{Deferred, Extractor, Place, cannot, is_directory, open_directory, stat_at, times};
use super::name;
use super::notes::Note;
use super::sparse::Sparse;
use super::whiteout;

const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Extractor<'_> {
    /// A regular file, with or without holes.
    pub(super) fn file<R: BufRead>(
        &mut self,
        entry: &Entry,
        place: Place<'_>,
        archive: &mut Archive<R>,
        (size, sparse): (u64, Option<&Sparse>),
    ) -> Result<()> {
        let stored = sparse.map_or(size, |sparse| sparse.segments.iter().map(|segment| segment.length).sum());
        self.account(stored, place.path)?;
        let mode = Mode::from_raw_mode(entry.mode);
        // Writing and chown both clear the special bits; they come last.
        let plain = mode & Mode::from_raw_mode(0o777);
        let created = self.create(place, |place| rustix::fs::openat(place.parent, place.name, CREATE, plain));
        let mut file = std::fs::File::from(created?);
        let written = match sparse {
            None => copy(archive, &mut file, size),
            Some(sparse) => copy_sparse(archive, &mut file, sparse),
        };
        written.map_err(|error| {
            Error::wrap(format!("cannot write {:?}", super::archive::shown(place.path)), error)
        })?;
        let recorded = self.own(entry, place)?;
        if !self.exact_modes || plain != mode {
            rustix::fs::fchmod(&file, mode).map_err(|errno| cannot("set the mode of", place.path, errno))?;
        }
        self.record_on(file.as_fd(), entry, place, recorded)?;
        self.xattrs(file.as_fd(), entry, place);
        rustix::fs::futimens(&file, &times(entry.time))
            .map_err(|errno| cannot("set the times of", place.path, errno))
    }

    /// A directory, new or one that is there.
    pub(super) fn directory(&mut self, entry: &Entry, place: Place<'_>) -> Result<()> {
        let failed = |errno| cannot("make directory", place.path, errno);
        let mode = Mode::from_raw_mode(entry.mode & 0o777 | 0o700);
        match rustix::fs::mkdirat(place.parent, place.name, mode) {
            Ok(()) => self.dress_directory(entry, place, None),
            Err(Errno::EXIST) => {
                let there = stat_at(place.parent, place.name).map_err(failed)?;
                if let Some(stat) = there.filter(is_directory) {
                    return self.dress_directory(entry, place, Some(stat.st_mode));
                }
                self.clear(place)?;
                rustix::fs::mkdirat(place.parent, place.name, mode).map_err(failed)?;
                // What it replaces hid a directory of the lower layers, whose content stays hidden.
                let fd = open_directory(place.parent, place.name).map_err(failed)?;
                self.opaque(fd.as_fd(), place.path)?;
                self.dress_directory(entry, place, None)
            }
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Gives a directory its attributes, now or at the end. `old` is the mode of one that was there before.
    pub(super) fn dress_directory(
        &mut self,
        entry: &Entry,
        place: Place<'_>,
        old: Option<u32>,
    ) -> Result<()> {
        let failed = |errno| cannot("set the attributes of", place.path, errno);
        let mode = Mode::from_raw_mode(entry.mode);
        let workable = mode & Mode::from_raw_mode(0o777) | Mode::RWXU;
        let recorded = match old {
            None => self.own(entry, place)?,
            Some(_) => self.own_anew(entry, place)?,
        };
        let (acl, mode_now) = (default_acl(entry), old.is_some() || !self.exact_modes);
        if mode_now || recorded || !entry.xattrs.is_empty() {
            let fd = open_directory(place.parent, place.name).map_err(failed)?;
            if mode_now {
                rustix::fs::fchmod(&fd, workable).map_err(failed)?;
            }
            if old.is_some() && !recorded {
                self.unrecord(fd.as_fd());
            }
            self.record_on(fd.as_fd(), entry, place, recorded)?;
            self.xattrs(fd.as_fd(), entry, place);
        }
        self.remember(place.path.len())?;
        let last = Deferred { time: entry.time, mode: (mode != workable).then_some(mode), default_acl: acl };
        self.deferred.insert(place.path.to_vec(), last);
        Ok(())
    }

    pub(super) fn symlink(&mut self, entry: &Entry, place: Place<'_>, target: &[u8]) -> Result<()> {
        let target = OsStr::from_bytes(target);
        self.create(place, |place| rustix::fs::symlinkat(target, place.parent, place.name))?;
        self.finish_node(entry, place)
    }

    pub(super) fn fifo(&mut self, entry: &Entry, place: Place<'_>) -> Result<()> {
        let plain = Mode::from_raw_mode(entry.mode & 0o777);
        self.create(place, |place| rustix::fs::mknodat(place.parent, place.name, FileType::Fifo, plain, 0))?;
        self.finish_node(entry, place)?;
        if !self.exact_modes || entry.mode & 0o7000 != 0 {
            let handle =
                rustix::fs::openat(place.parent, place.name, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty());
            let mode = Mode::from_raw_mode(entry.mode);
            handle
                .and_then(|handle| crate::sys::root::chmod_handle(handle.as_fd(), mode))
                .map_err(|errno| cannot("set the mode of", place.path, errno))?;
        }
        Ok(())
    }

    /// Devices cannot be made in a user namespace, and a 0/0 one would be a whiteout.
    pub(super) fn device(&mut self, entry: &Entry, place: Place<'_>, device: Device) -> Result<()> {
        self.clear(place)?;
        self.notes.add(Note::Device, place.path);
        let kind = if device.block { "block" } else { "char" };
        let stat = format!("{}:{kind}-{}-{}", super::attributes::stat(entry), device.major, device.minor);
        self.remember(place.path.len() + stat.len())?;
        self.overrides.insert(place.path.to_vec(), stat);
        Ok(())
    }

    /// Another name of a file of this layer, or a note that only a lower layer can have it.
    pub(super) fn hard_link(&mut self, entry: &Entry, place: Place<'_>, target: &[u8]) -> Result<()> {
        let target = name::clean(target, &self.limits)
            .map_err(|why| refused(&entry.name, &why.replace("its", "its target's")))?;
        let (directory, last) = name::split(&target);
        if last.is_empty() {
            return Err(refused(&entry.name, "it is a hard link to the root directory"));
        }
        let outside = |this: &mut Self| {
            this.clear(place)?;
            this.remember(place.path.len() + target.len())?;
            let order = this.links.len();
            this.links.insert(place.path.to_vec(), (order, target.to_vec()));
            Ok(())
        };
        let from = match self.parents.existing(directory) {
            Ok(from) => from,
            Err(Errno::NOENT | Errno::NOTDIR) => return outside(self),
            Err(errno) => return Err(cannot("open the target of", &entry.name, errno)),
        };
        let last = OsStr::from_bytes(last);
        let failed = |errno| cannot("make hard link", place.path, errno);
        let Some(stat) = stat_at(from.as_fd(), last).map_err(failed)? else { return outside(self) };
        if is_directory(&stat) {
            return Err(refused(&entry.name, "it is a hard link to a directory"));
        }
        if whiteout::is(from.as_fd(), last).map_err(failed)? {
            return Err(refused(&entry.name, "it is a hard link to a whiteout"));
        }
        let there = stat_at(place.parent, place.name).map_err(failed)?;
        if there.is_some_and(|there| (there.st_dev, there.st_ino) == (stat.st_dev, stat.st_ino)) {
            return Ok(());
        }
        let link =
            |place: Place<'_>| rustix::fs::linkat(&*from, last, place.parent, place.name, AtFlags::empty());
        match self.create_io(place, link)? {
            // What was in the way held the target.
            Err(Errno::NOENT) => Err(refused(&entry.name, "it is a hard link into itself")),
            done => done.map_err(failed),
        }
    }

    /// Owner and times of what has no content and no descriptor.
    fn finish_node(&mut self, entry: &Entry, place: Place<'_>) -> Result<()> {
        if self.own(entry, place)? {
            self.record_beside(entry, place)?;
        }
        if !entry.xattrs.is_empty() {
            self.notes.add(Note::Xattr, place.path);
        }
        rustix::fs::utimensat(place.parent, place.name, &times(entry.time), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| cannot("set the times of", place.path, errno))
    }

    /// Makes an object; what is in the way is removed and the call repeated.
    fn create<T>(&mut self, place: Place<'_>, make: impl Fn(Place<'_>) -> Io<T>) -> Result<T> {
        self.create_io(place, make)?.map_err(|errno| cannot("create", place.path, errno))
    }

    fn create_io<T>(&mut self, place: Place<'_>, make: impl Fn(Place<'_>) -> Io<T>) -> Result<Io<T>> {
        match make(place) {
            Err(Errno::EXIST) => {
                self.clear(place)?;
                Ok(make(place))
            }
            done => Ok(done),
        }
    }
}

fn default_acl(entry: &Entry) -> Option<Vec<u8>> {
    let found = entry.xattrs.iter().find(|(name, _)| name == "system.posix_acl_default");
    found.map(|(_, value)| value.clone())
}

/// Copies `size` bytes of content, straight out of the buffers that they arrived in.
fn copy<R: BufRead>(archive: &mut Archive<R>, file: &mut impl Write, size: u64) -> Result<()> {
    let mut left = size;
    while left > 0 {
        let data = archive.data()?;
        let length = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
        if length == 0 {
            return Err(Error::invalid("its content is cut off"));
        }
        file.write_all(&data[..length]).map_err(|error| Error::wrap("write", error))?;
        archive.advance(length);
        left -= length as u64;
    }
    Ok(())
}

fn copy_sparse<R: BufRead>(
    archive: &mut Archive<R>,
    file: &mut std::fs::File,
    sparse: &Sparse,
) -> Result<()> {
    use std::io::{Seek, SeekFrom};
    file.set_len(sparse.size).map_err(|error| Error::wrap("set the size", error))?;
    for segment in sparse.segments.iter().filter(|segment| segment.length > 0) {
        file.seek(SeekFrom::Start(segment.offset)).map_err(|error| Error::wrap("seek", error))?;
        copy(archive, file, segment.length)?;
    }
    Ok(())
}
