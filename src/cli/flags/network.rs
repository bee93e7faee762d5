//! The container's network.

use super::switch;
use crate::error::{Error, Result};
use crate::spec::NetworkRequest;

/// Options of the network.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkFlags {
    /// Network: pasta[:ARG,…], slirp4netns[:OPT,…], none, host, container:NAME or ns:PATH [default: pasta, else slirp4netns]
    #[arg(long, visible_alias = "net", value_name = "MODE")]
    network: Vec<String>,
    /// Publish a port: [[IP:][HOST]:]CONTAINER[/tcp|udp]
    #[arg(short = 'p', long, value_name = "PORT")]
    publish: Vec<String>,
    /// Publish every port that the image or --expose names
    #[arg(short = 'P', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_parser = switch, action = clap::ArgAction::Set,
          hide_default_value = true, value_name = "BOOL")]
    publish_all: bool,
    /// Name a port for --publish-all: PORT[-PORT][/tcp|udp]
    #[arg(long, value_name = "PORT")]
    expose: Vec<String>,
    /// Name server, or none to leave the image's resolv.conf alone
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<String>,
    /// Domain that short host names are looked up in
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,
    /// Option of resolv.conf
    #[arg(long, visible_alias = "dns-opt", value_name = "OPTION")]
    dns_option: Vec<String>,
    /// Add a line to /etc/hosts: NAME[;NAME…]:ADDRESS, or NAME:host-gateway
    #[arg(long, value_name = "HOST")]
    add_host: Vec<String>,
    /// Leave the image's /etc/hosts alone
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, value_name = "BOOL")]
    no_hosts: Option<bool>,
}

impl NetworkFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> Result<NetworkRequest> {
        let mode = match &self.network[..] {
            [] => None,
            [mode] => Some(mode.clone()),
            [..] => return Err(Error::unsupported("--network: more than one network is not supported yet")),
        };
        if self.no_hosts == Some(true) && !self.add_host.is_empty() {
            return Err(Error::usage("--no-hosts and --add-host contradict each other"));
        }
        Ok(NetworkRequest {
            mode,
            publish: self.publish.clone(),
            publish_all: self.publish_all,
            expose: self.expose.clone(),
            dns: self.dns.clone(),
            dns_search: self.dns_search.clone(),
            dns_options: self.dns_option.clone(),
            add_hosts: self.add_host.clone(),
            no_hosts: self.no_hosts,
        })
    }
}
