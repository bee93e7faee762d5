//! config-linux.md: "Default Filesystems", "Sysctl", "Masked Paths", "Readonly Paths", "Rootfs Mount Propagation",
//! "Personality".

use serde_json::{Value, json};

use crate::probe::ask;
use crate::rig::{Bundle, deviates, needs};

fn with(name: &str, value: Value, script: &str) -> Bundle {
    Bundle::sh(script).with(|config| config["linux"][name] = value)
}

#[test]
fn default_file_systems() {
    needs!(bundles);
    let script = "while read -r d p t rest; do echo $p $t; done </proc/self/mounts";
    let printed = Bundle::sh(script).says();
    for line in ["/proc proc", "/sys sysfs", "/dev/pts devpts", "/dev/shm tmpfs", "/dev tmpfs"] {
        assert!(printed.lines().any(|found| found == line), "{line} in {printed}");
    }
}

#[test]
fn kernel_parameters_of_the_namespaces() {
    needs!(bundles);
    let asked = json!({
        "net.ipv4.ip_forward": "1", "net.core.somaxconn": "256", "kernel.msgmax": "4096",
        "fs.mqueue.msg_max": "100", "net.ipv4.ping_group_range": "0 0",
    });
    let script = "cd /proc/sys; cat net/ipv4/ip_forward net/core/somaxconn kernel/msgmax fs/mqueue/msg_max; \
                  tr '\\t' ' ' <net/ipv4/ping_group_range";
    assert_eq!(with("sysctl", asked, script).says(), "1\n256\n4096\n100\n0 0\n");
}

/// A name may be written with slashes, as sysctl(8) allows: where a part of it has a dot.
#[test]
fn kernel_parameters_with_slashes() {
    needs!(bundles);
    let bundle = with("sysctl", json!({ "net/ipv4/ip_forward": "1" }), "cat /proc/sys/net/ipv4/ip_forward");
    deviates!("crun", "knows dots alone");
    assert_eq!(bundle.says(), "1\n");
}

/// What belongs to no namespace of the container's would be changed for the host.
#[test]
fn kernel_parameters_of_the_host_are_refused() {
    needs!(bundles);
    for name in ["vm.swappiness", "kernel.panic", "fs.file-max", "kernel.no_such_parameter", "net.no.such"] {
        with("sysctl", json!({ name: "1" }), "true").is_refused();
    }
    let bundle = with("sysctl", json!({ "net.ipv4.ip_forward": "1" }), "true").without_namespace("network");
    bundle.is_refused();
    let bundle = with("sysctl", json!({ "kernel.msgmax": "1" }), "true").without_namespace("ipc");
    bundle.is_refused();
    let bundle = with("sysctl", json!({ "../etc/passwd": "1" }), "true");
    bundle.is_refused();
}

/// "will mask over the provided paths inside the container so that they cannot be read"
#[test]
fn masked_paths() {
    needs!(bundles);
    let script = "cat /secret/file 2>/dev/null; ls -A /secret/dir 2>/dev/null; cat /secret/dir/file 2>/dev/null; \
                  echo x 2>/dev/null >/secret/dir/new && ls /secret/dir; cat /secret/open";
    let bundle = with("maskedPaths", json!(["/secret/file", "/secret/dir", "/no/such/path"]), script);
    bundle.write("rootfs/secret/file", "hidden\n");
    bundle.write("rootfs/secret/dir/file", "hidden\n");
    bundle.write("rootfs/secret/open", "seen\n");
    assert_eq!(bundle.says(), "seen\n");
    assert_eq!(bundle.read("rootfs/secret/file"), "hidden\n");
    assert!(!bundle.exists("rootfs/no"), "what does not exist needs no mask");
}

#[test]
fn a_masked_file_of_proc_is_empty() {
    needs!(bundles);
    let script = "wc -c </proc/timer_list; wc -c </proc/uptime; true";
    let bundle = with("maskedPaths", json!(["/proc/uptime"]), script);
    let printed = bundle.run().stdout;
    assert_eq!(printed.lines().last(), Some("0"), "{printed}");
}

/// Without CAP_SYS_ADMIN over the mount namespace's owner, as in a container, no mask can be lifted.
#[test]
fn masks_stay() {
    needs!(bundles);
    let bundle = with(
        "maskedPaths",
        json!(["/secret"]),
        "umount /secret 2>/dev/null; cat /secret/file 2>/dev/null; true",
    );
    bundle.write("rootfs/secret/file", "hidden\n");
    assert_eq!(bundle.says(), "");
}

/// "will set the provided paths as readonly inside the container"
#[test]
fn read_only_paths() {
    needs!(bundles);
    let script = "cat /kept/file; echo x 2>&1 >>/kept/file; touch /kept/new 2>&1; echo 1 2>&1 >/proc/sys/kernel/hostname; true";
    let paths = json!(["/kept", "/proc/sys", "/no/such/path"]);
    let bundle = with("readonlyPaths", paths, script);
    bundle.write("rootfs/kept/file", "content\n");
    let printed = bundle.says();
    assert!(printed.starts_with("content\n"), "{printed}");
    assert_eq!(printed.matches("Read-only file system").count(), 3, "{printed}");
    assert_eq!(bundle.read("rootfs/kept/file"), "content\n");
    assert!(!bundle.exists("rootfs/no"));
}

#[test]
fn a_single_file_can_be_read_only() {
    needs!(bundles);
    let bundle =
        with("readonlyPaths", json!(["/kept/file"]), "echo x 2>/dev/null >/kept/file; echo y >/kept/other");
    bundle.write("rootfs/kept/file", "content\n");
    bundle.run();
    assert_eq!(bundle.read("rootfs/kept/file"), "content\n");
    assert_eq!(bundle.read("rootfs/kept/other"), "y\n");
}

/// "The values MUST be absolute paths in the container namespace": a link does not lead out of it.
#[test]
fn masks_follow_no_link_out() {
    needs!(bundles);
    let bundle = with("maskedPaths", json!(["/link/file"]), "cat /link/file 2>/dev/null; echo end");
    bundle.write("outside/file", "of the host\n");
    std::os::unix::fs::symlink(bundle.path("outside"), bundle.path("rootfs/link")).unwrap();
    // There is no such path inside: nothing to mask, or an error.
    let output = bundle.run();
    assert!(output.code != 0 || output.stdout == "end\n", "{output}");
    assert_eq!(bundle.read("outside/file"), "of the host\n");
}

fn propagation(value: Value) -> String {
    let bundle = Bundle::of(&["cat", "/proc/self/mountinfo"]).with(|config| {
        if !value.is_null() {
            config["linux"]["rootfsPropagation"] = value;
        }
    });
    let printed = bundle.says();
    let root = printed.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap();
    let (own, _) = root.split_once(" - ").unwrap();
    own.split(' ').skip(6).collect::<Vec<_>>().join(" ")
}

/// "the rootfs mount belongs to a new peer group"; "a private mount that cannot be bind-mounted".
#[test]
fn propagation_of_the_root() {
    needs!(bundles);
    let shared = propagation(json!("shared"));
    assert!(shared.contains("shared:"), "{shared:?}");
    assert_eq!(propagation(json!("private")), "");
    let slave = propagation(json!("slave"));
    assert!(slave.is_empty() || slave.contains("master:"), "{slave:?}");
    let default = propagation(json!(null));
    assert!(!default.contains("shared:"), "{default:?}");
}

#[test]
fn an_unbindable_root() {
    needs!(bundles);
    assert_eq!(propagation(json!("unbindable")), "unbindable");
}

#[test]
fn a_propagation_that_does_not_exist_is_refused() {
    needs!(bundles);
    deviates!("crun", "ignores it");
    with("rootfsPropagation", json!("nonsense"), "true").is_refused();
}

/// "Note this does not mean that it's shared with the host."
#[test]
fn mounts_of_the_container_do_not_reach_the_host() {
    needs!(bundles);
    for value in ["shared", "slave", "private"] {
        let bundle = with("rootfsPropagation", json!(value), "sleep 1000")
            .mount(json!({ "destination": "/mounted", "type": "tmpfs", "source": "tmpfs" }))
            .running();
        let outside = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!outside.contains(&bundle.text("")), "{value}");
    }
}

/// PER_LINUX32 is 8; asking with all bits set changes nothing: personality(2).
#[test]
fn personalities() {
    needs!(bundles);
    for (domain, number) in [("LINUX32", 8), ("LINUX", 0)] {
        let bundle = Bundle::probing("personality:4294967295")
            .with(|config| config["linux"]["personality"] = json!({ "domain": domain }));
        assert_eq!(ask(&bundle), [format!("ok {number}")], "{domain}");
    }
    if cfg!(target_arch = "x86_64") {
        let machine = with("personality", json!({ "domain": "LINUX32" }), "uname -m").says();
        assert!(["i686\n", "i386\n"].contains(&&*machine), "{machine}");
    }
}

#[test]
fn personalities_that_do_not_exist_are_refused() {
    needs!(bundles);
    with("personality", json!({ "domain": "BSD" }), "true").is_refused();
    with("personality", json!({ "flags": [] }), "true").is_refused();
}

/// "Currently no flag values are supported."
#[test]
fn personality_flags_are_refused() {
    needs!(bundles);
    deviates!("crun", "ignores them");
    with("personality", json!({ "domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"] }), "true").is_refused();
}

/// "If no mounted resctrl pseudo-filesystem is available …, the runtime MUST generate an error."
#[test]
fn resource_directors_need_their_file_system() {
    needs!(bundles);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    if mounts.contains(" - resctrl ") {
        return;
    }
    with("intelRdt", json!({ "closID": "group", "l3CacheSchema": "L3:0=f" }), "true").is_refused();
}

#[test]
fn memory_policies_that_do_not_exist_are_refused() {
    needs!(bundles);
    deviates!("crun", "1.21 does not know the property");
    with("memoryPolicy", json!({ "mode": "MPOL_NONSENSE" }), "true").is_refused();
}
