//! Staying with a process in the foreground: its terminal on the caller's, the caller's signals to it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::{Context, Result};
use crate::sys::clone::Process;
use crate::sys::signal::Signals;
use crate::sys::terminal::{self, RawMode};

/// Waits until `process` ends and gives its exit code; 128 + n for signal n. `signals` were taken before it was made.
pub(super) fn stay(process: &Process, leader: Option<OwnedFd>, signals: &Signals) -> Result<i32> {
    let (input, output) = (std::io::stdin(), std::io::stdout());
    let _raw = match &leader {
        Some(_) if terminal::is_terminal(&input) => {
            Some(RawMode::enter(input.as_fd()).context(|| "cannot put the terminal into raw mode")?)
        }
        _ => None,
    };
    let mut relay = Relay { process, leader, typing: Some(input.as_fd()), output: output.as_fd(), signals };
    relay.resize();
    relay.run()?;
    process.wait()
}

struct Relay<'a> {
    process: &'a Process,
    leader: Option<OwnedFd>,
    /// The caller's input, until it ends.
    typing: Option<BorrowedFd<'a>>,
    output: BorrowedFd<'a>,
    signals: &'a Signals,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Ended,
    Signal,
    Output,
    Typed,
}

impl Relay<'_> {
    fn run(&mut self) -> Result<()> {
        let mut ended = false;
        loop {
            let events = self.wait(ended)?;
            if ended && !events.contains(&Event::Output) {
                return Ok(());
            }
            for event in events {
                match event {
                    Event::Ended => ended = true,
                    Event::Signal => self.pass_signals(),
                    Event::Output => self.pass_output(),
                    Event::Typed => self.pass_input(),
                }
            }
            if ended && self.leader.is_none() {
                return Ok(());
            }
        }
    }

    /// What has happened. Once the process has ended, only what its terminal still holds counts, and nobody waits.
    fn wait(&self, ended: bool) -> Result<Vec<Event>> {
        let mut sources = Vec::new();
        if let Some(leader) = &self.leader {
            sources.push((Event::Output, leader.as_fd()));
        }
        if !ended {
            sources.push((Event::Ended, self.process.as_fd()));
            sources.push((Event::Signal, self.signals.as_fd()));
            if let (Some(typing), Some(_)) = (self.typing, &self.leader) {
                sources.push((Event::Typed, typing));
            }
        }
        let mut fds: Vec<_> =
            sources.iter().map(|(_, fd)| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match poll(&mut fds, ended.then_some(&now)) {
                Err(Errno::INTR) => {}
                other => {
                    other.context(|| "poll")?;
                    break;
                }
            }
        }
        let ready = sources.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
        Ok(ready.map(|((event, _), _)| *event).collect())
    }

    fn pass_signals(&self) {
        while let Some(signal) = self.signals.next() {
            match signal {
                libc::SIGWINCH => self.resize(),
                // About us, and not about the container.
                libc::SIGCHLD
                | libc::SIGURG
                | libc::SIGPIPE
                | libc::SIGTTIN
                | libc::SIGTTOU
                | libc::SIGTSTP => {}
                _ => drop(self.process.signal(signal)),
            }
        }
    }

    fn resize(&self) {
        if let Some(leader) = &self.leader
            && let Ok((rows, columns)) = terminal::size(self.output)
        {
            let _ = terminal::resize(leader, rows, columns);
        }
    }

    fn pass_output(&mut self) {
        let Some(leader) = &self.leader else { return };
        let mut buffer = [0; 8192];
        match rustix::io::read(leader, &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            // EIO: nobody has the other side open any more.
            Ok(0) | Err(_) => self.leader = None,
            Ok(length) => drop(write_all(self.output, &buffer[..length])),
        }
    }

    fn pass_input(&mut self) {
        let (Some(leader), Some(typing)) = (&self.leader, self.typing) else { return };
        let mut buffer = [0; 4096];
        match rustix::io::read(typing, &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => {
                self.typing = None;
                // What ends the input of somebody who types.
                let _ = write_all(leader.as_fd(), &[4]);
            }
            Ok(length) => drop(write_all(leader.as_fd(), &buffer[..length])),
        }
    }
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
