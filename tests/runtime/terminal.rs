//! config.md, "Process": terminal and consoleSize. The pseudo-terminal's other side goes to a console socket, as
//! runc's and crun's documentation describes.

use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::command::PATIENCE;
use crate::rig::{Bundle, deviates, eventually, needs, socket};

/// The side of a terminal that the engine holds.
struct Console {
    leader: File,
    seen: String,
}

impl Console {
    #[track_caller]
    fn accept(listener: &std::os::unix::net::UnixListener) -> Self {
        // The name of the terminal comes with it; it is one message.
        let (_, mut descriptors) = socket::receive_until(&socket::accept(listener), |_| true);
        assert_eq!(descriptors.len(), 1, "one descriptor comes over the socket");
        let leader = File::from(descriptors.remove(0));
        nix::fcntl::fcntl(&leader, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).unwrap();
        Self { leader, seen: String::new() }
    }

    #[track_caller]
    fn expect(&mut self, text: &str) {
        let started = Instant::now();
        while !self.seen.contains(text) {
            let mut buffer = [0; 4096];
            match self.leader.read(&mut buffer) {
                Ok(length) => self.seen.push_str(&String::from_utf8_lossy(&buffer[..length])),
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
            assert!(started.elapsed() < PATIENCE, "never showed {text:?}, but {:?}", self.seen);
        }
    }

    fn send(&mut self, text: &str) {
        self.leader.write_all(text.as_bytes()).unwrap();
    }
}

fn on_terminal(script: &str) -> Bundle {
    Bundle::sh(script).with(|config| config["process"]["terminal"] = json!(true))
}

/// Creates with a console socket, and starts.
#[track_caller]
fn started(bundle: &Bundle) -> Console {
    let listener = socket::listen(&bundle.path("console"));
    bundle.try_create(&["--console-socket", &bundle.text("console")]).success();
    let console = Console::accept(&listener);
    bundle.start();
    console
}

#[test]
fn the_standard_streams_are_the_terminal() {
    needs!(bundles);
    let bundle = on_terminal(
        "tty; test -t 0 && test -t 1 && test -t 2 && echo all of them; readlink /proc/self/fd/0; read word; echo got $word",
    );
    let mut console = started(&bundle);
    console.expect("/dev/pts/0\r\nall of them\r\n");
    console.send("something\n");
    console.expect("got something\r\n");
}

/// "/dev/console is set up if terminal is enabled in the config by bind mounting the pseudoterminal pty".
#[test]
fn the_console_is_the_terminal_and_controls_the_session() {
    needs!(bundles);
    let bundle = on_terminal(
        "echo to the console >/dev/console; echo to the tty >/dev/tty; stat -c %t /dev/console; trap 'exit 0' INT; echo ready; while :; do sleep 0.05; done",
    );
    let mut console = started(&bundle);
    console.expect("to the console\r\n");
    console.expect("to the tty\r\n");
    console.expect("88\r\nready\r\n");
    console.send("\x03");
    bundle.wait_for("stopped");
}

#[test]
fn the_size() {
    needs!(bundles);
    let bundle = on_terminal("stty size").with(|config| {
        config["process"]["consoleSize"] = json!({ "height": 31, "width": 117 });
    });
    started(&bundle).expect("31 117\r\n");
}

/// "Runtimes MUST ignore consoleSize if terminal is false or unset."
#[test]
fn a_size_of_no_terminal_is_ignored() {
    needs!(bundles);
    let bundle = Bundle::sh("tty").with(|config| {
        config["process"]["consoleSize"] = json!({ "height": 31, "width": 117 });
    });
    assert_eq!(bundle.run().stdout, "not a tty\n");
}

#[test]
fn another_user_may_open_the_terminal() {
    needs!(bundles, subordinate_ids);
    let bundle = on_terminal("echo to the tty >/dev/tty; echo again >$(tty)")
        .with_subordinate_ids()
        .with(|config| config["process"]["user"] = json!({ "uid": 7, "gid": 8 }));
    let mut console = started(&bundle);
    console.expect("to the tty\r\nagain\r\n");
}

/// A terminal needs somebody to take it.
#[test]
fn a_terminal_without_a_socket_and_a_socket_without_a_terminal_are_refused() {
    needs!(bundles);
    on_terminal("true").is_refused();
    let bundle = on_terminal("true");
    let output = bundle.try_create(&["--console-socket", "/no/such/socket"]);
    assert_ne!(output.code, 0, "{output}");
    assert!(!bundle.ids().contains(&bundle.id));
}

#[test]
fn exec_on_a_terminal() {
    needs!(bundles);
    let bundle = Bundle::sleeping().running();
    let listener = socket::listen(&bundle.path("console"));
    let socket = bundle.text("console");
    let script = "tty; test -t 0 && test -t 1 && test -t 2 && echo all of them; echo to the tty >/dev/tty; read word; exit $word";
    let args = ["exec", "--tty", "--console-socket", &socket, &bundle.id, "sh", "-c", script];
    let mut running = crate::rig::command::Running::start(bundle.runtime(&args));
    let mut console = Console::accept(&listener);
    console.expect("all of them\r\nto the tty\r\n");
    assert!(console.seen.contains("/dev/pts/"), "{}", console.seen);
    console.send("7\n");
    assert_eq!(crate::rig::command::code_of(running.wait()), 7);
}

#[test]
fn exec_on_a_terminal_with_a_process_and_a_size() {
    needs!(bundles);
    deviates!("crun", "takes the size of the container's process alone");
    let bundle = Bundle::sleeping().running();
    let listener = socket::listen(&bundle.path("console"));
    let process: Value = json!({
        "terminal": true, "consoleSize": { "height": 21, "width": 99 }, "user": { "uid": 0, "gid": 0 },
        "args": ["sh", "-c", "stty size; read word"], "env": ["PATH=/bin"], "cwd": "/",
    });
    bundle.write("process.json", &process.to_string());
    let (socket, file) = (bundle.text("console"), bundle.text("process.json"));
    let pid = bundle.text("pid");
    let args =
        ["exec", "--detach", "--console-socket", &socket, "--pid-file", &pid, "--process", &file, &bundle.id];
    bundle.detached(bundle.runtime(&args)).success();
    let mut console = Console::accept(&listener);
    console.expect("21 99\r\n");
    let pid: i32 = bundle.read("pid").trim().parse().unwrap();
    console.send("end\n");
    eventually("it ends", || {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().is_empty()
    });
}

/// In front of a terminal, without a socket, the runtime passes it through.
#[test]
fn run_in_front_of_a_terminal() {
    needs!(bundles);
    let bundle = on_terminal("tty; stty size; echo word $((40 + 2))");
    let run = bundle.run_command(&[]);
    let mut script = bundle.command("/usr/bin/script");
    let line = std::iter::once(run.get_program()).chain(run.get_args()).map(|part| part.to_str().unwrap());
    let line = format!("stty rows 33 columns 77; {}", line.collect::<Vec<_>>().join(" "));
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let output = crate::rig::command::finish(script, b"");
    assert!(output.stdout.contains("/dev/pts/0\r\n"), "{output}");
    assert!(output.stdout.contains("word 42\r\n"), "{output}");
    assert_eq!(output.code, 0, "{output}");
    deviates!("crun", "sets the size when the program runs already");
    assert!(output.stdout.contains("33 77\r\n"), "{output}");
}
