//! `rcon run` as a process: exit codes, standard streams, signals, clean-up.

use nix::sys::signal::Signal;

use crate::rig::command::eventually;
use crate::rig::{Home, needs, processes};

#[test]
fn the_exit_code_is_the_commands() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    for code in [0, 1, 42, 255] {
        home.try_sh(&[], &format!("exit {code}")).exits(code);
    }
}

#[test]
fn a_command_that_is_not_there_gives_127_and_one_that_is_no_program_126() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let run = |command: &str| home.run(&["run", "--rm", "--network", "none", "busybox", command]);
    run("no-such-command").exits(127).fails_saying(&["no-such-command"]);
    run("/no/such/path").exits(127).fails_saying(&["/no/such/path"]);
    run("/etc").exits(126).fails_saying(&["/etc"]);
    run("/etc/not-executable").exits(126).fails_saying(&["/etc/not-executable"]);
    assert_eq!(home.containers(), [], "a container that never started is gone with --rm");
}

#[test]
fn what_rcon_itself_refuses_gives_125() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let cases: &[&[&str]] = &[
        &["run", "--no-such-flag", "busybox"],
        &["run", "--pull", "never", "absent", "true"],
        &["run", "--rm", "absent", "true"],
        &["run", "--rootfs", "/no/such/directory", "true"],
        &["run", "--memory-of-an-elephant=1", "busybox"],
        &["run", "--name", "not/a/name", "busybox", "true"],
        &["run", "-v", "/no/such/directory:/x", "busybox", "true"],
        &["run", "--device", "/dev/no-such-device", "busybox", "true"],
        &["run", "--cap-add", "no_such_capability", "busybox", "true"],
        &["run", "--ulimit", "nofile=x", "busybox", "true"],
        &["run", "--env-file", "/no/such/file", "busybox", "true"],
        &["run", "--security-opt", "seccomp=/no/such/profile", "busybox", "true"],
        &["run", "--shm-size", "huge", "busybox", "true"],
        &["run"],
        &["no-such-command"],
    ];
    for args in cases {
        home.run(args).exits(125).fails_saying(&[]);
    }
    assert_eq!(home.containers(), [], "nothing of what was refused is left");
}

#[test]
fn flags_after_the_image_belong_to_the_command() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let out =
        home.ok(&["run", "--rm", "--network", "none", "busybox", "echo", "--rm", "-it", "--name", "x", "--"]);
    assert_eq!(out, "--rm -it --name x --\n");
}

#[test]
fn output_and_errors_stay_apart() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let output = home.try_sh(&[], "echo out; echo err >&2; echo again").exits(0);
    assert_eq!((&*output.stdout, &*output.stderr), ("out\nagain\n", "err\n"));
}

#[test]
fn a_large_output_arrives_whole() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let output = home.sh(&[], "seq 1 300000; echo end");
    assert_eq!(output.lines().count(), 300_001);
    assert!(output.ends_with("300000\nend\n"));
}

#[test]
fn input_is_passed_to_its_end_with_interactive_and_not_without() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let input: Vec<u8> = (0..1_500_000u32).flat_map(u32::to_le_bytes).collect();
    let hash = crate::rig::image::Digest::of(&input);
    let args = ["run", "-i", "--rm", "--network", "none", "busybox", "sha256sum"];
    let output = home.run_with(&args, &input).success();
    assert_eq!(output.split_whitespace().next(), Some(hash.hex()));
    let output =
        home.run_with(&["run", "--rm", "--network", "none", "busybox", "cat"], b"unwanted").success();
    assert_eq!(output, "");
}

#[test]
fn input_and_output_take_turns() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "while read line; do echo \"you said $line\"; done; echo goodbye";
    let mut run = home.start(&["run", "-i", "--rm", "--network", "none", "busybox", "sh", "-c", script]);
    for word in ["one", "two", "three"] {
        run.write(&format!("{word}\n"));
        run.expect(&format!("you said {word}"));
    }
    assert!(run.end().exits(0).stdout.ends_with("goodbye\n"));
}

#[test]
fn a_command_that_reads_no_input_ends_all_the_same() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut run = home.start(&["run", "-i", "--rm", "--network", "none", "busybox", "echo", "done"]);
    // The input stays open on purpose.
    assert_eq!(run.wait().code(), Some(0));
    run.expect("done");
}

#[test]
fn a_pipeline_ends_when_its_reader_does() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script =
        format!("'{}' run --rm --network none busybox yes | head -n 2", crate::rig::binary().display());
    let mut command = home.command("sh");
    command.args(["-c", &script]);
    assert_eq!(crate::rig::command::finish(command, b"").success(), "y\ny\n");
    eventually("the container is gone", || home.containers().is_empty());
}

#[test]
fn signals_are_passed_on() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "trap 'echo got TERM; exit 11' TERM; trap 'echo got HUP; exit 12' HUP; \
                  trap 'echo got USR1; exit 13' USR1; trap 'echo got INT; exit 14' INT; \
                  echo ready; while :; do sleep 0.05; done";
    let cases = [(Signal::SIGTERM, 11), (Signal::SIGHUP, 12), (Signal::SIGUSR1, 13), (Signal::SIGINT, 14)];
    for (signal, code) in cases {
        let mut run = home.start(&["run", "--rm", "--network", "none", "busybox", "sh", "-c", script]);
        run.expect("ready");
        run.signal(signal);
        let output = run.end().exits(code);
        assert!(output.stdout.contains("got "), "{output}");
    }
    assert_eq!(home.containers(), []);
}

#[test]
fn death_by_a_signal_gives_128_and_its_number() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let run = |script: &str| home.try_sh(&["--init"], script).code;
    assert_eq!(run("kill -TERM $$"), 143);
    assert_eq!(run("kill -KILL $$"), 137);
    let mut killed =
        home.start(&["run", "--name", "killed", "--network", "none", "busybox", "sleep", "1000"]);
    eventually("it runs", || home.containers().iter().any(|(_, state)| state == "running"));
    let pid: i32 = home.ok(&["inspect", "--format", "{{.State.Pid}}", "killed"]).trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    assert_eq!(killed.wait().code(), Some(137));
}

#[test]
fn without_init_the_first_process_is_the_command_and_with_it_orphans_are_reaped() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&[], "echo $$"), "1\n");
    // The inner sh leaves a child behind, which ends at once: only a pid 1 that waits makes it vanish.
    let script = "sh -c 'sleep 0.1 & exit'; sleep 0.6; cat /proc/[0-9]*/stat | grep -c ') Z ' ; echo $$";
    let output = home.sh(&["--init"], script);
    let (zombies, shell) = output.split_once('\n').unwrap();
    assert_eq!(zombies, "0");
    assert_ne!(shell.trim(), "1", "pid 1 is rcon's own");
    let output = home
        .sh(&["--init"], "cat /proc/1/cmdline | tr '\\0' ' '; ls -l /run /sbin /dev | grep -c init || true");
    assert!(output.ends_with("0\n"), "init needs no file in the container: {output}");
}

#[test]
fn rm_leaves_nothing() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    // The first container makes the directories that all of them are in.
    home.sh(&[], "true");
    let before = home.stored("");
    home.sh(&[], "dd if=/dev/zero of=/big bs=1M count=4 2>/dev/null; mkdir -p /a/b/c; chown -R 1000:1000 /a");
    home.try_sh(&[], "exit 3").exits(3);
    assert_eq!(home.containers(), []);
    assert_eq!(home.stored(""), before, "the store is as it was");
    let run: Vec<_> = std::fs::read_dir(home.path("run/rcon")).map(Iterator::collect).unwrap_or_default();
    let sockets = run.iter().flatten().filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
    assert_eq!(sockets.count(), 0, "the runtime directory is empty");
}

#[test]
fn without_rm_the_container_stays_and_its_processes_do_not() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mark = "9871.25";
    let script = format!("sleep {mark} & sleep {mark} & exit 5");
    home.run(&["run", "--name", "kept", "--network", "none", "busybox", "sh", "-c", &script]).exits(5);
    assert_eq!(home.containers(), [("kept".into(), "exited".into())]);
    eventually("its processes are gone", || processes::with_mark(mark).is_empty());
}

#[test]
fn a_name_is_given_once() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.ok(&["run", "--name", "one", "--network", "none", "busybox", "true"]);
    let args = ["run", "--rm", "--name", "one", "--network", "none", "busybox", "true"];
    home.run(&args).exits(125).fails_saying(&["one"]);
    assert_eq!(home.containers().len(), 1, "the first is untouched by the second's --rm");
    home.ok(&["rm", "one"]);
    home.ok(&args);
    assert_eq!(home.containers(), []);
}

#[test]
fn the_id_is_written_where_cidfile_says_and_never_over_another() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let file = home.text("cid");
    home.ok(&["run", "--cidfile", &file, "--name", "c", "--network", "none", "busybox", "true"]);
    let id = std::fs::read_to_string(&file).unwrap();
    assert_eq!(id.len(), 64, "{id:?}");
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(home.ok(&["inspect", "--format", "{{.Id}}", "c"]).trim(), id);
    let again = home.run(&["run", "--rm", "--cidfile", &file, "--network", "none", "busybox", "true"]);
    again.exits(125).fails_saying(&["cid"]);
}

#[test]
fn a_missing_image_is_pulled_and_only_said_on_the_error_stream() {
    needs!(containers, registry);
    let home = Home::new();
    let output = home.run(&["run", "--rm", "--network", "none", "busybox", "echo", "hello"]).exits(0);
    assert_eq!(output.stdout, "hello\n");
    let output =
        home.run(&["run", "-q", "--pull", "always", "--rm", "--network", "none", "busybox", "echo", "again"]);
    assert_eq!((&*output.stdout, &*output.stderr), ("again\n", ""), "-q says nothing of its own");
}
