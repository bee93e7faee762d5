//! pasta: the command line that podman gives it, and its start.
//!
//! pasta gives the container a copy of the host's address, routes packets by sockets of its own, forwards
//! DNS asked of 169.254.1.1 to the host's resolver and maps 169.254.1.2 to the host.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use super::process::{Helper, Launch, ready_fifo};
use super::{PortMapping, Protocol};
use crate::error::Result;
use crate::sys::spawn::Inheritance;

/// Where the container asks for names.
const FORWARDER: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);
/// Where the container finds its host.
const HOST: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 2);

/// A planned pasta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pasta {
    program: PathBuf,
    arguments: Vec<String>,
    /// Where the container asks for names, if pasta forwards them.
    pub(super) forwarder: Option<Ipv4Addr>,
    /// Where the container finds its host, if this pasta can map that.
    pub(super) host: Option<IpAddr>,
    /// Addresses that replace the host's (`--address`).
    pub(super) addresses: Vec<IpAddr>,
}

/// What may stand in `asked` under two names each.
struct Asked<'a>(&'a [String]);

impl<'a> Asked<'a> {
    fn has(&self, names: &[&str]) -> bool {
        self.0.iter().any(|argument| names.contains(&argument.split('=').next().unwrap_or_default()))
    }

    /// The values of an option, as `--name=value` or as the argument after it.
    fn values(&self, names: &'static [&'static str]) -> impl Iterator<Item = &'a str> {
        let arguments = self.0;
        arguments.iter().enumerate().filter_map(move |(at, argument)| match argument.split_once('=') {
            Some((name, value)) => names.contains(&name).then_some(value),
            None if names.contains(&argument.as_str()) => arguments.get(at + 1).map(String::as_str),
            None => None,
        })
    }
}

impl Pasta {
    /// Plans the command line. `asked` are the arguments of containers.conf and then of `--network`; what
    /// they set is left out of the defaults.
    pub(super) fn new(program: PathBuf, asked: &[String], ports: &[PortMapping]) -> Self {
        let given = Asked(asked);
        let mut arguments = vec!["--config-net".to_owned()];
        for port in ports {
            let flag = match port.protocol {
                Protocol::Tcp => "-t",
                Protocol::Udp => "-u",
            };
            arguments.extend([flag.to_owned(), port_spec(port)]);
        }
        arguments.extend(asked.iter().filter(|argument| *argument != "--map-gw").cloned());
        let forwarded = |protocol| ports.iter().any(|port| port.protocol == protocol);
        let defaults: [(&[&str], bool, &[&str]); 6] = [
            (&["-t", "--tcp-ports"], forwarded(Protocol::Tcp), &["-t", "none"]),
            (&["-u", "--udp-ports"], forwarded(Protocol::Udp), &["-u", "none"]),
            (&["-T", "--tcp-ns"], false, &["-T", "none"]),
            (&["-U", "--udp-ns"], false, &["-U", "none"]),
            (&["--map-gw", "--no-map-gw"], false, &["--no-map-gw"]),
            (&["-q", "--quiet", "-d", "--debug", "--trace"], false, &["--quiet"]),
        ];
        for (names, set, default) in defaults {
            if !set && !given.has(names) {
                arguments.extend(default.iter().map(|&argument| argument.to_owned()));
            }
        }
        let forwarder = match given.values(&["--dns-forward"]).find_map(|value| value.parse().ok()) {
            None if !given.has(&["--dns-forward"]) => {
                arguments.extend(["--dns-forward".to_owned(), FORWARDER.to_string()]);
                Some(FORWARDER)
            }
            asked => asked,
        };
        let host = match given.values(&["--map-guest-addr"]).find_map(|value| value.parse().ok()) {
            None if !given.has(&["--map-guest-addr"]) && maps_guest_address(&program) => {
                arguments.extend(["--map-guest-addr".to_owned(), HOST.to_string()]);
                Some(HOST.into())
            }
            asked => asked,
        };
        let addresses = given
            .values(&["-a", "--address"])
            .filter_map(|value| value.split('/').next().unwrap_or_default().parse().ok())
            .collect();
        Self { program: fitting(program), arguments, forwarder, host, addresses }
    }

    /// Starts it on the namespaces of `init`. Some versions do not see the end of a namespace that is named
    /// through /proc (Debian 12's), so that they live as long as the [`Helper`]. It stays in the foreground, as a child; it writes its "pid
    /// file", a FIFO, when everything is set up.
    pub(super) fn start(&self, init: Pid, run_dir: &Path) -> Result<Helper> {
        let fifo = run_dir.join("pasta.ready");
        let ready = ready_fifo(&fifo)?;
        let mut arguments: Vec<OsString> = self.arguments.iter().map(OsString::from).collect();
        arguments.extend(["--foreground".into(), "--pid".into(), fifo.into_os_string()]);
        if rustix::process::geteuid().is_root() {
            // Root's pasta becomes nobody, who cannot open the container's namespaces.
            arguments.extend(["--runas".into(), "0".into()]);
        }
        arguments.extend(["--userns".into(), format!("/proc/{init}/ns/user").into()]);
        arguments.extend(["--netns".into(), format!("/proc/{init}/ns/net").into()]);
        Launch {
            name: "pasta",
            program: self.program.clone(),
            arguments,
            directory: "/".into(),
            inheritance: Inheritance::default(),
            ready,
            lifeline: None,
            forwards: None,
        }
        .start()
    }
}

/// `8080-8081:80-81`, after `127.0.0.1/` where an address is named.
fn port_spec(port: &PortMapping) -> String {
    let last = port.range - 1;
    let ports = format!(
        "{}-{}:{}-{}",
        port.host_port,
        port.host_port + last,
        port.container_port,
        port.container_port + last
    );
    match port.host_ip {
        Some(address) => format!("{address}/{ports}"),
        None => ports,
    }
}

/// Whether this pasta knows --map-guest-addr (passt of October 2024 and later; Debian 12's does not): its
/// option table is in its text. Running it to ask would cost as much as starting it.
fn maps_guest_address(program: &Path) -> bool {
    std::fs::read(program).is_ok_and(|text| contains(&text, b"map-guest-addr"))
}

/// Horspool's search: a quarter of a megabyte in a few dozen microseconds.
fn contains(text: &[u8], word: &[u8]) -> bool {
    let Some((_, before)) = word.split_last() else { return true };
    // How far the word may move when the byte under its end is this one.
    let mut shift = [word.len(); 256];
    for (at, byte) in before.iter().enumerate() {
        shift[usize::from(*byte)] = before.len() - at;
    }
    let mut end = word.len();
    while let Some(window) = text.get(end - word.len()..end) {
        if window == word {
            return true;
        }
        end += shift[usize::from(window[before.len()])];
    }
    false
}

/// Debian's pasta looks for AVX2 and then executes the build for it that lies beside; going there at once
/// saves an execve.
fn fitting(program: PathBuf) -> PathBuf {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && program.file_name().is_some_and(|name| name == "pasta") {
        let faster = program.with_file_name("pasta.avx2");
        if faster.exists() {
            return faster;
        }
    }
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for the program whose text says what it knows.
    fn pasta(knows: &str, asked: &[&str], ports: &[&str]) -> Pasta {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("\x7fELF..{knows}..")).unwrap();
        let asked: Vec<String> = asked.iter().map(|&text| text.to_owned()).collect();
        let ports: Vec<PortMapping> = ports
            .iter()
            .map(|text| {
                let publish: crate::network::Publish = text.parse().unwrap();
                PortMapping {
                    host_ip: publish.host_ip,
                    container_port: publish.container_port,
                    host_port: publish.host_port.unwrap(),
                    range: publish.count,
                    protocol: publish.protocol,
                }
            })
            .collect();
        Pasta::new(file.path().to_owned(), &asked, &ports)
    }

    #[test]
    fn the_defaults_are_podmans() {
        let plan = pasta("map-guest-addr", &[], &[]);
        assert_eq!(
            plan.arguments.join(" "),
            "--config-net -t none -u none -T none -U none --no-map-gw --quiet --dns-forward 169.254.1.1 \
             --map-guest-addr 169.254.1.2"
        );
        assert_eq!((plan.forwarder, plan.host), (Some(FORWARDER), Some(HOST.into())));
    }

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        for (text, found) in [
            ("abab", true),
            ("xxabab", true),
            ("ababxx", true),
            ("aababb", true),
            ("xabaab", false),
            ("", false),
            ("aba", false),
            ("abaabab", true),
            ("bababa", true),
            ("aabbaabb", false),
        ] {
            assert_eq!(contains(text.as_bytes(), b"abab"), found, "{text}");
        }
    }

    #[test]
    fn an_old_pasta_maps_no_host() {
        let plan = pasta("map-host-loopback", &[], &[]);
        assert!(!plan.arguments.contains(&"--map-guest-addr".to_owned()));
        assert_eq!(plan.host, None);
    }

    #[test]
    fn ports_are_published_per_protocol_and_address() {
        let plan = pasta("", &[], &["8080:80", "127.0.0.1:9000-9001:90-91/udp", "[::1]:7000:70"]);
        assert_eq!(
            plan.arguments.join(" "),
            "--config-net -t 8080-8080:80-80 -u 127.0.0.1/9000-9001:90-91 -t ::1/7000-7000:70-70 -T none -U none \
             --no-map-gw --quiet --dns-forward 169.254.1.1"
        );
        assert!(pasta("", &[], &["1-65535:1-65535"]).arguments.contains(&"1-65535:1-65535".to_owned()));
    }

    #[test]
    fn what_was_asked_for_replaces_a_default() {
        let asked = [
            "--map-gw",
            "-T",
            "5000",
            "--dns-forward=1.1.1.1",
            "--map-guest-addr",
            "none",
            "-a",
            "10.9.9.9",
            "-t",
            "auto",
        ];
        let plan = pasta("map-guest-addr", &asked, &[]);
        assert_eq!(
            plan.arguments.join(" "),
            "--config-net -T 5000 --dns-forward=1.1.1.1 --map-guest-addr none -a 10.9.9.9 -t auto -u none -U none --quiet"
        );
        assert_eq!(plan.forwarder, Some(Ipv4Addr::new(1, 1, 1, 1)));
        assert_eq!(plan.host, None);
        assert_eq!(plan.addresses, ["10.9.9.9".parse::<IpAddr>().unwrap()]);
    }
}
