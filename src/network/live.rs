//! Brings up each helper on a real namespace, without privileges, and talks through it.
//!
//! The container and the monitor of these tests are this test program again, running one of the ignored
//! "tests" below. What the machine lacks is said and skipped.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "roles talk over pipes; a skip says why")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::config::Env;

const UDP_PORTS: [u16; 2] = [19190, 19191];
const PATIENCE: Duration = Duration::from_secs(20);

/// This program in another role; killed when dropped.
struct Role {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Role {
    fn start(wrapper: &[&str], name: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let name = format!("network::live::{name}");
        let role = ["--exact", name.as_str(), "--ignored", "--nocapture", "--test-threads=1"];
        let mut words = wrapper.iter().map(std::ffi::OsString::from).chain([program.into()]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(role).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// What the role says after `key`.
    fn hear(&mut self, key: &str) -> Option<String> {
        self.lines.find_map(|line| line.ok()?.split_once(key).map(|(_, value)| value.trim().to_owned()))
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process in a user and a network namespace of its own, if this machine allows that.
fn container() -> Option<Role> {
    let mut role = Role::start(&["unshare", "--user", "--map-root-user", "--net", "--"], "play_container");
    match role.hear("container:") {
        Some(_) => Some(role),
        None => {
            eprintln!("skipped: no user and network namespace for this user");
            None
        }
    }
}

/// The plan for `mode`, or the reason to skip.
fn planned(mode: &str, publish: &[&str]) -> Option<Plan> {
    let request = Request {
        mode: mode.parse().unwrap(),
        publish: publish.iter().map(|text| text.parse().unwrap()).collect(),
        name: "live".into(),
        ..Request::default()
    };
    match plan(&request, &Env::from_pairs([("PATH", "/usr/bin:/bin")]), &Default::default()) {
        Ok(plan) => Some(plan),
        Err(error) if error.kind() == crate::error::Kind::Unsupported => {
            eprintln!("skipped: {error:?}");
            None
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// The host's port of a published one.
fn host_port(plan: &Plan, protocol: Protocol) -> SocketAddr {
    let port = plan.ports.iter().find(|port| port.protocol == protocol).unwrap();
    SocketAddr::new("127.0.0.1".parse().unwrap(), port.host_port)
}

fn gone_within(pid: Pid, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

fn echoes(target: SocketAddr) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(b"ping", target).unwrap();
    let mut bytes = [0; 16];
    assert_eq!(socket.recv(&mut bytes).unwrap(), 4);
}

fn talks_through(mode: &str) {
    // The same UDP port on both sides, one for each mode: an old pasta (2023) loses UDP to another port.
    let udp = UDP_PORTS[usize::from(mode == "pasta")];
    let publish = ["127.0.0.1::8080", &format!("{udp}:{udp}/udp")];
    let (Some(mut container), Some(plan)) = (container(), planned(mode, &publish)) else { return };
    let run_dir = tempfile::tempdir_in("/tmp").unwrap();
    let begin = Instant::now();
    let mut helper = plan.start(container.pid(), run_dir.path()).unwrap().unwrap();
    helper.wait_ready().unwrap();
    eprintln!("{mode}: ready after {:?}", begin.elapsed());

    let mut answer = String::new();
    let mut stream = TcpStream::connect(host_port(&plan, Protocol::Tcp)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nhello from inside\n"), "{answer:?}");

    // slirp4netns shows a client on the loopback device as 10.0.2.2, where its answer may not go; an old
    // pasta cannot tell the host's own address from the container's.
    let mut target = host_port(&plan, Protocol::Udp);
    if mode == "slirp4netns" {
        target.set_ip(*address::of_host().first().unwrap_or(&target.ip()));
    }
    if target.ip().is_loopback() && mode == "slirp4netns" {
        eprintln!("skipped: the host has no address of its own");
    } else {
        echoes(target);
    }

    // The host as the container finds it, on a port of all addresses.
    let hosts = plan.hosts_file().unwrap();
    match hosts.lines().find_map(|line| line.strip_suffix("\thost.containers.internal host.docker.internal"))
    {
        Some(host) => {
            let listener = TcpListener::bind("0.0.0.0:0").unwrap();
            let target = SocketAddr::new(host.parse().unwrap(), listener.local_addr().unwrap().port());
            container.tell(&target.to_string());
            assert_eq!(container.hear("connected:").as_deref(), Some("true"), "from {hosts}");
        }
        None => eprintln!("skipped: the host has no address for its containers"),
    }
    assert_eq!(std::fs::read_dir(run_dir.path()).unwrap().count(), 0, "something is left behind");

    let pid = helper.pid();
    drop(helper);
    assert!(gone_within(pid, Duration::from_millis(50)));
    TcpListener::bind(host_port(&plan, Protocol::Tcp)).unwrap();
}

#[test]
fn pasta_connects() {
    talks_through("pasta");
}

#[test]
fn slirp4netns_connects() {
    talks_through("slirp4netns");
}

fn dies_with(mode: &str) {
    let (Some(container), Some(_)) = (container(), planned(mode, &[])) else { return };
    let mut monitor = Role::start(&["env"], "play_monitor");
    monitor.tell(&format!("{mode} {}", container.pid()));
    let helper = Pid::from_raw(monitor.hear("helper:").unwrap().parse().unwrap());
    assert!(!gone_within(helper, Duration::from_millis(100)), "{mode} ended by itself");
    kill(monitor.pid(), Signal::SIGKILL).unwrap();
    assert!(gone_within(helper, Duration::from_secs(1)), "{mode} outlives its monitor");
}

#[test]
fn pasta_dies_with_its_monitor() {
    dies_with("pasta");
}

#[test]
fn slirp4netns_dies_with_its_monitor() {
    dies_with("slirp4netns");
}

#[test]
fn pasta_dies_with_its_namespace() {
    let (Some(container), Some(plan)) = (container(), planned("pasta", &[])) else { return };
    if !plan.hosts_file().unwrap().contains("169.254.1.2") {
        eprintln!("skipped: this pasta is too old to see the end of a namespace");
        return;
    }
    let run_dir = tempfile::tempdir_in("/tmp").unwrap();
    let mut helper = plan.start(container.pid(), run_dir.path()).unwrap().unwrap();
    helper.wait_ready().unwrap();
    drop(container);
    assert!(gone_within(helper.pid(), Duration::from_secs(3)));
}

#[test]
fn a_helper_that_fails_says_why() {
    let Some(plan) = planned("pasta:--no-such-option", &[]) else { return };
    let Some(container) = container() else { return };
    let run_dir = tempfile::tempdir_in("/tmp").unwrap();
    let mut helper = plan.start(container.pid(), run_dir.path()).unwrap().unwrap();
    let error = helper.wait_ready().unwrap_err();
    assert!(error.chain().concat().contains("no-such-option"), "{error:?}");
}

#[test]
fn a_port_that_is_taken_meanwhile_is_a_conflict() {
    for mode in ["pasta", "slirp4netns"] {
        let (Some(container), Some(plan)) = (container(), planned(mode, &["127.0.0.1::8080"])) else {
            return;
        };
        let _thief = TcpListener::bind(host_port(&plan, Protocol::Tcp)).unwrap();
        let run_dir = tempfile::tempdir_in("/tmp").unwrap();
        let mut helper = plan.start(container.pid(), run_dir.path()).unwrap().unwrap();
        let error = helper.wait_ready().unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Conflict, "{mode}: {error:?}");
    }
}

#[test]
#[ignore = "a role in the tests above"]
fn play_container() {
    crate::sys::netdev::bring_up_loopback().unwrap();
    let tcp = TcpListener::bind("0.0.0.0:8080").unwrap();
    std::thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello from inside\n");
        }
    });
    for port in UDP_PORTS {
        let udp = UdpSocket::bind(("0.0.0.0", port)).unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 512];
            while let Ok((length, from)) = udp.recv_from(&mut bytes) {
                let _ = udp.send_to(&bytes[..length], from);
            }
        });
    }
    println!("container: up");
    for line in std::io::stdin().lines() {
        let target: SocketAddr = line.unwrap().parse().unwrap();
        println!("connected: {}", TcpStream::connect_timeout(&target, Duration::from_secs(5)).is_ok());
    }
}

#[test]
#[ignore = "a role in the tests above"]
fn play_monitor() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let Some((mode, pid)) = line.trim().split_once(' ') else { return };
    let run_dir = tempfile::tempdir_in("/tmp").unwrap();
    let plan = planned(mode, &[]).unwrap();
    let mut helper = plan.start(Pid::from_raw(pid.parse().unwrap()), run_dir.path()).unwrap().unwrap();
    helper.wait_ready().unwrap();
    println!("helper: {}", helper.pid());
    std::thread::sleep(PATIENCE);
}
