//! Chooses the host's ports and finds conflicts before anything is started.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use super::{PortMapping, Protocol, Publish};
use crate::error::{Error, Kind, Result};

/// Where the kernel says from which port on everybody may bind.
const UNPRIVILEGED_START: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/// Makes every choice that `publish` leaves open. Every port was free a moment ago: the helper that binds
/// it for good may still lose a race, and reports it.
pub(super) fn choose(publish: &[Publish]) -> Result<Vec<PortMapping>> {
    let mut mappings: Vec<PortMapping> = Vec::new();
    // Named ports first: a random choice must not take one of them.
    for publish in publish {
        if let Some(host_port) = publish.host_port {
            let mapping = PortMapping {
                host_ip: publish.host_ip,
                container_port: publish.container_port,
                host_port,
                range: publish.count,
                protocol: publish.protocol,
            };
            if mappings.contains(&mapping) {
                continue;
            }
            if let Some(port) = mappings.iter().find_map(|other| overlap(other, &mapping)) {
                return Err(Error::new(
                    Kind::Usage,
                    format!("conflicting port mappings for host port {port} (protocol {})", mapping.protocol),
                ));
            }
            mappings.push(mapping);
        }
    }
    for mapping in &mappings {
        for offset in 0..mapping.range {
            try_bind(mapping.host_ip, mapping.host_port + offset, mapping.protocol)?;
        }
    }
    for publish in publish.iter().filter(|publish| publish.host_port.is_none()) {
        for offset in 0..publish.count {
            mappings.push(free(publish, publish.container_port + offset, &mappings)?);
        }
    }
    Ok(mappings)
}

/// The first host port that both mappings want.
fn overlap(a: &PortMapping, b: &PortMapping) -> Option<u16> {
    let any = |ip: Option<IpAddr>| ip.is_none_or(|ip| ip.is_unspecified());
    let addresses = a.host_ip == b.host_ip || any(a.host_ip) || any(b.host_ip);
    if a.protocol != b.protocol || !addresses {
        return None;
    }
    let first = a.host_port.max(b.host_port);
    let end = |m: &PortMapping| u32::from(m.host_port) + u32::from(m.range);
    (u32::from(first) < end(a).min(end(b))).then_some(first)
}

/// A random free port.
fn free(publish: &Publish, container_port: u16, taken: &[PortMapping]) -> Result<PortMapping> {
    // The kernel may offer a port again that was given to an earlier mapping and is not bound yet.
    for _ in 0..64 {
        let host_port = try_bind(publish.host_ip, 0, publish.protocol)?;
        let mapping = PortMapping {
            host_ip: publish.host_ip,
            container_port,
            host_port,
            range: 1,
            protocol: publish.protocol,
        };
        if taken.iter().all(|other| overlap(other, &mapping).is_none()) {
            return Ok(mapping);
        }
    }
    Err(Error::new(
        Kind::Conflict,
        format!("cannot publish port {container_port}: no free port found on the host"),
    ))
}

/// Binds and lets go at once; gives the port that the kernel chose for 0.
fn try_bind(ip: Option<IpAddr>, port: u16, protocol: Protocol) -> Result<u16> {
    let address = SocketAddr::new(ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), port);
    let bound = match protocol {
        Protocol::Tcp => TcpListener::bind(address).and_then(|socket| socket.local_addr()),
        Protocol::Udp => UdpSocket::bind(address).and_then(|socket| socket.local_addr()),
    };
    bound.map(|bound| bound.port()).map_err(|error| explain(address, protocol, error))
}

fn explain(address: SocketAddr, protocol: Protocol, error: std::io::Error) -> Error {
    let what = format!("cannot publish {address}/{protocol}");
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => Error::wrap(format!("{what}: address already in use"), error)
            .with_kind(Kind::Conflict)
            .hint(format!("choose another port, or see who has it: ss -lnp 'sport = :{}'", address.port())),
        Some(libc::EACCES) => {
            let start = std::fs::read_to_string(UNPRIVILEGED_START).unwrap_or_default();
            let start = start.trim().parse().unwrap_or(1024_u16);
            Error::wrap(format!("{what}: ports below {start} are for root only"), error)
                .with_kind(Kind::Denied)
                .hint(format!("sudo sysctl net.ipv4.ip_unprivileged_port_start={}", address.port()))
                .hint(format!("or choose a port from {start} on"))
        }
        Some(libc::EADDRNOTAVAIL) => {
            Error::wrap(format!("{what}: this host has no address {}", address.ip()), error)
                .with_kind(Kind::Usage)
        }
        _ => Error::wrap(what, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(texts: &[&str]) -> Result<Vec<PortMapping>> {
        choose(&texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn a_port_in_use_is_found() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        for text in [format!("127.0.0.1:{port}:80"), format!("{port}:80")] {
            let error = chosen(&[&text]).unwrap_err();
            assert_eq!(error.kind(), Kind::Conflict);
            assert!(error.to_string().contains("address already in use"), "{error}");
        }
        assert!(chosen(&[&format!("127.0.0.1:{port}:80/udp")]).is_ok());
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_eq!(chosen(&[&format!("127.0.0.1:{port}:80/udp")]).unwrap_err().kind(), Kind::Conflict);
    }

    #[test]
    fn mappings_of_one_container_do_not_collide() {
        for texts in [
            ["31000:80", "31000:81"],
            ["31000-31005:1-6", "31003:80"],
            ["127.0.0.1:31000:80", "0.0.0.0:31000:81"],
        ] {
            let error = chosen(&texts).unwrap_err();
            assert!(error.to_string().contains("conflicting port mappings"), "{error}");
        }
        assert_eq!(
            chosen(&["127.0.0.1:31700:80", "127.0.0.1:31700:80", "127.0.0.1:31700:80/udp"]).unwrap().len(),
            2
        );
    }

    #[test]
    fn open_choices_are_made() {
        let mappings = chosen(&["127.0.0.1::80-82", "127.0.0.1::80/udp"]).unwrap();
        assert_eq!(mappings.len(), 4);
        assert_eq!(mappings.iter().map(|m| m.container_port).collect::<Vec<_>>(), [80, 81, 82, 80]);
        assert!(mappings.iter().all(|m| m.host_port != 0 && m.range == 1));
    }

    #[test]
    fn a_privileged_port_and_a_foreign_address_are_explained() {
        let denied = explain(
            "0.0.0.0:80".parse().unwrap(),
            Protocol::Tcp,
            std::io::Error::from_raw_os_error(libc::EACCES),
        );
        assert_eq!(denied.kind(), Kind::Denied);
        assert!(denied.hints()[0].ends_with("ip_unprivileged_port_start=80"));
        assert!(chosen(&["192.0.2.77:31000:80"]).unwrap_err().to_string().contains("192.0.2.77"));
    }
}
