//! What a container cannot do or see.

use crate::probe::ask;
use crate::rig::{Home, needs};

#[test]
fn every_namespace_is_its_own() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let names = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];
    let script = names.map(|name| format!("readlink /proc/self/ns/{name}")).join("; ");
    let inside = home.sh(&[], &script);
    for (name, link) in names.iter().zip(inside.lines()) {
        let outside = std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        assert!(link.starts_with(name), "{link}");
        assert_ne!(link, outside.to_str().unwrap(), "{name}");
    }
    assert_eq!(inside.lines().count(), names.len());
}

#[test]
fn only_the_containers_processes_are_visible() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let pids = home.sh(&[], "ls -d /proc/[0-9]* | wc -l");
    assert!(pids.trim().parse::<u32>().unwrap() <= 4, "{pids}");
}

#[test]
fn the_host_is_not_reachable_through_the_file_system() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mounts = home.sh(&[], "cat /proc/self/mountinfo");
    assert!(!mounts.contains("/oldroot") && !mounts.contains("pivot"), "{mounts}");
    let roots = mounts.lines().filter(|line| line.split(' ').nth(4) == Some("/")).count();
    assert_eq!(roots, 1, "{mounts}");
    for line in mounts.lines() {
        assert!(!line.contains("shared:"), "nothing that is mounted inside reaches the host: {line}");
    }
    let climbed = home.sh(&[], "cd /; cd ../../../..; ls | sort | tr '\\n' ' '");
    assert!(climbed.starts_with("bin dev etc home proc root run sbin sys tmp usr var"), "{climbed}");
    // A second chroot is the classical way out of a root that was not pivoted.
    let script = "mkdir -p /j; chroot /j true 2>/dev/null; ls /proc/1/root/home";
    assert_eq!(home.sh(&[], script), "app\n");
}

#[test]
fn no_file_descriptor_of_the_host_leaks_in() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let found = home.sh(&[], "ls /proc/self/fd | tr '\\n' ' '");
    assert_eq!(found, "0 1 2 3 ", "3 is ls's own");
    // One that rcon's caller left open without CLOEXEC.
    let script = format!(
        "exec 7</etc/passwd; exec '{}' run --rm --network none busybox ls /proc/self/fd",
        crate::rig::binary().display()
    );
    let mut command = home.command("sh");
    command.args(["-c", &script]);
    let found = crate::rig::command::finish(command, b"").success();
    assert_eq!(found.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
}

#[test]
fn sensitive_parts_of_proc_and_sys_are_masked_or_read_only() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "for f in kcore keys latency_stats timer_list sched_debug; do \
                    if [ -e /proc/$f ]; then printf '%s:%s ' $f \"$(head -c 1 /proc/$f 2>/dev/null | wc -c)\"; fi; done; \
                  for d in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do \
                    if [ -e $d ]; then printf '%s:%s ' $d \"$(ls $d 2>/dev/null | wc -l)\"; fi; done";
    let masked = home.sh(&[], script);
    assert!(!masked.trim().is_empty());
    for item in masked.split_whitespace() {
        assert!(item.ends_with(":0"), "{item} in {masked}");
    }
    let script = "for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/mm/ksm/run; do \
                    if [ -e $f ] && sh -c \"echo 0 >$f\" 2>/dev/null; then echo wrote $f; fi; done; \
                  touch /sys/x 2>/dev/null && echo wrote /sys/x; touch /sys/fs/cgroup/x 2>/dev/null && echo wrote cgroup; echo end";
    assert_eq!(home.sh(&[], script), "end\n");
    let undone = home
        .sh(&[], "umount /proc/keys /sys/firmware /proc/timer_list 2>/dev/null && echo unmasked; echo end");
    assert_eq!(undone, "end\n");
}

fn capability_sets(home: &Home, options: &[&str]) -> (u64, u64, u64) {
    let text = home.sh(options, "cat /proc/self/status");
    let set = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    assert_eq!(set("CapAmb:"), 0);
    assert_eq!(set("CapInh:"), 0);
    (set("CapPrm:"), set("CapEff:"), set("CapBnd:"))
}

#[test]
fn capabilities_are_podmans_default_set_and_follow_the_flags() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    // chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service sys_chroot setfcap
    let default = [0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31].iter().fold(0u64, |set, bit| set | 1 << bit);
    assert_eq!(capability_sets(&home, &[]), (default, default, default));
    let none_but = capability_sets(&home, &["--cap-drop", "all", "--cap-add", "chown"]);
    assert_eq!(none_but, (1, 1, 1));
    let with = default | 1 << 13;
    assert_eq!(capability_sets(&home, &["--cap-add", "CAP_NET_RAW"]), (with, with, with));
    let without = default & !(1 << 5);
    assert_eq!(capability_sets(&home, &["--cap-drop=kill"]), (without, without, without));
    home.try_sh(&["--cap-drop", "chown"], "chown 0:0 /etc/passwd && touch /f && chown 1:1 /f").exits(1);
}

#[test]
fn new_privileges_can_be_forbidden() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let bit = |options: &[&str]| home.sh(options, "grep NoNewPrivs /proc/self/status");
    assert_eq!(bit(&[]), "NoNewPrivs:\t0\n", "as podman");
    assert_eq!(bit(&["--security-opt", "no-new-privileges"]), "NoNewPrivs:\t1\n");
    assert_eq!(bit(&["--security-opt=no-new-privileges:true"]), "NoNewPrivs:\t1\n");
}

#[test]
fn system_calls_off_the_list_are_refused() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let questions = [
        "add_key",
        "bpf",
        "perf_event_open",
        "userfaultfd",
        "kexec_load",
        "init_module",
        "open_by_handle_at",
        "io_uring_setup",
        "swapon",
        "quotactl",
        "acct",
        "mount",
    ];
    let refused = ask(&home, &[], &questions);
    for (question, answer) in questions.iter().zip(&refused) {
        assert!(["EPERM", "ENOSYS"].contains(&answer.as_str()), "{question}: {answer}");
    }
    let harmless = ask(&home, &[], &["getpid", "nonsense"]);
    assert_eq!(harmless, ["ok", "ENOSYS"], "what is unknown does not exist");
}

#[test]
fn the_filter_can_be_lifted_and_replaced() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mode = |options: &[&str]| home.sh(options, "grep -w Seccomp: /proc/self/status");
    assert_eq!(mode(&[]), "Seccomp:\t2\n");
    assert_eq!(mode(&["--security-opt", "seccomp=unconfined"]), "Seccomp:\t0\n");
    let lifted = ask(&home, &["--security-opt", "seccomp=unconfined"], &["unshare_user", "keyctl"]);
    assert_ne!(lifted[0], "ENOSYS");
    assert_ne!(lifted[1], "ENOSYS");
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_AARCH64"],
        "syscalls":[{"names":["add_key"],"action":"SCMP_ACT_ERRNO","errnoRet":95}]}"#;
    home.write("profile.json", profile);
    let option = format!("seccomp={}", home.text("profile.json"));
    let answers = ask(&home, &["--security-opt", &option], &["add_key", "getpid"]);
    assert_eq!(answers, ["EOPNOTSUPP", "ok"]);
    home.write("broken.json", "{\"defaultAction\": 7}");
    let option = format!("seccomp={}", home.text("broken.json"));
    home.try_sh(&["--security-opt", &option], "true").exits(125).fails_saying(&["broken.json"]);
}

#[test]
fn rcon_itself_cannot_be_overwritten_from_inside() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    for options in [&[][..], &["--init"], &["--cap-add", "all", "--security-opt", "seccomp=unconfined"]] {
        let answers = ask(&home, options, &["open_rcon"]);
        assert_eq!(answers, ["EACCES"], "{options:?}");
    }
}

#[test]
fn the_containers_root_has_no_power_over_the_host() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let shadow = std::path::Path::new("/etc/shadow");
    if shadow.exists() {
        home.try_sh(&["-v", "/etc:/host-etc:ro"], "cat /host-etc/shadow 2>/dev/null && exit 9; exit 0")
            .exits(0);
    }
    let marks = home.sh(
        &["--cap-add", "all"],
        "hostname other 2>/dev/null; dmesg 2>/dev/null | head -c 1 | wc -c; echo end",
    );
    assert!(marks.ends_with("end\n"));
    let name = nix::unistd::gethostname().unwrap();
    assert_ne!(name, "other");
}

#[test]
fn oom_scores_are_not_lowered() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let own: i32 = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().parse().unwrap();
    let inside: i32 = home.sh(&[], "cat /proc/self/oom_score_adj").trim().parse().unwrap();
    assert!(inside >= own, "{inside} < {own}");
}
