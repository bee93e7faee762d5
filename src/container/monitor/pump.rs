//! The monitor's loop: payload's output to the log and the client, the client's input to the payload.
//!
//! Everything is non-blocking and every buffer is bounded: a source is read only when what was read before
//! is on its way, so a slow client slows the payload and nothing else, and nothing deadlocks.

use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::stdio::Ours;
use crate::container::logs;
use crate::container::protocol::{self, FromClient, MAX_CONTENT, MAX_MESSAGE};
use crate::error::{Context, Result};
use crate::sys::channel::Channel;
use crate::sys::clone::Process;
use crate::sys::signal::Signals;
use crate::sys::terminal;

/// Input that waits for the payload to read it; beyond that the client is not read any more.
const MAX_INPUT: usize = 256 * 1024;

/// How long output may still come after the payload has ended (nanoseconds without any).
const LINGER: i64 = 100_000_000;

/// The payload and its streams.
pub(super) struct Payload {
    pub(super) init: Process,
    pub(super) streams: Ours,
    pub(super) log: logs::Writer,
}

/// The state of the loop.
pub(super) struct Pump<'a> {
    payload: Payload,
    client: Option<&'a Channel>,
    signals: &'a Signals,
    /// The message that waits until the client is ready for it.
    outgoing: Vec<u8>,
    input: Vec<u8>,
    input_ended: bool,
    exited: Option<i32>,
}

/// What a poll entry is for.
#[derive(Clone, Copy)]
enum Event {
    Signal,
    Client,
    Input,
    Source(usize),
    Exit,
}

impl<'a> Pump<'a> {
    pub(super) fn new(payload: Payload, client: &'a Channel, signals: &'a Signals) -> Self {
        Self {
            payload,
            client: Some(client),
            signals,
            outgoing: Vec::new(),
            input: Vec::new(),
            input_ended: false,
            exited: None,
        }
    }

    /// Runs until the payload has ended and its output is delivered; gives its exit code.
    pub(super) fn run(mut self) -> Result<i32> {
        loop {
            let drained = self.payload.streams.sources.is_empty() && self.outgoing.is_empty();
            if let (Some(code), true) = (self.exited, drained) {
                return Ok(code);
            }
            let events = self.wait()?;
            if let (Some(code), true, true) = (self.exited, events.is_empty(), self.outgoing.is_empty()) {
                return Ok(code);
            }
            let mut closed = Vec::new();
            for (event, flags) in events {
                match event {
                    Event::Signal => self.take_signals(),
                    Event::Client => self.serve_client(flags),
                    Event::Input => self.feed(),
                    Event::Source(index) => {
                        if !self.read_source(index) {
                            closed.push(index);
                        }
                    }
                    Event::Exit => self.exited = Some(self.payload.init.wait()?),
                }
            }
            for index in closed.into_iter().rev() {
                self.payload.streams.sources.remove(index);
            }
        }
    }

    /// What is ready. Empty only when the payload has ended and nothing came for a while.
    fn wait(&self) -> Result<Vec<(Event, PollFlags)>> {
        let mut entries = vec![(Event::Signal, PollFd::new(self.signals, PollFlags::IN))];
        if let Some(client) = self.client {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, self.input.len() < MAX_INPUT);
            flags.set(PollFlags::OUT, !self.outgoing.is_empty());
            entries.push((Event::Client, PollFd::new(client, flags)));
        }
        if let Some(input) = &self.payload.streams.input
            && (!self.input.is_empty() || self.input_ended)
        {
            entries.push((Event::Input, PollFd::new(input, PollFlags::OUT)));
        }
        // One message at a time: the next is read when this one is taken.
        if self.outgoing.is_empty() {
            for (index, (_, source)) in self.payload.streams.sources.iter().enumerate() {
                entries.push((Event::Source(index), PollFd::new(source, PollFlags::IN)));
            }
        }
        if self.exited.is_none() {
            entries.push((Event::Exit, PollFd::new(&self.payload.init, PollFlags::IN)));
        }
        let mut fds: Vec<PollFd<'_>> = entries.iter().map(|(_, fd)| fd.clone()).collect();
        let linger = Timespec { tv_sec: 0, tv_nsec: LINGER as _ };
        let timeout = self.exited.is_some().then_some(&linger);
        loop {
            match poll(&mut fds, timeout) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno).context(|| "poll"),
                Ok(_) => break,
            }
        }
        let ready = entries.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
        Ok(ready.map(|((event, _), fd)| (*event, fd.revents())).collect())
    }

    /// A monitor that is asked to end asks its payload to; other signals do not concern it.
    fn take_signals(&mut self) {
        while let Some(signal) = self.signals.next() {
            if signal == libc::SIGTERM {
                let _ = self.payload.init.signal(signal);
            }
        }
    }

    fn serve_client(&mut self, flags: PollFlags) {
        if flags.contains(PollFlags::OUT) {
            self.deliver();
        }
        if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            self.hear_client();
        }
    }

    fn deliver(&mut self) {
        let Some(client) = self.client else { return };
        match client.try_send(&self.outgoing) {
            Ok(()) => self.outgoing.clear(),
            Err(Errno::AGAIN) => {}
            Err(_) => self.lose_client(),
        }
    }

    /// The container goes on without its client; what it prints is in the log.
    fn lose_client(&mut self) {
        self.client = None;
        self.outgoing.clear();
        self.input_ended = self.payload.streams.terminal.is_none();
    }

    fn hear_client(&mut self) {
        let Some(client) = self.client else { return };
        let mut buffer = [0; MAX_MESSAGE];
        let message = match client.try_receive(&mut buffer) {
            Ok(received) => protocol::from_client(&buffer[..received.length]),
            Err(Errno::AGAIN) => return,
            Err(_) => Ok(FromClient::Gone),
        };
        match message {
            Ok(FromClient::Input(bytes)) => self.input.extend_from_slice(bytes),
            Ok(FromClient::EndOfInput) => self.input_ended = true,
            Ok(FromClient::Resize(rows, columns)) => {
                if let Some(leader) = &self.payload.streams.terminal {
                    let _ = terminal::resize(leader, rows, columns);
                }
            }
            Ok(FromClient::Signal(signal)) => {
                let _ = self.payload.init.signal(signal);
            }
            // As in any pipeline: the payload's next write fails.
            Ok(FromClient::Closed(stream)) => {
                self.payload.streams.sources.retain(|(source, _)| *source != stream);
            }
            Ok(FromClient::Detach) => {
                let terminal = self.payload.streams.terminal.is_some();
                self.lose_client();
                self.input_ended &= !terminal;
            }
            Ok(FromClient::Gone) | Err(_) => self.lose_client(),
        }
    }

    /// Writes pending input to the payload, and closes its standard input after the last byte.
    fn feed(&mut self) {
        let Some(input) = &self.payload.streams.input else { return };
        match rustix::io::write(input, &self.input) {
            Ok(written) => {
                self.input.drain(..written);
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => {
                // The payload closed its end: what it did not read is lost, as in any pipe.
                self.input.clear();
                self.payload.streams.input = None;
            }
        }
        if self.input.is_empty() && self.input_ended && self.payload.streams.terminal.is_none() {
            self.payload.streams.input = None;
        }
        if self.payload.streams.terminal.is_some() {
            self.input_ended = false;
        }
    }

    /// Reads once; false when the stream has ended.
    fn read_source(&mut self, index: usize) -> bool {
        let Some((stream, source)) = self.payload.streams.sources.get(index) else { return false };
        if !self.outgoing.is_empty() {
            return true;
        }
        let mut message = vec![0; MAX_MESSAGE];
        message[0] = stream.kind();
        match rustix::io::read(source.as_fd(), &mut message[1..=MAX_CONTENT]) {
            // A terminal whose last follower is closed gives EIO.
            Ok(0) | Err(Errno::IO) => false,
            Ok(length) => {
                message.truncate(length + 1);
                self.payload.log.write(*stream, &message[1..]);
                if self.client.is_some() {
                    self.outgoing = message;
                    self.deliver();
                }
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        }
    }
}
