//! /etc/resolv.conf of a container.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

/// What resolv.conf(5) says, as far as a container's copy takes it over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resolver {
    /// Texts, because a zone may follow an address.
    pub(super) servers: Vec<String>,
    pub(super) search: Vec<String>,
    pub(super) options: Vec<String>,
}

/// Where systemd-resolved writes the servers behind its stub.
pub(super) const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";
const STUB: &str = "127.0.0.53";
/// Who is asked when nobody else is known; podman's and Docker's choice.
const LAST_RESORT: [&str; 2] = ["8.8.8.8", "8.8.4.4"];

impl Resolver {
    /// Reads resolv.conf(5); unknown lines are dropped. The last `search` or `domain` line counts.
    pub(super) fn parse(text: &str) -> Self {
        let mut resolver = Self::default();
        for line in text.lines() {
            let mut words = line.split(['#', ';']).next().unwrap_or_default().split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let server = words.next().filter(|text| address_of(text).is_some());
                    resolver.servers.extend(server.map(str::to_owned));
                }
                Some("search" | "domain") => resolver.search = words.map(str::to_owned).collect(),
                Some("options") => resolver.options.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        resolver
    }

    /// Whether the servers behind systemd-resolved's stub have to be looked up.
    pub(super) fn asks_stub(&self) -> bool {
        self.servers.iter().any(|server| server == STUB)
    }

    /// The resolver of a container with its own network namespace: `forwarder`, then the host's servers
    /// that can be reached from there.
    #[must_use]
    pub(super) fn in_namespace(mut self, forwarder: Option<Ipv4Addr>) -> Self {
        self.servers.retain(|server| address_of(server).is_some_and(|address| !is_local(address)));
        if let Some(forwarder) = forwarder {
            self.servers.insert(0, forwarder.to_string());
        }
        if self.servers.is_empty() {
            self.servers = LAST_RESORT.map(str::to_owned).to_vec();
        }
        self
    }

    /// Replaces what was asked for.
    #[must_use]
    pub(super) fn with(mut self, servers: &[IpAddr], search: &[String], options: &[String]) -> Self {
        if !servers.is_empty() {
            self.servers = servers.iter().map(IpAddr::to_string).collect();
        }
        if !search.is_empty() {
            self.search = search.iter().filter(|domain| *domain != ".").cloned().collect();
        }
        if !options.is_empty() {
            self.options = options.to_vec();
        }
        self
    }

    /// The contents of the file.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        if !self.search.is_empty() {
            let _ = writeln!(text, "search {}", self.search.join(" "));
        }
        for server in &self.servers {
            let _ = writeln!(text, "nameserver {server}");
        }
        if !self.options.is_empty() {
            let _ = writeln!(text, "options {}", self.options.join(" "));
        }
        text
    }
}

/// Whether `word` can stand in the file as one word.
pub(super) fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic() && c != '#' && c != ';')
}

fn address_of(server: &str) -> Option<IpAddr> {
    server.split('%').next()?.parse().ok()
}

/// A server on the host's loopback is another machine's in the container; so is one on the link of an
/// interface that the container lacks.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_unspecified(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unspecified() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORWARDER: Option<Ipv4Addr> = Some(Ipv4Addr::new(169, 254, 1, 1));

    fn words(text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_hosts_servers_follow_the_forwarder() {
        let host = Resolver::parse("search example.com lan\nnameserver 10.77.0.1\noptions edns0 trust-ad\n");
        assert_eq!(
            host.in_namespace(FORWARDER).render(),
            "search example.com lan\nnameserver 169.254.1.1\nnameserver 10.77.0.1\noptions edns0 trust-ad\n"
        );
    }

    #[test]
    fn loopback_servers_are_dropped() {
        let host = Resolver::parse(
            "nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 2001:db8::1\n",
        );
        assert!(host.asks_stub());
        assert_eq!(host.clone().in_namespace(None).servers, ["2001:db8::1"]);
        let only_stub = Resolver::parse("nameserver 127.0.0.53\n");
        assert_eq!(only_stub.clone().in_namespace(FORWARDER).servers, ["169.254.1.1"]);
        assert_eq!(only_stub.in_namespace(None).servers, LAST_RESORT);
        assert_eq!(Resolver::parse("").in_namespace(None).servers, LAST_RESORT);
    }

    #[test]
    fn what_was_asked_for_replaces_the_hosts() {
        let host = Resolver::parse("domain a\nsearch b c\nnameserver 1.1.1.1\noptions x\n");
        let asked = host.clone().with(&["9.9.9.9".parse().unwrap()], &words("d e"), &words("ndots:2"));
        assert_eq!(asked.render(), "search d e\nnameserver 9.9.9.9\noptions ndots:2\n");
        assert_eq!(host.with(&[], &words("."), &[]).render(), "nameserver 1.1.1.1\noptions x\n");
    }

    #[test]
    fn hostile_lines_are_dropped() {
        let host = Resolver::parse(
            "nameserver\nnameserver x\nnameserver 1.2.3.4.5\n#nameserver 1.1.1.1\n;x\nsearch\n\0\nsortlist 1\nnameserver 1.0.0.1 2 # x\n",
        );
        assert_eq!(host, Resolver { servers: words("1.0.0.1"), search: vec![], options: vec![] });
        assert!(!is_word("a b") && !is_word("a\nnameserver") && !is_word("") && is_word("ndots:2"));
    }
}
