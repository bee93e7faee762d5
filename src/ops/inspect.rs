//! `inspect`: everything about a container, with podman's keys.

use serde_json::{Value, json};

use super::Session;
use crate::container::{self, Container, Phase};
use crate::error::{Context, Result};
use crate::runtime::cgroup::Cgroup;
use crate::spec::value::{ByteSize, CapabilityName, Cpus};

/// The container that `text` means, as podman's `container inspect` shows it.
pub fn container(session: &Session, text: &str) -> Result<Value> {
    let container = container::find(&session.store, text)?;
    describe(&container)
}

fn describe(container: &Container) -> Result<Value> {
    let (record, state) = (&container.record, &container.state);
    let path = container.directory.file("config.json");
    let bytes = std::fs::read(&path).context(|| format!("cannot read {}", path.display()))?;
    let spec: Value = serde_json::from_slice(&bytes).context(|| format!("cannot read {}", path.display()))?;
    let capabilities = |set: &str| spec["process"]["capabilities"][set].clone();
    let file = |name: &str| container.directory.file(name);
    Ok(json!({
        "Id": record.id,
        "Created": record.created,
        "Path": record.command.first(),
        "Args": record.command.get(1..).unwrap_or_default(),
        "State": state_of(container, &spec),
        "Image": record.image_id,
        "ImageDigest": record.image_digest,
        "ImageName": record.image,
        "Rootfs": spec["root"]["path"],
        "ResolvConfPath": file("resolv.conf"),
        "HostnamePath": file("hostname"),
        "HostsPath": file("hosts"),
        "StaticDir": container.directory.path(),
        "OCIConfigPath": path,
        "OCIRuntime": "rcon",
        "Name": record.name,
        "RestartCount": 0,
        "Driver": record.rootfs,
        "MountLabel": "",
        "ProcessLabel": "",
        "EffectiveCaps": capabilities("effective"),
        "BoundingCaps": capabilities("bounding"),
        "ExecIDs": [],
        "GraphDriver": { "Name": record.rootfs, "Data": {
            "MergedDir": file("rootfs"), "UpperDir": file("upper"), "WorkDir": file("work") } },
        "Mounts": mounts(container, &spec),
        "NetworkSettings": record.network,
        "Namespace": "",
        "IsInfra": false,
        "IsService": false,
        "Config": config_of(container, &spec),
        "HostConfig": host_config_of(container, &spec),
        "LogPath": container.directory.log(),
        "Pid": state.pid.unwrap_or(0),
    }))
}

fn state_of(container: &Container, spec: &Value) -> Value {
    const NEVER: &str = "0001-01-01T00:00:00Z";
    let state = &container.state;
    json!({
        "OciVersion": spec["ociVersion"],
        "Status": state.phase.name(),
        "Running": state.phase == Phase::Running,
        "Paused": false,
        "Restarting": false,
        "OOMKilled": state.oom_killed || state.cgroup.as_ref().is_some_and(|group| group.oom_kills() > 0),
        "Dead": false,
        "Pid": state.pid.unwrap_or(0),
        "ConmonPid": state.monitor.unwrap_or(0),
        "ExitCode": state.exit_code.unwrap_or(0),
        "Error": state.error.clone().unwrap_or_default(),
        "CgroupPath": state.cgroup.as_ref().map(Cgroup::path),
        "StartedAt": state.started.as_deref().unwrap_or(NEVER),
        "FinishedAt": state.finished.as_deref().unwrap_or(NEVER),
    })
}

fn config_of(container: &Container, spec: &Value) -> Value {
    let record = &container.record;
    let process = &record.request.process;
    json!({
        "Hostname": spec["hostname"],
        "User": process.user.as_ref().map(ToString::to_string).unwrap_or_default(),
        "AttachStdin": process.interactive,
        "AttachStdout": true,
        "AttachStderr": true,
        "Tty": process.tty,
        "OpenStdin": process.interactive,
        "Env": spec["process"]["env"],
        "Cmd": record.command,
        "Image": record.image,
        "WorkingDir": spec["process"]["cwd"],
        "Labels": record.labels,
        "Annotations": spec["annotations"],
        "StopSignal": record.stop_signal,
        "StopTimeout": record.stop_timeout,
        "Umask": format!("{:04o}", spec["process"]["user"]["umask"].as_u64().unwrap_or(0o022)),
    })
}

fn host_config_of(container: &Container, spec: &Value) -> Value {
    let record = &container.record;
    let mut config = json!({
        "AutoRemove": record.remove,
        "Annotations": spec["annotations"],
        "NetworkMode": if record.network_mode.is_empty() { "pasta" } else { record.network_mode.as_str() },
        "PortBindings": record.network.ports,
        "ReadonlyRootfs": record.request.filesystem.read_only,
        "CapAdd": record.request.security.cap_add.iter().map(CapabilityName::as_str).collect::<Vec<_>>(),
        "CapDrop": record.request.security.cap_drop.iter().map(CapabilityName::as_str).collect::<Vec<_>>(),
        "UsernsMode": record.request.user_namespace.mode.clone().unwrap_or_default(),
        "IDMappings": record.maps,
        "Init": record.request.lifecycle.init.unwrap_or(false),
        "LogConfig": { "Type": "k8s-file", "Path": container.directory.log() },
        "ShmSize": record.request.filesystem.shm_size.map_or(64 << 20, ByteSize::bytes),
    });
    if let (Value::Object(config), Value::Object(limits)) = (&mut config, limits_of(container, spec)) {
        config.extend(limits);
    }
    config
}

/// The control group and what it limits; 0 where nothing does.
fn limits_of(container: &Container, spec: &Value) -> Value {
    let asked = &container.record.request.resources;
    let resources = &spec["linux"]["resources"];
    let limit = |group: &str, name: &str| resources[group][name].as_i64().unwrap_or(0);
    let namespaces = spec["linux"]["namespaces"].as_array();
    let private = namespaces.into_iter().flatten().any(|namespace| namespace["type"] == "cgroup");
    json!({
        "CgroupMode": if private { "private" } else { "host" },
        "CgroupParent": asked.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        "Cgroups": asked.mode.unwrap_or_default().name(),
        "CgroupConf": resources["unified"],
        "Memory": limit("memory", "limit"),
        "MemorySwap": limit("memory", "swap"),
        "MemoryReservation": limit("memory", "reservation"),
        "NanoCpus": asked.cpus.map_or(0, Cpus::nanos),
        "CpuShares": limit("cpu", "shares"),
        "CpuQuota": limit("cpu", "quota"),
        "CpuPeriod": limit("cpu", "period"),
        "CpusetCpus": resources["cpu"]["cpus"].as_str().unwrap_or_default(),
        "CpusetMems": resources["cpu"]["mems"].as_str().unwrap_or_default(),
        "PidsLimit": limit("pids", "limit"),
        "BlkioWeight": limit("blockIO", "weight"),
    })
}

/// The binds and volumes: what a person asked for, not what every container has.
fn mounts(container: &Container, spec: &Value) -> Vec<Value> {
    let record = &container.record;
    let own = container.directory.path();
    let mounts = spec["mounts"].as_array().cloned().unwrap_or_default();
    let asked = mounts.into_iter().filter(|mount| {
        let source = mount["source"].as_str().unwrap_or_default();
        mount["type"] == "bind" && !std::path::Path::new(source).starts_with(own)
    });
    asked
        .map(|mount| {
            let destination = mount["destination"].as_str().unwrap_or_default();
            let options = mount["options"].as_array().cloned().unwrap_or_default();
            let volume = record.volumes.get(std::path::Path::new(destination));
            json!({
                "Type": if volume.is_some() { "volume" } else { "bind" },
                "Name": volume,
                "Source": mount["source"],
                "Destination": destination,
                "Driver": if volume.is_some() { "local" } else { "" },
                "Mode": "",
                "Options": options,
                "RW": !options.contains(&Value::from("ro")),
                "Propagation": "rprivate",
            })
        })
        .collect()
}
