//! The client's side of a running container: the caller's streams, signals and window on one end, the
//! monitor's channel on the other.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::protocol::{self, FromMonitor, MAX_CONTENT, MAX_MESSAGE};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::channel::Channel;
use crate::sys::signal::Signals;
use crate::sys::terminal::{self, RawMode};

/// What is attached to the container.
#[derive(Debug)]
pub struct Attachment<'a> {
    /// Read for the payload's standard input, if it has one.
    pub input: Option<BorrowedFd<'a>>,
    /// Gets standard output.
    pub output: BorrowedFd<'a>,
    /// Gets standard error.
    pub error: BorrowedFd<'a>,
    /// Whether the payload has a terminal: `input`, if it is one too, becomes raw.
    pub tty: bool,
    /// Signals of this process.
    pub signals: &'a Signals,
    /// Whether they are passed on.
    pub proxy_signals: bool,
    /// The bytes that detach; none if empty.
    pub detach_keys: &'a [u8],
}

/// How an attachment ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The payload ended with this code.
    Exited(i32),
    /// The user left; the container goes on.
    Detached,
    /// A signal ended the client; the container goes on.
    Interrupted(i32),
}

/// Serves until the payload ends or the user leaves. The terminal is restored on every way out.
pub fn attach(channel: &Channel, attachment: &Attachment<'_>) -> Result<Ending> {
    let mut client = Client {
        channel,
        attachment,
        raw: None,
        outgoing: Vec::new(),
        incoming: Vec::new(),
        input_open: attachment.input.is_some(),
        matched: 0,
    };
    if let Some(input) = attachment.input
        && attachment.tty
        && terminal::is_terminal(input)
    {
        client.raw = Some(RawMode::enter(input).context(|| "cannot put the terminal into raw mode")?);
    }
    client.serve()
}

struct Client<'a> {
    channel: &'a Channel,
    attachment: &'a Attachment<'a>,
    raw: Option<RawMode<'a>>,
    /// A message that waits for the monitor.
    outgoing: Vec<u8>,
    /// A message of the monitor whose content is not written yet: kind, then what is left.
    incoming: Vec<u8>,
    input_open: bool,
    /// How many of the detach keys were typed.
    matched: usize,
}

#[derive(Clone, Copy)]
enum Event {
    Signal,
    Monitor,
    Input,
    Output,
}

impl<'a> Client<'a> {
    fn serve(&mut self) -> Result<Ending> {
        self.tell_size();
        loop {
            for (event, flags) in self.wait()? {
                let ending = match event {
                    Event::Signal => self.take_signals(),
                    Event::Monitor => self.serve_monitor(flags)?,
                    Event::Input => self.read_input(),
                    Event::Output => self.write_output()?,
                };
                if let Some(ending) = ending {
                    return Ok(ending);
                }
            }
        }
    }

    fn wait(&self) -> Result<Vec<(Event, PollFlags)>> {
        let mut entries = vec![(Event::Signal, PollFd::new(self.attachment.signals, PollFlags::IN))];
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.incoming.is_empty());
        flags.set(PollFlags::OUT, !self.outgoing.is_empty());
        if !flags.is_empty() {
            entries.push((Event::Monitor, PollFd::new(self.channel, flags)));
        }
        if let Some(input) = self.attachment.input
            && self.input_open
            && self.outgoing.is_empty()
        {
            entries.push((Event::Input, PollFd::from_borrowed_fd(input, PollFlags::IN)));
        }
        if !self.incoming.is_empty() {
            entries.push((Event::Output, PollFd::from_borrowed_fd(self.sink(), PollFlags::OUT)));
        }
        let mut fds: Vec<PollFd<'_>> = entries.iter().map(|(_, fd)| fd.clone()).collect();
        loop {
            match poll(&mut fds, None) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno).context(|| "poll"),
                Ok(_) => break,
            }
        }
        let ready = entries.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
        Ok(ready.map(|((event, _), fd)| (*event, fd.revents())).collect())
    }

    fn take_signals(&mut self) -> Option<Ending> {
        while let Some(signal) = self.attachment.signals.next() {
            match signal {
                libc::SIGWINCH => self.tell_size(),
                // Not about the container: our own child, our own streams, job control of our own terminal.
                libc::SIGCHLD | libc::SIGURG | libc::SIGPIPE | libc::SIGTTIN | libc::SIGTTOU => {}
                // The terminal is gone, and with it whoever looked at it. The container stays, as with podman.
                libc::SIGHUP if self.attachment.tty => {
                    let _ = self.channel.send(&[b's', signal as u8]);
                    return Some(Ending::Interrupted(signal));
                }
                _ if self.attachment.proxy_signals => {
                    let _ = self.channel.send(&[b's', signal as u8]);
                }
                libc::SIGINT | libc::SIGTERM | libc::SIGHUP | libc::SIGQUIT => {
                    return Some(Ending::Interrupted(signal));
                }
                _ => {}
            }
        }
        None
    }

    fn tell_size(&self) {
        if self.attachment.tty
            && let Ok((rows, columns)) = terminal::size(self.attachment.output)
        {
            let _ = self.channel.try_send(&protocol::resize(rows, columns));
        }
    }

    fn serve_monitor(&mut self, flags: PollFlags) -> Result<Option<Ending>> {
        if flags.contains(PollFlags::OUT) {
            self.flush();
        }
        if !self.incoming.is_empty() || !flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            return Ok(None);
        }
        let mut buffer = vec![0; MAX_MESSAGE];
        let length = match self.channel.try_receive(&mut buffer) {
            Ok(received) => received.length,
            Err(Errno::AGAIN) => return Ok(None),
            Err(_) => 0,
        };
        buffer.truncate(length);
        match protocol::from_monitor(&buffer)? {
            FromMonitor::Output(_) | FromMonitor::ErrorOutput(_) => {
                self.incoming = buffer;
                self.write_output()
            }
            FromMonitor::Started => Ok(None),
            FromMonitor::Exited(code) => Ok(Some(Ending::Exited(code))),
            FromMonitor::Failed(error) => Err(error),
            FromMonitor::Gone => {
                Err(Error::new(Kind::System, "the container's monitor was killed, and the container with it"))
            }
        }
    }

    fn flush(&mut self) {
        match self.channel.try_send(&self.outgoing) {
            Err(Errno::AGAIN) => {}
            // The monitor's last word is still to be read.
            Ok(()) | Err(_) => self.outgoing.clear(),
        }
    }

    fn read_input(&mut self) -> Option<Ending> {
        let input = self.attachment.input?;
        let mut message = vec![0; MAX_MESSAGE];
        message[0] = b'i';
        match rustix::io::read(input, &mut message[1..=MAX_CONTENT]) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => {
                self.input_open = false;
                self.outgoing = b"e".to_vec();
                self.flush();
            }
            Ok(length) => {
                message.truncate(length + 1);
                if self.attachment.tty && self.takes_leave(&mut message) {
                    if message.len() > 1 {
                        let _ = self.channel.send(&message);
                    }
                    let _ = self.channel.send(b"d");
                    return Some(Ending::Detached);
                }
                if message.len() > 1 {
                    self.outgoing = message;
                    self.flush();
                }
            }
        }
        None
    }

    /// Looks for the detach keys, which may come in several reads; what may still become them is held back.
    fn takes_leave(&mut self, message: &mut Vec<u8>) -> bool {
        let keys = self.attachment.detach_keys;
        if keys.is_empty() {
            return false;
        }
        let typed = message.split_off(1);
        for byte in typed {
            if byte == keys[self.matched] {
                self.matched += 1;
                if self.matched == keys.len() {
                    return true;
                }
                continue;
            }
            message.extend_from_slice(&keys[..self.matched]);
            self.matched = usize::from(byte == keys[0]);
            if self.matched == 0 {
                message.push(byte);
            }
        }
        false
    }

    fn sink(&self) -> BorrowedFd<'a> {
        match self.incoming.first() {
            Some(b'r') => self.attachment.error,
            _ => self.attachment.output,
        }
    }

    /// Writes what is pending, in pieces that a pipe which is ready takes without blocking.
    fn write_output(&mut self) -> Result<Option<Ending>> {
        const PIECE: usize = 4096;
        let sink = self.sink();
        let end = self.incoming.len().min(1 + PIECE);
        match rustix::io::write(sink, &self.incoming[1..end]) {
            Ok(written) => {
                self.incoming.drain(1..=written);
                if self.incoming.len() == 1 {
                    self.incoming.clear();
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::PIPE | Errno::IO) => {
                let _ = self.channel.send(&[b'p', self.incoming[0]]);
                self.incoming.clear();
            }
            Err(errno) => return Err(errno).context(|| "cannot write the container's output"),
        }
        Ok(None)
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        self.raw = None;
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    fn typed(keys: &[u8], reads: &[&[u8]]) -> (Vec<u8>, bool) {
        let (channel, _peer) = Channel::pair().unwrap();
        let signals = Signals::all().unwrap();
        let out = std::io::stdout();
        let attachment = Attachment {
            input: None,
            output: out.as_fd(),
            error: out.as_fd(),
            tty: true,
            signals: &signals,
            proxy_signals: false,
            detach_keys: keys,
        };
        let mut client = Client {
            channel: &channel,
            attachment: &attachment,
            raw: None,
            outgoing: Vec::new(),
            incoming: Vec::new(),
            input_open: true,
            matched: 0,
        };
        let mut sent = Vec::new();
        for read in reads {
            let mut message = [b"i", *read].concat();
            let leave = client.takes_leave(&mut message);
            sent.extend_from_slice(&message[1..]);
            if leave {
                return (sent, true);
            }
        }
        (sent, false)
    }

    #[test]
    fn detach_keys_are_found_across_reads_and_held_back_until_sure() {
        let keys = [0x10, 0x11];
        assert_eq!(typed(&keys, &[b"ls\x10\x11"]), (b"ls".to_vec(), true));
        assert_eq!(typed(&keys, &[b"a\x10", b"\x11"]), (b"a".to_vec(), true));
        assert_eq!(typed(&keys, &[b"a\x10", b"b"]), (b"a\x10b".to_vec(), false));
        assert_eq!(typed(&keys, &[b"\x10\x10\x11"]), (b"\x10".to_vec(), true));
        assert_eq!(typed(&[], &[b"\x10\x11"]), (b"\x10\x11".to_vec(), false));
    }
}
