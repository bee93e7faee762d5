//! What each operation attempts, in words.

use std::ffi::CStr;

use super::op::{Op, Setting};

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
            Self::CgroupNamespace => "cannot make a namespace of control groups".into(),
            Self::BecomeRoot { .. } => "cannot become root of the user namespace".into(),
            Self::AttachRoot { .. } => "cannot attach the root file system".into(),
            Self::Attach { target, .. } => format!("cannot mount onto {target}"),
            Self::CopyUp { target, .. } => format!("cannot copy the content of {target}"),
            Self::Directory { target, .. } => format!("cannot create directory {target}"),
            Self::Symlink { directory, name, .. } => {
                format!("cannot create symbolic link {directory}/{}", text(name))
            }
            Self::Terminal { .. } => "cannot open a terminal in the container".into(),
            Self::Mask { target, .. } => format!("cannot mask {target}"),
            Self::ReadOnly { target } => format!("cannot make {target} read-only"),
            Self::ReadOnlyRoot => "cannot make the root file system read-only".into(),
            Self::Sysctl { target, .. } => format!("cannot set {target}"),
            Self::Pivot => "cannot make the root file system the root directory".into(),
            Self::Change { field, .. } => format!("cannot set the attributes of {field}"),
            Self::Remount { target, .. } => format!("cannot remount {target}"),
            other => other.describe_process(),
        }
    }

    /// Those that are about the process and its namespaces.
    fn describe_process(&self) -> String {
        let text = |s: &CStr| s.to_string_lossy().into_owned();
        match self {
            Self::Hostname(_) => "cannot set the host name".into(),
            Self::Domainname(_) => "cannot set the domain name".into(),
            Self::Loopback => "cannot bring up the loopback interface".into(),
            Self::Rlimit { resource, .. } => {
                format!("cannot set the limit {}", crate::sys::limits::name(*resource))
            }
            Self::OwnProc { file, value, .. } => {
                format!("cannot write {:?} to /proc/{}", String::from_utf8_lossy(value), text(file))
            }
            Self::ConsoleSize { .. } => "cannot set the size of the terminal (process.consoleSize)".into(),
            Self::TimeNamespace { .. } => "cannot make a time namespace (linux.timeOffsets)".into(),
            Self::Setting(setting) => setting.describe().into(),
            Self::Device(device) => format!(
                "cannot make device {}:{} at {} (linux.devices)",
                rustix::fs::major(device.number),
                rustix::fs::minor(device.number),
                device.target
            ),
            Self::RootPropagation(_) => {
                "cannot set the propagation of the root (linux.rootfsPropagation)".into()
            }
            Self::Keyring => "cannot make a session keyring".into(),
            Self::RuntimeHooks => "lost the parent process while it ran the hooks".into(),
            Self::Hook(hook) => format!("{} failed ({})", hook.name, text(&hook.program)),
            Self::Session => "cannot start a session".into(),
            Self::OwnStdio { .. } => "cannot hand the standard streams to the container's user".into(),
            Self::Umask(_) => "cannot set the umask".into(),
            Self::Seccomp(_) => "cannot install the seccomp filter".into(),
            Self::Reap { .. } => "cannot split off the payload from the init process".into(),
            Self::Bound { .. } => "cannot limit the capability bounding set".into(),
            Self::Identity(id) => format!("cannot become user {}:{} of the container", id.uid, id.gid),
            Self::NoProcess => "cannot start a container whose config.json has no process".into(),
            Self::CloseRest => "cannot have descriptors closed".into(),
            Self::NoNewPrivileges => "cannot set no_new_privs".into(),
            Self::Chdir(path) => format!("cannot change to working directory {}", text(path)),
            Self::FindProgram { shown, .. } | Self::Exec { shown, .. } => {
                format!("cannot run {shown:?} in the container")
            }
            _ => "cannot set the container up".into(),
        }
    }
}

impl Setting {
    fn describe(&self) -> &'static str {
        match self {
            Self::Scheduler(_) => "cannot set the scheduling policy (process.scheduler)",
            Self::IoPriority { .. } => "cannot set the I/O priority (process.ioPriority)",
            Self::Personality(_) => "cannot set the execution domain (linux.personality)",
            Self::Affinity(_) => "cannot set the processors to run on (process.execCPUAffinity.final)",
            Self::MemoryPolicy { .. } => "cannot set the memory policy (linux.memoryPolicy)",
        }
    }
}
