//! Specification + root file system -> plan: every check, allocation, C string and filter program is made
//! here, in the parent, before anything exists that would have to be undone.
//!
//! The operations come in four phases. `Open` and `Early` run before the id maps are written, while
//! newuidmap and newgidmap are at work: paths are opened as the caller, and file systems that do not care
//! who mounts them are made. `Mapped` runs as root of the user namespace. `Final` runs after the parent's go
//! and ends in execve.

mod mount_options;
mod mounts;
mod process;
mod rootfs;

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component as PathComponent, Path};

use nix::sched::CloneFlags;
use oci_spec::runtime::{Linux, LinuxNamespaceType, Spec};

use super::op::{Op, Slot, Target};
use crate::error::{Error, Result};
use crate::storage::rootfs::Rootfs;
use crate::userns::UserNamespace;

/// A container ready to be made.
#[derive(Debug)]
pub struct Plan {
    pub(crate) ops: Vec<Op>,
    pub(crate) slots: usize,
    pub(crate) namespaces: CloneFlags,
    pub(crate) rootfs: Rootfs,
    pub(crate) preserve_fds: u32,
    /// Whether set-up keeps the caller's ids, as container root is the caller.
    pub keeps_ids: bool,
    /// Whether rcon itself stays as pid 1.
    pub(crate) reaps: bool,
    /// Whether the payload gets a terminal.
    pub terminal: bool,
}

/// What a plan is made of.
#[derive(Debug)]
pub struct Input<'a> {
    /// The container's config.json.
    pub spec: &'a Spec,
    /// Its root file system.
    pub rootfs: &'a Rootfs,
    /// Its user namespace.
    pub userns: &'a UserNamespace,
    /// Whether rcon stays as pid 1 and reaps.
    pub init: bool,
    /// How many descriptors from 3 on the payload keeps.
    pub preserve_fds: u32,
}

/// When an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Early,
    Mapped,
    Final,
}

struct Builder<'a> {
    input: &'a Input<'a>,
    linux: &'a Linux,
    /// Whether container root is the caller, so that what the caller mounts belongs to container root.
    root_is_caller: bool,
    slots: usize,
    open: Vec<Op>,
    early: Vec<Op>,
    mapped: Vec<Op>,
    last: Vec<Op>,
}

/// Checks the specification and turns it into a plan.
pub fn plan(input: &Input<'_>) -> Result<Plan> {
    let spec = input.spec;
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    let mut builder = Builder {
        input,
        linux,
        root_is_caller: root_is_caller(input.userns),
        slots: 0,
        open: vec![Op::IsolateMounts],
        early: Vec::new(),
        mapped: Vec::new(),
        last: Vec::new(),
    };
    let namespaces = builder.namespaces()?;
    builder.root(input.rootfs)?;
    builder.mounts(process.terminal().unwrap_or(false))?;
    builder.kernel_names(namespaces)?;
    builder.process(process)?;
    let ((uid, gid), slots) = (input.userns.setup_ids(), builder.slots);
    let Builder { open: mut ops, early, mapped, last, root_is_caller: keeps_ids, .. } = builder;
    ops.extend(early);
    ops.push(Op::AwaitMaps);
    ops.push(Op::BecomeRoot { uid, gid, groups: input.userns.setgroups_allowed() });
    ops.extend(mapped);
    ops.extend(last);
    let terminal = process.terminal().unwrap_or(false);
    let rootfs = input.rootfs.clone();
    Ok(Plan {
        ops,
        slots,
        namespaces,
        rootfs,
        preserve_fds: input.preserve_fds,
        reaps: input.init,
        keeps_ids,
        terminal,
    })
}

/// Container root is the caller where the kernel maps the caller's ids to 0.
fn root_is_caller(userns: &UserNamespace) -> bool {
    let caller = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    userns.maps.to_inside(caller.0, caller.1) == Some((0, 0))
}

fn missing(field: &str) -> Error {
    Error::invalid(format!("config.json has no {field:?}"))
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

    fn slot(&mut self) -> Slot {
        self.slots += 1;
        Slot(self.slots - 1)
    }

    /// The namespaces to clone into. A user and a mount namespace are always among them.
    fn namespaces(&self) -> Result<CloneFlags> {
        let mut flags = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS;
        for namespace in self.linux.namespaces().iter().flatten() {
            let typ = namespace.typ();
            if namespace.path().is_some() {
                return Err(Error::unsupported(format!(
                    "joining an existing {typ} namespace is not supported"
                )));
            }
            flags |= match typ {
                LinuxNamespaceType::Mount => CloneFlags::CLONE_NEWNS,
                LinuxNamespaceType::Cgroup => CloneFlags::CLONE_NEWCGROUP,
                LinuxNamespaceType::Uts => CloneFlags::CLONE_NEWUTS,
                LinuxNamespaceType::Ipc => CloneFlags::CLONE_NEWIPC,
                LinuxNamespaceType::User => CloneFlags::CLONE_NEWUSER,
                LinuxNamespaceType::Pid => CloneFlags::CLONE_NEWPID,
                LinuxNamespaceType::Network => CloneFlags::CLONE_NEWNET,
                other => {
                    return Err(Error::unsupported(format!("a new {other} namespace is not supported")));
                }
            };
        }
        Ok(flags)
    }

    /// Host name, loopback and kernel parameters: what lives in the new namespaces and not in files.
    fn kernel_names(&mut self, namespaces: CloneFlags) -> Result<()> {
        let spec = self.input.spec;
        if namespaces.contains(CloneFlags::CLONE_NEWUTS) {
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
        Ok(Self { path })
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
