//! `exec`: another process in a running container. The specification names it among the operations of a runtime
//! (config-linux.md, "Control groups") and describes the process (config.md, "Process"); its command line is the one
//! that engines speak.

use serde_json::{Value, json};

use crate::rig::{Bundle, deviates, eventually, needs};

fn running() -> Bundle {
    Bundle::sleeping().running()
}

#[test]
fn a_command_and_its_exit_code() {
    needs!(bundles);
    let bundle = running();
    assert_eq!(bundle.exec(&[], "echo inside; hostname"), "inside\nconformance\n");
    for code in [0, 3, 255] {
        bundle.try_exec(&[], &["sh", "-c", &format!("exit {code}")]).exits(code);
    }
    bundle.try_exec(&[], &["sh", "-c", "kill -KILL $$"]).exits(128 + 9);
    assert_eq!(bundle.status(), "running");
}

#[test]
fn standard_streams() {
    needs!(bundles);
    let bundle = running();
    let script = "read line; echo out $line; echo err $line >&2";
    let command = bundle.runtime(&["exec", &bundle.id, "sh", "-c", script]);
    let output = crate::rig::command::finish(command, b"word\n");
    assert_eq!((output.code, &*output.stdout, &*output.stderr), (0, "out word\n", "err word\n"));
}

/// What the container's own process has, unless something else is said.
#[test]
fn all_namespaces_of_the_container() {
    needs!(bundles);
    let names = "cd /proc/self/ns; for n in cgroup ipc mnt net pid user uts; do readlink $n; done";
    let bundle = Bundle::sh(&format!("({names}); sleep 1000")).with_namespace("cgroup", None).running();
    eventually("it has told its namespaces", || bundle.printed().lines().count() == 7);
    assert_eq!(bundle.exec(&[], names), bundle.printed());
}

#[test]
fn the_mounts_and_the_root_of_the_container() {
    needs!(bundles);
    let bundle = running();
    bundle.write("rootfs/mark", "here\n");
    let mounts = bundle.exec(&[], "cat /proc/1/mountinfo");
    assert_eq!(bundle.exec(&[], "cat /proc/self/mountinfo"), mounts);
    assert_eq!(bundle.exec(&[], "cat /mark; cd ../../..; cat mark"), "here\nhere\n");
}

#[test]
fn the_environment_and_the_working_directory() {
    needs!(bundles);
    let bundle = Bundle::sleeping().with(|config| {
        config["process"]["env"] = json!(["PATH=/bin:/sbin", "OF_CONTAINER=yes"]);
        config["process"]["cwd"] = json!("/usr");
    });
    let bundle = bundle.running();
    assert_eq!(bundle.exec(&["--cwd", "/tmp"], "pwd; echo $OF_CONTAINER"), "/tmp\nyes\n");
    deviates!("crun", "starts in / and forgets the container's environment beside --env");
    assert_eq!(bundle.exec(&[], "pwd; echo $OF_CONTAINER"), "/usr\nyes\n");
    let options = ["--cwd", "/tmp", "--env", "ONE=1", "--env", "TWO=a b"];
    assert_eq!(bundle.exec(&options, "pwd; echo $ONE,$TWO"), "/tmp\n1,a b\n");
}

#[test]
fn a_variable_of_the_container_can_be_replaced() {
    needs!(bundles);
    deviates!("crun", "forgets the container's environment beside --env");
    let bundle = Bundle::sleeping().with(|config| {
        config["process"]["env"] = json!(["PATH=/bin:/sbin", "WORD=of the container"]);
    });
    let bundle = bundle.running();
    assert_eq!(bundle.exec(&["--env", "WORD=another"], "echo $WORD; env | grep -c ^WORD="), "another\n1\n");
}

#[test]
fn another_user() {
    needs!(bundles, subordinate_ids);
    let bundle = Bundle::sleeping().with_subordinate_ids().running();
    assert_eq!(bundle.exec(&["--user", "7:8"], "id -u; id -g"), "7\n8\n");
    assert_eq!(bundle.exec(&[], "id -u"), "0\n");
    deviates!("crun", "needs the group");
    assert_eq!(bundle.exec(&["--user", "7"], "id -u"), "7\n");
}

fn capability_set(bundle: &Bundle, options: &[&str], set: &str) -> u64 {
    let line = bundle.exec(options, &format!("grep ^{set}: /proc/self/status"));
    u64::from_str_radix(line.split_once(":\t").unwrap().1.trim(), 16).unwrap()
}

#[test]
fn capabilities_are_the_containers_and_can_be_more() {
    needs!(bundles);
    let some = json!(["CAP_CHOWN", "CAP_KILL"]);
    let bundle = Bundle::sleeping().with(|config| {
        config["process"]["capabilities"] = json!({ "bounding": some, "effective": some, "permitted": some });
    });
    let bundle = bundle.running();
    assert_eq!(capability_set(&bundle, &[], "CapBnd"), 1 | 1 << 5);
    assert_eq!(capability_set(&bundle, &[], "CapEff"), 1 | 1 << 5);
    deviates!("crun", "takes --cap for the whole set");
    let with = capability_set(&bundle, &["--cap", "CAP_NET_BIND_SERVICE"], "CapEff");
    assert_eq!(with, 1 | 1 << 5 | 1 << 10);
}

#[test]
fn the_filter_is_the_containers() {
    needs!(bundles);
    let bundle = Bundle::sleeping().with(|config| {
        config["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["acct"], "action": "SCMP_ACT_ERRNO" }],
        });
    });
    let status = bundle.running().exec(&[], "grep ^Seccomp: /proc/self/status");
    assert_eq!(status, "Seccomp:\t2\n");
}

#[test]
fn privileges_and_limits_are_the_containers() {
    needs!(bundles);
    deviates!("crun", "knows nothing of them without --process");
    let bundle = Bundle::sleeping().with(|config| {
        config["process"]["noNewPrivileges"] = json!(true);
        config["process"]["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "soft": 99, "hard": 100 }]);
        config["process"]["oomScoreAdj"] = json!(333);
    });
    let bundle = bundle.running();
    let status = bundle.exec(&[], "grep ^NoNewPrivs: /proc/self/status");
    assert_eq!(status, "NoNewPrivs:\t1\n");
    let limits = bundle.exec(&[], "grep 'Max open files' /proc/self/limits | tr -s ' '");
    assert!(limits.starts_with("Max open files 99 100 "), "{limits}");
    assert_eq!(bundle.exec(&[], "cat /proc/self/oom_score_adj"), "333\n");
}

/// "--process": a file with the whole of it.
#[test]
fn a_process_of_a_file() {
    needs!(bundles);
    let bundle = running();
    let process: Value = json!({
        "terminal": false, "user": { "uid": 0, "gid": 0, "umask": 0o77 },
        "args": ["sh", "-c", "pwd; umask; echo $ONLY; env | wc -l; grep NoNewPrivs /proc/self/status"],
        "env": ["PATH=/bin", "ONLY=this"], "cwd": "/tmp", "noNewPrivileges": true,
    });
    bundle.write("process.json", &process.to_string());
    let output = bundle.try_to(&["exec", "--process", &bundle.text("process.json"), &bundle.id]).success();
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[..3], ["/tmp", "0077", "this"], "{output}");
    assert_eq!(lines[4], "NoNewPrivs:\t1", "{output}");
    // PATH, ONLY, and what the shell itself sets.
    assert!(lines[3].trim().parse::<u32>().unwrap() <= 5, "{output}");
}

#[test]
fn a_process_of_a_broken_file_is_refused() {
    needs!(bundles);
    let bundle = running();
    for text in ["", "{", "[]", "{\"args\": []}", "{\"args\": [\"true\"], \"cwd\": 7}"] {
        bundle.write("process.json", text);
        bundle.refuses(&["exec", "--process", &bundle.text("process.json"), &bundle.id]);
    }
    bundle.refuses(&["exec", "--process", "/no/such/file", &bundle.id]);
}

#[test]
fn detached_with_a_pid_file() {
    needs!(bundles);
    let bundle = running();
    let pid_file = bundle.text("pid");
    let args = [
        "exec",
        "--detach",
        "--pid-file",
        &pid_file,
        &bundle.id,
        "sh",
        "-c",
        "echo started; exec sleep 2000",
    ];
    bundle.detached(bundle.runtime(&args)).success();
    let pid: i32 = bundle.read("pid").trim().parse().unwrap();
    eventually("it runs", || bundle.printed() == "started\n");
    eventually("it is what was asked for", || {
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        line == "sleep\x002000\0"
    });
    assert!(bundle.exec(&[], "ps").contains("sleep 2000"));
    bundle.kill("KILL");
    eventually("it ends with the container", || {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().is_empty()
    });
}

/// Engines kill what they started in a container by these ids.
#[test]
fn what_was_started_is_a_child_of_nobody_in_the_container() {
    needs!(bundles);
    let bundle = running();
    let ids = bundle.exec(&[], "cut -d' ' -f4 /proc/$$/stat");
    assert_eq!(ids, "0\n", "its parent is outside");
}

#[test]
fn no_descriptor_leaks() {
    needs!(bundles);
    let bundle = running();
    assert_eq!(bundle.try_exec(&[], &["ls", "/proc/self/fd"]).success(), "0\n1\n2\n3\n");
    let mut shell = bundle.command("/bin/sh");
    let exec = bundle.runtime(&["exec", &bundle.id, "ls", "/proc/self/fd"]);
    shell.args(["-c", "exec 5</etc/passwd 7</etc/group; exec \"$@\"", "sh"]);
    shell.arg(exec.get_program()).args(exec.get_args());
    assert_eq!(crate::rig::command::finish(shell, b"").success(), "0\n1\n2\n3\n");
}

#[test]
fn descriptors_that_are_to_be_kept() {
    needs!(bundles);
    let bundle = running();
    bundle.write("file", "content\n");
    let mut shell = bundle.command("/bin/sh");
    let exec = bundle.runtime(&["exec", "--preserve-fds", "1", &bundle.id, "sh", "-c", "cat <&3"]);
    shell.args(["-c", "exec 3<file; exec \"$@\"", "sh"]);
    shell.arg(exec.get_program()).args(exec.get_args());
    assert_eq!(crate::rig::command::finish(shell, b"").success(), "content\n");
}

#[test]
fn a_command_that_cannot_be_executed() {
    needs!(bundles);
    let bundle = running();
    for (command, words) in [
        ("no-such-command", &["no such file or directory", "executable file not found in"][..]),
        ("/no/such/command", &["no such file or directory", "executable file not found in"]),
        ("/etc/passwd", &["permission denied", "operation not permitted"]),
    ] {
        let output = bundle.try_exec(&[], &[command]);
        assert_ne!(output.code, 0, "{output}");
        let said = output.stderr.to_lowercase();
        assert!(words.iter().any(|word| said.contains(word)), "{output}");
    }
    assert_eq!(bundle.status(), "running");
}

#[test]
fn a_container_that_does_not_run_is_refused() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.refuses(&["exec", "no-such-container", "true"]);
    bundle.refuses(&["exec"]);
    let bundle = bundle.stopped();
    bundle.refuses(&["exec", &bundle.id, "true"]);
    let bundle = running();
    bundle.refuses(&["exec", &bundle.id]);
}

/// "For example, a frozen cgroup": "MUST generate an error if such a check fails".
#[test]
fn a_paused_container_is_refused() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup().running();
    bundle.ok(&["pause", &bundle.id]);
    bundle.refuses(&["exec", &bundle.id, "true"]);
    bundle.ok(&["resume", &bundle.id]);
    assert_eq!(bundle.exec(&[], "echo again"), "again\n");
}

#[test]
fn what_was_started_is_in_the_cgroup_of_the_container() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup().running();
    let pid_file = bundle.text("pid");
    let args = ["exec", "--detach", "--pid-file", &pid_file, &bundle.id, "sleep", "2000"];
    bundle.detached(bundle.runtime(&args)).success();
    let pid = bundle.read("pid").trim().to_owned();
    assert!(bundle.controlled("cgroup.procs").lines().any(|line| line == pid));
}

/// "execCPUAffinity specifies CPU affinity used to execute the process."
#[test]
fn the_affinity() {
    needs!(bundles);
    let bundle = running();
    let process: Value = json!({
        "user": { "uid": 0, "gid": 0 }, "args": ["grep", "Cpus_allowed_list", "/proc/self/status"],
        "env": ["PATH=/bin"], "cwd": "/", "execCPUAffinity": { "initial": "0", "final": "0" },
    });
    bundle.write("process.json", &process.to_string());
    let output = bundle.try_to(&["exec", "--process", &bundle.text("process.json"), &bundle.id]).success();
    assert_eq!(output, "Cpus_allowed_list:\t0\n");
}

#[test]
fn many_at_once() {
    needs!(bundles);
    let bundle = running();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let bundle = &bundle;
            scope.spawn(move || {
                assert_eq!(bundle.exec(&[], &format!("echo {number}; exit 0")), format!("{number}\n"));
            });
        }
    });
}

/// Engines do not ask for it, and runtimes differ; but it is no start.
#[test]
fn a_created_container_stays_created() {
    needs!(bundles);
    let bundle = Bundle::sh("echo ran");
    bundle.create();
    let output = bundle.try_exec(&[], &["hostname"]);
    assert!(output.code != 0 || output.stdout == "conformance\n", "{output}");
    assert_eq!(bundle.status(), "created");
    assert_eq!(bundle.printed(), "");
}
