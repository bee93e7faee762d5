//! The way to a service manager: a D-Bus connection that asks one thing and waits for the answer.
//!
//! ```text
//! us:  \0 AUTH EXTERNAL · DATA          bus:  DATA · OK guid
//!      BEGIN · Hello · AddMatch · call        answer … JobRemoved
//! ```
//!
//! EXTERNAL is sent without a user id: the bus takes the one that the kernel tells it, which is right in a user
//! namespace too, where ours is another number than the bus's.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::time::Duration;

use super::message::{self, Callee, FIXED, Message, Writer};
use crate::error::{Context, Error, Kind, Result};

/// How long one answer may take. sd-bus waits 25 seconds; a user waits for this one.
const PATIENCE: Duration = Duration::from_secs(15);

/// The system's bus.
const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";

/// Is there while systemd is the machine's service manager: sd_booted(3).
const BOOTED: &str = "/run/systemd/system";

/// Whose service manager is asked, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime::cgroup) enum Bus {
    /// The system's, by root.
    System,
    /// The caller's own, at one of these addresses.
    User(Vec<String>),
}

impl Bus {
    /// The one that is there, of those at `user_bus` and the system's. Root asks the system's, unless it is root of
    /// a user namespace alone.
    pub(in crate::runtime::cgroup) fn find(user_bus: &[String]) -> Option<Self> {
        if !Path::new(BOOTED).exists() {
            return None;
        }
        if is_real_root() {
            return exists(SYSTEM_BUS).then_some(Self::System);
        }
        let there: Vec<String> = user_bus.iter().filter(|address| exists(address)).cloned().collect();
        (!there.is_empty()).then_some(Self::User(there))
    }

    fn addresses(&self) -> Vec<&str> {
        match self {
            Self::System => vec![SYSTEM_BUS],
            Self::User(addresses) => addresses.iter().map(String::as_str).collect(),
        }
    }
}

fn is_real_root() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    rustix::process::geteuid().is_root() && map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Whether there is a socket at one of the places of an address. An abstract one is found out by connecting.
fn exists(address: &str) -> bool {
    places(address).any(|place| match place {
        Place::Path(path) => fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()),
        Place::Abstract(_) => true,
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Path(String),
    Abstract(String),
}

/// The local sockets of an address: `unix:path=/a,guid=…;unix:abstract=b`.
fn places(address: &str) -> impl Iterator<Item = Place> {
    address.split(';').filter_map(|one| one.strip_prefix("unix:")).filter_map(|keys| {
        keys.split(',').find_map(|pair| match pair.split_once('=')? {
            ("path", value) => Some(Place::Path(unescape(value))),
            ("abstract", value) => Some(Place::Abstract(unescape(value))),
            _ => None,
        })
    })
}

/// `%2f` is `/`.
fn unescape(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => {
                plain.push(byte);
                plain.extend(&part.as_bytes()[2..]);
            }
            None => plain.extend(part.as_bytes()),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// A connection to a bus on which calls can be made.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    serial: u32,
}

impl Connection {
    /// Connects to the first of the bus's addresses that answers.
    pub(super) fn open(bus: &Bus) -> Result<Self> {
        let mut failure = None;
        for address in bus.addresses() {
            for place in places(address) {
                match Self::at(&place) {
                    Ok(connection) => return Ok(connection),
                    Err(error) => {
                        failure = Some(Error::wrap(format!("cannot talk to D-Bus at {address}"), error));
                    }
                }
            }
        }
        Err(failure.unwrap_or_else(|| Error::unsupported("no D-Bus socket is known")))
    }

    fn at(place: &Place) -> Result<Self> {
        let stream = match place {
            Place::Path(path) => UnixStream::connect(path),
            Place::Abstract(name) => {
                SocketAddr::from_abstract_name(name).and_then(|address| UnixStream::connect_addr(&address))
            }
        };
        let stream = stream.context(|| "connect")?;
        stream.set_read_timeout(Some(PATIENCE)).context(|| "SO_RCVTIMEO")?;
        stream.set_write_timeout(Some(PATIENCE)).context(|| "SO_SNDTIMEO")?;
        let mut connection = Self { stream, serial: 0 };
        connection.authenticate()?;
        Ok(connection)
    }

    fn authenticate(&mut self) -> Result<()> {
        self.send(b"\0AUTH EXTERNAL\r\nDATA\r\n")?;
        loop {
            let line = self.line()?;
            match line.split(' ').next() {
                Some("OK") => break,
                // The server asks for the data that are on their way.
                Some("DATA") => {}
                _ => return Err(Error::new(Kind::Denied, format!("the bus refuses us: {line}"))),
            }
        }
        self.send(b"BEGIN\r\n")?;
        self.tell(bus("Hello"), "", Writer::default())?;
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") && line.len() < 512 {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).context(|| "cannot read what the bus answers")?;
            line.push(byte[0]);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context(|| "cannot write to the bus")
    }

    /// Has the bus pass on the signals that fit `rule`.
    pub(super) fn listen(&mut self, rule: &str) -> Result<()> {
        let mut body = Writer::default();
        body.string(rule);
        self.tell(bus("AddMatch"), "s", body).map(drop)
    }

    /// Makes a call whose answer is looked for later, and gives its serial number.
    pub(super) fn tell(&mut self, callee: Callee<'_>, signature: &str, body: Writer) -> Result<u32> {
        self.serial += 1;
        let bytes = message::call(self.serial, callee, signature, &body.into_bytes());
        self.send(&bytes)?;
        Ok(self.serial)
    }

    /// The next message.
    pub(super) fn next(&mut self) -> Result<Message> {
        let read = |stream: &mut UnixStream, buffer: &mut [u8]| {
            stream.read_exact(buffer).map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    Error::new(Kind::System, format!("no answer came within {} seconds", PATIENCE.as_secs()))
                }
                _ => Error::wrap("cannot read from the bus", error),
            })
        };
        let mut fixed = [0; FIXED];
        read(&mut self.stream, &mut fixed)?;
        let mut bytes = vec![0; Message::length(&fixed)?.max(FIXED)];
        bytes[..FIXED].copy_from_slice(&fixed);
        read(&mut self.stream, &mut bytes[FIXED..])?;
        Message::parse(&bytes)
    }
}

/// A method of the bus itself.
fn bus(member: &str) -> Callee<'_> {
    Callee {
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        member,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn addresses_name_sockets() {
        let found: Vec<Place> =
            places("tcp:host=x;unix:guid=1,path=/run/a%20b%2f;unix:abstract=c,x=y;unix:tmpdir=/t").collect();
        assert_eq!(found, [Place::Path("/run/a b/".into()), Place::Abstract("c".into())]);
        assert!(!exists("unix:path=/no/such/socket") && !exists("") && !exists("unix:path=/etc/passwd"));
        assert_eq!(unescape("a%zz%"), "azz");
    }

    #[test]
    fn the_kernel_tells_the_bus_who_we_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        let address = format!("unix:path={}", path.display());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut hello = vec![0; 22];
            stream.read_exact(&mut hello).unwrap();
            stream.write_all(b"DATA\r\nOK 0123\r\n").unwrap();
            let mut begin = vec![0; 7];
            stream.read_exact(&mut begin).unwrap();
            (hello, begin, stream)
        });
        let gone = format!("unix:path={}/gone", dir.path().display());
        let mut connection = Connection::open(&Bus::User(vec![gone, address])).unwrap();
        let (hello, begin, stream) = server.join().unwrap();
        drop(stream);
        assert_eq!((&hello[..], &begin[..]), (&b"\0AUTH EXTERNAL\r\nDATA\r\n"[..], &b"BEGIN\r\n"[..]));
        assert!(connection.next().is_err());
    }
}
