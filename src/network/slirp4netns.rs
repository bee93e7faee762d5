//! slirp4netns: its command line, its start, and the ports that it is asked to forward over its socket.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::process::{Helper, Launch, Ready};
use super::{Cidr, PortMapping, Protocol, SlirpOptions};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::{self, spawn::Inheritance};

/// podman's choice; larger packets, fewer of them.
const MTU: u32 = 65520;
/// The interface in the container.
const INTERFACE: &str = "tap0";
const SOCKET: &str = "slirp4netns.sock";
/// The longest answer that is read.
const ANSWER: u64 = 64 * 1024;

/// A planned slirp4netns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slirp4netns {
    program: PathBuf,
    options: SlirpOptions,
    ports: Vec<PortMapping>,
}

impl Slirp4netns {
    /// Plans one. An IPv6 address of the host cannot be published: its socket takes IPv4 addresses.
    pub(super) fn new(program: PathBuf, options: SlirpOptions, ports: &[PortMapping]) -> Result<Self> {
        if let Some(port) = ports.iter().find(|port| port.host_ip.is_some_and(|ip| ip.is_ipv6())) {
            return Err(Error::unsupported(format!(
                "cannot publish {port}: slirp4netns takes connections on IPv4 addresses only"
            ))
            .hint("use --network pasta"));
        }
        Ok(Self { program, options, ports: ports.to_vec() })
    }

    fn cidr(&self) -> Cidr {
        self.options.cidr.unwrap_or(Cidr::SLIRP)
    }

    /// The container's own address.
    pub(super) fn own(&self) -> Ipv4Addr {
        self.cidr().host(100)
    }

    /// Where the container asks for names.
    pub(super) fn forwarder(&self) -> Ipv4Addr {
        self.cidr().host(3)
    }

    /// Where the container finds its host's loopback, if it may.
    pub(super) fn host(&self) -> Option<IpAddr> {
        self.options.allow_host_loopback.unwrap_or(false).then(|| self.cidr().host(2).into())
    }

    /// It shows a client on the host's loopback as 10.0.2.2, and answers to that are dropped with everything
    /// else that is sent there. Connections of TCP are not looked at again.
    pub(super) fn note(&self) -> Option<String> {
        let deaf = !self.options.allow_host_loopback.unwrap_or(false);
        let port = self.ports.iter().find(|port| deaf && port.protocol == Protocol::Udp)?;
        Some(format!(
            "slirp4netns does not answer clients on the host's loopback at {port}; \
             --network pasta does, and so does --network slirp4netns:allow_host_loopback=true"
        ))
    }

    fn arguments(&self) -> Vec<String> {
        let options = &self.options;
        let mut arguments = vec!["--configure".to_owned(), "--enable-seccomp".to_owned()];
        arguments.push(format!("--mtu={}", options.mtu.unwrap_or(MTU)));
        if !options.allow_host_loopback.unwrap_or(false) {
            arguments.push("--disable-host-loopback".to_owned());
        }
        if options.enable_ipv6.unwrap_or(true) {
            arguments.push("--enable-ipv6".to_owned());
        }
        arguments.extend(options.cidr.map(|cidr| format!("--cidr={cidr}")));
        arguments.extend(options.outbound_addr.as_ref().map(|from| format!("--outbound-addr={from}")));
        arguments.extend(options.outbound_addr6.as_ref().map(|from| format!("--outbound-addr6={from}")));
        arguments
    }

    /// Starts it on the namespaces of `init`. It ends when this process closes its end of a pipe.
    pub(super) fn start(&self, init: Pid, run_dir: &Path) -> Result<Helper> {
        let (ready, says) = sys::process::pipe()?;
        let (watches, lifeline) = sys::process::pipe()?;
        let mut arguments: Vec<OsString> = self.arguments().into_iter().map(OsString::from).collect();
        arguments.push(format!("--ready-fd={}", says.as_raw_fd()).into());
        arguments.push(format!("--exit-fd={}", watches.as_raw_fd()).into());
        let forwards = match self.ports.is_empty() {
            true => None,
            false => {
                // A name relative to the directory in which it starts: the whole one may be longer than
                // the 107 bytes of a socket's address.
                let _ = std::fs::remove_file(run_dir.join(SOCKET));
                arguments.push(format!("--api-socket={SOCKET}").into());
                Some(Forwards::new(run_dir, self.own(), &self.ports)?)
            }
        };
        let user_namespace = root_of(init)?;
        arguments.push(match user_namespace {
            Some(_) => "--enable-sandbox".into(),
            None => format!("--userns-path=/proc/{init}/ns/user").into(),
        });
        arguments.extend([
            "--netns-type=path".into(),
            format!("/proc/{init}/ns/net").into(),
            INTERFACE.into(),
        ]);
        Launch {
            name: "slirp4netns",
            program: self.program.clone(),
            arguments,
            directory: run_dir.to_owned(),
            inheritance: Inheritance { descriptors: vec![says, watches], user_namespace },
            ready: Ready { from: ready, path: None },
            lifeline: Some(lifeline),
            forwards,
        }
        .start()
    }
}

/// The user namespace of `init`, if it maps root. slirp4netns shuts itself in (a mount namespace of its own
/// with almost nothing in it) only when it starts as root of a user namespace.
fn root_of(init: Pid) -> Result<Option<OwnedFd>> {
    for map in ["uid_map", "gid_map"] {
        let path = format!("/proc/{init}/{map}");
        let text = std::fs::read_to_string(&path).context(|| format!("read {path}"))?;
        if !text.lines().any(|line| line.split_ascii_whitespace().next() == Some("0")) {
            return Ok(None);
        }
    }
    let path = format!("/proc/{init}/ns/user");
    std::fs::File::open(&path).map(|file| Some(file.into())).context(|| format!("open {path}"))
}

/// The ports to ask for, and the directory of the socket where to ask.
pub(super) struct Forwards {
    directory: OwnedFd,
    guest: Ipv4Addr,
    ports: Vec<PortMapping>,
}

#[derive(Serialize)]
struct Command {
    execute: &'static str,
    arguments: Arguments,
}

#[derive(Serialize)]
struct Arguments {
    proto: Protocol,
    host_addr: Ipv4Addr,
    host_port: u16,
    guest_addr: Ipv4Addr,
    guest_port: u16,
}

#[derive(Deserialize)]
struct Answer {
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    desc: Option<String>,
}

impl Forwards {
    fn new(directory: &Path, guest: Ipv4Addr, ports: &[PortMapping]) -> Result<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(directory, flags, Mode::empty())
            .context(|| format!("open {}", directory.display()))?;
        Ok(Self { directory, guest, ports: ports.to_vec() })
    }

    /// Asks for every port, one connection each as the protocol wants it.
    pub(super) fn request(&self) -> Result<()> {
        let result = self.commands().try_for_each(|command| self.ask(&command));
        let _ = rustix::fs::unlinkat(&self.directory, SOCKET, rustix::fs::AtFlags::empty());
        result
    }

    fn commands(&self) -> impl Iterator<Item = Command> {
        self.ports.iter().flat_map(|port| {
            (0..port.range).map(|offset| Command {
                execute: "add_hostfwd",
                arguments: Arguments {
                    proto: port.protocol,
                    host_addr: match port.host_ip {
                        Some(IpAddr::V4(address)) => address,
                        _ => Ipv4Addr::UNSPECIFIED,
                    },
                    host_port: port.host_port + offset,
                    guest_addr: self.guest,
                    guest_port: port.container_port + offset,
                },
            })
        })
    }

    fn ask(&self, command: &Command) -> Result<()> {
        let what = || {
            let arguments = &command.arguments;
            format!("cannot publish {}:{}/{}", arguments.host_addr, arguments.host_port, arguments.proto)
        };
        let answer = self.exchange(command).context(what)?;
        let answer: Answer = serde_json::from_slice(&answer).context(what)?;
        match answer.error {
            None => Ok(()),
            Some(failure) => {
                let description = failure.desc.unwrap_or_default();
                Err(Error::wrap(what(), Error::new(Kind::Conflict, format!("slirp4netns: {description}"))))
            }
        }
    }

    fn exchange(&self, command: &Command) -> std::io::Result<Vec<u8>> {
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", self.directory.as_raw_fd()));
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(&serde_json::to_vec(command)?)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = Vec::new();
        stream.take(ANSWER).read_to_end(&mut answer)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slirp(options: &str, ports: &[PortMapping]) -> Result<Slirp4netns> {
        Slirp4netns::new("/usr/bin/slirp4netns".into(), options.parse().unwrap(), ports)
    }

    const PORT: PortMapping =
        PortMapping { host_ip: None, container_port: 80, host_port: 8080, range: 2, protocol: Protocol::Udp };

    #[test]
    fn the_defaults_are_podmans() {
        let plan = slirp("", &[]).unwrap();
        assert_eq!(
            plan.arguments().join(" "),
            "--configure --enable-seccomp --mtu=65520 --disable-host-loopback --enable-ipv6"
        );
        assert_eq!(
            (plan.own().to_string(), plan.forwarder().to_string(), plan.host()),
            ("10.0.2.100".to_owned(), "10.0.2.3".to_owned(), None)
        );
    }

    #[test]
    fn options_are_passed_on() {
        let plan = slirp(
            "allow_host_loopback=true,mtu=1500,cidr=10.9.0.0/16,enable_ipv6=false,outbound_addr=eth0,outbound_addr6=::1",
            &[],
        )
        .unwrap();
        assert_eq!(
            plan.arguments().join(" "),
            "--configure --enable-seccomp --mtu=1500 --cidr=10.9.0.0/16 --outbound-addr=eth0 \
             --outbound-addr6=::1"
        );
        assert_eq!(plan.host().unwrap().to_string(), "10.9.0.2");
    }

    #[test]
    fn every_port_of_a_range_is_asked_for() {
        let forwards = Forwards::new(Path::new("/"), Ipv4Addr::new(10, 0, 2, 100), &[PORT]).unwrap();
        let asked: Vec<String> = forwards.commands().map(|c| serde_json::to_string(&c).unwrap()).collect();
        assert_eq!(
            asked[1],
            r#"{"execute":"add_hostfwd","arguments":{"proto":"udp","host_addr":"0.0.0.0","host_port":8081,"guest_addr":"10.0.2.100","guest_port":81}}"#
        );
        assert_eq!(asked.len(), 2);
    }

    #[test]
    fn udp_for_the_hosts_loopback_is_noted() {
        assert!(slirp("", &[PORT]).unwrap().note().unwrap().contains("8080-8081->80-81/udp"));
        assert_eq!(slirp("allow_host_loopback=true", &[PORT]).unwrap().note(), None);
        assert_eq!(slirp("", &[PortMapping { protocol: Protocol::Tcp, ..PORT }]).unwrap().note(), None);
    }

    #[test]
    fn an_ipv6_address_is_refused() {
        let port = PortMapping { host_ip: Some("::1".parse().unwrap()), ..PORT };
        assert!(slirp("", &[port]).unwrap_err().to_string().contains("IPv4"));
    }
}
