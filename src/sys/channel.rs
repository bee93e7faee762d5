//! Message channels between processes: SOCK_SEQPACKET pairs, which keep message borders and tell when the
//! peer is gone, and can carry one descriptor with a message.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recvmsg, sendmsg, socket_with, socketpair,
};

/// One end of a channel. Sending and receiving do not allocate.
#[derive(Debug)]
pub struct Channel(OwnedFd);

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> Self {
        channel.0
    }
}

/// What came in: how many bytes of the buffer were filled, and a descriptor if one came along.
/// Zero bytes mean that the peer closed its end.
#[derive(Debug)]
pub struct Received {
    /// Bytes of the message.
    pub length: usize,
    /// The descriptor that it carried.
    pub fd: Option<OwnedFd>,
}

impl Channel {
    /// Two connected ends, closed on exec.
    pub fn pair() -> Result<(Self, Self)> {
        let (a, b) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(a), Self(b)))
    }

    /// A socket at `name` in `directory` that others connect to with [`Channel::connect`]. It is reached through
    /// /proc/self/fd, so that the directory's path may be longer than a socket's address.
    pub fn listen(directory: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        bind(&socket, &address(directory, name)?)?;
        listen(&socket, 4)?;
        Ok(socket)
    }

    /// Connects to a [`Channel::listen`].
    pub fn connect(directory: BorrowedFd<'_>, name: &str) -> Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        connect(&socket, &address(directory, name)?)?;
        Ok(Self(socket))
    }

    /// Waits for somebody who connects. Does not allocate.
    pub fn accept(listener: BorrowedFd<'_>) -> Result<Self> {
        loop {
            match accept_with(listener, SocketFlags::CLOEXEC) {
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                other => return other.map(Self),
            }
        }
    }

    /// Sends one message, and waits until it is taken over by the kernel.
    pub fn send(&self, message: &[u8]) -> Result<()> {
        self.transmit(message, None, SendFlags::NOSIGNAL)
    }

    /// Sends one message if that needs no waiting; `Errno::AGAIN` if it would.
    pub fn try_send(&self, message: &[u8]) -> Result<()> {
        self.transmit(message, None, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
    }

    /// Sends one message that carries a descriptor.
    pub fn send_with(&self, message: &[u8], fd: BorrowedFd<'_>) -> Result<()> {
        self.transmit(message, Some(fd), SendFlags::NOSIGNAL)
    }

    fn transmit(&self, message: &[u8], fd: Option<BorrowedFd<'_>>, flags: SendFlags) -> Result<()> {
        let fds = fd.map(|fd| [fd]);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if let Some(fds) = &fds {
            ancillary.push(SendAncillaryMessage::ScmRights(fds));
        }
        loop {
            match sendmsg(self.as_fd(), &[IoSlice::new(message)], &mut ancillary, flags) {
                Err(Errno::INTR) => {}
                other => return other.map(drop),
            }
        }
    }

    /// Waits for the next message; what does not fit the buffer is lost.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Received> {
        self.take(buffer, RecvFlags::CMSG_CLOEXEC)
    }

    /// The next message if there is one; `Errno::AGAIN` if not.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Result<Received> {
        self.take(buffer, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)
    }

    fn take(&self, buffer: &mut [u8], flags: RecvFlags) -> Result<Received> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut reset = false;
        loop {
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            match recvmsg(self.as_fd(), &mut [IoSliceMut::new(buffer)], &mut ancillary, flags) {
                Err(Errno::INTR) => {}
                // The peer closed with messages of ours unread; what it sent before still waits behind this.
                Err(Errno::CONNRESET) if !reset => reset = true,
                Err(errno) => return Err(errno),
                Ok(message) => {
                    let mut fd = None;
                    for ancillary in ancillary.drain() {
                        if let RecvAncillaryMessage::ScmRights(rights) = ancillary {
                            fd = rights.into_iter().next().or(fd);
                        }
                    }
                    return Ok(Received { length: message.bytes, fd });
                }
            }
        }
    }
}

/// Sends `message` and a descriptor over a connected socket of another kind.
pub fn send_descriptor(socket: BorrowedFd<'_>, message: &[u8], fd: BorrowedFd<'_>) -> Result<()> {
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(socket, &[IoSlice::new(message)], &mut ancillary, SendFlags::NOSIGNAL).map(drop)
}

fn address(directory: BorrowedFd<'_>, name: &str) -> Result<SocketAddrUnix> {
    SocketAddrUnix::new(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_borders_and_carry_descriptors() {
        let (a, b) = Channel::pair().unwrap();
        a.send(b"one").unwrap();
        a.send_with(b"two", std::io::stderr().as_fd()).unwrap();
        let mut buffer = [0; 16];
        let first = b.receive(&mut buffer).unwrap();
        assert_eq!((&buffer[..first.length], first.fd.is_some()), (&b"one"[..], false));
        let second = b.receive(&mut buffer).unwrap();
        assert_eq!((&buffer[..second.length], second.fd.is_some()), (&b"two"[..], true));
        assert_eq!(b.try_receive(&mut buffer).unwrap_err(), Errno::AGAIN);
        drop(a);
        assert_eq!(b.receive(&mut buffer).unwrap().length, 0);
    }

    #[test]
    fn the_last_word_of_a_peer_that_did_not_listen_is_heard() {
        let (a, b) = Channel::pair().unwrap();
        b.send(b"never read").unwrap();
        a.send(b"last word").unwrap();
        drop(a);
        let mut buffer = [0; 16];
        assert_eq!(b.receive(&mut buffer).unwrap().length, 9);
        assert_eq!(b.try_receive(&mut buffer).unwrap().length, 0);
    }
}
