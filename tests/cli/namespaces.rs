//! `--pid`, `--ipc` and `--uts`: a container in namespaces that are not its own.

use crate::probe::ask;
use crate::rig::{Home, Running, needs};

/// A container that runs until its input closes.
fn companion(home: &Home, options: &[&str]) -> Running {
    let mut args = vec!["run", "--rm", "-i", "--network", "none", "--name", "first"];
    args.extend_from_slice(options);
    args.extend_from_slice(&["busybox", "sh", "-c", "echo ready; cat"]);
    let mut running = home.start(&args);
    running.expect("ready");
    running
}

fn link(home: &Home, options: &[&str], name: &str) -> String {
    home.sh(options, &format!("readlink /proc/self/ns/{name}")).trim().to_owned()
}

fn of_host(name: &str) -> String {
    std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_container_may_have_the_hosts_namespaces() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    for name in ["pid", "ipc", "uts"] {
        let option = format!("--{name}");
        assert_eq!(link(&home, &[&option, "host"], name), of_host(name));
        assert_ne!(link(&home, &[&option, "private"], name), of_host(name));
        for bad in ["foo", "ns:x", "container:", "container:nosuch", "ns:/nonexistent", "ns:/etc/passwd"] {
            home.try_sh(&[&option, bad], "true").exits(125).fails_saying(&[]);
        }
    }
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let names = home.sh(&["--uts", "host"], "hostname; cat /etc/hostname; echo $HOSTNAME");
    assert_eq!(names, format!("{host}\n{host}\n{host}\n"));
    home.try_sh(&["--uts", "host", "--hostname", "x"], "true").exits(125).fails_saying(&["--hostname"]);
}

#[test]
fn the_hosts_processes_are_seen_and_not_touched() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let own = std::process::id();
    assert_eq!(home.sh(&["--pid", "host"], &format!("ls -d /proc/{own}")), format!("/proc/{own}\n"));
    let script = format!(
        "cat /proc/{own}/environ /proc/{own}/maps >/dev/null && echo read; \
         ls /proc/{own}/root/ /proc/{own}/cwd/ && echo listed; readlink /proc/{own}/fd/1 && echo led; readlink /proc/{own}/exe && echo led; echo end"
    );
    for options in
        [&["--pid", "host"][..], &["--pid", "host", "--cap-add", "all"], &["--pid=host", "--privileged"]]
    {
        assert_eq!(home.sh(options, &format!("({script}) 2>/dev/null")), "end\n", "{options:?}");
    }
    let masked = "[ ! -e /proc/keys ] || head -c 1 /proc/keys | wc -c; \
                  (: >>/proc/sys/net/ipv4/ip_forward) 2>/dev/null && echo writable; echo end";
    assert!(["0\nend\n", "end\n"].contains(&home.sh(&["--pid", "host"], masked).as_str()));
    assert_eq!(ask(&home, &["--pid", "host", "--cap-add", "all"], &["open_rcon"]), ["EACCES"]);
    home.try_sh(&["--pid", "host", "--init"], "true").exits(125).fails_saying(&["--init"]);
}

#[test]
fn a_container_may_have_anothers_namespaces() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut first = companion(&home, &["--hostname", "theirs"]);
    for name in ["pid", "ipc", "uts"] {
        let option = format!("--{name}");
        let joined = home.sh(
            &[&option, "container:first"],
            &format!("readlink /proc/self/ns/{name}; readlink /proc/self/ns/user; id -u"),
        );
        let lines: Vec<&str> = joined.lines().collect();
        assert_ne!(lines[0], of_host(name));
        assert_ne!(lines[1], of_host("user"));
        assert_eq!(lines[2], "0");
    }
    let processes = home.sh(&["--pid", "container:first"], "cat /proc/1/cmdline | tr '\\0' ' '");
    assert_eq!(processes, "cat ", "the companion's first process");
    let names = home.sh(&["--uts", "container:first"], "hostname; cat /etc/hostname; echo $HOSTNAME");
    assert_eq!(names, "theirs\ntheirs\ntheirs\n");
    home.try_sh(&["--uts", "container:first", "--hostname", "x"], "true").exits(125);
    home.try_sh(&["--pid", "container:first", "--userns", "keep-id"], "true")
        .exits(125)
        .fails_saying(&["--userns"]);
    // The first container sees the second, but not what it is made of.
    let all = home.sh(
        &["--pid", "container:first", "--ipc", "container:first", "--uts", "container:first"],
        "echo all",
    );
    assert_eq!(all, "all\n");
    first.close_input();
    assert!(first.wait().success());
    home.try_sh(&["--pid", "container:first"], "true").exits(125).fails_saying(&["first"]);
}

#[test]
fn a_namespace_may_be_named_by_its_file() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut first = companion(&home, &[]);
    let pid = home.json(&["inspect", "first"])[0]["State"]["Pid"].as_i64().unwrap();
    let theirs = |name: &str| std::fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
    for name in ["pid", "ipc", "uts"] {
        let (option, mode) = (format!("--{name}"), format!("ns:/proc/{pid}/ns/{name}"));
        assert_eq!(link(&home, &[&option, &mode], name), theirs(name).to_str().unwrap());
        assert_eq!(link(&home, &[&option, &mode], "user"), theirs("user").to_str().unwrap());
    }
    let own = format!("ns:/proc/{}/ns/uts", std::process::id());
    assert_eq!(link(&home, &["--uts", &own], "uts"), of_host("uts"));
    let other = format!("ns:/proc/{pid}/ns/ipc");
    home.try_sh(&["--pid", &other], "true").exits(125).fails_saying(&["namespace"]);
    first.close_input();
    first.wait();
}

#[test]
fn a_network_may_be_shared() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut first = companion(&home, &["--hostname", "theirs", "--add-host", "peer:192.0.2.7"]);
    let pid = home.json(&["inspect", "first"])[0]["State"]["Pid"].as_i64().unwrap();
    let theirs = std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    let run = |mode: &str, options: &[&str], script: &str| {
        let args =
            [&["run", "--rm", "--network", mode][..], options, &["busybox", "sh", "-c", script]].concat();
        home.run(&args)
    };
    let script = "readlink /proc/self/ns/net; grep -c peer /etc/hosts; ls /sys/class/net";
    let expected = format!("{}\n1\nlo\n", theirs.display());
    assert_eq!(run("container:first", &[], script).success(), expected);
    let by_path = format!("ns:/proc/{pid}/ns/net");
    assert_eq!(run(&by_path, &[], "readlink /proc/self/ns/net").success(), format!("{}\n", theirs.display()));
    for options in [&["-p", "80:80"][..], &["--add-host", "a:1.2.3.4"], &["--dns", "1.1.1.1"]] {
        run("container:first", options, "true").exits(125).fails_saying(&["existing network"]);
    }
    run("container:nosuch", &[], "true").exits(125).fails_saying(&["nosuch"]);
    run("ns:relative", &[], "true").exits(125);
    first.close_input();
    first.wait();
}

#[test]
fn shared_memory_and_its_absence() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&["--ipc", "none"], "grep -c ' /dev/shm ' /proc/mounts || true"), "0\n");
    assert_eq!(home.sh(&["--ipc", "shareable"], "grep -c ' /dev/shm ' /proc/mounts"), "1\n");
    home.try_sh(&["--ipc", "host", "--shm-size", "1m"], "true").exits(125).fails_saying(&["--shm-size"]);
    let sysctl = ["--sysctl", "kernel.shmmax=4097"];
    assert_eq!(home.sh(&sysctl, "cat /proc/sys/kernel/shmmax"), "4097\n");
    home.try_sh(&["--ipc", "host", sysctl[0], sysctl[1]], "true").exits(125).fails_saying(&["shmmax", "ipc"]);
    home.try_sh(&["--uts", "host", "--sysctl", "kernel.domainname=x"], "true")
        .exits(125)
        .fails_saying(&["uts"]);
}

/// Without a pid namespace of the container's own, the end of its first process ends nobody else.
#[test]
fn nothing_of_a_container_among_the_hosts_processes_outlives_it() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "sh -c 'trap \"\" HUP TERM; exec sleep 86399' >/dev/null 2>&1 & echo $!";
    let pid = home.sh(&["--pid", "host"], script);
    let gone = || !std::path::Path::new(&format!("/proc/{}", pid.trim())).exists();
    crate::rig::command::eventually("the orphan is gone", gone);
}
