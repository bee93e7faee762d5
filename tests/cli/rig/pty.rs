//! rcon on a terminal: a pseudo-terminal whose other side the test holds.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use super::command::{PATIENCE, code_of};

pub(crate) struct Pty {
    child: Child,
    master: File,
    /// Kept open, so that the master sees no hang-up when rcon ends, and the modes can be read.
    slave: OwnedFd,
    output: mpsc::Receiver<Vec<u8>>,
    seen: String,
    before: Termios,
}

impl Pty {
    pub(crate) fn start(command: &Command) -> Self {
        let pair = nix::pty::openpty(None, None).unwrap();
        let (master, slave) = (pair.master, pair.slave);
        resize(&master, 24, 80);
        let before = tcgetattr(&slave).unwrap();
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        // setsid makes the terminal the controlling one, then becomes rcon.
        let mut session = Command::new("/usr/bin/setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        let variables = command.get_envs().filter_map(|(key, value)| Some((key, value?)));
        session.envs(variables).env("TERM", "xterm").stdin(stdio()).stdout(stdio()).stderr(stdio());
        if let Some(dir) = command.get_current_dir() {
            session.current_dir(dir);
        }
        let child = session.spawn().unwrap();
        let reader = File::from(master.try_clone().unwrap());
        let output = listen(reader);
        Self { child, master: File::from(master), slave, output, seen: String::new(), before }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for `text` after everything that was expected before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(more) => self.seen.push_str(&String::from_utf8_lossy(&more)),
                Err(_) => panic!("the terminal never showed {text:?}, but {:?}", self.seen),
            }
        }
    }

    /// Whether `text` has been shown by now.
    pub(crate) fn shows(&mut self, text: &str) -> bool {
        while let Ok(more) = self.output.try_recv() {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        self.seen.contains(text)
    }

    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        resize(&self.master, rows, columns);
    }

    /// Waits for the end; the exit code.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> i32 {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return code_of(status);
            }
            while let Ok(more) = self.output.try_recv() {
                self.seen.push_str(&String::from_utf8_lossy(&more));
            }
            assert!(started.elapsed() < PATIENCE, "does not end; the terminal shows {:?}", self.seen);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Whether keys go straight through, as to a full-screen program.
    pub(crate) fn is_raw(&self) -> bool {
        !tcgetattr(&self.slave).unwrap().local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// The modes are those from before rcon started.
    #[track_caller]
    pub(crate) fn assert_restored(&self) {
        let now = tcgetattr(&self.slave).unwrap();
        assert_eq!(now.local_modes, self.before.local_modes, "local modes");
        assert_eq!(now.input_modes, self.before.input_modes, "input modes");
        assert_eq!(now.output_modes, self.before.output_modes, "output modes");
        assert_eq!(now.control_modes, self.before.control_modes, "control modes");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: impl AsFd, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}

fn listen(mut from: File) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if send.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receive
}
