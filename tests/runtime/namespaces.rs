//! config-linux.md, "Namespaces", "User namespace mappings" and "Offset for Time Namespace".

use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::rig::{Bundle, deviates, eventually, needs};

/// (the name in config.json, the name below /proc/PID/ns)
const ALL: [(&str, &str); 7] = [
    ("pid", "pid"),
    ("network", "net"),
    ("mount", "mnt"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("user", "user"),
    ("cgroup", "cgroup"),
];

fn own(file: &str) -> String {
    std::fs::read_link(format!("/proc/self/ns/{file}")).unwrap().to_str().unwrap().to_owned()
}

fn shown(file: &str) -> Bundle {
    Bundle::of(&["readlink", &format!("/proc/self/ns/{file}")])
}

/// "If path is not specified, the runtime MUST create a new container namespace of type type."
#[test]
fn listed_namespaces_are_new() {
    needs!(bundles);
    for (name, file) in ALL {
        if name == "user" && nix::unistd::geteuid().is_root() {
            continue;
        }
        let inside = shown(file).with_namespace(name, None).says();
        assert!(inside.starts_with(file), "{inside}");
        assert_ne!(inside.trim(), own(file), "{name}");
    }
}

/// "If a namespace type is not specified in the namespaces array, the container MUST inherit the runtime namespace".
#[test]
fn others_are_inherited() {
    needs!(bundles);
    for (name, file) in [("ipc", "ipc"), ("cgroup", "cgroup"), ("uts", "uts")] {
        let mut bundle = shown(file).without_namespace(name);
        bundle.config.as_object_mut().unwrap().remove("hostname");
        if name == "ipc" {
            // A message queue file system is one of the namespace's, which belongs to the host here.
            bundle.config["mounts"]
                .as_array_mut()
                .unwrap()
                .retain(|mount| mount["destination"] != "/dev/mqueue");
        }
        assert_eq!(bundle.says().trim(), own(file), "{name}");
    }
}

#[test]
fn the_network_is_inherited() {
    needs!(bundles);
    let mut bundle = shown("net").without_namespace("network");
    // sysfs belongs to the network namespace, which is not the container's.
    bundle.config["mounts"].as_array_mut().unwrap().retain(|mount| mount["destination"] != "/sys");
    bundle.config["linux"]["maskedPaths"] = json!([]);
    assert_eq!(bundle.says().trim(), own("net"));
}

#[test]
fn the_pid_namespace_is_inherited() {
    needs!(bundles);
    let mut bundle = Bundle::sh("readlink /proc/self/ns/pid; test $$ -ne 1 && echo not the first")
        .without_namespace("pid");
    // proc belongs to the pid namespace, so a user can only bind it.
    let proc = json!({ "destination": "/proc", "source": "/proc", "options": ["rbind"] });
    bundle.config["mounts"][0] = proc;
    bundle.config["linux"]["maskedPaths"] = json!([]);
    bundle.config["linux"]["readonlyPaths"] = json!([]);
    assert_eq!(bundle.says(), format!("{}\nnot the first\n", own("pid")));
}

/// A process that holds namespaces of its own.
struct Holder(Child);

impl Holder {
    /// Like `unshare`, with these options.
    fn unshare(options: &[&str]) -> Self {
        let root = nix::unistd::geteuid().is_root();
        let user: &[&str] = if root { &[] } else { &["--user", "--map-root-user"] };
        let mut command = Command::new("/usr/bin/unshare");
        command.args(user).args(options).args(["sleep", "1000"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let holder = Self(command.spawn().unwrap());
        let line = format!("/proc/{}/cmdline", holder.0.id());
        eventually("the holder has its namespaces", || {
            std::fs::read_to_string(&line).is_ok_and(|line| line.starts_with("sleep"))
        });
        holder
    }

    fn path(&self, file: &str) -> String {
        format!("/proc/{}/ns/{file}", self.0.id())
    }

    fn link(&self, file: &str) -> String {
        std::fs::read_link(self.path(file)).unwrap().to_str().unwrap().to_owned()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A bundle that joins the holder's user namespace, where there is one: it owns the others.
fn joining(holder: &Holder, bundle: Bundle, names: &[(&str, &str)]) -> Bundle {
    let mut bundle = bundle;
    if !nix::unistd::geteuid().is_root() {
        bundle = bundle.with_namespace("user", Some(&holder.path("user")));
        let linux = bundle.config["linux"].as_object_mut().unwrap();
        linux.remove("uidMappings");
        linux.remove("gidMappings");
    }
    names.iter().fold(bundle, |bundle, (name, file)| bundle.with_namespace(name, Some(&holder.path(file))))
}

/// "The runtime MUST place the container process in the namespace associated with that path."
#[test]
fn namespaces_by_path() {
    needs!(bundles);
    let holder = Holder::unshare(&["--net", "--ipc", "--uts", "--cgroup"]);
    for (name, file) in [("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("cgroup", "cgroup")] {
        let inside = joining(&holder, shown(file), &[(name, file)]).says();
        assert_eq!(inside.trim(), holder.link(file), "{name}");
    }
}

#[test]
fn all_of_them_by_path_at_once() {
    needs!(bundles);
    let holder = Holder::unshare(&["--net", "--ipc", "--uts"]);
    let script = "for n in net ipc uts; do readlink /proc/self/ns/$n; done; hostname";
    let names = [("network", "net"), ("ipc", "ipc"), ("uts", "uts")];
    let printed = joining(&holder, Bundle::sh(script), &names).says();
    let expected = ["net", "ipc", "uts"].map(|file| format!("{}\n", holder.link(file))).concat();
    assert_eq!(printed, format!("{expected}conformance\n"), "the hostname is set in the joined namespace");
}

#[test]
fn a_user_namespace_by_path() {
    needs!(bundles, user);
    let holder = Holder::unshare(&["--net"]);
    let bundle = joining(&holder, Bundle::sh("readlink /proc/self/ns/user; id -u"), &[]);
    assert_eq!(bundle.says(), format!("{}\n0\n", holder.link("user")));
}

#[test]
fn the_pid_namespace_of_another_container() {
    needs!(bundles);
    if !nix::unistd::geteuid().is_root() {
        deviates!("crun", "cannot join it together with the user namespace that owns it");
    }
    let first = Bundle::sleeping().running();
    let pid = first.pid();
    let path = |file: &str| format!("/proc/{pid}/ns/{file}");
    let mut bundle = Bundle::sh("test $$ -ne 1 && ps | grep -c 'sleep 1000'; readlink /proc/self/ns/pid")
        .with_namespace("pid", Some(&path("pid")));
    if !nix::unistd::geteuid().is_root() {
        bundle = bundle.with_namespace("user", Some(&path("user")));
        let linux = bundle.config["linux"].as_object_mut().unwrap();
        linux.remove("uidMappings");
        linux.remove("gidMappings");
    }
    let printed = bundle.says();
    let link = std::fs::read_link(path("pid")).unwrap();
    assert!(printed.ends_with(&format!("{}\n", link.display())), "{printed}");
    assert!(printed.lines().count() == 2 && !printed.starts_with('0'), "{printed}");
    assert_eq!(first.status(), "running");
}

/// "MUST generate an error if path is not associated with a namespace of type type."
#[test]
fn paths_of_the_wrong_type_are_refused() {
    needs!(bundles);
    let holder = Holder::unshare(&["--net", "--ipc", "--uts"]);
    for (name, file) in [("network", "uts"), ("ipc", "net"), ("uts", "ipc"), ("pid", "net")] {
        joining(&holder, Bundle::new(), &[(name, file)]).is_refused();
    }
}

#[test]
fn paths_of_no_namespace_are_refused() {
    needs!(bundles);
    for path in ["/no/such/namespace", "/etc/passwd", "/proc", "/proc/self/exe"] {
        Bundle::new().with_namespace("network", Some(path)).is_refused();
    }
}

/// "This value MUST be an absolute path"
#[test]
fn relative_paths_are_refused() {
    needs!(bundles);
    let holder = Holder::unshare(&["--net"]);
    let mut bundle = joining(&holder, Bundle::new(), &[]);
    std::os::unix::fs::symlink(holder.path("net"), bundle.path("net")).unwrap();
    bundle = bundle.with_namespace("network", Some("net"));
    deviates!("crun", "takes it as relative to its working directory");
    bundle.is_refused();
}

/// "If a namespaces field contains duplicated namespaces with same type, the runtime MUST generate an error."
#[test]
fn duplicates_are_refused() {
    needs!(bundles);
    for (name, _) in ALL.iter().filter(|(name, _)| *name != "user" && *name != "cgroup") {
        let bundle = Bundle::new().with(|config| {
            config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": name }));
        });
        bundle.is_refused();
    }
}

#[test]
fn types_that_do_not_exist_are_refused() {
    needs!(bundles);
    for name in ["nonsense", "", "net", "Pid"] {
        Bundle::new().with_namespace(name, None).is_refused();
    }
    let bundle = Bundle::new().with(|config| {
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({}));
    });
    bundle.is_refused();
}

/// A new network namespace has nothing but its loopback, and that is up.
#[test]
fn the_loopback_of_a_new_network_is_up() {
    needs!(bundles);
    let printed = Bundle::sh(
        "ip link | grep -c ' lo:'; ip link | grep -c ':.*: '; ip addr show lo | grep -o 127.0.0.1/8",
    )
    .says();
    assert_eq!(printed, "1\n1\n127.0.0.1/8\n");
}

#[test]
fn maps_of_ids() {
    needs!(bundles, subordinate_ids, user);
    let bundle = Bundle::sh("cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '").with_subordinate_ids();
    let expected: String = ["uidMappings", "gidMappings"]
        .iter()
        .flat_map(|name| bundle.config["linux"][*name].as_array().unwrap().clone())
        .map(|map| format!(" {} {} {}\n", map["containerID"], map["hostID"], map["size"]))
        .collect();
    assert_eq!(bundle.says(), expected);
}

/// "The runtime SHOULD NOT modify the ownership of referenced filesystems to realize the mapping."
#[test]
fn owners_of_files_stay() {
    needs!(bundles, subordinate_ids);
    use std::os::unix::fs::MetadataExt;
    let bundle = Bundle::sh(
        "chown 5:6 /tmp/theirs; touch /tmp/theirs; chown 5:6 /tmp/theirs; stat -c %u:%g /tmp/theirs",
    )
    .with_subordinate_ids();
    let before = std::fs::metadata(bundle.path("rootfs/etc/passwd")).unwrap();
    assert!(bundle.says().ends_with("5:6\n"));
    let after = std::fs::metadata(bundle.path("rootfs/etc/passwd")).unwrap();
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    if !nix::unistd::geteuid().is_root() {
        let start = bundle.config["linux"]["uidMappings"][1]["hostID"].as_u64().unwrap();
        let theirs = std::fs::metadata(bundle.path("rootfs/tmp/theirs")).unwrap();
        assert_eq!(u64::from(theirs.uid()), start + 4);
    }
}

#[test]
fn ids_that_were_not_granted_are_refused() {
    needs!(bundles, user);
    let map = json!([{ "containerID": 0, "hostID": 0, "size": 10 }]);
    Bundle::new().with(|config| config["linux"]["uidMappings"] = map.clone()).is_refused();
    Bundle::new().with(|config| config["linux"]["gidMappings"] = map).is_refused();
}

/// What root of the host asks for: another user's ids.
#[test]
fn root_can_map_any_ids() {
    needs!(bundles, root);
    let map = json!([{ "containerID": 0, "hostID": 200_000, "size": 1000 }]);
    let bundle =
        Bundle::sh("tr -s ' ' </proc/self/uid_map; id -u").with_namespace("user", None).with(|config| {
            config["linux"]["uidMappings"] = map.clone();
            config["linux"]["gidMappings"] = map;
        });
    assert_eq!(bundle.says(), " 0 200000 1000\n0\n");
}

/// "is the offset of clock (in seconds) in the container"
#[test]
fn clocks_of_a_time_namespace() {
    needs!(bundles, time_namespaces);
    let offsets = json!({
        "monotonic": { "secs": 172_800, "nanosecs": 5 }, "boottime": { "secs": 604_800, "nanosecs": 0 },
    });
    let bundle = Bundle::sh(
        "tr -s ' ' </proc/self/timens_offsets; cut -d. -f1 /proc/uptime; readlink /proc/self/ns/time",
    )
    .with_namespace("time", None)
    .with(|config| config["linux"]["timeOffsets"] = offsets);
    let printed = bundle.says();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["monotonic", "172800", "5"], "{printed}");
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["boottime", "604800", "0"], "{printed}");
    assert!(lines[2].parse::<u64>().unwrap() >= 604_800, "{printed}");
    assert_ne!(lines[3], own("time"));
}

#[test]
fn offsets_of_clocks_without_a_time_namespace_are_refused() {
    needs!(bundles, time_namespaces);
    let offsets = json!({ "monotonic": { "secs": 1, "nanosecs": 0 } });
    Bundle::new().with(|config| config["linux"]["timeOffsets"] = offsets).is_refused();
}
