//! Sockets over which a runtime hands descriptors out.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Instant;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use super::command::PATIENCE;

/// Listens at `path`.
pub(crate) fn listen(path: &Path) -> UnixListener {
    let listener = UnixListener::bind(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    listener.set_nonblocking(true).unwrap();
    listener
}

/// The next connection. Nothing waits for ever.
#[track_caller]
pub(crate) fn accept(listener: &UnixListener) -> UnixStream {
    let end = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            Err(_) if Instant::now() < end => std::thread::sleep(std::time::Duration::from_millis(5)),
            Err(error) => panic!("nobody connected: {error}"),
        }
    }
}

/// All that comes until the peer closes: the payload, and the descriptors.
pub(crate) fn receive(stream: &UnixStream) -> (Vec<u8>, Vec<OwnedFd>) {
    receive_until(stream, |_| false)
}

/// All that comes until the peer closes or the payload is complete.
pub(crate) fn receive_until(
    stream: &UnixStream,
    complete: impl Fn(&[u8]) -> bool,
) -> (Vec<u8>, Vec<OwnedFd>) {
    let (mut payload, mut descriptors) = (Vec::new(), Vec::new());
    loop {
        let mut buffer = [0; 65536];
        let mut control = nix::cmsg_space!([RawFd; 8]);
        let length = {
            let mut pieces = [IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let message =
                recvmsg::<()>(stream.as_raw_fd(), &mut pieces, Some(&mut control), flags).expect("a message");
            for part in message.cmsgs().unwrap() {
                if let ControlMessageOwned::ScmRights(fds) = part {
                    // SAFETY: the kernel has just made these descriptors for this process; nothing else owns them.
                    descriptors.extend(fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
                }
            }
            message.bytes
        };
        payload.extend_from_slice(&buffer[..length]);
        if length == 0 || complete(&payload) {
            return (payload, descriptors);
        }
    }
}
