//! Networks: none, host, pasta, slirp4netns; published ports; the files that name hosts.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::rig::command::eventually;
use crate::rig::{Home, Running, machine, needs, processes};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn none_has_the_loopback_alone_and_it_works() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&[], "ls /sys/class/net"), "lo\n");
    let script = "nc -l -p 5555 -e echo hello & sleep 0.3; nc 127.0.0.1 5555 </dev/null; wget -T 2 -qO- http://10.0.0.1/ 2>/dev/null || echo no way out";
    let found = home.sh(&[], script);
    assert!(found.contains("no way out"), "{found}");
    assert!(found.contains("hello"), "{found}");
}

#[test]
fn host_is_the_hosts_network() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "readlink /proc/self/ns/net";
    let inside = home.ok(&["run", "--rm", "--network", "host", "busybox", "sh", "-c", script]);
    let outside = std::fs::read_link("/proc/self/ns/net").unwrap();
    assert_eq!(inside.trim(), outside.to_str().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let served = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"from the host"));
    let heard = home.ok(&["run", "--rm", "--network", "host", "busybox", "nc", "127.0.0.1", &port]);
    assert_eq!(heard, "from the host");
    served.join().unwrap().unwrap();
}

#[test]
fn names_and_addresses_are_in_the_hosts_file() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let hosts = home.sh(
        &["--add-host", "db.example:10.1.2.3", "--add-host=six:fd00::1", "--hostname", "me"],
        "cat /etc/hosts",
    );
    let has = |address: &str, name: &str| {
        hosts.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(address) && words.any(|word| word == name)
        })
    };
    assert!(
        has("10.1.2.3", "db.example") && has("fd00::1", "six") && has("127.0.0.1", "localhost"),
        "{hosts}"
    );
    assert!(hosts.lines().any(|line| line.split_whitespace().skip(1).any(|word| word == "me")), "{hosts}");
    home.try_sh(&["--add-host", "no-address"], "true").exits(125).fails_saying(&["no-address"]);
}

#[test]
fn resolv_conf_is_what_was_asked_for() {
    needs!(containers, registry, pasta);
    let home = Home::with_busybox();
    let args = [
        "run",
        "--rm",
        "--dns",
        "192.0.2.53",
        "--dns-search",
        "example.org",
        "--dns-option",
        "ndots:3",
        "busybox",
        "cat",
        "/etc/resolv.conf",
    ];
    let text = home.ok(&args);
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    for line in ["nameserver 192.0.2.53", "search example.org", "options ndots:3"] {
        assert!(lines.contains(&line), "{line} in {text}");
    }
    assert_eq!(lines.iter().filter(|line| line.starts_with("nameserver")).count(), 1);
}

/// Starts a server in the container that answers every connection with `hello`.
fn serve(home: &Home, options: &[&str], port: u16) -> Running {
    let script = format!("echo ready; while :; do echo hello | nc -l -p {port} >/dev/null; done");
    let mut args = vec!["run", "--rm", "--init"];
    args.extend_from_slice(options);
    args.extend_from_slice(&["busybox", "sh", "-c", &script]);
    let mut server = home.start(&args);
    server.expect("ready");
    server
}

#[track_caller]
fn assert_answers(address: &str) {
    eventually(&format!("{address} says hello"), || {
        let Ok(mut stream) = TcpStream::connect(address) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut text = String::new();
        let _ = stream.write_all(b"\n");
        stream.read_to_string(&mut text).is_ok() && text == "hello\n"
    });
}

fn published_port_answers(network: &str) {
    let home = Home::with_busybox();
    let port = free_port();
    let publish = format!("127.0.0.1:{port}:8080");
    let server = serve(&home, &["--network", network, "-p", &publish], 8080);
    assert_answers(&format!("127.0.0.1:{port}"));
    server.signal(nix::sys::signal::Signal::SIGKILL);
    drop(server);
    home.ok(&["rm", "--all", "--force"]);
    eventually("the port is free again", || TcpListener::bind(("127.0.0.1", port)).is_ok());
}

#[test]
fn a_published_port_answers_through_pasta() {
    needs!(containers, registry, pasta);
    published_port_answers("pasta");
}

#[test]
fn a_published_port_answers_through_slirp4netns() {
    needs!(containers, registry, slirp4netns);
    published_port_answers("slirp4netns");
}

#[test]
fn udp_ports_and_ranges_are_published() {
    needs!(containers, registry, pasta);
    let home = Home::with_busybox();
    // pasta of 2023 loses datagrams between ports of different numbers.
    let port = if pasta_knows("--map-guest-addr") { free_port() } else { 5353 };
    let publish = format!("127.0.0.1:{port}:5353/udp");
    let options = ["--network", "pasta", "--init", "-p", &publish];
    let mut server = Running::start(crate::probe::command(&home, &options, &["echo_udp"]));
    server.expect("ready");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    eventually("the datagram is answered", || {
        let mut answer = [0; 64];
        socket.send_to(b"word\n", ("127.0.0.1", port)).unwrap();
        socket.recv(&mut answer).is_ok_and(|length| &answer[..length] == b"word\n")
    });
    drop(server);
    home.ok(&["rm", "--all", "--force"]);
    home.run(&["run", "--rm", "-p", "8000-8002:80-81", "busybox", "true"])
        .exits(125)
        .fails_saying(&["8000-8002"]);
    home.run(&["run", "--rm", "-p", "70000:80", "busybox", "true"]).exits(125).fails_saying(&["70000"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    needs!(containers, registry, pasta);
    let home = Home::with_busybox();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let publish = format!("127.0.0.1:{port}:80");
    let run = home.run(&["run", "--rm", "-p", &publish, "busybox", "true"]);
    run.fails_saying(&[&port.to_string()]);
    assert_eq!(home.containers(), []);
}

fn pasta_knows(option: &str) -> bool {
    let help = std::process::Command::new("pasta").arg("--help").output().unwrap();
    let text = [help.stdout, help.stderr].concat();
    String::from_utf8_lossy(&text).contains(option)
}

#[test]
fn the_host_is_reached_by_its_name_through_pasta() {
    needs!(containers, registry, pasta);
    if !pasta_knows("--map-guest-addr") {
        // pasta of 2023 gives the container no address for the host: then it has no name either.
        let hosts =
            Home::with_busybox().ok(&["run", "--rm", "--network", "pasta", "busybox", "cat", "/etc/hosts"]);
        assert!(!hosts.contains("host.containers.internal"), "{hosts}");
        return;
    }
    let home = Home::with_busybox();
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = (&stream).write_all(b"from the host");
        }
    });
    let script = format!("nc -w 5 host.containers.internal {port} </dev/null");
    let heard = home.run(&["run", "--rm", "--network", "pasta", "busybox", "sh", "-c", &script]);
    assert_eq!(heard.stdout, "from the host", "{heard}");
}

#[test]
fn the_network_helper_goes_with_its_container() {
    needs!(containers, registry, pasta);
    let before = helpers();
    let home = Home::with_busybox();
    home.ok(&["run", "--rm", "--network", "pasta", "busybox", "ls", "/sys/class/net"]);
    let mut run = home.start(&[
        "run",
        "--name",
        "n",
        "--network",
        "pasta",
        "busybox",
        "sh",
        "-c",
        "echo ready; exec sleep 1000",
    ]);
    run.expect("ready");
    let pid: i32 = home.ok(&["inspect", "--format", "{{.State.Pid}}", "n"]).trim().parse().unwrap();
    let namespace = std::fs::metadata(format!("/proc/{pid}/ns/net")).is_ok();
    assert!(namespace);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(run.wait().code(), Some(137));
    let _ = before;
    eventually("no helper of this container is left", || {
        !helpers().iter().any(|line| line.contains(&pid.to_string()))
    });
}

fn helpers() -> Vec<String> {
    let all = processes::all().into_values();
    all.filter(|line| line.contains("pasta") || line.contains("slirp4netns")).collect()
}

#[test]
fn without_any_helper_there_is_no_network_and_one_line_says_so() {
    needs!(containers, registry);
    let mut home = Home::with_busybox();
    let newuidmap = machine::which("newuidmap");
    let tools = home.path("tools");
    std::fs::create_dir(&tools).unwrap();
    for tool in ["newuidmap", "newgidmap"].into_iter().filter(|_| newuidmap.is_some()) {
        std::os::unix::fs::symlink(machine::which(tool).unwrap(), tools.join(tool)).unwrap();
    }
    home.set("PATH", tools.to_str().unwrap());
    let output = home.run(&["run", "--rm", "busybox", "ls", "/sys/class/net"]).exits(0);
    assert_eq!(output.stdout, "lo\n");
    let said: Vec<_> = output.stderr.lines().filter(|line| line.contains("passt")).collect();
    assert_eq!(said.len(), 1, "what is missing and the package that has it: {output}");
    let asked = home.run(&["run", "--rm", "--network", "pasta", "busybox", "true"]);
    asked.exits(125).fails_saying(&["pasta"]);
}

#[test]
fn networks_that_do_not_exist_yet_are_refused_by_name() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    for network in ["bridge", "container:other", "ns:/proc/1/ns/net", "some-network"] {
        let run = home.run(&["run", "--rm", "--network", network, "busybox", "true"]);
        run.exits(125).fails_saying(&[network.split(':').next().unwrap()]);
    }
}
