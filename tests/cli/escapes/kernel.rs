//! What the kernel could be asked to do, and what stands for devices.

use serde_json::json;

use super::Victim;
use crate::rig::image::Entry;
use crate::rig::{Home, needs};

/// All that a user can be given without being privileged on the host.
const ALL: [&str; 6] =
    ["--cap-add", "all", "--security-opt", "seccomp=unconfined", "--security-opt", "no-new-privileges=false"];

#[test]
fn no_kernel_parameter_can_be_changed() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script =
        "for f in $(find /proc/sys -type f 2>/dev/null); do (: >>$f) 2>/dev/null && echo $f; done; echo end";
    for options in [&[][..], &["--cap-add", "all"]] {
        assert_eq!(home.sh(options, script), "end\n", "{options:?}");
    }
}

/// The classical ways from root to the kernel: a program that it starts, a key that it obeys.
#[test]
fn the_kernel_starts_nothing_for_a_container() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let before = std::fs::read("/proc/sys/kernel/core_pattern").unwrap();
    let script = "try() { (echo \"$1\" >\"$2\") 2>/dev/null && echo wrote $2; }; \
        try '|/evil' /proc/sys/kernel/core_pattern; try /evil /proc/sys/kernel/modprobe; \
        try /evil /sys/kernel/uevent_helper; try h /proc/sysrq-trigger; \
        try ':x:M::xx::/evil:' /proc/sys/fs/binfmt_misc/register; try 1 /sys/power/wakeup_count; echo end";
    assert_eq!(home.sh(&[], script), "end\n");
    // Nor where the masks are taken away by someone who may.
    let undo = "umount /proc/sysrq-trigger /proc/sys /proc/kcore /sys 2>/dev/null; ";
    assert_eq!(home.sh(&ALL, &format!("{undo}{script}")), "end\n");
    assert_eq!(std::fs::read("/proc/sys/kernel/core_pattern").unwrap(), before);
}

/// CVE-2022-0492: a release agent runs as root of the host.
#[test]
fn no_release_agent_can_be_set() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "for c in memory rdma cpu misc pids; do mkdir -p /c/$c; \
          mount -t cgroup -o $c none /c/$c 2>/dev/null; mkdir /c/$c/x 2>/dev/null; done; \
        for f in $(find / -name release_agent 2>/dev/null) /c/*/release_agent /sys/fs/cgroup/*/release_agent; do \
          (echo /evil >$f) 2>/dev/null && echo set $f; done; echo end";
    for options in [&[][..], &ALL] {
        assert_eq!(home.sh(options, script), "end\n", "{options:?}");
    }
}

#[test]
fn there_are_no_devices_but_the_harmless_ones() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let found = home.sh(&[], "cd /dev; find . -type c -o -type b | sort | tr '\\n' ' '");
    assert_eq!(found, "./full ./null ./pts/ptmx ./random ./tty ./urandom ./zero ");
    let script = "mknod /disk b 8 0 && head -c 1 /disk && echo read; mknod /mem c 1 1 && head -c 1 /mem && echo read; \
                  mknod /kmsg c 1 11 && head -c 1 /kmsg && echo read; echo end";
    for options in [&[][..], &ALL, &["--tmpfs", "/t:dev"]] {
        let output = home.try_sh(options, script);
        assert_eq!(output.success(), "end\n");
    }
}

#[test]
fn devices_of_an_image_do_not_work() {
    needs!(containers, registry);
    let victim = Victim::new();
    let entries = vec![
        Entry::char_device("mem", 1, 1),
        Entry::char_device("kmsg", 1, 11),
        Entry::char_device("zero", 1, 5),
        Entry::char_device("tty", 5, 0),
    ];
    let image = victim.image("devices", entries, json!({ "Env": ["PATH=/bin"], "Volumes": { "/v": {} } }));
    let script = "for f in mem kmsg zero tty; do [ \"$(timeout 5 head -c 1 /$f 2>/dev/null | wc -c)\" = 0 ] || echo read $f; done; echo end";
    let output = victim.home.run(&["run", "--rm", "-q", "--network", "none", &image, "sh", "-c", script]);
    assert!(output.code == 125 || output.stdout == "end\n", "{output}");
}
