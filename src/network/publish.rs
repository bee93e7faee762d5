//! The value of `--publish`: `[[ip:][hostPort]:]containerPort[/protocol]`, where each port may be a range.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::mode::number;
use crate::error::{Error, Result};

/// The transport protocol of a published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, the default.
    Tcp,
    /// UDP.
    Udp,
}

/// A published port or range as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Publish {
    /// The host's address on which connections are taken; none means all of them.
    pub host_ip: Option<IpAddr>,
    /// The first port on the host; none means that free ones are chosen.
    pub host_port: Option<u16>,
    /// The first port in the container.
    pub container_port: u16,
    /// How many ports; at least one, and no port of the range is above 65535.
    pub count: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// A published port or range with all choices made, in the shape that `ps --format json` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortMapping {
    /// The host's address on which connections are taken; none (the empty text) means all of them.
    #[serde(with = "optional_address")]
    pub host_ip: Option<IpAddr>,
    /// The first port in the container.
    pub container_port: u16,
    /// The first port on the host.
    pub host_port: u16,
    /// How many ports, at least one.
    pub range: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// The ports of a range, first and number.
#[derive(Clone, Copy)]
struct Range {
    first: u16,
    count: u16,
}

impl FromStr for Publish {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::usage(format!("invalid published port {text:?}: {why}"))
                .hint("expected [[ip:][hostPort]:]containerPort[/tcp|udp], such as 127.0.0.1:8080:80")
        };
        let (rest, protocol) = match text.split_once('/') {
            Some((rest, protocol)) => (rest, protocol.parse().map_err(wrong)?),
            None => (text, Protocol::Tcp),
        };
        let (host_ip, rest) = split_address(rest).map_err(wrong)?;
        let (host, container) = match rest.split_once(':') {
            Some((host, container)) => (Some(host), container),
            None if host_ip.is_some() => return Err(wrong("no container port after the address".into())),
            None => (None, rest),
        };
        let container = Range::parse(container, "container").map_err(wrong)?;
        let host = match host.filter(|host| !host.is_empty()) {
            Some(host) => Some(Range::parse(host, "host").map_err(wrong)?),
            None => None,
        };
        if let Some(host) = host.filter(|host| host.count != container.count) {
            return Err(wrong(format!(
                "the host's and the container's range have different lengths: {} and {}",
                host.count, container.count
            )));
        }
        Ok(Self {
            host_ip,
            host_port: host.map(|host| host.first),
            container_port: container.first,
            count: container.count,
            protocol,
        })
    }
}

/// The address before the ports, if there are two colons or brackets, and what follows its colon.
fn split_address(text: &str) -> Result<(Option<IpAddr>, &str), String> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']').ok_or("a bracket is not closed")?;
        let address: Ipv6Addr = address.parse().map_err(|_| format!("{address:?} is not an IPv6 address"))?;
        let rest = rest.strip_prefix(':').ok_or("no colon after the address")?;
        return Ok((Some(address.into()), rest));
    }
    match text.matches(':').count() {
        0 | 1 => Ok((None, text)),
        2 => {
            let (address, rest) = text.split_once(':').unwrap_or_default();
            if address.is_empty() {
                return Err("the address is empty".into());
            }
            let address = address.parse().map_err(|_| format!("{address:?} is not an IP address"))?;
            Ok((Some(address), rest))
        }
        _ => Err("too many colons; an IPv6 address is written in brackets".into()),
    }
}

impl Range {
    fn parse(text: &str, whose: &str) -> Result<Self, String> {
        let port = |text: &str| match number::<u16>(text) {
            Some(port) if port > 0 => Ok(port),
            _ => Err(format!("the {whose} port {text:?} is not a number from 1 to 65535")),
        };
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if last < first {
            return Err(format!("the {whose} range {text} ends before it starts"));
        }
        Ok(Self { first, count: last - first + 1 })
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Err("sctp cannot be forwarded without root; use tcp or udp".into()),
            _ => Err(format!("unknown protocol {text:?}")),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// `8080` or `8080-8090`.
fn range(first: u16, count: u16) -> String {
    if count > 1 { format!("{first}-{}", first + (count - 1)) } else { first.to_string() }
}

/// `1.2.3.4` or `[::1]`.
fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

impl fmt::Display for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.host_ip {
            write!(f, "{}:", bracketed(address))?;
        }
        match self.host_port {
            Some(port) => write!(f, "{}:", range(port, self.count))?,
            None if self.host_ip.is_some() => f.write_str(":")?,
            None => {}
        }
        write!(f, "{}/{}", range(self.container_port, self.count), self.protocol)
    }
}

/// The form of `ps`: `0.0.0.0:8080->80/tcp`, `0.0.0.0:8080-8082->80-82/tcp`.
impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.host_ip.map_or_else(|| "0.0.0.0".to_owned(), |ip| ip.to_string());
        let (host, container) = (range(self.host_port, self.range), range(self.container_port, self.range));
        write!(f, "{address}:{host}->{container}/{}", self.protocol)
    }
}

impl TryFrom<String> for Publish {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Publish> for String {
    fn from(publish: Publish) -> Self {
        publish.to_string()
    }
}

/// podman writes no address as the empty text.
mod optional_address {
    use std::net::IpAddr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(value: &Option<IpAddr>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(address) => to.collect_str(address),
            None => to.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<IpAddr>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(
        ip: Option<&str>,
        host: Option<u16>,
        container: u16,
        count: u16,
        protocol: Protocol,
    ) -> Publish {
        Publish {
            host_ip: ip.map(|ip| ip.parse().unwrap()),
            host_port: host,
            container_port: container,
            count,
            protocol,
        }
    }

    #[test]
    fn every_form_is_read_and_written_back() {
        use Protocol::{Tcp, Udp};
        for (text, value, written) in [
            ("80", publish(None, None, 80, 1, Tcp), "80/tcp"),
            (":80", publish(None, None, 80, 1, Tcp), "80/tcp"),
            ("8080:80", publish(None, Some(8080), 80, 1, Tcp), "8080:80/tcp"),
            ("8080:80/UDP", publish(None, Some(8080), 80, 1, Udp), "8080:80/udp"),
            ("127.0.0.1::80", publish(Some("127.0.0.1"), None, 80, 1, Tcp), "127.0.0.1::80/tcp"),
            (
                "127.0.0.1:8080:80",
                publish(Some("127.0.0.1"), Some(8080), 80, 1, Tcp),
                "127.0.0.1:8080:80/tcp",
            ),
            ("[::1]:8080:80", publish(Some("::1"), Some(8080), 80, 1, Tcp), "[::1]:8080:80/tcp"),
            ("[::]::80/udp", publish(Some("::"), None, 80, 1, Udp), "[::]::80/udp"),
            ("8000-8002:80-82", publish(None, Some(8000), 80, 3, Tcp), "8000-8002:80-82/tcp"),
            ("80-82", publish(None, None, 80, 3, Tcp), "80-82/tcp"),
            ("1-65535:1-65535", publish(None, Some(1), 1, 65535, Tcp), "1-65535:1-65535/tcp"),
        ] {
            assert_eq!(text.parse::<Publish>().unwrap(), value, "{text}");
            assert_eq!(value.to_string(), written);
            assert_eq!(written.parse::<Publish>().unwrap(), value);
        }
    }

    #[test]
    fn wrong_and_hostile_values_are_refused() {
        for text in [
            "",
            ":",
            "::",
            ":::",
            "/tcp",
            "80/",
            "80/sctp",
            "80/xyz",
            "80/tcp/udp",
            "0",
            "0:80",
            "80:0",
            "65536",
            "-1",
            "+80",
            " 80",
            "80 ",
            "8080:80-81",
            "8080-8081:80",
            "82-80",
            "80-",
            "-80",
            "80--81",
            "1-2-3",
            "::80",
            ":8080:80",
            "1.2.3:80:80",
            "256.1.1.1:80:80",
            "localhost:80:80",
            "::1:8080:80",
            "[::1]",
            "[::1]:",
            "[::1]:80",
            "[::1]8080:80",
            "[::1:8080:80",
            "[127.0.0.1]:80:80",
            "1.2.3.4:5:6:7",
            "8080:",
            "٣",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Publish>().is_err(), "{text:?}");
        }
        let error = "80/sctp".parse::<Publish>().unwrap_err();
        assert!(error.to_string().contains("sctp"), "{error}");
    }

    #[test]
    fn a_mapping_has_the_shapes_of_ps() {
        let mut mapping = PortMapping {
            host_ip: None,
            container_port: 80,
            host_port: 8080,
            range: 1,
            protocol: Protocol::Tcp,
        };
        assert_eq!(mapping.to_string(), "0.0.0.0:8080->80/tcp");
        let json = r#"{"host_ip":"","container_port":80,"host_port":8080,"range":1,"protocol":"tcp"}"#;
        assert_eq!(serde_json::to_string(&mapping).unwrap(), json);
        assert_eq!(serde_json::from_str::<PortMapping>(json).unwrap(), mapping);
        mapping.range = 3;
        mapping.host_ip = Some("::1".parse().unwrap());
        assert_eq!(mapping.to_string(), "::1:8080-8082->80-82/tcp");
        let json = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<PortMapping>(&json).unwrap(), mapping);
    }
}
