//! What `inspect` and `ps` show of a network.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::PortMapping;

/// The object `NetworkSettings` of `inspect`. What only a bridge has is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    #[serde(rename = "EndpointID")]
    endpoint_id: String,
    gateway: String,
    #[serde(rename = "IPAddress")]
    ip_address: String,
    #[serde(rename = "IPPrefixLen")]
    ip_prefix_len: u8,
    #[serde(rename = "IPv6Gateway")]
    ipv6_gateway: String,
    #[serde(rename = "GlobalIPv6Address")]
    global_ipv6_address: String,
    #[serde(rename = "GlobalIPv6PrefixLen")]
    global_ipv6_prefix_len: u8,
    mac_address: String,
    bridge: String,
    #[serde(rename = "SandboxID")]
    sandbox_id: String,
    hairpin_mode: bool,
    #[serde(rename = "LinkLocalIPv6Address")]
    link_local_ipv6_address: String,
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    link_local_ipv6_prefix_len: u8,
    /// The ports: those of the image (`80/tcp`) that are not published have no bindings.
    pub ports: PortMap,
    /// The path of the network namespace while the container runs, else empty.
    pub sandbox_key: String,
}

/// From `80/tcp` to where it is published.
pub type PortMap = BTreeMap<String, Option<Vec<HostBinding>>>;

/// A host's address and port, both as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HostBinding {
    /// The address.
    pub host_ip: String,
    /// The port.
    pub host_port: String,
}

impl NetworkSettings {
    /// The settings of a container with these published ports and these exposed ones of its image.
    pub fn new<'a>(ports: &[PortMapping], exposed: impl IntoIterator<Item = &'a str>) -> Self {
        Self { ports: port_map(ports, exposed), ..Self::default() }
    }
}

/// The ports as `inspect` shows them.
pub fn port_map<'a>(ports: &[PortMapping], exposed: impl IntoIterator<Item = &'a str>) -> PortMap {
    let mut map = PortMap::new();
    for port in exposed {
        let key = if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") };
        map.insert(key, None);
    }
    for mapping in ports {
        for offset in 0..mapping.range {
            let key = format!("{}/{}", mapping.container_port + offset, mapping.protocol);
            map.entry(key).or_default().get_or_insert_default().push(HostBinding {
                host_ip: mapping.host_ip.map_or_else(|| "0.0.0.0".to_owned(), |ip| ip.to_string()),
                host_port: (mapping.host_port + offset).to_string(),
            });
        }
    }
    map
}

/// The column PORTS of `ps`: the mappings, then the exposed ports that are not published.
pub fn ports_column<'a>(ports: &[PortMapping], exposed: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for mapping in ports {
        let _ = write!(text, "{}{mapping}", if text.is_empty() { "" } else { ", " });
    }
    for (port, bindings) in port_map(ports, exposed) {
        if bindings.is_none() {
            let _ = write!(text, "{}{port}", if text.is_empty() { "" } else { ", " });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Protocol;

    #[test]
    fn ports_are_shown_as_podman_does() {
        let ports = [
            PortMapping {
                host_ip: None,
                container_port: 80,
                host_port: 8000,
                range: 2,
                protocol: Protocol::Tcp,
            },
            PortMapping {
                host_ip: Some("127.0.0.1".parse().unwrap()),
                container_port: 90,
                host_port: 9090,
                range: 1,
                protocol: Protocol::Udp,
            },
        ];
        let settings = serde_json::to_value(NetworkSettings::new(&ports, ["443/tcp", "81"])).unwrap();
        assert_eq!(
            settings["Ports"],
            serde_json::json!({
                "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8000"}],
                "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8001"}],
                "90/udp": [{"HostIp": "127.0.0.1", "HostPort": "9090"}],
                "443/tcp": null,
            })
        );
        assert_eq!(settings["GlobalIPv6PrefixLen"], 0);
        assert_eq!(
            ports_column(&ports, ["443/tcp", "81"]),
            "0.0.0.0:8000-8001->80-81/tcp, 127.0.0.1:9090->90/udp, 443/tcp"
        );
    }
}
