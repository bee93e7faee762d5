//! The host's own addresses, without asking netlink.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses from which the host reaches the world, IPv4 first; empty without a default route.
///
/// Connecting a UDP socket sends nothing, but makes the kernel choose a route and a source address: that of
/// the interface with the default route, which is the one that pasta copies.
pub(super) fn of_host() -> Vec<IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): nobody has a route of their own to them.
    let v4 = source(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    let v6 = source(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into());
    v4.into_iter().chain(v6).collect()
}

fn source(any: IpAddr, target: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(target, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    let local = match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    };
    (!local && !address.is_unspecified()).then_some(address)
}
