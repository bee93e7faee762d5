//! /etc/hosts of a container, as podman writes it: added hosts, the base file, localhost, the host, itself.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::request::{AddHost, is_host_name};
use crate::error::{Error, Result};

/// The names under which a container finds its host.
const HOST_NAMES: [&str; 2] = ["host.containers.internal", "host.docker.internal"];

/// What the file is made of.
pub(super) struct Hosts<'a> {
    /// `--add-host`.
    pub(super) added: &'a [AddHost],
    /// The contents of the base file.
    pub(super) base: &'a str,
    /// The host's address as seen from the container.
    pub(super) host: Option<IpAddr>,
    /// The container's own addresses; none on the host's network.
    pub(super) own: &'a [IpAddr],
    /// The container's own names.
    pub(super) names: &'a [&'a str],
}

struct Entry {
    address: String,
    names: Vec<String>,
}

impl Hosts<'_> {
    /// The contents of the file.
    pub(super) fn render(&self) -> Result<String> {
        let mut entries = Vec::new();
        for added in self.added {
            let address = added.address.or(self.host).ok_or_else(|| {
                Error::unsupported(format!("cannot add the host {added}: no address of the host is known"))
                    .hint("set host_containers_internal_ip in containers.conf")
            })?;
            entries.push(Entry { address: address.to_string(), names: added.names.clone() });
        }
        entries.extend(self.base.lines().filter_map(parse_line));
        let mut add = |address: IpAddr, names: &[&str]| {
            let address = address.to_string();
            let known = |name: &&str| {
                entries.iter().any(|entry| entry.address == address && entry.names.iter().any(|n| n == *name))
            };
            if !names.iter().any(known) {
                let names = names.iter().map(|&name| name.to_owned()).collect();
                entries.push(Entry { address, names });
            }
        };
        add(Ipv4Addr::LOCALHOST.into(), &["localhost"]);
        add(Ipv6Addr::LOCALHOST.into(), &["localhost"]);
        if let Some(host) = self.host {
            add(host, &HOST_NAMES);
        }
        let mut names: Vec<&str> = Vec::new();
        for name in self.names {
            if is_host_name(name) && !names.contains(name) {
                names.push(name);
            }
        }
        if !names.is_empty() {
            for address in self.own {
                add(*address, &names);
            }
        }
        let mut text = String::new();
        for entry in entries {
            let _ = writeln!(text, "{}\t{}", entry.address, entry.names.join(" "));
        }
        Ok(text)
    }
}

/// An address and at least one name; comments and other lines are dropped.
fn parse_line(line: &str) -> Option<Entry> {
    let mut words = line.split('#').next()?.split_ascii_whitespace();
    let address = words.next()?.to_owned();
    // A zone (fe80::1%eth0) means nothing in another network namespace, but podman keeps it.
    address.split('%').next()?.parse::<IpAddr>().ok()?;
    let names: Vec<String> = words.map(str::to_owned).collect();
    (!names.is_empty()).then_some(Entry { address, names })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_file_is_podmans() {
        let added: Vec<AddHost> =
            ["foo:1.2.3.4", "a;b:host-gateway"].iter().map(|t| t.parse().unwrap()).collect();
        let text = Hosts {
            added: &added,
            base: "# comment\n127.0.0.1 localhost # more\n::1 localhost\n10.77.0.2\tlaptop\n",
            host: Some(ip("169.254.1.2")),
            own: &[ip("10.77.0.2")],
            names: &["hh", "nn"],
        }
        .render()
        .unwrap();
        assert_eq!(
            text,
            "1.2.3.4\tfoo\n169.254.1.2\ta b\n127.0.0.1\tlocalhost\n::1\tlocalhost\n10.77.0.2\tlaptop\n\
             169.254.1.2\thost.containers.internal host.docker.internal\n10.77.0.2\thh nn\n"
        );
    }

    #[test]
    fn localhost_is_there_without_a_base_and_names_come_once() {
        let text = Hosts { added: &[], base: "", host: None, own: &[ip("10.0.0.1")], names: &["x", "x", ""] }
            .render()
            .unwrap();
        assert_eq!(text, "127.0.0.1\tlocalhost\n::1\tlocalhost\n10.0.0.1\tx\n");
    }

    #[test]
    fn hostile_input_makes_no_line_of_its_own() {
        let text = Hosts {
            added: &[],
            base: "1.2.3.4\n999.1.1.1 x\nfoo bar\n\u{0}\n \t\n1.1.1.1 ok#x\n",
            host: None,
            own: &[ip("10.0.0.1")],
            names: &["a\n6.6.6.6 bank", "a b"],
        }
        .render()
        .unwrap();
        assert_eq!(text, "1.1.1.1\tok\n127.0.0.1\tlocalhost\n::1\tlocalhost\n");
    }

    #[test]
    fn the_hosts_gateway_needs_an_address() {
        let added = ["x:host-gateway".parse().unwrap()];
        assert!(Hosts { added: &added, base: "", host: None, own: &[], names: &[] }.render().is_err());
    }
}
