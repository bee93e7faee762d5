//! The container's file tree: mounts, targets inside the root, masks, the pivot.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsOpenFlags, MountPropagationFlags, fsconfig_set_flag, fsconfig_set_string, fsopen};

use super::text::Text;
use super::{Init, errno, is_missing};
use crate::runtime::op::{Fallback, Kind, Op, Overlay, Slot, Target};
use crate::runtime::sync;
use crate::sys::copy;
use crate::sys::mount::{self, Attributes, FsOption};

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
                match (mount::filesystem(fstype, fs_options(options), *flags), or) {
                    (Ok(mount), _) => self.fill(*slot, mount),
                    (Err(_), Fallback::Host(path)) => self.bind_of_host(path, *flags, *slot),
                    (Err(_), Fallback::HostOrOmit(path)) => {
                        let _ = self.bind_of_host(path, *flags, *slot);
                        Ok(())
                    }
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
                let target = self.ensure(target, *kind)?;
                mount::attach(tree, target.as_fd()).map_err(errno)?;
                mount::set_attributes(tree, attributes).map_err(errno)
            }
            Op::CopyUp { slot, target } => match self.open(target, OFlags::RDONLY | OFlags::DIRECTORY) {
                Ok(from) => {
                    copy::tree(from.as_fd(), self.open_slot(*slot)?, &|uid, gid| (uid, gid)).map_err(errno)
                }
                Err(error) if is_missing(error) => Ok(()),
                Err(error) => Err(errno(error)),
            },
            Op::Directory { target, owner } => {
                let directory = self.ensure(target, Kind::Directory)?;
                match owner {
                    Some((uid, gid)) => chown(directory.as_fd(), *uid, *gid),
                    None => Ok(()),
                }
            }
            Op::Symlink { to, directory, name } => {
                let directory = self.ensure(directory, Kind::Directory)?;
                match rustix::fs::symlinkat(to.as_c_str(), &directory, name.as_c_str()) {
                    Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
                    Err(error) => Err(errno(error)),
                }
            }
            Op::Mask { target, null } => self.mask(target, *null),
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

    fn bind_of_host(&mut self, path: &CStr, flags: u64, slot: Slot) -> Result<(), Errno> {
        let tree = mount::clone_tree(rustix::fs::CWD, path, true).map_err(errno)?;
        // Not the access times, which the host's mounts have locked.
        let set = flags & !Attributes::ATIME;
        let attributes = Attributes { set, recursive: true, ..Attributes::default() };
        mount::set_attributes(tree.as_fd(), &attributes).map_err(errno)?;
        self.fill(slot, tree)
    }

    /// Changes the mount that is at a target.
    pub(super) fn remount(
        &self,
        target: &Target,
        attributes: &[Attributes],
        options: &[(CString, Option<CString>)],
    ) -> Result<(), Errno> {
        let place = self.open(target, OFlags::PATH).map_err(errno)?;
        if !options.is_empty() {
            mount::reconfigure(place.as_fd(), fs_options(options)).map_err(errno)?;
        }
        attributes.iter().try_for_each(|change| mount::set_attributes(place.as_fd(), change).map_err(errno))
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
}

fn fs_options(options: &[(CString, Option<CString>)]) -> impl Iterator<Item = FsOption<'_>> {
    options.iter().map(|(key, value)| match value {
        Some(value) => FsOption::Value(key, value),
        None => FsOption::Flag(key),
    })
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
