//! What a process inherits, and what it sees of others.

use std::ffi::CStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use serde_json::json;

use super::{SEARCH, Victim};
use crate::probe::{self, ask};
use crate::rig::image::Entry;
use crate::rig::{Home, command, needs};

/// CVE-2024-21626: a working directory that a leaked descriptor leads to is the host's.
#[test]
fn no_descriptor_of_the_host_becomes_the_working_directory() {
    needs!(containers, registry);
    let victim = Victim::new();
    let escaped = |dir: &str| {
        let output = victim.attack(dir, &["-w", dir], "busybox", "cat /proc/self/cwd/*; ls -a; cat ../*");
        assert_ne!(output.code, 0, "{dir} is a directory: {output}");
    };
    for number in 3..30 {
        escaped(&format!("/proc/self/fd/{number}"));
    }
    escaped("/proc/self/fd/9/../..");
    let links = (3..16).map(|n| Entry::symlink(&format!("d{n}"), &format!("/proc/self/fd/{n}"))).collect();
    let image = victim.image("workdir-link", links, json!({ "Env": ["PATH=/bin"] }));
    for number in 3..16 {
        let dir = format!("/d{number}");
        let output = victim.attack(&dir, &["-w", &dir], &image, "ls -a");
        assert_ne!(output.code, 0, "{output}");
    }
    for number in 3..16 {
        let config = json!({ "Env": ["PATH=/bin"], "WorkingDir": format!("/proc/self/fd/{number}") });
        let image = victim.image(&format!("workdir-{number}"), vec![], config);
        assert_ne!(victim.attack("WorkingDir", &[], &image, "ls -a").code, 0);
    }
    let honest = victim.attack("honest", &["-w", "/proc/self/root/etc"], "busybox", "cat passwd");
    assert!(honest.success().starts_with("root:"));
}

/// CVE-2016-9962, CVE-2019-5736, CVE-2022-0811's neighbours: links of /proc that lead to the host.
#[test]
fn no_link_of_any_process_leads_out() {
    needs!(containers, registry);
    let victim = Victim::new();
    let script = "for l in /proc/[0-9]*/fd/* /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe \
                    /proc/[0-9]*/map_files/*; do readlink $l; done 2>/dev/null; cat /proc/[0-9]*/maps; echo end";
    for options in [&[][..], &["--init"], &["-u", "app"], &["--cap-add", "all"], &["-i"]] {
        let found = victim.attack("links", options, "busybox", script).success();
        assert!(found.ends_with("end\n") && found.contains("busybox"), "{found}");
        for line in found.lines() {
            let outside = line.contains("/rt-") || line.ends_with("/rcon") || line.contains("/home/");
            assert!(!outside, "{options:?}: {line}");
        }
    }
}

/// CVE-2022-29162: capabilities that a program with file capabilities would inherit; and what a user without
/// root's id keeps.
#[test]
fn nothing_is_inheritable_and_a_user_has_no_capability() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let sets = |options: &[&str]| home.sh(options, "grep Cap /proc/self/status");
    for options in [&[][..], &["--init"], &["--cap-add", "all"], &["--cap-add", "net_raw"]] {
        let text = sets(options);
        assert!(text.contains("CapInh:\t0000000000000000\n"), "{options:?}: {text}");
        assert!(text.contains("CapAmb:\t0000000000000000\n"), "{options:?}: {text}");
        assert!(!text.contains("CapEff:\t0000000000000000\n"), "{options:?}: {text}");
    }
    let text = sets(&["-u", "app"]);
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(text.contains(&format!("{set}:\t0000000000000000\n")), "{text}");
    }
}

/// CVE-2022-2989 and its kin: groups of the caller that a container keeps.
#[test]
fn no_group_of_the_caller_is_kept() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let groups = |options: &[&str]| home.sh(options, "grep Groups: /proc/self/status");
    assert_eq!(groups(&[]).trim_end(), "Groups:\t0 2000", "root's own, of the image");
    assert_eq!(groups(&["-u", "app:app"]).trim_end(), "Groups:\t1000");
    assert_eq!(groups(&["-u", "4242:4242"]).trim_end(), "Groups:\t4242");
}

/// A key that only its possessor may read.
fn add_key(name: &CStr) -> bool {
    const JOIN_SESSION_KEYRING: libc::c_ulong = 1;
    const SESSION: libc::c_long = -3;
    // SAFETY: a null name asks for an anonymous keyring; the strings and the payload outlive the calls.
    unsafe {
        libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) >= 0
            && libc::syscall(
                libc::SYS_add_key,
                c"user".as_ptr(),
                name.as_ptr(),
                c"secret".as_ptr(),
                6,
                SESSION,
            ) >= 0
    }
}

/// A session keyring is inherited, and whoever has it possesses the keys.
#[test]
fn the_callers_keys_are_not_the_containers() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    // The credentials, and with them the keyring, are the thread's that starts the command.
    if !add_key(c"rcon-escape") {
        return;
    }
    assert_eq!(probe::search_key(), Ok(()), "the key is there to be found");
    for options in [
        &[][..],
        &["--security-opt", "seccomp=unconfined"],
        &["--init", "--security-opt", "seccomp=unconfined", "--cap-add", "all"],
        &["--user", "app", "--security-opt", "seccomp=unconfined"],
    ] {
        let answers = ask(&home, options, &["search_key"]);
        assert!(["ENOKEY", "ENOSYS", "EPERM"].contains(&answers[0].as_str()), "{options:?}: {answers:?}");
    }
}

/// CVE-2016-2568 and CVE-2017-5226: typing into the terminal of the caller.
#[test]
fn the_callers_terminal_is_out_of_reach() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    for options in [&[][..], &["-i"], &["--init", "--cap-add", "all", "--security-opt", "seccomp=unconfined"]]
    {
        let mut all = vec!["--network", "none"];
        all.extend_from_slice(options);
        let command = probe::command(&home, &all, &["terminal"]);
        let mut terminal = crate::rig::Pty::start(&command);
        terminal.expect("answer: ENOTTY");
        assert_eq!(terminal.wait(), 0);
    }
}

/// CVE-2020-15257: abstract sockets belong to the network namespace.
#[test]
fn abstract_sockets_of_the_host_are_out_of_reach() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let name = format!("rcon-escape-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listening = UnixListener::bind_addr(&address).unwrap();
    let variable = format!("RCON_TEST_SOCKET={name}");
    assert_eq!(ask(&home, &["-e", &variable], &["abstract_socket"]), ["ECONNREFUSED"]);
    let with_host = ["--network", "host", "-e", &variable];
    let output = command::finish(probe::command(&home, &with_host, &["abstract_socket"]), b"").success();
    assert!(output.contains("answer: ok"), "{output}");
}

/// Every process that is seen is the container's own: none to trace, to signal or to read.
#[test]
fn no_process_of_the_host_is_seen() {
    needs!(containers, registry);
    let victim = Victim::new();
    let script = format!("{SEARCH}; ls -d /proc/[0-9]* | wc -l; kill -0 -1; cat /proc/[0-9]*/comm");
    for options in [&[][..], &["--init"], &["--cap-add", "all", "--security-opt", "seccomp=unconfined"]] {
        let output = victim.attack("processes", options, "busybox", &script).success();
        assert!(!output.contains("cargo") && !output.lines().any(|line| line == "rcon"), "{output}");
    }
}

/// CVE-2016-9962: who is in a pid namespace already looks into the process that comes in, as long as that is rcon.
#[test]
fn who_is_in_a_pid_namespace_does_not_see_into_a_newcomer() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    std::fs::create_dir(home.path("work/shared")).unwrap();
    let watch = "while [ ! -e /shared/stop ]; do for p in /proc/[0-9]*; do \
                   readlink $p/exe; readlink $p/cwd; readlink $p/root; ls -l $p/fd; ls $p/root/; done; done \
                 2>/dev/null >/shared/seen";
    let mut args = vec!["run", "--rm", "--network", "none", "--name", "watcher", "-v", "./shared:/shared"];
    args.extend_from_slice(&["--privileged", "busybox", "sh", "-c"]);
    let script = format!("echo ready; {watch}");
    args.push(&script);
    let mut watcher = home.start(&args);
    watcher.expect("ready");
    for options in [&["--pid", "container:watcher"][..], &["--pid", "container:watcher", "--privileged"]] {
        for _ in 0..8 {
            assert_eq!(home.sh(options, "echo in"), "in\n");
        }
    }
    home.write("work/shared/stop", "");
    assert!(watcher.wait().success());
    let seen = std::fs::read_to_string(home.path("work/shared/seen")).unwrap();
    assert!(seen.contains("busybox"), "it has seen something: {seen}");
    for line in seen.lines() {
        let outside = line.contains("/rt-") || line.ends_with("rcon") || line.ends_with("boot");
        assert!(!outside, "{line}");
    }
}
