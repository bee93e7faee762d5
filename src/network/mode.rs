//! The value of `--network`.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How a container is connected, as asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mode {
    /// Nothing said, `default` or `private`: a network namespace of its own and the best helper of this
    /// machine.
    #[default]
    Default,
    /// A network namespace with nothing but the loopback device.
    None,
    /// The host's network namespace.
    Host,
    /// pasta, with arguments of its own command line.
    Pasta(Vec<String>),
    /// slirp4netns, with podman's options for it.
    Slirp4netns(SlirpOptions),
    /// The network namespace of a container that runs, by its name or id.
    Container(String),
    /// The network namespace that a file leads to.
    Path(PathBuf),
}

/// What follows `slirp4netns:`. A field that was not named has the default of containers.conf or podman.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlirpOptions {
    /// Whether the container may reach the host's loopback at 10.0.2.2.
    pub allow_host_loopback: Option<bool>,
    /// The MTU of the container's interface.
    pub mtu: Option<u32>,
    /// The container's network, an IPv4 network with its prefix length.
    pub cidr: Option<Cidr>,
    /// Whether the container has IPv6.
    pub enable_ipv6: Option<bool>,
    /// The interface or IPv4 address from which connections leave the host.
    pub outbound_addr: Option<String>,
    /// The interface or IPv6 address from which connections leave the host.
    pub outbound_addr6: Option<String>,
}

/// An IPv4 network that is large enough for slirp4netns, which takes the addresses 2, 3 and 100 of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// An address in the network.
    pub address: std::net::Ipv4Addr,
    /// The length of the network's prefix.
    pub prefix: u8,
}

impl Cidr {
    /// slirp4netns' own default, 10.0.2.0/24.
    pub const SLIRP: Self = Self { address: std::net::Ipv4Addr::new(10, 0, 2, 0), prefix: 24 };

    /// The address with this number in the network.
    pub fn host(self, number: u32) -> std::net::Ipv4Addr {
        let mask = u32::MAX << (32 - u32::from(self.prefix));
        std::net::Ipv4Addr::from((u32::from(self.address) & mask) + number)
    }
}

impl FromStr for Cidr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!(
                "invalid IPv4 network {text:?}: expected an address and a prefix length of at most 25, such as 10.0.2.0/24"
            ))
        };
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address = address.parse().map_err(|_| wrong())?;
        let prefix: u8 = number(prefix).ok_or_else(wrong)?;
        if !(1..=25).contains(&prefix) {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Digits only: `str::parse` would take a sign, too.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, options) = match text.split_once(':') {
            Some((name, options)) => (name, Some(options)),
            None => (text, None),
        };
        match (name, options) {
            ("pasta", options) => Ok(Self::Pasta(pasta_arguments(options.unwrap_or_default())?)),
            ("slirp4netns", options) => Ok(Self::Slirp4netns(options.unwrap_or_default().parse()?)),
            ("" | "default" | "private", None) => Ok(Self::Default),
            ("none", None) => Ok(Self::None),
            ("host", None) => Ok(Self::Host),
            ("container", Some(name)) if !name.is_empty() => Ok(Self::Container(name.to_owned())),
            ("ns", Some(path)) if path.starts_with('/') && !path.contains('\0') => {
                Ok(Self::Path(path.into()))
            }
            ("container" | "ns", _) => Err(Error::usage(format!(
                "invalid network mode {text:?}: expected container:NAME or ns:PATH with an absolute path"
            ))),
            ("none" | "host" | "default" | "private", Some(_)) => {
                Err(Error::usage(format!("invalid network mode {text:?}: {name} takes no options")))
            }
            _ => Err(Error::unsupported(format!(
                "cannot connect to the network {name:?}: bridge networks are not supported yet"
            ))
            .hint(
                "--network takes pasta[:ARGS], slirp4netns[:OPTIONS], none, host, container:NAME or ns:PATH",
            )),
        }
    }
}

/// Splits at commas, as podman does. An argument never names a namespace: the helper has exactly one.
fn pasta_arguments(text: &str) -> Result<Vec<String>> {
    let arguments: Vec<String> =
        text.split(',').filter(|argument| !argument.is_empty()).map(str::to_owned).collect();
    for argument in &arguments {
        if argument.contains('\0') {
            return Err(Error::usage("invalid pasta argument: it contains a null byte"));
        }
        let flag = argument.split('=').next().unwrap_or_default();
        if matches!(flag, "--netns" | "--userns" | "--netns-only" | "--pid" | "-P" | "--foreground" | "-f") {
            return Err(Error::usage(format!("pasta argument {argument:?} is set by rcon itself")));
        }
    }
    Ok(arguments)
}

impl FromStr for SlirpOptions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut options = Self::default();
        for option in text.split(',').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').ok_or_else(|| {
                Error::usage(format!("invalid slirp4netns option {option:?}: expected KEY=VALUE"))
            })?;
            options.take(key, value)?;
        }
        Ok(options)
    }
}

impl SlirpOptions {
    /// These options, and those of `defaults` where these say nothing.
    #[must_use]
    pub(super) fn or(self, defaults: Self) -> Self {
        Self {
            allow_host_loopback: self.allow_host_loopback.or(defaults.allow_host_loopback),
            mtu: self.mtu.or(defaults.mtu),
            cidr: self.cidr.or(defaults.cidr),
            enable_ipv6: self.enable_ipv6.or(defaults.enable_ipv6),
            outbound_addr: self.outbound_addr.or(defaults.outbound_addr),
            outbound_addr6: self.outbound_addr6.or(defaults.outbound_addr6),
        }
    }

    fn take(&mut self, key: &str, value: &str) -> Result<()> {
        let wrong = |expected: &str| {
            Error::usage(format!(
                "invalid value {value:?} of the slirp4netns option {key}: expected {expected}"
            ))
        };
        let truth = || match value {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(wrong("true or false")),
        };
        match key {
            "allow_host_loopback" => self.allow_host_loopback = truth()?,
            "enable_ipv6" => self.enable_ipv6 = truth()?,
            "cidr" => self.cidr = Some(value.parse()?),
            "mtu" => {
                let mtu = number(value).filter(|mtu| (68..=65521).contains(mtu));
                self.mtu = Some(mtu.ok_or_else(|| wrong("a number from 68 to 65521"))?);
            }
            "outbound_addr" | "outbound_addr6" => {
                let slot =
                    if key == "outbound_addr" { &mut self.outbound_addr } else { &mut self.outbound_addr6 };
                *slot = Some(outbound(key, value).ok_or_else(|| wrong("an interface or an address"))?);
            }
            "port_handler" => match value {
                "slirp4netns" => {}
                "rootlesskit" => {
                    return Err(Error::unsupported(
                        "the slirp4netns port handler rootlesskit is not supported",
                    )
                    .hint("ports are published by slirp4netns itself: port_handler=slirp4netns"));
                }
                _ => return Err(wrong("slirp4netns")),
            },
            _ => return Err(Error::usage(format!("unknown slirp4netns option {key:?}"))),
        }
        Ok(())
    }
}

/// An address of the option's family or the name of an interface.
fn outbound(key: &str, value: &str) -> Option<String> {
    let valid = match value.parse::<IpAddr>() {
        Ok(address) => address.is_ipv6() == (key == "outbound_addr6"),
        Err(_) => {
            (1..=15).contains(&value.len())
                && !value.starts_with('-')
                && value.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b':')
        }
    };
    valid.then(|| value.to_owned())
}

impl fmt::Display for SlirpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = [
            ("allow_host_loopback", self.allow_host_loopback.map(|v| v.to_string())),
            ("mtu", self.mtu.map(|v| v.to_string())),
            ("cidr", self.cidr.map(|v| v.to_string())),
            ("enable_ipv6", self.enable_ipv6.map(|v| v.to_string())),
            ("outbound_addr", self.outbound_addr.clone()),
            ("outbound_addr6", self.outbound_addr6.clone()),
        ];
        let named: Vec<_> =
            pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?))).collect();
        f.write_str(&named.join(","))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, options) = match self {
            Self::Default => ("default", String::new()),
            Self::None => ("none", String::new()),
            Self::Host => ("host", String::new()),
            Self::Pasta(arguments) => ("pasta", arguments.join(",")),
            Self::Slirp4netns(options) => ("slirp4netns", options.to_string()),
            Self::Container(name) => ("container", name.clone()),
            Self::Path(path) => ("ns", path.display().to_string()),
        };
        f.write_str(name)?;
        if options.is_empty() { Ok(()) } else { write!(f, ":{options}") }
    }
}

impl TryFrom<String> for Mode {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> Self {
        mode.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn every_mode_is_read_and_written_back() {
        for (text, mode) in [
            ("default", Mode::Default),
            ("none", Mode::None),
            ("host", Mode::Host),
            ("pasta", Mode::Pasta(vec![])),
            ("pasta:-T,8080,--map-gw", Mode::Pasta(vec!["-T".into(), "8080".into(), "--map-gw".into()])),
            ("slirp4netns", Mode::Slirp4netns(SlirpOptions::default())),
            (
                "slirp4netns:mtu=1500,enable_ipv6=false",
                Mode::Slirp4netns(SlirpOptions {
                    mtu: Some(1500),
                    enable_ipv6: Some(false),
                    ..SlirpOptions::default()
                }),
            ),
        ] {
            assert_eq!(text.parse::<Mode>().unwrap(), mode);
            assert_eq!(mode.to_string(), text);
        }
        assert_eq!("private".parse::<Mode>().unwrap(), Mode::Default);
        assert_eq!("".parse::<Mode>().unwrap(), Mode::Default);
        assert_eq!(
            "slirp4netns:cidr=10.9.0.0/16,outbound_addr=eth0,outbound_addr6=::1,port_handler=slirp4netns,allow_host_loopback=true"
                .parse::<Mode>()
                .unwrap()
                .to_string(),
            "slirp4netns:allow_host_loopback=true,cidr=10.9.0.0/16,outbound_addr=eth0,outbound_addr6=::1"
        );
    }

    #[test]
    fn what_comes_later_is_refused_by_name() {
        for text in ["bridge", "bridge:ip=10.0.0.1", "mynet"] {
            let error = text.parse::<Mode>().unwrap_err();
            assert_eq!(error.kind(), Kind::Unsupported, "{text}");
            assert!(error.to_string().contains("not supported"), "{error}");
        }
        let error = "slirp4netns:port_handler=rootlesskit".parse::<Mode>().unwrap_err();
        assert!(error.to_string().contains("rootlesskit"));
    }

    #[test]
    fn an_existing_network_is_named_by_a_container_or_a_file() {
        for text in ["container:abc", "ns:/run/netns/x"] {
            assert_eq!(text.parse::<Mode>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn wrong_options_are_refused() {
        for text in [
            "container:",
            "ns:",
            "ns:x",
            "none:x",
            "host:",
            "slirp4netns:mtu",
            "slirp4netns:mtu=",
            "slirp4netns:mtu=-5",
            "slirp4netns:mtu=+1500",
            "slirp4netns:mtu=70000",
            "slirp4netns:mtu=99999999999999999999",
            "slirp4netns:cidr=10.0.2.0",
            "slirp4netns:cidr=10.0.2.0/33",
            "slirp4netns:cidr=10.0.2.0/0",
            "slirp4netns:cidr=::/64",
            "slirp4netns:enable_ipv6=1",
            "slirp4netns:outbound_addr=::1",
            "slirp4netns:outbound_addr6=10.0.0.1",
            "slirp4netns:outbound_addr=--evil",
            "slirp4netns:outbound_addr=a b",
            "slirp4netns:port_handler=x",
            "slirp4netns:x=y",
            "pasta:--netns,/proc/1/ns/net",
            "pasta:--userns=/x",
            "pasta:-f",
            "pasta:a\0b",
        ] {
            assert_eq!(text.parse::<Mode>().map_err(|e| e.kind()), Err(Kind::Usage), "{text:?}");
        }
    }

    #[test]
    fn a_network_numbers_its_hosts() {
        let network: Cidr = "10.9.8.7/16".parse().unwrap();
        assert_eq!(network.host(2).to_string(), "10.9.0.2");
        assert_eq!(Cidr::SLIRP.host(100).to_string(), "10.0.2.100");
    }
}
