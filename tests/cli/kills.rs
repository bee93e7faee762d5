//! `kill -9` at random instants: afterwards every answer is right and nothing is left.
//!
//! `RCON_TEST_KILLS` says how often (100 of each kind unless told).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::rig::command::eventually;
use crate::rig::image::{Entry, Image, Layer};
use crate::rig::{self, Home, needs, processes, registry, stock};

fn rounds() -> u32 {
    std::env::var("RCON_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// Instants spread over `span`, different on every run, printed so that a failure can be looked into.
struct Instants {
    state: u64,
    span: Duration,
}

impl Instants {
    fn over(span: Duration) -> Self {
        let seed = u64::from(std::process::id())
            ^ Instant::now().elapsed().as_nanos() as u64
            ^ 0x9e37_79b9_7f4a_7c15;
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("kills: seed {seed}, span {span:?}\n"),
        );
        Self { state: seed, span }
    }

    fn next(&mut self) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.span.mul_f64((self.state >> 11) as f64 / (1u64 << 53) as f64)
    }
}

/// The processes that are there now and were not at the start.
fn new_since(before: &BTreeMap<u32, String>) -> BTreeMap<u32, String> {
    let mut now = processes::all();
    now.retain(|pid, line| before.get(pid) != Some(line));
    now
}

/// How long `args` takes when it is left alone.
fn span(home: &Home, args: &[&str]) -> Duration {
    let started = Instant::now();
    home.ok(args);
    started.elapsed().mul_f32(1.2)
}

#[test]
fn pull() {
    needs!(containers, registry);
    let alone = rig::alone();
    let home = Home::for_one_alone(&alone);
    let files = |n: u32| (0..200).map(move |f| Entry::file(&format!("k{n}/{f}"), format!("{n} {f}")));
    let layers = (0..4).map(|n| Layer::of(files(n)));
    let image = Image::of(std::iter::once(stock::base_layer()).chain(layers));
    let pushed = image.push(registry(), "library/killed", "latest");
    let before = processes::all();
    let mut instants = Instants::over(span(&home, &["pull", "-q", "killed"]));
    let check = "cat /k*/* | md5sum; ls / | wc -l";
    let run = ["run", "--rm", "--network", "none", "--pull", "never", "killed", "sh", "-c", check];
    let whole = home.ok(&run);
    for round in 0..rounds() {
        home.run(&["rmi", "killed"]);
        let pull = home.start(&["pull", "-q", "killed"]);
        std::thread::sleep(instants.next());
        kill_or_gone(pull.pid());
        drop(pull);
        let listed = home.ok(&["images", "-q", "--no-trunc"]);
        let listed = listed.trim().trim_start_matches("sha256:");
        assert!(listed.is_empty() || listed == pushed.config.hex(), "round {round}: {listed}");
        if !listed.is_empty() {
            assert_eq!(home.ok(&run), whole, "round {round}: what is listed is whole");
        }
        if round % 10 == 9 {
            home.ok(&["pull", "-q", "killed"]);
            assert_eq!(home.ok(&run), whole, "round {round}: the next pull repairs");
        }
    }
    home.ok(&["pull", "-q", "killed"]);
    eventually("every process of the killed pulls is gone", || new_since(&before).is_empty());
    home.ok(&["system", "prune", "--force"]);
    assert_eq!(home.stored("/staging/"), Vec::<std::path::PathBuf>::new());
    assert_eq!(home.ok(&run), whole, "prune takes nothing that is needed");
    home.ok(&["rmi", "killed"]);
    home.ok(&["system", "prune", "--force"]);
    let left = home.stored("/layers/");
    assert!(left.is_empty(), "layers of no image: {left:?}");
}

fn kill_or_gone(pid: Pid) {
    // It may have come to its end before; nobody has waited for it yet, so the id is still its own.
    let _ = kill(pid, Signal::SIGKILL);
}

/// Kills the process that `victim` picks at random instants of a run; the store must come out right.
fn run_and_kill(network: &str, victim: fn(Pid, &BTreeMap<u32, String>) -> Option<Pid>) {
    let alone = rig::alone();
    let home = Home::for_one_alone(&alone);
    home.ok(&["pull", "-q", "busybox"]);
    home.ok(&["run", "--name", "bystander", "--network", "none", "busybox", "true"]);
    let before = processes::all();
    let args = ["run", "--rm", "--network", network, "busybox", "sh", "-c", "touch /f; sleep 0.02"];
    let mut instants = Instants::over(span(&home, &args));
    for round in 0..rounds() {
        let run = home.start(&args);
        std::thread::sleep(instants.next());
        if let Some(pid) = victim(run.pid(), &before) {
            kill_or_gone(pid);
        }
        if run.pid().as_raw() % 2 == 0 {
            // Half of them with the command line killed as well, so that nobody is there to tidy up.
            kill_or_gone(run.pid());
        }
        drop(run);
        for (name, state) in home.containers() {
            let right = ["created", "initialized", "running", "exited", "stopped", "removing"];
            assert!(right.contains(&state.as_str()), "round {round}: {name} is {state}");
        }
        if round % 20 == 19 {
            home.ok(&["run", "--rm", "--network", network, "busybox", "true"]);
        }
    }
    eventually("no process of the killed runs is left", || new_since(&before).is_empty());
    assert!(home.containers().contains(&("bystander".into(), "exited".into())));
    home.ok(&["rm", "--all", "--force"]);
    home.ok(&["system", "prune", "--force"]);
    assert_eq!(home.containers(), []);
    for part in ["/containers/", "/names/", "/staging/"] {
        let left = home.stored(part);
        assert!(left.is_empty(), "{left:?}");
    }
    assert_eq!(home.sh(&[], "echo works"), "works\n");
}

/// One of the processes that a run has made, not the same one each time.
fn any_of_its_processes(run: Pid, before: &BTreeMap<u32, String>) -> Option<Pid> {
    let mine = u32::try_from(run.as_raw()).unwrap();
    let others: Vec<_> =
        new_since(before).into_keys().filter(|pid| *pid != mine && *pid != std::process::id()).collect();
    let pick = *others.get(mine as usize % others.len().max(1))?;
    Some(Pid::from_raw(i32::try_from(pick).unwrap()))
}

#[test]
fn run_with_the_command_line_killed() {
    needs!(containers, registry);
    run_and_kill("none", |run, _| Some(run));
}

#[test]
fn run_with_any_of_its_processes_killed() {
    needs!(containers, registry);
    run_and_kill("none", any_of_its_processes);
}

#[test]
fn run_with_a_network_and_any_of_its_processes_killed() {
    needs!(containers, registry, pasta);
    run_and_kill("pasta", any_of_its_processes);
}

#[test]
fn a_container_whose_monitor_is_killed_does_not_live_on() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mark = "8642.5";
    let mut run = home.start(&[
        "run",
        "--name",
        "headless",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        &format!("echo ready; sleep {mark}"),
    ]);
    run.expect("ready");
    let inside: u32 = home.ok(&["inspect", "--format", "{{.State.Pid}}", "headless"]).trim().parse().unwrap();
    let monitor = parent_of(inside);
    assert_ne!(monitor, 1);
    kill_or_gone(Pid::from_raw(i32::try_from(monitor).unwrap()));
    let output = run.end();
    assert_ne!(output.code, 0, "{output}");
    eventually("the container is gone with its monitor", || processes::with_mark(mark).is_empty());
    let state = home.containers();
    assert_eq!(state.len(), 1);
    assert_ne!(state[0].1, "running");
    home.ok(&["rm", "headless"]);
}

fn parent_of(pid: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after = stat.rsplit(')').next().unwrap();
    after.split_whitespace().nth(1).unwrap().parse().unwrap()
}
