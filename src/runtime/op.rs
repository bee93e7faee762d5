//! The set-up of a container as a list of operations, made by [`plan`](super::plan) in the parent and
//! carried out in order by [`init`](super::init) in the child, which only makes system calls.
//!
//! When one fails, the child sends its index and the errno, and the parent makes the sentence out of
//! [`Op::describe`].

use std::ffi::{CStr, CString};

use crate::sys::caps::CapSet;
use crate::sys::exec::Image;
use crate::sys::mount::Attributes;
use crate::sys::process::ArgumentArea;

/// The place of a descriptor that one operation opens and a later one uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) usize);

/// A path inside the container's root: relative, without `..`; `.` for the root itself.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) path: CString,
}

/// What to make where a target does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
}

/// The layers of a kernel overlay.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// Top first.
    pub(crate) lowers: Vec<Slot>,
    /// Layers that are reached only through redirects in `lowers` (data-only lower layers).
    pub(crate) data: Vec<Slot>,
    pub(crate) upper: Option<(Slot, Slot)>,
    pub(crate) options: Vec<(CString, Option<CString>)>,
    /// Where kernels without `lowerdir+` mount it first.
    pub(crate) mountpoint: CString,
    pub(crate) slot: Slot,
}

/// One operation.
#[derive(Debug)]
pub(crate) enum Op {
    /// Makes every mount of the namespace a slave, so that nothing travels back to the host.
    IsolateMounts,
    /// Opens a path of the host (O_PATH), still as the caller.
    Open {
        path: CString,
        slot: Slot,
    },
    /// Copies a mount, or a tree of them, of the host as the source of a bind.
    Tree {
        source: CString,
        recursive: bool,
        attributes: Attributes,
        slot: Slot,
    },
    /// Makes a file system, detached.
    Filesystem {
        fstype: CString,
        options: Vec<(CString, Option<CString>)>,
        flags: u64,
        slot: Slot,
        or: Fallback,
    },
    /// Makes the overlay of the root file system, detached.
    Overlay(Overlay),
    /// Waits until the parent has written the id maps.
    AwaitMaps,
    /// Becomes uid 0 and gid 0 of the user namespace.
    BecomeRoot {
        uid: u32,
        gid: u32,
        groups: bool,
    },
    /// Attaches a tmpfs to the mount point: room for the upper directories of overlays that will cover it.
    Scratch {
        tmpfs: Slot,
        mountpoint: Slot,
    },
    /// Makes an overlay's upper and work directories in a [`Op::Scratch`].
    Room {
        tmpfs: Slot,
        name: CString,
        upper: Slot,
        work: Slot,
    },
    /// Mounts a FUSE file system, detached, and hands its device to the parent, who has it served.
    Fuse {
        slot: Slot,
    },
    /// Puts the root file system onto its mount point; it is the root of all targets from here on.
    AttachRoot {
        slot: Slot,
        mountpoint: Slot,
    },
    /// Puts a detached mount onto a target, which is made where it is missing.
    Attach {
        slot: Slot,
        target: Target,
        kind: Kind,
        attributes: Attributes,
    },
    /// Copies what the container has at the target into the file system that will cover it.
    CopyUp {
        slot: Slot,
        target: Target,
    },
    /// A directory with all its ancestors.
    Directory {
        target: Target,
        owner: Option<(u32, u32)>,
    },
    /// A symbolic link, where nothing is.
    Symlink {
        to: CString,
        directory: Target,
        name: CString,
    },
    /// Opens a terminal in the devpts of `slot`, hands its leader to the parent, binds it to /dev/console.
    Terminal {
        devpts: Slot,
        console: Target,
    },
    /// Covers a path, if it exists, with nothing: /dev/null over a file, an empty directory over a directory.
    Mask {
        target: Target,
    },
    /// Makes a tree, if it exists, read-only.
    ReadOnly {
        target: Target,
    },
    /// Makes the root file system read-only.
    ReadOnlyRoot,
    /// Changes a kernel parameter of the container's own namespaces.
    Sysctl {
        path: CString,
        value: Vec<u8>,
    },
    /// The root file system becomes `/`; the host's is gone.
    Pivot,
    Hostname(Vec<u8>),
    Domainname(Vec<u8>),
    /// Brings up the loopback interface.
    Loopback,
    Rlimit {
        resource: u32,
        soft: u64,
        hard: u64,
    },
    OomScoreAdj(Vec<u8>),
    /// Waits until the parent has made the network and says go.
    AwaitStart,
    /// Leaves the caller's session and takes the terminal, if there is one.
    Session,
    /// Gives the three standard descriptors to the container's user.
    OwnStdio {
        uid: u32,
        gid: u32,
    },
    Umask(u32),
    Seccomp(crate::runtime::seccomp::Program),
    /// Splits off the payload; this process stays as pid 1, reaps and passes signals on.
    Reap {
        title: ArgumentArea,
    },
    /// Drops what is not in the bounding set.
    Bound {
        keep: CapSet,
        last: u8,
    },
    /// Sets group ids, user ids and the final capability sets.
    Identity(Identity),
    NoNewPrivileges,
    Chdir(CString),
    Exec {
        candidates: Vec<CString>,
        image: Image,
        shown: String,
    },
}

/// What serves where the kernel refuses a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// Nothing: the refusal is an error.
    Fail,
    /// A copy of the host's mount at this path.
    Host(&'static CStr),
    /// The mount is left out.
    Omit,
}

/// The ids and capabilities of the payload.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// `None` where setgroups is forbidden (a user namespace of one id).
    pub(crate) groups: Option<Vec<u32>>,
    pub(crate) effective: CapSet,
    pub(crate) permitted: CapSet,
    pub(crate) inheritable: CapSet,
    pub(crate) ambient: CapSet,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Image")
    }
}

impl Op {
    /// What the operation attempts, for the error message: lower-case, without a full stop.
    pub(crate) fn describe(&self) -> String {
        let text = |s: &CStr| s.to_string_lossy().into_owned();
        match self {
            Self::IsolateMounts => "cannot cut the mount namespace off from the host".into(),
            Self::Open { path, .. } => format!("cannot open {}", text(path)),
            Self::Tree { source, .. } => format!("cannot bind {}", text(source)),
            Self::Filesystem { fstype, .. } => format!("cannot mount a {} file system", text(fstype)),
            Self::Overlay(overlay) => {
                format!("cannot mount an overlay of {} layers", overlay.lowers.len())
            }
            Self::AwaitMaps | Self::AwaitStart => "lost the parent process during set-up".into(),
            Self::Fuse { .. } => "cannot mount a FUSE file system".into(),
            Self::Scratch { .. } | Self::Room { .. } => {
                "cannot make room in memory for the container's changes".into()
            }
            Self::BecomeRoot { .. } => "cannot become root of the user namespace".into(),
            Self::AttachRoot { .. } => "cannot attach the root file system".into(),
            Self::Attach { target, .. } => format!("cannot mount onto {target}"),
            Self::CopyUp { target, .. } => format!("cannot copy the content of {target}"),
            Self::Directory { target, .. } => format!("cannot create directory {target}"),
            Self::Symlink { directory, name, .. } => {
                format!("cannot create symbolic link {directory}/{}", text(name))
            }
            Self::Terminal { .. } => "cannot open a terminal in the container".into(),
            Self::Mask { target } => format!("cannot mask {target}"),
            Self::ReadOnly { target } => format!("cannot make {target} read-only"),
            Self::ReadOnlyRoot => "cannot make the root file system read-only".into(),
            Self::Sysctl { path, .. } => format!("cannot set {}", text(path)),
            Self::Pivot => "cannot make the root file system the root directory".into(),
            Self::Hostname(_) => "cannot set the host name".into(),
            Self::Domainname(_) => "cannot set the domain name".into(),
            Self::Loopback => "cannot bring up the loopback interface".into(),
            Self::Rlimit { resource, .. } => format!("cannot set resource limit {resource}"),
            Self::OomScoreAdj(_) => "cannot set the OOM score adjustment".into(),
            Self::Session => "cannot start a session".into(),
            Self::OwnStdio { .. } => "cannot hand the standard streams to the container's user".into(),
            Self::Umask(_) => "cannot set the umask".into(),
            Self::Seccomp(_) => "cannot install the seccomp filter".into(),
            Self::Reap { .. } => "cannot split off the payload from the init process".into(),
            Self::Bound { .. } => "cannot limit the capability bounding set".into(),
            Self::Identity(id) => format!("cannot become user {}:{} of the container", id.uid, id.gid),
            Self::NoNewPrivileges => "cannot set no_new_privs".into(),
            Self::Chdir(path) => format!("cannot change to working directory {}", text(path)),
            Self::Exec { shown, .. } => format!("cannot run {shown:?} in the container"),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.to_string_lossy() {
            path if path == "." => f.write_str("/ of the container"),
            path => write!(f, "/{path} of the container"),
        }
    }
}
