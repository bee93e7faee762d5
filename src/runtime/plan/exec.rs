//! A process in a container that runs: its namespaces are joined, and of the plan the last part remains.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::sched::CloneFlags;
use oci_spec::runtime::{Process, Spec};

use super::number_list::NumberSet;
use super::{Builder, Join, Phase, Plan, missing};
use crate::error::Result;
use crate::runtime::op::{Op, Setting};
use crate::storage::rootfs::Rootfs;
use crate::userns;

/// The namespaces by their names in /proc/PID/ns, in the order in which they are joined.
const NAMESPACES: &[(&str, CloneFlags)] = &[
    ("user", CloneFlags::CLONE_NEWUSER),
    ("net", CloneFlags::CLONE_NEWNET),
    ("ipc", CloneFlags::CLONE_NEWIPC),
    ("uts", CloneFlags::CLONE_NEWUTS),
    ("cgroup", CloneFlags::CLONE_NEWCGROUP),
    ("time", CloneFlags::from_bits_retain(libc::CLONE_NEWTIME)),
    ("pid", CloneFlags::CLONE_NEWPID),
    ("time", CloneFlags::from_bits_retain(libc::CLONE_NEWTIME)),
    ("mnt", CloneFlags::CLONE_NEWNS),
];

/// The plan of `spec.process` in the namespaces of process `pid`, which is the container's first one.
pub fn exec(spec: &Spec, pid: i32, preserve_fds: u32) -> Result<Plan> {
    let linux = spec.linux().as_ref().ok_or_else(|| missing("linux"))?;
    let process = spec.process().as_ref().ok_or_else(|| missing("process"))?;
    let terminal = process.terminal().unwrap_or(false);
    let joins: Vec<Join> = NAMESPACES.iter().filter_map(|(name, kind)| join(pid, name, *kind)).collect();
    let own_user = !joins.iter().any(|join| join.kind == CloneFlags::CLONE_NEWUSER);
    let surrounding = own_user.then(userns::surrounding);
    let mut spec = spec.clone();
    spec.set_hooks(None);
    let rootfs = Rootfs::Directory(PathBuf::from("/"));
    let input = super::Input {
        spec: &spec,
        rootfs: &rootfs,
        userns: None,
        bundle: None,
        keyring: false,
        init: false,
        opened: false,
        preserve_fds,
    };
    let setgroups = surrounding.as_ref().is_none_or(|own| own.setgroups_allowed);
    let mut builder = Builder::new(&input, linux, surrounding.map(|own| own.maps), setgroups);
    if terminal {
        builder.push(Phase::Mapped, Op::Terminal { devpts: None, console: None });
        builder.console_size();
    }
    builder.process(process)?;
    let affinity = Affinity::of(process)?;
    let groups = builder.setgroups && setgroups_of(pid);
    let mut ops = vec![Op::AwaitMaps, Op::BecomeRoot { uid: 0, gid: 0, groups, dumpable: false }];
    // In the container's control group since its maps were said to be written.
    ops.extend(affinity.last.map(|processors| Op::Setting(Setting::Affinity(processors))));
    ops.extend(builder.mapped);
    ops.extend(builder.last);
    let own_proc = super::take_own_proc(&mut ops);
    Ok(Plan {
        ops,
        slots: builder.slots,
        namespaces: CloneFlags::empty(),
        joins,
        hidden: true,
        own_proc,
        affinity: affinity.initial,
        proc: None,
        agent: builder.agent,
        mapped_binds: Vec::new(),
        rootfs: rootfs.clone(),
        preserve_fds,
        keeps_ids: false,
        terminal,
    })
}

/// The processors of a process at first, and once it is in the container's control group.
struct Affinity {
    initial: Option<NumberSet>,
    last: Option<NumberSet>,
}

impl Affinity {
    fn of(process: &Process) -> Result<Self> {
        let affinity = process.exec_cpu_affinity().as_ref();
        let parse = |list: Option<&String>| {
            list.filter(|list| !list.is_empty()).map(|list| NumberSet::parse(list)).transpose()
        };
        Ok(Self {
            initial: parse(affinity.and_then(|affinity| affinity.initial().as_ref()))?,
            last: parse(affinity.and_then(|affinity| affinity.cpu_affinity_final().as_ref()))?,
        })
    }
}

/// A namespace of `pid` that is not the caller's own.
fn join(pid: i32, name: &str, kind: CloneFlags) -> Option<Join> {
    let inode = |path: &str| std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    let path = format!("/proc/{pid}/ns/{name}");
    let theirs = inode(&path)?;
    (Some(theirs) != inode(&format!("/proc/self/ns/{name}"))).then(|| Join {
        kind,
        field: format!("the container's {name} namespace"),
        path: path.into(),
    })
}

/// Whether setgroups(2) works in the user namespace of `pid`.
fn setgroups_of(pid: i32) -> bool {
    !std::fs::read(format!("/proc/{pid}/setgroups")).unwrap_or_default().starts_with(b"deny")
}
