//! The container's file tree: mounts, targets inside the root, masks, the pivot.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsOpenFlags, MountPropagationFlags, fsconfig_set_flag, fsconfig_set_string, fsopen};

use super::{Init, errno, is_missing};
use crate::runtime::op::{Fallback, Kind, Op, Overlay, Slot, Target};
use crate::runtime::sync;
use crate::sys::copy;
use crate::sys::mount::{self, Attributes, FsOption};

/// The covers of masked paths, made at their first use and copied afterwards.
#[derive(Default)]
pub(crate) struct Covers {
    file: Option<OwnedFd>,
    directory: Option<OwnedFd>,
}

impl Init<'_> {
    /// Carries out the operations about files and mounts.
    pub(super) fn arrange_files(&mut self, op: &Op) -> Result<(), Errno> {
        match op {
            Op::IsolateMounts => {
                mount::set_root_propagation(MountPropagationFlags::DOWNSTREAM).map_err(errno)
            }
            Op::Open { path, slot } => self.fill(*slot, mount::open_path(path).map_err(errno)?),
            Op::Tree { source, recursive, attributes, slot } => {
                let tree = mount::clone_tree(rustix::fs::CWD, source, *recursive).map_err(errno)?;
                mount::set_attributes(tree.as_fd(), attributes).map_err(errno)?;
                self.fill(*slot, tree)
            }
            Op::Filesystem { fstype, options, flags, slot, or } => {
                let options = options.iter().map(|(key, value)| match value {
                    Some(value) => FsOption::Value(key, value),
                    None => FsOption::Flag(key),
                });
                match (mount::filesystem(fstype, options, *flags), or) {
                    (Ok(mount), _) => self.fill(*slot, mount),
                    (Err(_), Fallback::Omit) => Ok(()),
                    (Err(_), Fallback::Host(path)) => self.bind_of_host(path, *slot),
                    (Err(error), Fallback::Fail) => Err(errno(error)),
                }
            }
            Op::Overlay(overlay) => self.mount_overlay(overlay),
            Op::Scratch { tmpfs, mountpoint } => {
                mount::attach(self.open_slot(*tmpfs)?, self.open_slot(*mountpoint)?).map_err(errno)
            }
            Op::Room { tmpfs, name, upper, work } => {
                let room = make_directory(self.open_slot(*tmpfs)?, name)?;
                for (name, slot) in [(c"upper", upper), (c"work", work)] {
                    let directory = make_directory(room.as_fd(), name)?;
                    self.fill(*slot, directory)?;
                }
                Ok(())
            }
            Op::AttachRoot { slot, mountpoint } => {
                mount::attach(self.open_slot(*slot)?, self.open_slot(*mountpoint)?).map_err(errno)?;
                self.root = Some(*slot);
                Ok(())
            }
            Op::Fuse { slot } => self.mount_fuse(*slot),
            _ => self.arrange_targets(op),
        }
    }

    fn arrange_targets(&mut self, op: &Op) -> Result<(), Errno> {
        match op {
            Op::Attach { slot, target, kind, attributes } => {
                // An empty slot: a file system that this kernel lacks, and that was to be left out then.
                let Some(tree) = self.slot(*slot) else { return Ok(()) };
                let target = ensure(self.root()?, target, *kind)?;
                mount::attach(tree, target.as_fd()).map_err(errno)?;
                mount::set_attributes(tree, attributes).map_err(errno)
            }
            Op::CopyUp { slot, target } => {
                match open(self.root()?, target, OFlags::RDONLY | OFlags::DIRECTORY) {
                    Ok(from) => copy::tree(from.as_fd(), self.open_slot(*slot)?, &|uid, gid| (uid, gid))
                        .map_err(errno),
                    Err(error) if is_missing(error) => Ok(()),
                    Err(error) => Err(errno(error)),
                }
            }
            Op::Directory { target, owner } => {
                let directory = ensure(self.root()?, target, Kind::Directory)?;
                match owner {
                    Some((uid, gid)) => chown(directory.as_fd(), *uid, *gid),
                    None => Ok(()),
                }
            }
            Op::Symlink { to, directory, name } => {
                let directory = ensure(self.root()?, directory, Kind::Directory)?;
                match rustix::fs::symlinkat(to.as_c_str(), &directory, name.as_c_str()) {
                    Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
                    Err(error) => Err(errno(error)),
                }
            }
            Op::Mask { target } => self.mask(target),
            Op::ReadOnly { target } => self.make_read_only(target),
            Op::ReadOnlyRoot => {
                let read_only = Attributes { set: Attributes::RDONLY, ..Attributes::default() };
                mount::set_attributes(self.root()?, &read_only).map_err(errno)
            }
            Op::Pivot => mount::pivot(self.root()?).map_err(errno),
            _ => Err(Errno::ENOSYS),
        }
    }

    fn fill(&mut self, slot: Slot, fd: OwnedFd) -> Result<(), Errno> {
        self.slots[slot.0] = Some(fd);
        Ok(())
    }

    fn bind_of_host(&mut self, path: &CStr, slot: Slot) -> Result<(), Errno> {
        let tree = mount::clone_tree(rustix::fs::CWD, path, true).map_err(errno)?;
        self.fill(slot, tree)
    }

    /// The mount is there at once; what touches it waits until the parent has it served.
    fn mount_fuse(&mut self, slot: Slot) -> Result<(), Errno> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let device = rustix::fs::open(c"/dev/fuse", flags, Mode::empty()).map_err(errno)?;
        let mut number = Text::<12>::default();
        number.push_number(device.as_raw_fd())?;
        let options = [
            FsOption::Value(c"fd", number.as_c_str()?),
            FsOption::Value(c"rootmode", c"40000"),
            FsOption::Value(c"user_id", c"0"),
            FsOption::Value(c"group_id", c"0"),
            FsOption::Flag(c"default_permissions"),
            FsOption::Flag(c"allow_other"),
        ];
        let mounted = mount::filesystem(c"fuse", options, 0).map_err(errno)?;
        self.sync()?.send_with(&[sync::MOUNT_ROOT], device.as_fd()).map_err(errno)?;
        self.await_message(sync::ROOT_MOUNTED)?;
        self.fill(slot, mounted)
    }

    /// The layers are named by /proc/self/fd: they were opened as the caller, and need not be reachable for
    /// the user that mounts; and the mount table shows the container no path of the host.
    fn mount_overlay(&mut self, overlay: &Overlay) -> Result<(), Errno> {
        let context = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(errno)?;
        let context = context.as_fd();
        if self.add_lowers(context, overlay).is_err() {
            return self.mount_overlay_by_string(overlay);
        }
        if let Some((upper, work)) = overlay.upper {
            self.add_layer(context, c"upperdir", upper)?;
            self.add_layer(context, c"workdir", work)?;
        }
        for (key, value) in &overlay.options {
            match value {
                Some(value) => fsconfig_set_string(context, key.as_c_str(), value.as_c_str()),
                None => fsconfig_set_flag(context, key.as_c_str()),
            }
            .map_err(errno)?;
        }
        let mounted = mount::finish(context, 0).map_err(errno)?;
        self.fill(overlay.slot, mounted)
    }

    fn add_lowers(&self, context: BorrowedFd<'_>, overlay: &Overlay) -> Result<(), Errno> {
        for slot in &overlay.lowers {
            self.add_layer(context, c"lowerdir+", *slot)?;
        }
        for slot in &overlay.data {
            self.add_layer(context, c"datadir+", *slot)?;
        }
        Ok(())
    }

    fn add_layer(&self, context: BorrowedFd<'_>, key: &CStr, slot: Slot) -> Result<(), Errno> {
        let mut text = Text::<32>::default();
        text.push(b"/proc/self/fd/")?;
        text.push_number(self.open_slot(slot)?.as_raw_fd())?;
        fsconfig_set_string(context, key, text.as_c_str()?).map_err(errno)
    }

    /// Kernels before 6.8 know no `lowerdir+`: one page of options for mount(2), and a clone of the result.
    fn mount_overlay_by_string(&mut self, overlay: &Overlay) -> Result<(), Errno> {
        let mut text = Text::<4096>::default();
        text.push(b"lowerdir=")?;
        for (index, slot) in overlay.lowers.iter().enumerate() {
            text.push(if index == 0 { b"/proc/self/fd/" } else { b":/proc/self/fd/" })?;
            text.push_number(self.open_slot(*slot)?.as_raw_fd())?;
        }
        if let Some((upper, work)) = overlay.upper {
            text.push(b",upperdir=/proc/self/fd/")?;
            text.push_number(self.open_slot(upper)?.as_raw_fd())?;
            text.push(b",workdir=/proc/self/fd/")?;
            text.push_number(self.open_slot(work)?.as_raw_fd())?;
        }
        for (key, value) in &overlay.options {
            text.push(b",")?;
            text.push(key.to_bytes())?;
            if let Some(value) = value {
                text.push(b"=")?;
                text.push(value.to_bytes())?;
            }
        }
        let place = overlay.mountpoint.as_c_str();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount(c"overlay", place, c"overlay", flags, Some(text.as_c_str()?)).map_err(errno)?;
        let mounted = mount::clone_tree(rustix::fs::CWD, place, false).map_err(errno)?;
        self.fill(overlay.slot, mounted)
    }

    fn mask(&mut self, target: &Target) -> Result<(), Errno> {
        let covered = match open(self.root()?, target, OFlags::PATH) {
            Ok(covered) => covered,
            Err(error) if is_missing(error) => return Ok(()),
            Err(error) => return Err(errno(error)),
        };
        let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&covered).map_err(errno)?.st_mode);
        let is_directory = kind == rustix::fs::FileType::Directory;
        let made = if is_directory { &self.covers.directory } else { &self.covers.file };
        let cover = match made {
            // A detached mount cannot be cloned before Linux 6.15, an attached one can.
            Some(attached) => mount::clone_tree(attached.as_fd(), c"", false),
            None if is_directory => {
                let flags = Attributes::RDONLY | Attributes::NOSUID | Attributes::NODEV | Attributes::NOEXEC;
                mount::filesystem(c"tmpfs", [FsOption::Value(c"size", c"0k")], flags)
            }
            None => mount::clone_tree(rustix::fs::CWD, c"/dev/null", false),
        }
        .map_err(errno)?;
        mount::attach(cover.as_fd(), covered.as_fd()).map_err(errno)?;
        let made = if is_directory { &mut self.covers.directory } else { &mut self.covers.file };
        made.get_or_insert(cover);
        Ok(())
    }

    fn make_read_only(&self, target: &Target) -> Result<(), Errno> {
        let place = match open(self.root()?, target, OFlags::PATH) {
            Ok(place) => place,
            Err(error) if is_missing(error) => return Ok(()),
            Err(error) => return Err(errno(error)),
        };
        let tree = mount::clone_tree(place.as_fd(), c"", true).map_err(errno)?;
        let read_only = Attributes { set: Attributes::RDONLY, recursive: true, ..Attributes::default() };
        mount::set_attributes(tree.as_fd(), &read_only).map_err(errno)?;
        mount::attach(tree.as_fd(), place.as_fd()).map_err(errno)
    }
}

fn open(root: BorrowedFd<'_>, target: &Target, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    mount::open_inside(root, &target.path, flags)
}

/// Opens a target (O_PATH), making it and its missing ancestors first. Symbolic links of the image are
/// followed inside the root, also where they lead to nothing yet.
pub(super) fn ensure(root: BorrowedFd<'_>, target: &Target, kind: Kind) -> Result<OwnedFd, Errno> {
    ensure_path(root, &target.path, kind, MAX_LINKS)
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
        let before = so_far.length;
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
                        let target = link_target(parent.as_fd(), leaf.as_c_str()?, &so_far.bytes[..before])?;
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

fn make_directory(parent: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)).map_err(errno)?;
    rustix::fs::openat(parent, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(errno)
}

fn chown(file: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<(), Errno> {
    rustix::fs::chownat(
        file,
        c"",
        Some(rustix::fs::Uid::from_raw(uid)),
        Some(rustix::fs::Gid::from_raw(gid)),
        rustix::fs::AtFlags::EMPTY_PATH,
    )
    .map_err(errno)
}

/// A C string on the stack.
struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self { bytes: [0; N], length: 0 }
    }
}

impl<const N: usize> Text<N> {
    /// Appends; the last byte stays free for the terminator.
    fn push(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let end = self.length + bytes.len();
        if end >= N {
            return Err(Errno::ENAMETOOLONG);
        }
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    fn push_number(&mut self, number: i32) -> Result<(), Errno> {
        let mut digits = [0; 10];
        let mut at = digits.len();
        let mut rest = number.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return self.push(&digits[at..]);
            }
        }
    }

    fn as_c_str(&self) -> Result<&CStr, Errno> {
        CStr::from_bytes_until_nul(&self.bytes).map_err(|_| Errno::ENAMETOOLONG)
    }
}
