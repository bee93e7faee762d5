//! The set-up of a container as a list of operations, made by [`plan`](super::plan) in the parent and
//! carried out in order by [`init`](super::init) in the child, which only makes system calls.
//!
//! When one fails, the child sends its index and the errno, and the parent makes the sentence out of
//! `Op::describe`.

use std::ffi::{CStr, CString};

use super::plan::number_list::NumberSet;
use crate::sys::caps::CapSet;
use crate::sys::exec::Image;
use crate::sys::mount::Attributes;
use crate::sys::process::ArgumentArea;
use crate::sys::scheduling::Scheduling;

/// The place of a descriptor that one operation opens and a later one uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) usize);

/// A path inside the container's root: relative, without `..`; `.` for the root itself.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) path: CString,
    /// The mount of the set-up that it lies on, and its path from there: it is looked up from that.
    pub(crate) within: Option<(Slot, CString)>,
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
        /// Whether supplementary groups can be dropped, and are.
        groups: bool,
        /// Whether others of the same user may open the child's entries in /proc, as a network helper has to.
        dumpable: bool,
    },
    /// Makes a namespace of control groups, whose root is the group that this process is in by now.
    CgroupNamespace,
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
    /// Opens a terminal in a devpts (the one at /dev/pts, if there is no slot), hands its leader to the parent and
    /// binds it to `console`.
    Terminal {
        devpts: Option<Slot>,
        console: Option<Target>,
    },
    /// Covers a path, if it exists, with nothing: /dev/null over a file, an empty directory over a directory.
    Mask {
        target: Target,
        null: Slot,
    },
    /// Makes a tree, if it exists, read-only.
    ReadOnly {
        target: Target,
    },
    /// Makes the root file system read-only.
    ReadOnlyRoot,
    /// Changes a kernel parameter of the container's own namespaces, through its own /proc or the host's.
    Sysctl {
        target: Target,
        value: Vec<u8>,
        proc: Slot,
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
    /// Writes a file of this process's in the host's proc file system.
    OwnProc {
        proc: Slot,
        file: CString,
        value: Vec<u8>,
    },
    /// Leaves the caller's session keyring for a new one.
    Keyring,
    /// Has the parent run the hooks that belong to its namespaces, and takes the container's state from it.
    RuntimeHooks,
    /// Runs a hook in the container's namespaces, with the state on its standard input.
    Hook(Hook),
    /// There is nothing to start.
    NoProcess,
    /// Looks whether there is a program to run: who only creates a container learns of it now, and not at its start.
    FindProgram {
        candidates: Vec<CString>,
        shown: String,
    },
    /// Waits until the parent has made the network and says go; or, where the container is to outlive its parent,
    /// tells it that all is prepared and waits for whoever comes to start it.
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
    /// Has execve close what the payload is not to have, and puts signals back to what a program expects.
    CloseRest,
    Chdir(CString),
    Exec {
        candidates: Vec<CString>,
        image: Image,
        shown: String,
    },
    Setting(Setting),
    /// Supplies a device node.
    Device(Device),
    /// Changes a mount that is not attached yet.
    Change {
        slot: Slot,
        attributes: Attributes,
        /// `mounts[3]`.
        field: String,
    },
    /// Changes a mount that the container has, and its file system if there are options.
    Remount {
        target: Target,
        attributes: Vec<Attributes>,
        options: Vec<(CString, Option<CString>)>,
    },
    /// Gives the root file system its propagation.
    RootPropagation(Attributes),
    /// Gives the terminal a size.
    ConsoleSize {
        rows: u16,
        columns: u16,
    },
    /// Makes a time namespace for what this process will execute.
    TimeNamespace {
        proc: Slot,
        offsets: Vec<u8>,
    },
}

/// A name in a directory of the container.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Target,
    pub(crate) name: CString,
}

/// A device node of the container.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) target: Target,
    /// The same, taken apart.
    pub(crate) place: Place,
    pub(crate) kind: rustix::fs::FileType,
    pub(crate) number: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// A bind of the host's node, where there is one.
    pub(crate) host: Option<Slot>,
}

/// How the kernel is to treat the payload.
#[derive(Debug)]
pub(crate) enum Setting {
    Scheduler(Scheduling),
    IoPriority { class: u8, level: u8 },
    Personality(u32),
    MemoryPolicy { mode: i32, nodes: NumberSet },
    Affinity(NumberSet),
}

/// A hook that the child runs.
#[derive(Debug)]
pub(crate) struct Hook {
    /// `hooks.createContainer[0]`.
    pub(crate) name: String,
    pub(crate) program: CString,
    pub(crate) image: Image,
    /// Seconds until it is killed.
    pub(crate) timeout: Option<u32>,
}

/// What serves where the kernel refuses a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// Nothing: the refusal is an error.
    Fail,
    /// A copy of the host's mount at this path.
    Host(&'static CStr),
    /// The same, or the mount is left out if that fails, too.
    HostOrOmit(&'static CStr),
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

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.to_string_lossy() {
            path if path == "." => f.write_str("/ of the container"),
            path => write!(f, "/{path} of the container"),
        }
    }
}
