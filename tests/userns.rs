//! User namespaces as this machine makes them, for whoever runs this.
//!
//! Without the test harness, which has threads: what is tested here forks, and must have none.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::mount::MsFlags;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcon::config::Env;
use rcon::error::{Context, Error, Kind};
use rcon::sys::process::{self, Fork};
use rcon::userns::{self, Helpers, IdMap, MapWriter, Mode, Request, UserNamespace};

fn main() {
    type Case = (&'static str, fn(&UserNamespace));
    let cases: [Case; 4] = [
        ("work_runs_as_root_and_its_result_comes_back", work_runs_as_root_and_its_result_comes_back),
        ("errors_and_deaths_inside_are_told", errors_and_deaths_inside_are_told),
        ("this_process_enters_by_itself", this_process_enters_by_itself),
        ("a_child_dies_with_its_parent", a_child_dies_with_its_parent),
    ];
    let wanted = std::env::args().nth(1).filter(|argument| !argument.starts_with('-'));
    for (name, case) in cases {
        if wanted.as_ref().is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        for mode in ["host", "keep-id"] {
            let namespace = plan(mode);
            match userns::run_inside(&namespace, "a probe", || Ok(())) {
                Err(error) if error.kind() == Kind::Denied => {
                    report(&format!("test {name} ({mode}) ... skipped: {error:?}"));
                }
                _ => {
                    // In a child of its own: a case may move its process into a namespace.
                    process::in_child("the case", || {
                        case(&namespace);
                        Ok(())
                    })
                    .unwrap_or_else(|error| panic!("{name} ({mode}): {error:?}"));
                    report(&format!("test {name} ({mode}) ... ok"));
                }
            }
        }
    }
}

fn report(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn plan(mode: &str) -> UserNamespace {
    let mode: Mode = mode.parse().unwrap();
    userns::plan(&Env::capture(), &Request { mode: Some(mode), ..Request::default() }).unwrap()
}

fn own_map() -> Vec<IdMap> {
    let lines = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    let number = |field: Option<&str>| field.unwrap().parse().unwrap();
    lines
        .lines()
        .map(|line| {
            let mut fields = line.split_whitespace();
            IdMap::new(number(fields.next()), number(fields.next()), number(fields.next()))
        })
        .collect()
}

fn work_runs_as_root_and_its_result_comes_back(namespace: &UserNamespace) {
    let (ids, maps, mounts) = userns::run_inside(namespace, "the test", || {
        let ids = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
        nix::mount::mount(Some("none"), "/tmp", Some("tmpfs"), MsFlags::empty(), None::<&str>)
            .context(|| "mount")?;
        std::fs::write("/tmp/inside", "x").context(|| "write")?;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").context(|| "mountinfo")?;
        Ok((ids, own_map(), mounts))
    })
    .unwrap();
    assert_eq!(ids, namespace.setup_ids());
    assert_eq!(maps, namespace.maps.uid);
    assert!(!mounts.contains("shared:") && !mounts.contains("master:"), "{mounts}");
    assert!(!Path::new("/tmp/inside").exists(), "the mount stayed inside");
}

fn errors_and_deaths_inside_are_told(namespace: &UserNamespace) {
    let error = userns::run_inside(namespace, "the test", || Err::<(), _>(Error::not_found("no such thing")))
        .unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (Kind::NotFound, "no such thing".to_owned()));
    let died = userns::run_inside::<(), _>(namespace, "the test", || process::leave(9)).unwrap_err();
    assert!(died.to_string().contains("the test ended without a result (status 9)"), "{died}");
    let helpers = Helpers { newuidmap: "/no/newuidmap".into(), newgidmap: "/no/newgidmap".into() };
    let broken = UserNamespace { writer: MapWriter::Helpers(helpers), ..namespace.clone() };
    let unmapped = userns::run_inside(&broken, "the test", || Ok(())).unwrap_err();
    assert!(unmapped.to_string().contains("/no/newuidmap"), "{unmapped:?}");
    let unmapped = userns::enter(&broken).unwrap_err();
    assert!(unmapped.to_string().contains("/no/newuidmap"), "{unmapped:?}");
}

fn this_process_enters_by_itself(namespace: &UserNamespace) {
    let pid = Pid::this();
    userns::enter(namespace).unwrap();
    assert_eq!(Pid::this(), pid);
    assert_eq!(nix::unistd::getuid().as_raw(), namespace.setup_ids().0);
    assert_eq!(own_map(), namespace.maps.uid);
    assert_eq!(nix::sys::wait::wait(), Err(nix::errno::Errno::ECHILD), "no child is left");
}

fn a_child_dies_with_its_parent(namespace: &UserNamespace) {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let Fork::Parent(pid) = process::fork().unwrap() else {
        drop(ours);
        let _ = userns::run_inside(namespace, "the test", || {
            let _ = (&theirs).write_all(b"!");
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        });
        process::leave(0);
    };
    drop(theirs);
    ours.read_exact(&mut [0]).unwrap();
    kill(pid, Signal::SIGKILL).unwrap();
    process::wait(pid).unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(ours.read(&mut [0]).unwrap(), 0, "the other end is closed: the child is gone");
}
