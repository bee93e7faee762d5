//! What a container may be given: everything at once, devices, groups, labels, systemd's surroundings.

use crate::rig::{Home, needs};

#[test]
fn privileged_is_everything_that_the_user_namespace_has() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let last: u32 = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap().trim().parse().unwrap();
    let all = format!("CapEff:\t{:016x}\n", (1u64 << (last + 1)) - 1);
    assert_eq!(home.sh(&["--privileged"], "grep CapEff /proc/self/status"), all);
    assert_eq!(home.sh(&["--privileged"], "grep -w Seccomp: /proc/self/status"), "Seccomp:\t0\n");
    let script = "mount -t tmpfs none /mnt && echo mounted; mount -t proc proc /proc2 && echo proc; \
                  (: >>/proc/sys/net/ipv4/ip_forward) && echo written; grep -c ' /proc/' /proc/mounts || true; \
                  grep ' /sys ' /proc/mounts | cut -d ' ' -f 4 | cut -d , -f 1";
    let script = format!("mkdir -p /mnt /proc2; {script}");
    assert_eq!(home.sh(&["--privileged"], &script), "mounted\nproc\nwritten\n0\nrw\n");
    let output = home.try_sh(&["--privileged", "--cap-drop", "all"], "grep CapEff /proc/self/status");
    assert!(output.stderr.contains("--cap-drop") && output.success() == all);
    let user = home.sh(&["--privileged", "-u", "app"], "grep CapEff /proc/self/status");
    assert_eq!(user, "CapEff:\t0000000000000000\n");
    assert_eq!(home.sh(&["--privileged=false"], "grep -w Seccomp: /proc/self/status"), "Seccomp:\t2\n");
    let masked = home.sh(&["--privileged", "--security-opt", "mask=/etc/passwd"], "wc -c </etc/passwd");
    assert_eq!(masked, "0\n", "what is asked for by name");
}

#[test]
fn the_hosts_devices_come_with_privileged() {
    needs!(containers, registry, pasta);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&["--privileged"], "ls /dev/net/tun"), "/dev/net/tun\n");
    home.try_sh(&[], "ls /dev/net/tun").exits(1);
    let listed =
        home.sh(&["--privileged"], "ls -d /dev/console /dev/pts/0 2>/dev/null; ls -l /dev/null | cut -c 1");
    assert_eq!(listed, "c\n", "no terminal of the host");
    assert_eq!(home.sh(&["--privileged", "-v", "/dev:/dev"], "ls /dev/net/tun"), "/dev/net/tun\n");
}

#[test]
fn devices_are_nodes_or_directories_of_them() {
    needs!(containers, registry, pasta);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&["--device", "/dev/net/tun:/dev/mine"], "ls -l /dev/mine | cut -c 1"), "c\n");
    assert_eq!(home.sh(&["--device", "/dev/net"], "ls /dev/net"), "tun\n");
    assert_eq!(home.sh(&["--device", "/dev/net:/dev/other:rw"], "ls /dev/other"), "tun\n");
    for (bad, word) in [
        ("/dev/nosuch", "/dev/nosuch"),
        ("/etc/passwd", "not a device"),
        ("/etc/skel:/x", "no devices"),
        ("/dev/null:/dev/x:rwx", "rwm"),
        ("net/tun", "absolute"),
    ] {
        home.try_sh(&["--device", bad], "true").exits(125).fails_saying(&[word]);
    }
}

#[test]
fn groups_can_be_kept_and_added() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    assert_eq!(
        home.sh(&["-u", "app:app", "--group-add", "wheel", "--group-add", "4242"], "id -G"),
        "1000 10 4242\n"
    );
    let kept = home.sh(&["--group-add", "keep-groups"], "grep Groups: /proc/self/status");
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
    // All that a map does not have are the overflow id, except the user's own group, which is root's inside.
    assert_eq!(kept.split_whitespace().count() - 1, own.split_whitespace().count(), "{kept}{own}");
    home.try_sh(&["--group-add", "keep-groups", "--group-add", "wheel"], "true")
        .exits(125)
        .fails_saying(&["keep-groups"]);
}

#[test]
fn labels_and_profiles_need_a_kernel_that_enforces_them() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let enabled = |path: &str| std::fs::read(path).is_ok_and(|text| text.starts_with(b"Y"));
    if !enabled("/sys/module/apparmor/parameters/enabled") {
        home.try_sh(&["--security-opt", "apparmor=some-profile"], "true")
            .exits(125)
            .fails_saying(&["AppArmor"]);
    }
    assert_eq!(home.sh(&["--security-opt", "apparmor=unconfined"], "echo ok"), "ok\n");
    assert_eq!(home.sh(&["--security-opt", "label=disable"], "echo ok"), "ok\n");
    if !std::path::Path::new("/sys/fs/selinux/enforce").exists() {
        let output = home.try_sh(&["--security-opt", "label=type:container_t"], "echo ok");
        assert!(output.stderr.contains("SELinux is not enabled"), "{output}");
        assert_eq!(output.success(), "ok\n");
    }
    let unmasked =
        home.sh(&["--security-opt", "systempaths=unconfined"], "grep -c ' /proc/' /proc/mounts || true");
    assert_eq!(unmasked, "0\n");
    let options =
        home.sh(&["--security-opt", "proc-opts=ro,hidepid=invisible"], "grep ' /proc proc ' /proc/mounts");
    assert!(options.contains("ro,") && options.contains("hidepid=invisible"), "{options}");
}

#[test]
fn systemd_finds_its_surroundings() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "grep -c -E ' (/run|/run/lock|/tmp|/var/log/journal) tmpfs ' /proc/mounts || true; echo ${container_uuid:+set}";
    assert_eq!(home.sh(&["--systemd=always"], script), "4\nset\n");
    assert_eq!(home.sh(&[], script), "0\n\n");
    home.try_sh(&["--systemd=maybe"], "true").exits(125).fails_saying(&["--systemd"]);
    let seen = ["--tmpfs", "/sbin:exec", "--entrypoint", "/usr/sbin/init"];
    let args = [&["run", "--network", "none", "--name", "sd"][..], &seen, &["busybox"]].concat();
    home.run(&args);
    let inspected = home.json(&["inspect", "sd"]);
    assert_eq!(inspected[0]["Config"]["StopSignal"], 37, "SIGRTMIN+3");
}

#[test]
fn a_user_keeps_what_was_added_by_name() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let sets = |options: &[&str]| {
        let text = home.sh(options, "grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status");
        text.lines().map(|line| line.rsplit('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let net_raw = format!("{:016x}", 1 << 13);
    assert_eq!(sets(&["-u", "app", "--cap-add", "net_raw"]), vec![net_raw; 4]);
    let one = format!("{:016x}", 1);
    assert_eq!(sets(&["-u", "app", "--cap-drop", "all", "--cap-add", "chown"]), vec![one; 4]);
    for bad in [
        &["--cap-add", "all", "--cap-drop", "all"][..],
        &["--cap-add", "foo"],
        &["--cap-add=kill", "--cap-drop=kill"],
    ] {
        home.try_sh(bad, "true").exits(125).fails_saying(&[]);
    }
}
