//! From what is asked for to everything that is decided before the container exists.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use nix::unistd::Pid;

use super::hosts::Hosts;
use super::maker::{self, Maker};
use super::process::Helper;
use super::request::{DnsServer, Request};
use super::resolv::{BEHIND_STUB, Resolver, is_word};
use super::{Mode, NetworkSettings, PortMapping, Publish, address, ports};
use crate::config::Env;
use crate::config::containers_conf::{Containers, ContainersConf};
use crate::error::{Context, Error, Kind, Result};

/// Where the host's own files lie.
const HOSTS: &str = "/etc/hosts";
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Whose network namespace the container lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Its own.
    Private,
    /// The host's.
    Host,
    /// One that exists already.
    Existing,
}

/// A network that is decided upon; nothing is started yet.
#[derive(Debug)]
pub struct Plan {
    /// Whose network namespace it is.
    pub namespace: Namespace,
    /// What is lost on this machine and how to get it back, one line each.
    pub notes: Vec<String>,
    /// The published ports.
    pub ports: Vec<PortMapping>,
    maker: Option<Box<dyn Maker>>,
    hosts: Option<String>,
    resolv_conf: Option<String>,
}

/// Decides how `request` is met on this machine. No process is started; takes well under a millisecond.
pub fn plan(request: &Request, env: &Env, conf: &ContainersConf) -> Result<Plan> {
    let mut notes = Vec::new();
    let mode = effective_mode(&request.mode, &conf.containers, &mut notes);
    let (namespace, maker, ports) = match mode {
        Mode::None | Mode::Host => {
            if !request.publish.is_empty() {
                notes.push(format!("published ports are ignored with --network {mode}"));
            }
            let namespace = if mode == Mode::Host { Namespace::Host } else { Namespace::Private };
            (namespace, None, Vec::new())
        }
        Mode::Container(_) | Mode::Path(_) => {
            refuse_settings(request, &mode)?;
            (Namespace::Existing, None, Vec::new())
        }
        _ => {
            let ports = ports::choose(&with_default_addresses(&request.publish, conf)?)?;
            match maker::choose(&mode, env, conf, &ports) {
                Ok(maker) => (Namespace::Private, Some(maker), ports),
                Err(lacking) if mode == Mode::Default && lacking.kind() == Kind::Unsupported => {
                    if let Some(port) = ports.first() {
                        return Err(Error::wrap(format!("cannot publish {port}"), lacking));
                    }
                    notes.push(no_network(&lacking));
                    (Namespace::Private, None, Vec::new())
                }
                Err(error) => {
                    return Err(Error::wrap(
                        format!("cannot connect the container by --network {mode}"),
                        error,
                    ));
                }
            }
        }
    };
    notes.extend(maker.as_ref().and_then(|maker| maker.note()));
    let view = View { request, conf: &conf.containers, namespace, maker: maker.as_deref() };
    let hosts = view.hosts()?;
    let resolv_conf = view.resolv_conf(&mode)?;
    Ok(Plan { namespace, notes, ports, maker, hosts, resolv_conf })
}

impl Plan {
    /// The contents of the container's /etc/hosts; none leaves the image's file.
    pub fn hosts_file(&self) -> Option<&str> {
        self.hosts.as_deref()
    }

    /// The contents of the container's /etc/resolv.conf; none leaves the image's file.
    pub fn resolv_conf(&self) -> Option<&str> {
        self.resolv_conf.as_deref()
    }

    /// Whether a process connects the container, which keeps files in the `run_dir` of [`Plan::start`].
    pub fn has_helper(&self) -> bool {
        self.maker.is_some()
    }

    /// What `inspect` shows; `exposed` are the image's ports.
    pub fn settings<'a>(&self, exposed: impl IntoIterator<Item = &'a str>) -> NetworkSettings {
        NetworkSettings::new(&self.ports, exposed)
    }

    /// Starts what connects the namespaces of `init`, if anything does. To be called by the process that the
    /// network shall die with, which has one thread. `run_dir` is the container's own run-time directory.
    ///
    /// `init` must not have changed its ids yet: after that its namespaces cannot be opened through /proc
    /// until it executes a program. So it waits for [`Helper::wait_ready`] first.
    pub fn start(&self, init: Pid, run_dir: &Path) -> Result<Option<Helper>> {
        self.maker.as_ref().map(|maker| maker.start(init, run_dir)).transpose()
    }
}

/// A network that is there has its ports, and a container's has its names.
fn refuse_settings(request: &Request, mode: &Mode) -> Result<()> {
    let unnamed = request.dns.is_empty()
        && request.dns_search.is_empty()
        && request.dns_options.is_empty()
        && request.add_hosts.is_empty();
    let option = match mode {
        _ if !request.publish.is_empty() => "--publish",
        Mode::Container(_) if !unnamed => "--dns and --add-host",
        _ => return Ok(()),
    };
    Err(Error::usage(format!("{option} cannot change an existing network: --network {mode}")))
}

/// Ports without an address of their own get containers.conf's (`default_host_ips`), each of them.
fn with_default_addresses(publish: &[Publish], conf: &ContainersConf) -> Result<Vec<Publish>> {
    let wrong = |text: &String| {
        Error::usage(format!("containers.conf: default_host_ips {text:?} is not an IP address"))
    };
    let addresses = conf.network.default_host_ips.values().iter();
    let addresses: Vec<IpAddr> =
        addresses.map(|text| text.parse().map_err(|_| wrong(text))).collect::<Result<_>>()?;
    let expand = |publish: &Publish| match publish.host_ip {
        None if !addresses.is_empty() => {
            addresses.iter().map(|ip| Publish { host_ip: Some(*ip), ..*publish }).collect()
        }
        _ => vec![*publish],
    };
    Ok(publish.iter().flat_map(expand).collect())
}

/// The mode with containers.conf's in the place of none. A mode of containers.conf that rcon lacks does not
/// stop every container.
fn effective_mode(asked: &Mode, conf: &Containers, notes: &mut Vec<String>) -> Mode {
    let configured = match (asked, &conf.netns) {
        (Mode::Default, Some(configured)) => configured,
        _ => return asked.clone(),
    };
    configured.parse().unwrap_or_else(|error: Error| {
        notes.push(format!("containers.conf: netns = {configured:?} is not used: {error}"));
        Mode::Default
    })
}

/// One line: that there is no network, why, and how to get one.
fn no_network(lacking: &Error) -> String {
    let hints: Vec<String> = lacking.hints().iter().map(|hint| format!("; {hint}")).collect();
    format!("no network but the loopback device: {}{}", lacking.chain().join(": "), hints.concat())
}

/// How the container sees the network.
struct View<'a> {
    request: &'a Request,
    conf: &'a Containers,
    namespace: Namespace,
    maker: Option<&'a dyn Maker>,
}

impl View<'_> {
    fn host_address(&self) -> Result<Option<IpAddr>> {
        match self.conf.host_containers_internal_ip.as_deref() {
            None | Some("") => {}
            Some("none") => return Ok(None),
            Some(text) => {
                return text.parse().map(Some).map_err(|_| {
                    Error::usage(format!(
                        "containers.conf: host_containers_internal_ip {text:?} is not an IP address"
                    ))
                });
            }
        }
        Ok(match self.maker {
            Some(maker) => maker.host(),
            None => address::of_host().into_iter().next(),
        })
    }

    fn hosts(&self) -> Result<Option<String>> {
        if self.request.no_hosts || self.conf.no_hosts.unwrap_or(false) {
            return match self.request.add_hosts.first() {
                Some(added) => {
                    Err(Error::usage(format!("--no-hosts and --add-host {added} exclude each other")))
                }
                None => Ok(None),
            };
        }
        let base = match self.conf.base_hosts_file.as_deref() {
            None | Some("") => std::fs::read_to_string(HOSTS).unwrap_or_default(),
            Some("none") => String::new(),
            Some("image") => {
                return Err(Error::unsupported(
                    "containers.conf: base_hosts_file = \"image\" is not supported",
                )
                .hint("name a file, or \"none\""));
            }
            Some(path) => std::fs::read_to_string(path)
                .context(|| format!("containers.conf: cannot read base_hosts_file {path}"))?,
        };
        let own = match (self.namespace, self.maker) {
            (Namespace::Host | Namespace::Existing, _) => Vec::new(),
            (_, Some(maker)) => maker.addresses(),
            _ => vec![Ipv4Addr::LOCALHOST.into()],
        };
        let hosts = Hosts {
            added: &self.request.add_hosts,
            base: &base,
            host: self.host_address()?,
            own: &own,
            names: &[self.request.hostname.as_str(), self.request.name.as_str()],
        };
        hosts.render().map(Some)
    }

    fn resolv_conf(&self, mode: &Mode) -> Result<Option<String>> {
        let request = self.request;
        let asked =
            !(request.dns.is_empty() && request.dns_search.is_empty() && request.dns_options.is_empty());
        if asked && *mode == Mode::None {
            return Err(Error::usage(
                "--dns, --dns-search and --dns-option make no sense with --network none",
            ));
        }
        let nowhere = self.namespace == Namespace::Private && self.maker.is_none();
        if nowhere || request.dns.contains(&DnsServer::None) {
            return match asked && request.dns.len() > 1 && !nowhere {
                true => Err(Error::usage("--dns none and another --dns exclude each other")),
                false => Ok(None),
            };
        }
        let servers = self.servers()?;
        let search = or(&request.dns_search, self.conf.dns_searches.values());
        let options = or(&request.dns_options, self.conf.dns_options.values());
        if let Some(word) = search.iter().chain(options).find(|word| !is_word(word)) {
            return Err(Error::usage(format!("invalid DNS search domain or option {word:?}")));
        }
        let mut host = Resolver::parse(&std::fs::read_to_string(RESOLV_CONF).unwrap_or_default());
        if self.namespace == Namespace::Private {
            if host.asks_stub() {
                let behind = Resolver::parse(&std::fs::read_to_string(BEHIND_STUB).unwrap_or_default());
                host.servers.extend(behind.servers);
            }
            host = host.in_namespace(self.maker.and_then(Maker::forwarder));
        }
        Ok(Some(host.with(&servers, search, options).render()))
    }

    fn servers(&self) -> Result<Vec<IpAddr>> {
        if self.request.dns.is_empty() {
            let wrong = |text: &String| {
                Error::usage(format!("containers.conf: dns_servers {text:?} is not an IP address"))
            };
            return self
                .conf
                .dns_servers
                .values()
                .iter()
                .map(|text| text.parse().map_err(|_| wrong(text)))
                .collect();
        }
        Ok(self
            .request
            .dns
            .iter()
            .filter_map(|server| match server {
                DnsServer::Address(address) => Some(*address),
                DnsServer::None => None,
            })
            .collect())
    }
}

fn or<'a>(asked: &'a [String], configured: &'a [String]) -> &'a [String] {
    if asked.is_empty() { configured } else { asked }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        Env::from_pairs([("PATH", "/usr/bin")])
    }

    fn request(mode: &str) -> Request {
        Request { mode: mode.parse().unwrap(), hostname: "h".into(), name: "n".into(), ..Request::default() }
    }

    #[test]
    fn without_a_network_ports_are_ignored_with_a_note() {
        for (mode, namespace) in [("none", Namespace::Private), ("host", Namespace::Host)] {
            let mut request = request(mode);
            request.publish = vec!["8080:80".parse().unwrap()];
            let plan = plan(&request, &env(), &ContainersConf::default()).unwrap();
            assert_eq!((plan.namespace, plan.ports.len(), plan.notes.len()), (namespace, 0, 1));
            assert!(plan.notes[0].contains(mode));
        }
    }

    #[test]
    fn the_files_fit_the_mode() {
        let none = plan(&request("none"), &env(), &ContainersConf::default()).unwrap();
        assert!(none.hosts_file().unwrap().ends_with("127.0.0.1\th n\n"));
        assert_eq!(none.resolv_conf(), None);
        let host = plan(&request("host"), &env(), &ContainersConf::default()).unwrap();
        assert!(!host.hosts_file().unwrap().contains("h n"));
        assert!(host.resolv_conf().is_some());
        let mut quiet = request("host");
        (quiet.no_hosts, quiet.dns) = (true, vec![DnsServer::None]);
        let quiet = plan(&quiet, &env(), &ContainersConf::default()).unwrap();
        assert_eq!((quiet.hosts_file(), quiet.resolv_conf()), (None, None));
    }

    #[test]
    fn requests_that_contradict_themselves_are_refused() {
        let change: [fn(&mut Request); 4] = [
            |r| r.dns = vec!["1.1.1.1".parse().unwrap()],
            |r| (r.no_hosts, r.add_hosts) = (true, vec!["a:1.1.1.1".parse().unwrap()]),
            |r| (r.mode, r.dns_search) = (Mode::Host, vec!["a b".into()]),
            |r| (r.mode, r.dns) = (Mode::Host, vec![DnsServer::None, "1.1.1.1".parse().unwrap()]),
        ];
        for change in change {
            let mut request = request("none");
            change(&mut request);
            assert_eq!(plan(&request, &env(), &ContainersConf::default()).unwrap_err().kind(), Kind::Usage);
        }
    }

    #[test]
    fn a_configured_mode_counts_where_none_was_asked_for() {
        let configured = |text: &str| Containers { netns: Some(text.into()), ..Containers::default() };
        let mut notes = Vec::new();
        assert_eq!(effective_mode(&Mode::Default, &configured("host"), &mut notes), Mode::Host);
        assert_eq!(effective_mode(&Mode::None, &configured("host"), &mut notes), Mode::None);
        assert!(notes.is_empty());
        assert_eq!(effective_mode(&Mode::Default, &configured("bridge"), &mut notes), Mode::Default);
        assert!(notes[0].contains("bridge"));
    }

    #[test]
    fn the_note_says_why_and_how_to_get_a_network() {
        let note = no_network(&Error::unsupported("neither is installed").hint("install x"));
        assert_eq!(note, "no network but the loopback device: neither is installed; install x");
    }
}
