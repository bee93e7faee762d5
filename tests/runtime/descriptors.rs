//! runtime-linux.md, "File descriptors".

use crate::rig::{Bundle, command, deviates, needs};

/// Starts the runtime by a shell that leaves descriptors 3 to 5 open.
fn with_descriptors(bundle: &Bundle, options: &[&str], variables: &[(&str, &str)]) -> command::Output {
    let run = bundle.run_command(options);
    for number in 3..6 {
        bundle.write(&format!("file{number}"), &format!("file {number}\n"));
    }
    let mut shell = bundle.command("/bin/sh");
    shell.args(["-c", "exec 3<file3 4<file4 5<file5; exec \"$@\"", "sh"]);
    shell.arg(run.get_program()).args(run.get_args()).envs(variables.iter().copied());
    command::finish(shell, b"")
}

const LIST: &str = "cd /proc/self/fd; for fd in *; do echo $fd; done";

/// "By default, only the stdin, stdout and stderr file descriptors are kept open"
#[test]
fn only_the_standard_streams_are_open() {
    needs!(bundles);
    let printed = Bundle::of(&["ls", "/proc/self/fd"]).says();
    assert_eq!(printed, "0\n1\n2\n3\n", "3 is ls's own");
}

#[test]
fn what_the_caller_left_open_does_not_leak() {
    needs!(bundles);
    let bundle = Bundle::of(&["ls", "/proc/self/fd"]);
    assert_eq!(with_descriptors(&bundle, &[], &[]).success(), "0\n1\n2\n3\n");
}

#[test]
fn what_is_to_be_kept_is_kept() {
    needs!(bundles);
    let bundle = Bundle::sh("cat <&3; cat <&4; (cat <&5) 2>/dev/null; true");
    let output = with_descriptors(&bundle, &["--preserve-fds", "2"], &[]);
    assert_eq!(output.success(), "file 3\nfile 4\n");
}

/// "to support features such as socket activation": sd_listen_fds(3).
#[test]
fn sockets_that_were_handed_over() {
    needs!(bundles);
    let script = "echo $LISTEN_FDS; test $LISTEN_PID = $$ && echo mine; cat <&3; (cat <&4) 2>/dev/null; true";
    // Engines list the number themselves; what they cannot know is the pid.
    let bundle = Bundle::sh(script).with(|config| {
        config["process"]["env"].as_array_mut().unwrap().push("LISTEN_FDS=1".into());
    });
    let output = with_descriptors(&bundle, &[], &[("LISTEN_FDS", "1")]);
    assert_eq!(output.success(), "1\nmine\nfile 3\n");
}

#[test]
fn closed_standard_streams_are_no_error() {
    needs!(bundles);
    deviates!("crun", "crashes");
    let bundle = Bundle::sh(&format!("({LIST}) >/tmp/list"));
    let run = bundle.run_command(&[]);
    let mut shell = bundle.command("/bin/sh");
    shell.args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh"]);
    shell.arg(run.get_program()).args(run.get_args());
    assert_eq!(command::finish(shell, b"").code, 0);
    let open: Vec<_> = bundle.read("rootfs/tmp/list").lines().map(str::to_owned).collect();
    assert!(open.len() <= 4, "{open:?}");
}

/// A relative path of an open directory of the host would be a way out.
#[test]
fn no_directory_of_the_host_is_open() {
    needs!(bundles);
    let script = "for fd in /proc/self/fd/*; do test -d $fd/ && echo $fd is $(readlink $fd); done; true";
    assert_eq!(Bundle::sh(script).says(), "");
}

/// Hooks of the runtime's namespaces are programs of the host, started with nothing but their state.
#[test]
fn hooks_get_no_descriptors() {
    needs!(bundles);
    let mut bundle = Bundle::new();
    let script = format!("cat >/dev/null; ls /proc/self/fd >{}", bundle.text("open"));
    bundle.config["hooks"] = serde_json::json!({
        "createRuntime": [{ "path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"] }],
    });
    with_descriptors(&bundle, &[], &[]).success();
    let open: Vec<_> = bundle.read("open").split_whitespace().map(str::to_owned).collect();
    assert_eq!(open, ["0", "1", "2", "3"], "3 is ls's own");
}
