//! What a container asks of its network.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Mode, Publish};
use crate::error::{Error, Result};

/// What a container asks of its network. Kept in the container's record: every start plans anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// `--network`.
    pub mode: Mode,
    /// `--publish`.
    pub publish: Vec<Publish>,
    /// `--dns`.
    pub dns: Vec<DnsServer>,
    /// `--dns-search`; a single `.` clears the list.
    pub dns_search: Vec<String>,
    /// `--dns-option`.
    pub dns_options: Vec<String>,
    /// `--add-host`.
    pub add_hosts: Vec<AddHost>,
    /// `--no-hosts`: the image's /etc/hosts stays as it is.
    pub no_hosts: bool,
    /// The container's host name.
    pub hostname: String,
    /// The container's name.
    pub name: String,
}

/// The value of `--dns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DnsServer {
    /// The image's /etc/resolv.conf stays as it is.
    None,
    /// Ask this server.
    Address(IpAddr),
}

impl FromStr for DnsServer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self::None),
            _ => text.parse().map(Self::Address).map_err(|_| {
                Error::usage(format!("invalid DNS server {text:?}: expected an IP address or \"none\""))
            }),
        }
    }
}

impl std::fmt::Display for DnsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// The value of `--add-host`: `name[;name…]:address`, `name=address`, or `host-gateway` as the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddHost {
    /// At least one name.
    pub names: Vec<String>,
    /// The address; none is the host's (`host-gateway`).
    pub address: Option<IpAddr>,
}

impl FromStr for AddHost {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::usage(format!("invalid --add-host {text:?}: {why}"))
                .hint("expected NAME:ADDRESS, such as db:10.0.0.5")
        };
        let at = text.find([':', '=']).ok_or_else(|| wrong("it has no address"))?;
        let (names, address) = (&text[..at], &text[at + 1..]);
        let names: Vec<String> = names.split(';').map(str::to_owned).collect();
        if let Some(name) = names.iter().find(|name| !is_host_name(name)) {
            return Err(wrong(&format!("{name:?} is not a host name")));
        }
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let address = match bare {
            "host-gateway" => None,
            _ => Some(bare.parse().map_err(|_| wrong(&format!("{address:?} is not an IP address")))?),
        };
        Ok(Self { names, address })
    }
}

impl std::fmt::Display for AddHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.names.join(";"))?;
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("host-gateway"),
        }
    }
}

/// Whether `name` can stand in /etc/hosts: nothing that ends a word or a line or starts a comment.
pub(super) fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '#' && c != ';')
}

macro_rules! serde_as_text {
    ($($name:ty),*) => {$(
        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )*};
}

serde_as_text!(DnsServer, AddHost);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_hosts_are_read_and_written_back() {
        for (text, written) in [
            ("db:10.0.0.5", "db:10.0.0.5"),
            ("db=10.0.0.5", "db:10.0.0.5"),
            ("a;b:::1", "a;b:::1"),
            ("a:[::1]", "a:::1"),
            ("h:host-gateway", "h:host-gateway"),
        ] {
            let value: AddHost = text.parse().unwrap();
            assert_eq!(value.to_string(), written);
            assert_eq!(written.parse::<AddHost>().unwrap(), value);
        }
    }

    #[test]
    fn wrong_hosts_and_servers_are_refused() {
        for text in [
            "",
            "db",
            ":1.2.3.4",
            "db:",
            "db:1.2.3",
            "db:x",
            "a b:1.2.3.4",
            "a\n1.2.3.4 x:1.2.3.4",
            "a;;b:1.2.3.4",
            "#:1.2.3.4",
        ] {
            assert!(text.parse::<AddHost>().is_err(), "{text:?}");
        }
        for text in ["", "localhost", "1.2.3.4 ", "1.2.3.4\noptions x"] {
            assert!(text.parse::<DnsServer>().is_err(), "{text:?}");
        }
        assert_eq!("none".parse::<DnsServer>().unwrap(), DnsServer::None);
    }

    #[test]
    fn a_request_survives_the_record() {
        let request = Request {
            mode: "slirp4netns:mtu=1500".parse().unwrap(),
            publish: vec!["127.0.0.1:8080:80/udp".parse().unwrap()],
            dns: vec!["none".parse().unwrap(), "::1".parse().unwrap()],
            add_hosts: vec!["a;b:host-gateway".parse().unwrap()],
            hostname: "h".into(),
            ..Request::default()
        };
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&json).unwrap(), request);
        assert_eq!(serde_json::from_str::<Request>("{}").unwrap(), Request::default());
    }
}
