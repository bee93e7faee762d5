//! `-it` on a real terminal.

use nix::sys::signal::Signal;

use crate::rig::command::eventually;
use crate::rig::{Home, needs};

const SHELL: &[&str] = &["run", "-it", "--rm", "--network", "none", "busybox", "sh"];

#[test]
fn a_shell_on_a_terminal() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut terminal = home.on_terminal(SHELL);
    terminal.send("tty; echo term is $TERM\n");
    terminal.expect("/dev/pts/0");
    terminal.expect("term is xterm");
    assert!(terminal.is_raw());
    terminal.send("exit 7\n");
    assert_eq!(terminal.wait(), 7);
    terminal.assert_restored();
}

#[test]
fn ctrl_c_interrupts_the_command_and_not_rcon() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut terminal = home.on_terminal(SHELL);
    terminal.send("echo re''ady; sleep 1000\n");
    terminal.expect("ready");
    std::thread::sleep(std::time::Duration::from_millis(200));
    terminal.send("\x03");
    terminal.send("echo still $((40 + 2))\n");
    terminal.expect("still 42");
    terminal.send("\x04");
    // The shell ends with the status of its last command.
    assert_eq!(terminal.wait(), 0);
    terminal.assert_restored();
}

#[test]
fn the_window_size_is_the_terminals_from_the_start_and_when_it_changes() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut terminal = home.on_terminal(SHELL);
    terminal.send("stty size\n");
    terminal.expect("24 80");
    terminal.send("trap 'echo resized to $(stty size)' WINCH; echo trap''ped\n");
    terminal.expect("trapped");
    terminal.resize(50, 132);
    eventually("the new size is inside", || {
        terminal.send("echo size $(stty size) now\n");
        std::thread::sleep(std::time::Duration::from_millis(50));
        terminal.shows("size 50 132 now")
    });
    terminal.send("exit\n");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn the_terminal_is_restored_when_rcon_is_told_to_stop() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "trap 'exit 3' TERM HUP; echo rea''dy; while :; do sleep 0.05; done";
    let args = ["run", "-it", "--rm", "--network", "none", "busybox", "sh", "-c", script];
    let mut terminal = home.on_terminal(&args);
    terminal.expect("ready");
    nix::sys::signal::kill(terminal.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(terminal.wait(), 3);
    terminal.assert_restored();
    assert_eq!(home.containers(), []);
}

#[test]
fn the_terminal_is_restored_when_the_command_cannot_start() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut terminal =
        home.on_terminal(&["run", "-it", "--rm", "--network", "none", "busybox", "no-such-command"]);
    assert_eq!(terminal.wait(), 127);
    terminal.assert_restored();
}

#[test]
fn the_detach_keys_leave_the_container_running() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut terminal =
        home.on_terminal(&["run", "-it", "--name", "left", "--network", "none", "busybox", "sh"]);
    terminal.send("echo re''ady\n");
    terminal.expect("ready");
    terminal.send("\x10\x11");
    assert_eq!(terminal.wait(), 0);
    terminal.assert_restored();
    assert_eq!(home.containers(), [("left".into(), "running".into())]);
    home.ok(&["rm", "--force", "left"]);
    assert_eq!(home.containers(), []);
}

#[test]
fn other_detach_keys_can_be_chosen() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let args =
        ["run", "-it", "--name", "left", "--detach-keys", "ctrl-x,q", "--network", "none", "busybox", "sh"];
    let mut terminal = home.on_terminal(&args);
    terminal.send("echo re''ady\n");
    terminal.expect("ready");
    // The default keys now go through to the shell.
    terminal.send("\x10\x11\n");
    terminal.send("echo al''ive\n");
    terminal.expect("alive");
    terminal.send("\x18q");
    assert_eq!(terminal.wait(), 0);
    home.ok(&["rm", "-f", "left"]);
}

#[test]
fn a_terminal_without_input_and_input_without_a_terminal() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut terminal =
        home.on_terminal(&["run", "-t", "--rm", "--network", "none", "busybox", "sh", "-c", "tty; echo end"]);
    terminal.expect("/dev/pts/0");
    terminal.expect("end");
    assert_eq!(terminal.wait(), 0);
    // -t where rcon's own output is no terminal: the container has one all the same.
    let output = home.ok(&[
        "run",
        "-t",
        "--rm",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "tty; test -t 1 && echo yes",
    ]);
    assert_eq!(output.replace('\r', ""), "/dev/pts/0\nyes\n");
    let output = home.run_with(&["run", "-i", "--rm", "--network", "none", "busybox", "tty"], b"");
    assert_eq!((output.code, &*output.stdout), (1, "not a tty\n"));
}

#[test]
fn programs_that_ask_for_the_terminal_by_name_get_it() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut terminal = home.on_terminal(SHELL);
    terminal.send("echo to the tty >/dev/tty; echo to the console >/dev/console; ls -l /proc/self/fd/0 | grep -o pts/0\n");
    terminal.expect("to the tty\r\n");
    terminal.expect("to the console\r\n");
    terminal.expect("pts/0");
    terminal.send("sleep 100 & jobs; fg\n");
    terminal.expect("Running");
    terminal.expect("sleep 100\r\nsleep 100\r\n");
    // The shell prints the command before it hands the terminal over.
    std::thread::sleep(std::time::Duration::from_millis(500));
    terminal.send("\x1a");
    terminal.expect("Stopped");
    // A shell that still counts the job among its stopped ones leaves at the second word.
    terminal.send("kill -9 %1; wait; exit 0; exit 0\n");
    assert_eq!(terminal.wait(), 0);
    terminal.assert_restored();
}
