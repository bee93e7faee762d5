//! Mounts as descriptors: the mount API of Linux 5.2 and later, and mount_setattr (5.12).
//!
//! Nothing here allocates, so that a cloned child may call all of it.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::{Errno, Result};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_reconfigure, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, fspick, mount_change, move_mount, open_tree, unmount,
};

/// MOUNT_ATTR_* of mount_setattr(2), as one set to add and one to take away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Flags to set.
    pub set: u64,
    /// Flags to clear.
    pub clear: u64,
    /// A propagation to give (MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE), or 0.
    pub propagation: u64,
    /// Whether the whole tree is meant.
    pub recursive: bool,
}

impl Attributes {
    /// Read-only.
    pub const RDONLY: u64 = 0x1;
    /// Setuid bits and file capabilities are ignored.
    pub const NOSUID: u64 = 0x2;
    /// Device nodes do not work.
    pub const NODEV: u64 = 0x4;
    /// Nothing can be executed.
    pub const NOEXEC: u64 = 0x8;
    /// Access times are not kept.
    pub const NOATIME: u64 = 0x10;
    /// The field of access-time modes, to be cleared before one is set.
    pub const ATIME: u64 = 0x70;
    /// Symbolic links are not followed.
    pub const NOSYMFOLLOW: u64 = 0x20_0000;

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.set == 0 && self.clear == 0 && self.propagation == 0
    }
}

/// One option of a file system.
#[derive(Clone, Copy, Debug)]
pub enum FsOption<'a> {
    /// `key`
    Flag(&'a CStr),
    /// `key=value`
    Value(&'a CStr, &'a CStr),
}

/// Makes a file system and gives its detached mount. `flags` are those of [`Attributes`].
pub fn filesystem<'a>(
    fstype: &CStr,
    options: impl IntoIterator<Item = FsOption<'a>>,
    flags: u64,
) -> Result<OwnedFd> {
    let context = fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC)?;
    configure(context.as_fd(), options)?;
    finish(context.as_fd(), flags)
}

/// Creates the superblock of a configured context and mounts it, detached.
pub fn finish(context: BorrowedFd<'_>, flags: u64) -> Result<OwnedFd> {
    fsconfig_create(context)?;
    fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::from_bits_retain(flags as u32))
}

/// A detached copy of the mount (with `recursive`: of the tree of mounts) at `path` below `directory`.
pub fn clone_tree(directory: BorrowedFd<'_>, path: &CStr, recursive: bool) -> Result<OwnedFd> {
    let mut flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    open_tree(directory, path, flags)
}

/// Puts a detached mount onto the object that `target` refers to.
pub fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<()> {
    move_mount(
        mount,
        c"",
        target,
        c"",
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
    )
}

/// mount_setattr(2) on the mount that `mount` refers to.
pub fn set_attributes(mount: BorrowedFd<'_>, attributes: &Attributes) -> Result<()> {
    if attributes.is_empty() {
        return Ok(());
    }
    let args = libc::mount_attr {
        attr_set: attributes.set,
        attr_clr: attributes.clear,
        propagation: attributes.propagation,
        userns_fd: 0,
    };
    setattr(mount, attributes.recursive, &args)
}

/// Has the mount (with `recursive`: the tree) show the owners of its files through the maps of a user
/// namespace. It must not be attached anywhere yet.
pub fn map_ids(mount: BorrowedFd<'_>, recursive: bool, user_namespace: BorrowedFd<'_>) -> Result<()> {
    let args = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: user_namespace.as_raw_fd() as u64,
    };
    setattr(mount, recursive, &args)
}

fn setattr(mount: BorrowedFd<'_>, recursive: bool, args: &libc::mount_attr) -> Result<()> {
    let recursive = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: a system call on a valid descriptor, with a structure that outlives it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | recursive,
            &raw const *args,
            size_of::<libc::mount_attr>(),
        )
    };
    if result < 0 { Err(last_errno()) } else { Ok(()) }
}

/// Gives the file system that is mounted at `mount` other options.
pub fn reconfigure<'a>(mount: BorrowedFd<'_>, options: impl IntoIterator<Item = FsOption<'a>>) -> Result<()> {
    let context = fspick(mount, c"", FsPickFlags::FSPICK_EMPTY_PATH | FsPickFlags::FSPICK_CLOEXEC)?;
    configure(context.as_fd(), options)?;
    fsconfig_reconfigure(context.as_fd())
}

fn configure<'a>(context: BorrowedFd<'_>, options: impl IntoIterator<Item = FsOption<'a>>) -> Result<()> {
    for option in options {
        match option {
            FsOption::Flag(key) => fsconfig_set_flag(context, key)?,
            FsOption::Value(key, value) => fsconfig_set_string(context, key, value)?,
        }
    }
    Ok(())
}

/// Changes the propagation of every mount of this namespace.
pub fn set_root_propagation(propagation: MountPropagationFlags) -> Result<()> {
    mount_change(c"/", propagation | MountPropagationFlags::REC)
}

/// Makes `root`, a mount of this namespace, the root of this process and drops the old root with all that
/// is below it. The working directory is the new root afterwards.
pub fn pivot(root: BorrowedFd<'_>) -> Result<()> {
    rustix::process::fchdir(root)?;
    // Both arguments "." puts the old root onto the new one, from where it is detached: no directory for
    // it has to exist in the new root (pivot_root(2), NOTES).
    rustix::process::pivot_root(c".", c".")?;
    unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}

/// Opens `path` inside `root` without leaving it and without following magic links.
pub fn open_inside(root: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    loop {
        let opened = openat2(
            root,
            path,
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        );
        // A rename anywhere on the system while ".." was resolved gives EAGAIN (openat2(2)).
        match opened {
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
}

/// Opens `path` below `mount` on that very mount: neither a mount on the way nor one on the last component is
/// entered (EXDEV).
pub fn open_on_same_mount(mount: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    openat2(mount, path, flags | OFlags::CLOEXEC, Mode::empty(), how)
}

/// Opens a path of the host for later use as a mount's source.
pub fn open_path(path: &CStr) -> Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

fn last_errno() -> Errno {
    std::io::Error::last_os_error().raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error)
}
