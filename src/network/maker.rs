//! Who connects a network namespace: the interface, and the choice among what this machine has.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use super::pasta::Pasta;
use super::process::Helper;
use super::slirp4netns::Slirp4netns;
use super::{Mode, PortMapping, SlirpOptions, address};
use crate::config::Env;
use crate::config::containers_conf::ContainersConf;
use crate::error::{Error, Kind, Result};

/// The device through which every maker hands packets to the namespace.
const TUN: &str = "/dev/net/tun";

/// Connects a network namespace that it is given. pasta and slirp4netns are programs; a stack of our own
/// would be a third maker.
pub(super) trait Maker: Debug {
    /// The container's own addresses.
    fn addresses(&self) -> Vec<IpAddr>;
    /// Where the container may ask for names.
    fn forwarder(&self) -> Option<Ipv4Addr>;
    /// Where the container finds its host.
    fn host(&self) -> Option<IpAddr>;
    /// What it cannot do of what was asked, one line.
    fn note(&self) -> Option<String>;
    /// Starts on the user and network namespace of `init`; `run_dir` is the container's own.
    fn start(&self, init: Pid, run_dir: &Path) -> Result<Helper>;
}

impl Maker for Pasta {
    fn addresses(&self) -> Vec<IpAddr> {
        if self.addresses.is_empty() { address::of_host() } else { self.addresses.clone() }
    }

    fn forwarder(&self) -> Option<Ipv4Addr> {
        self.forwarder
    }

    fn host(&self) -> Option<IpAddr> {
        self.host
    }

    fn note(&self) -> Option<String> {
        None
    }

    fn start(&self, init: Pid, run_dir: &Path) -> Result<Helper> {
        Self::start(self, init, run_dir)
    }
}

impl Maker for Slirp4netns {
    fn addresses(&self) -> Vec<IpAddr> {
        vec![self.own().into()]
    }

    fn forwarder(&self) -> Option<Ipv4Addr> {
        Some(Self::forwarder(self))
    }

    /// Without access to the host's loopback, the host's own address leads to it.
    fn host(&self) -> Option<IpAddr> {
        Self::host(self).or_else(|| address::of_host().into_iter().next())
    }

    fn note(&self) -> Option<String> {
        Self::note(self)
    }

    fn start(&self, init: Pid, run_dir: &Path) -> Result<Helper> {
        Self::start(self, init, run_dir)
    }
}

/// The programs, in the order of preference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    Pasta,
    Slirp4netns,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Pasta => "pasta",
            Self::Slirp4netns => "slirp4netns",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Pasta => "passt",
            Self::Slirp4netns => "slirp4netns",
        }
    }

    fn find(self, env: &Env, conf: &ContainersConf) -> Option<PathBuf> {
        if let (Self::Slirp4netns, Some(path)) = (self, &conf.engine.network_cmd_path) {
            return Some(path.into());
        }
        let in_helpers =
            conf.engine.helper_binaries_dir.values().iter().map(|dir| Path::new(dir).join(self.name()));
        in_helpers.into_iter().find(|path| path.is_file()).or_else(|| env.find_program(self.name()))
    }

    fn make(
        self,
        path: PathBuf,
        asked: &Mode,
        conf: &ContainersConf,
        ports: &[PortMapping],
    ) -> Result<Box<dyn Maker>> {
        match self {
            Self::Pasta => {
                let mut arguments = conf.network.pasta_options.values().to_vec();
                if let Mode::Pasta(asked) = asked {
                    arguments.extend(asked.iter().cloned());
                }
                Ok(Box::new(Pasta::new(path, &arguments, ports)))
            }
            Self::Slirp4netns => {
                let configured: SlirpOptions = conf.engine.network_cmd_options.values().join(",").parse()?;
                let options = match asked {
                    Mode::Slirp4netns(options) => options.clone().or(configured),
                    _ => configured,
                };
                Ok(Box::new(Slirp4netns::new(path, options, ports)?))
            }
        }
    }
}

/// The maker for `mode`, which is not none or host. The error says what this machine lacks and how to get
/// it; for the default mode the caller may go on without a network.
pub(super) fn choose(
    mode: &Mode,
    env: &Env,
    conf: &ContainersConf,
    ports: &[PortMapping],
) -> Result<Box<dyn Maker>> {
    tun_opens()?;
    let wanted: &[Program] = match (mode, conf.network.default_rootless_network_cmd.as_deref()) {
        (Mode::Pasta(_), _) => &[Program::Pasta],
        (Mode::Slirp4netns(_), _) => &[Program::Slirp4netns],
        (_, Some("slirp4netns")) => &[Program::Slirp4netns, Program::Pasta],
        _ => &[Program::Pasta, Program::Slirp4netns],
    };
    for program in wanted {
        if let Some(path) = program.find(env, conf) {
            return program.make(path, mode, conf, ports);
        }
    }
    let names: Vec<&str> = wanted.iter().map(|program| program.name()).collect();
    let missing = match names.as_slice() {
        [name] => format!("{name} is not installed"),
        _ => "neither pasta nor slirp4netns is installed".to_owned(),
    };
    Err(Error::new(Kind::Unsupported, missing).hint(format!(
        "install the package {} (such as: sudo apt install {0})",
        wanted.first().map_or("passt", |program| program.package())
    )))
}

/// Both programs open the device with the rights of this user.
fn tun_opens() -> Result<()> {
    use rustix::fs::{Mode as FileMode, OFlags};
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let Err(errno) = rustix::fs::open(TUN, flags, FileMode::empty()) else { return Ok(()) };
    let hint = match errno {
        rustix::io::Errno::ACCESS | rustix::io::Errno::PERM => format!("sudo chmod 0666 {TUN}"),
        _ => format!("sudo modprobe tun (in a container: give it {TUN})"),
    };
    Err(Error::wrap(format!("cannot open {TUN}"), errno).with_kind(Kind::Unsupported).hint(hint))
}
