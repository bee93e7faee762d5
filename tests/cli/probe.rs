//! Questions to the kernel that no applet asks: this very program, run again inside a container.
//!
//! The test program is linked statically, so it runs on any image. `RCON_TEST_PROBE` names the question; the
//! answer is the name of the errno, or `ok`.

use std::io::Write;
use std::path::PathBuf;

use crate::rig::Home;

/// Asks `questions` inside a container; one answer a line.
#[track_caller]
pub(crate) fn ask(home: &Home, options: &[&str], questions: &[&str]) -> Vec<String> {
    let mut all = vec!["--network", "none"];
    all.extend_from_slice(options);
    let output = crate::rig::command::finish(command(home, &all, questions), b"").success();
    let answers =
        output.lines().filter_map(|line| line.split_once("answer: ")).map(|(_, answer)| answer.to_owned());
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers.len(), questions.len(), "{output}");
    answers
}

/// The command that asks.
pub(crate) fn command(home: &Home, options: &[&str], questions: &[&str]) -> std::process::Command {
    let program = std::env::current_exe().unwrap();
    let volume = format!("{}:/probe:ro", program.display());
    let variable = format!("RCON_TEST_PROBE={}", questions.join(","));
    let mut args = vec!["run", "--rm", "-v", &volume, "-e", &variable];
    args.extend_from_slice(options);
    args.extend_from_slice(&["busybox", "/probe", "probe::answer", "--exact", "--ignored", "--nocapture"]);
    home.rcon(&args)
}

#[test]
#[ignore = "runs inside a container, started by other tests"]
fn answer() {
    let Ok(questions) = std::env::var("RCON_TEST_PROBE") else { return };
    for question in questions.split(',') {
        let answer = put(question).map_or_else(|errno| format!("{errno:?}"), |()| "ok".to_owned());
        std::io::stdout().write_all(format!("\nanswer: {answer}\n").as_bytes()).unwrap();
    }
}

/// One system call without an effect that matters, were it allowed.
fn put(question: &str) -> Result<(), nix::errno::Errno> {
    use nix::sched::{CloneFlags, unshare};
    let number = match question {
        "keyctl" => libc::SYS_keyctl,
        "add_key" => libc::SYS_add_key,
        "bpf" => libc::SYS_bpf,
        "perf_event_open" => libc::SYS_perf_event_open,
        "userfaultfd" => libc::SYS_userfaultfd,
        "kexec_load" => libc::SYS_kexec_load,
        "init_module" => libc::SYS_init_module,
        "open_by_handle_at" => libc::SYS_open_by_handle_at,
        "io_uring_setup" => libc::SYS_io_uring_setup,
        "swapon" => libc::SYS_swapon,
        "quotactl" => libc::SYS_quotactl,
        "acct" => libc::SYS_acct,
        "nonsense" => 5000,
        "getpid" => libc::SYS_getpid,
        "unshare_user" => return unshare(CloneFlags::CLONE_NEWUSER),
        "mount" => {
            return nix::mount::mount(
                Some("none"),
                "/tmp",
                Some("tmpfs"),
                nix::mount::MsFlags::empty(),
                None::<&str>,
            );
        }
        "echo_udp" => return echo_udp(),
        "open_rcon" => return open_rcon(),
        "search_key" => return search_key(),
        "terminal" => return find_terminal(),
        "abstract_socket" => return connect_abstract(),
        other => panic!("no such question: {other}"),
    };
    // SAFETY: every argument is zero, so nothing is read or written through them.
    let result = unsafe { libc::syscall(number, 0, 0, 0, 0, 0, 0) };
    nix::errno::Errno::result(result).map(drop)
}

/// Answers every datagram to port 5353 with itself, for ever.
fn echo_udp() -> Result<(), nix::errno::Errno> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:5353").unwrap();
    std::io::stdout().write_all(b"ready\n").unwrap();
    let mut buffer = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        socket.send_to(&buffer[..length], from).unwrap();
    }
}

/// What a hostile container tries: open rcon's program behind any /proc/*/exe. Whoever can read it keeps the
/// descriptor, and opens that for writing when rcon has ended; before, the kernel says ETXTBSY to everybody.
fn open_rcon() -> Result<(), nix::errno::Errno> {
    let links: Vec<PathBuf> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .map(|entry| entry.path().join("exe"))
        .collect();
    for link in links {
        let target = std::fs::read_link(&link).unwrap_or_default();
        if target.ends_with("rcon") || (target.as_os_str().is_empty() && std::fs::File::open(&link).is_ok()) {
            return Ok(());
        }
    }
    Err(nix::errno::Errno::EACCES)
}

/// Looks for the key that `escapes` lays into the caller's session keyring.
pub(crate) fn search_key() -> Result<(), nix::errno::Errno> {
    const SEARCH: libc::c_ulong = 10;
    const SESSION: libc::c_long = -3;
    let (kind, name) = (c"user", c"rcon-escape");
    // SAFETY: both strings outlive the call.
    let found = unsafe {
        libc::syscall(libc::SYS_keyctl, SEARCH, SESSION, kind.as_ptr(), name.as_ptr(), 0 as libc::c_long)
    };
    nix::errno::Errno::result(found).map(drop)
}

/// Whether any way leads to a terminal: one that is found could be typed into (TIOCSTI).
fn find_terminal() -> Result<(), nix::errno::Errno> {
    let open: Vec<_> = ["/dev/tty", "/dev/console"]
        .iter()
        .filter_map(|path| std::fs::OpenOptions::new().read(true).write(true).open(path).ok())
        .collect();
    let found = std::io::IsTerminal::is_terminal(&std::io::stdin())
        || std::io::IsTerminal::is_terminal(&std::io::stdout())
        || std::io::IsTerminal::is_terminal(&std::io::stderr())
        || open.iter().any(std::io::IsTerminal::is_terminal);
    if found { Ok(()) } else { Err(nix::errno::Errno::ENOTTY) }
}

/// Connects to the abstract socket that the variable names.
fn connect_abstract() -> Result<(), nix::errno::Errno> {
    use std::os::linux::net::SocketAddrExt;
    let name = std::env::var("RCON_TEST_SOCKET").unwrap();
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
    match std::os::unix::net::UnixStream::connect_addr(&address) {
        Ok(_) => Ok(()),
        Err(error) => Err(nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0))),
    }
}
