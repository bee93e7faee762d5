//! Starting rcon without a terminal, and what came of it. Nothing waits for ever.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything may take, on a slow machine under load.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What a finished command did.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) what: String,
}

impl Output {
    /// It ended with 0; answers its output.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        self.exits(0).stdout
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code of {self}");
        self
    }

    /// rcon itself failed, and said why in its own way: `Error: …`, nothing on stdout.
    #[track_caller]
    pub(crate) fn fails_saying(self, words: &[&str]) -> Self {
        assert_ne!(self.code, 0, "{self}");
        assert!(self.stderr.contains("Error: "), "no error in {self}");
        for word in words {
            let found = self.stderr.to_lowercase().contains(&word.to_lowercase());
            assert!(found, "no {word:?} in the error of {self}");
        }
        assert!(!self.stderr.contains("panicked"), "{self}");
        self
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nexit: {}\nstdout: {}\nstderr: {}", self.what, self.code, self.stdout, self.stderr)
    }
}

/// As a shell tells it.
pub(crate) fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Runs a command to its end. A command whose output stays open after its end has left something running.
pub(crate) fn finish(command: Command, input: &[u8]) -> Output {
    let mut running = Running::start_with_input(command, Some(input.to_vec()));
    let status = running.wait();
    running.output(status)
}

/// A command that runs beside the test. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    what: String,
    lines: mpsc::Receiver<Vec<u8>>,
    seen: Vec<u8>,
    stderr: mpsc::Receiver<Vec<u8>>,
}

impl Running {
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with_input(command, None)
    }

    fn start_with_input(mut command: Command, input: Option<Vec<u8>>) -> Self {
        let what = format!("{:?}", command.get_args().collect::<Vec<_>>());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        if let Some(input) = input {
            let mut stdin = child.stdin.take().unwrap();
            // A command need not read its input.
            std::thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let lines = pump(child.stdout.take().unwrap());
        let stderr = pump(child.stderr.take().unwrap());
        Self { child, what, lines, seen: Vec::new(), stderr }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap_or_else(|error| panic!("{signal} to {}: {error}", self.what));
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.child.stdin.as_mut().expect("its input is open").write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn close_input(&mut self) {
        self.child.stdin = None;
    }

    /// Waits until `text` has come out.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(more) => self.seen.extend(more),
                Err(_) => panic!(
                    "{} never said {text:?}: {}\n{}",
                    self.what,
                    String::from_utf8_lossy(&self.seen),
                    String::from_utf8_lossy(&drain(&self.stderr, Duration::from_millis(200)).0)
                ),
            }
        }
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        let mut pause = Duration::from_micros(500);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if started.elapsed() > PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                let (stderr, _) = drain(&self.stderr, Duration::from_secs(1));
                panic!("{} does not end: {}", self.what, String::from_utf8_lossy(&stderr));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    /// Waits for the end; what it wrote on the way.
    #[track_caller]
    pub(crate) fn end(mut self) -> Output {
        self.close_input();
        let status = self.wait();
        self.output(status)
    }

    #[track_caller]
    fn output(&mut self, status: ExitStatus) -> Output {
        let (rest, closed) = drain(&self.lines, Duration::from_secs(20));
        self.seen.extend(rest);
        assert!(closed, "{} has ended, but something that it left holds its standard output", self.what);
        let (stderr, closed) = drain(&self.stderr, Duration::from_secs(20));
        assert!(closed, "{} has ended, but something that it left holds its standard error", self.what);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output {
            code: code_of(status),
            stdout: text(&self.seen),
            stderr: text(&stderr),
            what: self.what.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pump(from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let more = match from.fill_buf() {
                Ok(more) if !more.is_empty() => more.to_vec(),
                _ => return,
            };
            from.consume(more.len());
            if send.send(more).is_err() {
                return;
            }
        }
    });
    receive
}

/// All that comes until the writer closes; whether it did within `patience`.
fn drain(from: &mpsc::Receiver<Vec<u8>>, patience: Duration) -> (Vec<u8>, bool) {
    let end = Instant::now() + patience;
    let mut all = Vec::new();
    loop {
        match from.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(more) => all.extend(more),
            Err(mpsc::RecvTimeoutError::Disconnected) => return (all, true),
            Err(mpsc::RecvTimeoutError::Timeout) => return (all, false),
        }
    }
}

/// Asks until the answer is yes.
#[track_caller]
pub(crate) fn eventually(what: &str, mut ask: impl FnMut() -> bool) {
    let started = Instant::now();
    while !ask() {
        assert!(started.elapsed() < PATIENCE, "it never came about that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
