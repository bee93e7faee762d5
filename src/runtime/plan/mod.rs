//! Specification + root file system -> plan: every check, allocation, C string and filter program is made
//! here, in the parent, before anything exists that would have to be undone.
//!
//! The operations come in four phases. `Open` and `Early` run before the id maps are written, while
//! newuidmap and newgidmap are at work: paths are opened as the caller, and file systems that do not care
//! who mounts them are made. `Mapped` runs as root of the user namespace. `Final` runs after the parent's go
//! and ends in execve.

mod devices;
mod exec;
mod hooks;
mod mount_options;
mod mounts;
pub(crate) mod number_list;
mod process;
mod rootfs;
mod settings;
pub(crate) mod sysctl;

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component as PathComponent, Path, PathBuf};

use nix::sched::CloneFlags;
use oci_spec::runtime::{Linux, LinuxNamespaceType, Spec};

use super::agent::Agent;
use super::idmap::MappedBind;
use super::op::{Op, Slot, Target};
use crate::error::{Error, Result};
use crate::storage::rootfs::Rootfs;
use crate::userns::{self, IdMaps, UserNamespace};
use number_list::NumberSet;

/// A container ready to be made.
#[derive(Debug)]
pub struct Plan {
    pub(crate) ops: Vec<Op>,
    pub(crate) slots: usize,
    pub(crate) namespaces: CloneFlags,
    /// Namespaces to join before the new ones are made, in this order.
    pub(crate) joins: Vec<Join>,
    /// Whether processes of the namespaces that are joined must not look into the child before it has become the payload.
    /// It cannot open its own entries in /proc then.
    pub(crate) hidden: bool,
    /// What a hidden child cannot write to its own files below /proc any more: it is written before.
    pub(crate) own_proc: Vec<(CString, Vec<u8>)>,
    /// The processors that a process runs on before it is in the container's control group.
    pub(crate) affinity: Option<NumberSet>,
    /// Where the caller's /proc has to be, opened by the parent.
    pub(crate) proc: Option<Slot>,
    /// Who decides about the payload's system calls, if anybody does.
    pub(crate) agent: Option<Agent>,
    /// Binds that the parent makes before it clones.
    pub(crate) mapped_binds: Vec<MappedBind>,
    pub(crate) rootfs: Rootfs,
    pub(crate) preserve_fds: u32,
    /// Whether set-up keeps the caller's ids, as container root is the caller.
    pub keeps_ids: bool,
    /// Whether the payload gets a terminal.
    pub terminal: bool,
}

/// An existing namespace that the container joins.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) kind: CloneFlags,
    pub(crate) path: PathBuf,
    /// `linux.namespaces[2].path`.
    pub(crate) field: String,
}

/// What a plan is made of.
#[derive(Debug)]
pub struct Input<'a> {
    /// The container's config.json.
    pub spec: &'a Spec,
    /// Its root file system.
    pub rootfs: &'a Rootfs,
    /// Its new user namespace. Without one it stays in the caller's, where the caller has to be root, or joins the one
    /// that the specification names.
    pub userns: Option<&'a UserNamespace>,
    /// What relative paths of the specification are relative to.
    pub bundle: Option<&'a Path>,
    /// Whether the payload gets a session keyring of its own.
    pub keyring: bool,
    /// Whether rcon stays as pid 1 and reaps.
    pub init: bool,
    /// Whether somebody opens the namespaces of the child while it is made: a network helper, a hook. One that joins a pid
    /// namespace is hidden otherwise: who is in there already must not look into it.
    pub opened: bool,
    /// How many descriptors from 3 on the payload keeps.
    pub preserve_fds: u32,
}

impl Plan {
    /// Whether the container has a pid namespace of its own, whose end is the end of all in it.
    pub fn has_own_processes(&self) -> bool {
        self.namespaces.contains(CloneFlags::CLONE_NEWPID)
    }

    /// Whether the container is put into a user namespace that exists already.
    pub fn joins_user_namespace(&self) -> bool {
        self.joined_user().is_some()
    }

    /// A file that leads to the user namespace of the container whose first process is `init`.
    pub fn user_namespace(&self, init: nix::unistd::Pid) -> PathBuf {
        let own = || PathBuf::from(format!("/proc/{init}/ns/user"));
        self.joined_user().map_or_else(own, |join| join.path.clone())
    }

    fn joined_user(&self) -> Option<&Join> {
        self.joins.iter().find(|join| join.kind == CloneFlags::CLONE_NEWUSER)
    }
}

/// When an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Early,
    Mapped,
    Final,
}

/// A mount that the plan makes.
struct Mounted {
    place: Target,
    slot: Slot,
    /// Whether nothing but the set-up has put anything into it.
    fresh: bool,
}

struct Builder<'a> {
    input: &'a Input<'a>,
    linux: &'a Linux,
    /// The maps of the namespace that the container will be in, where they are known beforehand.
    maps: Option<IdMaps>,
    setgroups: bool,
    /// Whether container root is the caller, so that what the caller mounts belongs to container root.
    root_is_caller: bool,
    slots: usize,
    /// What has been mounted where, in order.
    mounted: Vec<Mounted>,
    /// The caller's /proc, if anything needs it.
    proc: Option<Slot>,
    mapped_binds: Vec<MappedBind>,
    agent: Option<Agent>,
    open: Vec<Op>,
    early: Vec<Op>,
    mapped: Vec<Op>,
    last: Vec<Op>,
}

pub use exec::exec;
pub(super) use mount_options::mount_option_names;

/// The annotation that leaves the caller's supplementary groups.
const KEEP_GROUPS: &str = "run.oci.keep_original_groups";

/// Checks the specification and turns it into a plan.
pub fn plan(input: &Input<'_>) -> Result<Plan> {
    let spec = input.spec;
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    let process = spec.process().as_ref();
    let terminal = process.and_then(oci_spec::runtime::Process::terminal).unwrap_or(false);
    let joins = joins(linux)?;
    let (maps, setgroups) = maps(input, &joins);
    let mut builder = Builder {
        root_is_caller: root_is_caller(maps.as_ref()),
        open: vec![Op::IsolateMounts],
        ..Builder::new(input, linux, maps, setgroups && !keeps_groups(spec))
    };
    let mut namespaces = builder.namespaces()?;
    builder.refuse_what_is_missing()?;
    builder.root(input.rootfs)?;
    builder.mounts(terminal)?;
    builder.kernel_names(namespaces)?;
    match process {
        Some(process) => builder.process(process)?,
        // A container without one can be made; it cannot be started.
        None => builder.last.extend([Op::Session, Op::AwaitStart, Op::NoProcess]),
    }
    let (uid, gid) = input.userns.map_or((0, 0), UserNamespace::setup_ids);
    let Builder {
        open: mut ops,
        early,
        mapped,
        last,
        root_is_caller: keeps_ids,
        slots,
        mapped_binds,
        setgroups,
        proc,
        agent,
        ..
    } = builder;
    put_in_order(&mut ops, early, input.userns.is_some());
    let hidden = joins.iter().any(|join| join.kind == CloneFlags::CLONE_NEWPID) && !input.opened;
    ops.push(Op::BecomeRoot { uid, gid, groups: setgroups, dumpable: !hidden });
    // The clone would make one whose root is the caller's group, even for a child that is born in another.
    if namespaces.contains(CloneFlags::CLONE_NEWCGROUP) {
        namespaces.remove(CloneFlags::CLONE_NEWCGROUP);
        ops.push(Op::CgroupNamespace);
    }
    ops.extend(mapped);
    ops.extend(last);
    let own_proc = if hidden { take_own_proc(&mut ops) } else { Vec::new() };
    Ok(Plan {
        ops,
        slots,
        namespaces,
        joins,
        hidden,
        own_proc,
        affinity: None,
        proc,
        agent,
        rootfs: input.rootfs.clone(),
        mapped_binds,
        preserve_fds: input.preserve_fds,
        keeps_ids,
        terminal,
    })
}

/// As with crun: who reaches a file by a group of the caller's goes on reaching it.
fn keeps_groups(spec: &Spec) -> bool {
    let annotations = spec.annotations().as_ref();
    annotations.and_then(|all| all.get(KEEP_GROUPS)).is_some_and(|value| value == "1")
}

/// Takes out what a hidden child cannot write to its own files in /proc.
fn take_own_proc(ops: &mut Vec<Op>) -> Vec<(CString, Vec<u8>)> {
    let mut own_proc = Vec::new();
    ops.retain_mut(|op| match op {
        Op::OwnProc { file, value, .. } => {
            own_proc.push((std::mem::take(file), std::mem::take(value)));
            false
        }
        _ => true,
    });
    own_proc
}

/// What happens before and what after the wait for the id maps.
fn put_in_order(ops: &mut Vec<Op>, early: Vec<Op>, new_namespace: bool) {
    if new_namespace && rustix::process::geteuid().is_root() {
        // What root may open by its capabilities, it may in the new namespace once that has the owners' ids.
        ops.insert(0, Op::AwaitMaps);
        ops.extend(early);
    } else {
        ops.extend(early);
        ops.push(Op::AwaitMaps);
    }
}

/// The maps of the user namespace that the container will be in, and whether setgroups(2) works there. Those of one that
/// it joins are not known.
fn maps(input: &Input<'_>, joins: &[Join]) -> (Option<IdMaps>, bool) {
    match input.userns {
        Some(userns) => (Some(userns.maps.clone()), userns.setgroups_allowed()),
        None if joins.iter().any(|join| join.kind == CloneFlags::CLONE_NEWUSER) => (None, true),
        None => {
            let own = userns::surrounding();
            (Some(own.maps), own.setgroups_allowed)
        }
    }
}

/// The namespaces with a path: the user namespace first, since it gives the right to join the others, and the mount
/// namespace last, since it changes what paths mean.
fn joins(linux: &Linux) -> Result<Vec<Join>> {
    let mut joins = Vec::new();
    for (index, namespace) in linux.namespaces().iter().flatten().enumerate() {
        if let Some(path) = namespace.path() {
            joins.push(Join {
                kind: kind(namespace.typ()),
                path: path.clone(),
                field: format!("linux.namespaces[{index}].path"),
            });
        }
    }
    joins.sort_by_key(|join| match join.kind {
        CloneFlags::CLONE_NEWUSER => 0,
        CloneFlags::CLONE_NEWNS => 2,
        _ => 1,
    });
    Ok(joins)
}

/// The clone flag of a namespace.
fn kind(typ: LinuxNamespaceType) -> CloneFlags {
    match typ {
        LinuxNamespaceType::Mount => CloneFlags::CLONE_NEWNS,
        LinuxNamespaceType::Cgroup => CloneFlags::CLONE_NEWCGROUP,
        LinuxNamespaceType::Uts => CloneFlags::CLONE_NEWUTS,
        LinuxNamespaceType::Ipc => CloneFlags::CLONE_NEWIPC,
        LinuxNamespaceType::User => CloneFlags::CLONE_NEWUSER,
        LinuxNamespaceType::Pid => CloneFlags::CLONE_NEWPID,
        LinuxNamespaceType::Network => CloneFlags::CLONE_NEWNET,
        LinuxNamespaceType::Time => CloneFlags::from_bits_retain(libc::CLONE_NEWTIME),
    }
}

/// Container root is the caller where the kernel maps the caller's ids to 0.
fn root_is_caller(maps: Option<&IdMaps>) -> bool {
    let caller = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    maps.is_some_and(|maps| match maps.to_inside(caller.0, caller.1) {
        Some(inside) => inside == (0, 0),
        None => false,
    })
}

fn missing(field: &str) -> Error {
    Error::invalid(format!("config.json has no {field:?}"))
}

impl<'a> Builder<'a> {
    fn new(input: &'a Input<'a>, linux: &'a Linux, maps: Option<IdMaps>, setgroups: bool) -> Self {
        Self {
            input,
            linux,
            maps,
            setgroups,
            root_is_caller: false,
            slots: 0,
            mounted: Vec::new(),
            proc: None,
            mapped_binds: Vec::new(),
            agent: None,
            open: Vec::new(),
            early: Vec::new(),
            mapped: Vec::new(),
            last: Vec::new(),
        }
    }
}

impl Builder<'_> {
    fn push(&mut self, phase: Phase, op: Op) {
        match phase {
            Phase::Open => self.open.push(op),
            Phase::Early if self.root_is_caller => self.early.push(op),
            Phase::Early | Phase::Mapped => self.mapped.push(op),
            Phase::Final => self.last.push(op),
        }
    }

    /// A target for a mount or a file. Below a file system that the set-up makes itself it is found from that one's
    /// root, so that neither links of the image nor somebody who swaps them has a say.
    fn target(&self, path: &Path) -> Result<Target> {
        self.target_within(path, |mounted| mounted.fresh)
    }

    /// A target on whichever mount of config.json it lies: what is hidden there stays hidden if something is
    /// mounted over that mount.
    fn mounted_target(&self, path: &Path) -> Result<Target> {
        self.target_within(path, |_| true)
    }

    fn target_within(&self, path: &Path, fits: impl Fn(&Mounted) -> bool) -> Result<Target> {
        let mut target = Target::new(path)?;
        let whole = Path::new(std::ffi::OsStr::from_bytes(target.path.as_bytes()));
        let below = |mounted: &Mounted| {
            let place = Path::new(std::ffi::OsStr::from_bytes(mounted.place.path.as_bytes()));
            whole.strip_prefix(place).ok().map(|rest| (place.components().count(), rest.to_owned()))
        };
        let closest = self.mounted.iter().filter_map(|mounted| Some((mounted, below(mounted)?)));
        // Of two mounts on one place the later one counts.
        let Some((mounted, (_, rest))) = closest.max_by_key(|(_, (depth, _))| *depth) else {
            return Ok(target);
        };
        if fits(mounted) {
            target.within = Some((mounted.slot, Target::new(&rest)?.path));
        }
        Ok(target)
    }

    fn slot(&mut self) -> Slot {
        self.slots += 1;
        Slot(self.slots - 1)
    }

    /// The namespaces to clone into. A mount namespace of its own is among them unless one is joined: everything that
    /// follows mounts.
    fn namespaces(&self) -> Result<CloneFlags> {
        let mut flags = CloneFlags::CLONE_NEWNS;
        if self.input.userns.is_some() {
            flags |= CloneFlags::CLONE_NEWUSER;
        }
        for namespace in self.linux.namespaces().iter().flatten() {
            let kind = kind(namespace.typ());
            if namespace.path().is_some() {
                flags.remove(kind);
            } else if !matches!(namespace.typ(), LinuxNamespaceType::User | LinuxNamespaceType::Time) {
                // A time namespace is made by the container's process itself, which sets its offsets from outside.
                flags |= kind;
            }
        }
        Ok(flags)
    }

    /// Host name, loopback and kernel parameters: what lives in the new namespaces and not in files.
    fn kernel_names(&mut self, namespaces: CloneFlags) -> Result<()> {
        let spec = self.input.spec;
        // A name is the container's to set in a namespace that it was given, new or not, never in the caller's.
        if self
            .linux
            .namespaces()
            .iter()
            .flatten()
            .any(|namespace| namespace.typ() == LinuxNamespaceType::Uts)
        {
            if let Some(name) = spec.hostname() {
                self.push(Phase::Mapped, Op::Hostname(name.clone().into_bytes()));
            }
            if let Some(name) = spec.domainname() {
                self.push(Phase::Mapped, Op::Domainname(name.clone().into_bytes()));
            }
        }
        if namespaces.contains(CloneFlags::CLONE_NEWNET) {
            self.push(Phase::Mapped, Op::Loopback);
        }
        let mut all = self.linux.namespaces().iter().flatten();
        if all.any(|namespace| namespace.typ() == LinuxNamespaceType::Time && namespace.path().is_none()) {
            self.clocks()?;
        }
        Ok(())
    }
}

/// A path of the host as a C string.
fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::invalid(format!("path {} has a NUL byte", path.display())))
}

fn c_text(text: &str, what: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid(format!("{what} {text:?} has a NUL byte")))
}

impl Target {
    /// A target from an absolute path of the container. `..` is resolved by name: the real resolution
    /// happens inside the root, and cannot leave it.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let mut names: Vec<&std::ffi::OsStr> = Vec::new();
        for component in path.components() {
            match component {
                PathComponent::Normal(name) => names.push(name),
                PathComponent::ParentDir => {
                    names.pop();
                }
                PathComponent::RootDir | PathComponent::CurDir | PathComponent::Prefix(_) => {}
            }
        }
        let joined = names.join(std::ffi::OsStr::new("/"));
        let path = if joined.is_empty() { c".".to_owned() } else { c_path(Path::new(&joined))? };
        Ok(Self { path, within: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_relative_and_cannot_climb() {
        assert_eq!(Target::new(Path::new("/dev/../run//a/./b")).unwrap().path.as_c_str(), c"run/a/b");
        assert_eq!(Target::new(Path::new("/../..")).unwrap().path.as_c_str(), c".");
    }
}
