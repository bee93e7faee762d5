//! Names to addresses in a static binary.
//!
//! glibc's resolver loads NSS modules of the machine's own glibc, which a static binary of another version
//! cannot do safely (rust-lang/rust#100711). So `/etc/hosts` is read here, and `getent`, which is the
//! machine's own, answers for the rest; glibc's resolver is asked only where there is no `getent`.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::process::{Command, Stdio};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The resolver that the HTTP client uses.
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let addresses = tokio::task::spawn_blocking(move || look_up(&name)).await??;
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    let listed =
        std::fs::read_to_string("/etc/hosts").map(|hosts| in_hosts(&hosts, name)).unwrap_or_default();
    if !listed.is_empty() {
        return Ok(listed);
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]);
    }
    let asked = Command::new("getent")
        .args(["ahosts", "--", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let addresses = match asked {
        Ok(output) => of_getent(&String::from_utf8_lossy(&output.stdout)),
        Err(_) => (name, 0).to_socket_addrs()?.map(|address| address.ip()).collect(),
    };
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("no address is known for {name}")));
    }
    Ok(addresses)
}

/// The addresses that hosts(5) gives a name.
fn in_hosts(hosts: &str, name: &str) -> Vec<IpAddr> {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
        })
        .collect()
}

/// The distinct addresses of `getent ahosts`, in its order, which is that of RFC 6724.
fn of_getent(output: &str) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in output.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_getent_are_read() {
        let hosts = "# c\n127.0.0.1 localhost\n10.0.0.1\treg.lan REG # x\nbad reg.lan\n::1 reg.lan\n";
        assert_eq!(in_hosts(hosts, "reg.lan").len(), 2);
        assert_eq!(in_hosts(hosts, "reg"), [IpAddr::from([10, 0, 0, 1])]);
        assert!(in_hosts(hosts, "x").is_empty());
        let getent = "1.2.3.4  STREAM a.example\n1.2.3.4  DGRAM\nfe80::1 STREAM\n";
        assert_eq!(of_getent(getent).len(), 2);
    }
}
