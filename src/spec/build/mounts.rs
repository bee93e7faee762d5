//! Every mount of the container, parents before children.

use std::path::{Path, PathBuf};

use oci_spec::runtime::Mount as OciMount;

use super::{Inputs, NamespacePlace, NetworkNamespace, cgroup_namespace, read_only, systemd, volumes};
use crate::error::{Error, Kind, Result};
use crate::spec::request::Request;
use crate::spec::value::{ByteSize, CgroupNamespace, Device, Mount, Propagation, Source, TmpfsOptions};

const DEFAULT_SHM: ByteSize = ByteSize::new(64 << 20);

/// The standard mounts, the files of the host, the devices and what was asked for. What was asked for replaces
/// what is standard at the same place, and a mount on /dev all that is standard below it.
pub(super) fn all(request: &Request, inputs: &Inputs<'_>) -> Result<Vec<OciMount>> {
    let mut asked = Vec::new();
    for mount in volumes::mounts(request, inputs.image, inputs.settings)? {
        asked.push(of_request(&mount, inputs)?);
    }
    let asked_own = asked.iter().any(|mount| mount.destination() == Path::new("/dev"));
    if !(asked_own && request.security.privileged) {
        asked.extend(inputs.devices.iter().map(of_device));
    }
    let own_dev = asked.iter().any(|mount| mount.destination() == Path::new("/dev"));
    let replaced = |place: &Path| {
        asked.iter().any(|mount| mount.destination() == place) || (own_dev && place.starts_with("/dev"))
    };
    let mut all = standard(request, inputs);
    if read_only(request, inputs.settings) && request.filesystem.read_only_tmpfs {
        all.extend(["/run", "/tmp", "/var/tmp"].map(writable_tmpfs));
    }
    if systemd::wanted(request, inputs.image) {
        let taken: Vec<PathBuf> = all.iter().map(|mount| mount.destination().clone()).collect();
        all.extend(systemd::mounts().filter(|mount| !taken.contains(mount.destination())));
    }
    all.extend(files(request, inputs));
    all.retain(|mount| !replaced(mount.destination()));
    all.append(&mut asked);
    // Stable: mounts of one depth stay in the order above.
    all.sort_by_key(|mount| mount.destination().components().count());
    Ok(all)
}

pub(super) fn make(
    destination: impl Into<PathBuf>,
    kind: &str,
    source: impl Into<PathBuf>,
    options: &[&str],
) -> OciMount {
    let mut mount = OciMount::default();
    mount
        .set_destination(destination.into())
        .set_typ(Some(kind.to_owned()))
        .set_source(Some(source.into()))
        .set_options(Some(options.iter().map(|option| (*option).to_owned()).collect()));
    mount
}

/// /proc, /dev, /sys and what is below them.
fn standard(request: &Request, inputs: &Inputs<'_>) -> Vec<OciMount> {
    let mut pts = vec!["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
    // The tty group of every distribution; the kernel refuses an id that is not mapped.
    if inputs.maps.is_none_or(|maps| maps.gid_outside(5).is_some()) {
        pts.push("gid=5");
    }
    let access = if request.security.privileged { "rw" } else { "ro" };
    let sys = match inputs.network {
        NetworkNamespace::Private => make("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", access]),
        // sysfs shows the network namespace of its mounter, which must own it.
        NetworkNamespace::Host => {
            make("/sys", "bind", "/sys", &["rprivate", "nosuid", "noexec", "nodev", access, "rbind"])
        }
    };
    let mut mounts = vec![
        proc(request, inputs),
        make("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        sys,
        make("/dev/pts", "devpts", "devpts", &pts),
    ];
    mounts.extend(ipc(request, inputs));
    mounts.push(cgroup(request, inputs));
    mounts
}

/// The tree of control groups: read-only, but for who may do everything and for systemd.
fn cgroup(request: &Request, inputs: &Inputs<'_>) -> OciMount {
    let access = if request.security.privileged { "rw" } else { "ro" };
    match cgroup_namespace(request, inputs.settings) {
        _ if systemd::wanted(request, inputs.image) => {
            make("/sys/fs/cgroup", "cgroup", "cgroup", &["private", "rw"])
        }
        CgroupNamespace::Private => make(
            "/sys/fs/cgroup",
            "cgroup",
            "cgroup",
            &["rprivate", "nosuid", "noexec", "nodev", "relatime", access],
        ),
        // The kernel lets only the namespace's owner mount it.
        CgroupNamespace::Host => make(
            "/sys/fs/cgroup",
            "bind",
            "/sys/fs/cgroup",
            &["rprivate", "nosuid", "noexec", "nodev", access, "rbind"],
        ),
    }
}

/// A procfs shows the pid namespace of its mounter, which must own it: the host's can only be bound.
fn proc(request: &Request, inputs: &Inputs<'_>) -> OciMount {
    if inputs.placement.pid == NamespacePlace::Host {
        return make("/proc", "bind", "/proc", &["rbind", "nosuid", "noexec", "nodev", "rw", "rprivate"]);
    }
    let mut options = vec!["nosuid", "noexec", "nodev"];
    options.extend(request.security.options.proc_options.iter().map(String::as_str));
    make("/proc", "proc", "proc", &options)
}

/// Message queues and shared memory: the container's own, or the host's.
fn ipc(request: &Request, inputs: &Inputs<'_>) -> Vec<OciMount> {
    let mut mounts = Vec::new();
    let shm = request.namespaces.ipc.shm;
    if inputs.placement.ipc == NamespacePlace::Host {
        if inputs.host.mqueue {
            let options = ["bind", "nosuid", "noexec", "nodev", "rw", "private"];
            mounts.push(make("/dev/mqueue", "bind", "/dev/mqueue", &options));
        }
        let options = ["bind", "rprivate", "nosuid", "noexec", "nodev"];
        mounts.extend(shm.then(|| make("/dev/shm", "bind", "/dev/shm", &options)));
        return mounts;
    }
    let size = request.filesystem.shm_size.or(inputs.settings.shm_size).unwrap_or(DEFAULT_SHM);
    let size = format!("size={}", size.bytes());
    let mut options = vec!["nosuid", "noexec", "nodev", "mode=1777", &size];
    if read_only(request, inputs.settings) && !request.filesystem.read_only_tmpfs {
        options.push("ro");
    }
    mounts.push(make("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]));
    mounts.extend(shm.then(|| make("/dev/shm", "tmpfs", "shm", &options)));
    mounts
}

fn writable_tmpfs(destination: &str) -> OciMount {
    make(destination, "tmpfs", "tmpfs", &["rw", "rprivate", "nosuid", "nodev", "tmpcopyup"])
}

/// The files of the host that stand for the container's own.
fn files(request: &Request, inputs: &Inputs<'_>) -> Vec<OciMount> {
    let files = &inputs.files;
    let mut options = vec!["bind", "rprivate"];
    if read_only(request, inputs.settings) {
        options.extend(["ro", "nosuid", "noexec", "nodev"]);
    }
    [
        ("/run/.containerenv", &files.containerenv),
        ("/etc/hostname", &files.hostname),
        ("/etc/hosts", &files.hosts),
        ("/etc/resolv.conf", &files.resolv_conf),
        ("/etc/passwd", &files.passwd),
        ("/etc/group", &files.group),
        ("/etc/localtime", &files.localtime),
    ]
    .into_iter()
    .filter_map(|(place, file)| Some(make(place, "bind", file.as_ref()?, &options)))
    .collect()
}

/// A device is its host's node: a user namespace cannot make one that works.
fn of_device(device: &Device) -> OciMount {
    let access = if device.access.write { "rw" } else { "ro" };
    make(&device.destination, "bind", &device.source, &["slave", "nosuid", "noexec", access, "rbind"])
}

fn of_request(mount: &Mount, inputs: &Inputs<'_>) -> Result<OciMount> {
    let destination = mount.destination.as_path();
    Ok(match &mount.source {
        Source::Bind(path) => {
            // Without the dots of `./x`; `..` stays, since links decide where it leads.
            let path: PathBuf = inputs.host.working_dir.join(path).components().collect();
            make(destination, "bind", path, &words(&bind_options(mount, false)))
        }
        Source::Volume(_) | Source::AnonymousVolume => {
            let directory = inputs.volumes.get(destination).ok_or_else(|| {
                Error::new(
                    Kind::System,
                    format!("no directory was made for the volume at {}", destination.display()),
                )
            })?;
            make(destination, "bind", directory, &words(&bind_options(mount, true)))
        }
        Source::Tmpfs(tmpfs) => make(destination, "tmpfs", "tmpfs", &words(&tmpfs_options(mount, tmpfs))),
        Source::Devpts => make(
            destination,
            "devpts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        ),
    })
}

fn words(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

/// What every mount says of access: `Some` as asked, else `default` (`None`: nothing).
fn access(mount: &Mount, hardened: bool) -> Vec<String> {
    let asked = &mount.options;
    let switch = |value: Option<bool>, name: &str| {
        let default = hardened.then(|| format!("no{name}"));
        match value {
            Some(true) => Some(name.to_owned()),
            Some(false) => Some(format!("no{name}")),
            None => default,
        }
    };
    let exec = asked.exec.map(|exec| if exec { "exec" } else { "noexec" }.to_owned());
    let read_only = if asked.read_only == Some(true) { "ro" } else { "rw" }.to_owned();
    let atime = asked.no_atime.then(|| "noatime".to_owned());
    [Some(read_only), switch(asked.suid, "suid"), switch(asked.dev, "dev"), exec, atime]
        .into_iter()
        .flatten()
        .collect()
}

/// Podman's: `rprivate` and `rbind`; volumes without setuid and devices unless asked otherwise.
fn bind_options(mount: &Mount, volume: bool) -> Vec<String> {
    let mut options = access(mount, volume);
    let propagation = mount.options.propagation.unwrap_or(Propagation::RecursivePrivate);
    options.push(propagation.name().to_owned());
    options.push(if mount.options.recursive == Some(false) { "bind" } else { "rbind" }.to_owned());
    options
}

/// Podman's: no setuid, no devices; filled with what the image has there.
fn tmpfs_options(mount: &Mount, tmpfs: &TmpfsOptions) -> Vec<String> {
    let mut options = access(mount, true);
    options.push("rprivate".to_owned());
    options.extend(tmpfs.size.map(|size| format!("size={size}")));
    options.extend(tmpfs.mode.map(|mode| format!("mode={mode:o}")));
    options.extend(tmpfs.uid.map(|uid| format!("uid={uid}")));
    options.extend(tmpfs.gid.map(|gid| format!("gid={gid}")));
    options.extend(tmpfs.inodes.map(|inodes| format!("nr_inodes={inodes}")));
    if mount.options.copy_up != Some(false) {
        options.push("tmpcopyup".to_owned());
    }
    options
}
