//! The rig: a home of its own for each test, the rcon binary, a real registry with real images.
//!
//! Nothing in here knows how rcon is built; it starts the binary and looks at what it says, what it leaves
//! and what other programs see.

mod check;
pub(crate) mod command;
pub(crate) mod http;
pub(crate) mod image;
mod lack;
pub(crate) mod machine;
pub(crate) mod processes;
pub(crate) mod proxy;
pub(crate) mod pty;
pub(crate) mod registry;
pub(crate) mod stock;

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::{Rc, Weak};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

pub(crate) use command::{Output, Running};
pub(crate) use machine::needs;
pub(crate) use pty::Pty;
pub(crate) use registry::registry;

/// Homes may be used side by side; a test that counts the processes of the whole user wants to be alone.
static OTHERS: RwLock<()> = RwLock::new(());

thread_local! {
    static HERE: RefCell<Weak<RwLockReadGuard<'static, ()>>> = const { RefCell::new(Weak::new()) };
}

/// One guard a thread, however many homes its test has: a second lock behind a waiting writer would hang.
fn beside_others() -> Rc<RwLockReadGuard<'static, ()>> {
    HERE.with_borrow_mut(|here| {
        here.upgrade().unwrap_or_else(|| {
            let guard = Rc::new(OTHERS.read().unwrap_or_else(std::sync::PoisonError::into_inner));
            *here = Rc::downgrade(&guard);
            guard
        })
    })
}

/// Held by a test whose process no other test may share while it runs.
pub(crate) struct Alone(#[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'static, ()>);

/// Waits until no other test has a home.
pub(crate) fn alone() -> Alone {
    Alone(OTHERS.write().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// A home with everything that rcon reads and writes in it. Gone, with its containers, when dropped.
pub(crate) struct Home {
    dir: PathBuf,
    variables: Vec<(String, String)>,
    _guard: Option<Rc<RwLockReadGuard<'static, ()>>>,
}

impl Home {
    /// A home that knows no registry.
    pub(crate) fn bare() -> Self {
        Self::make(Some(beside_others()))
    }

    /// A home whose docker.io is the rig's registry.
    pub(crate) fn new() -> Self {
        let home = Self::bare();
        home.use_registry(&registry().address);
        home
    }

    /// A home whose docker.io is whatever answers at `address`.
    pub(crate) fn with_registry(address: &str) -> Self {
        let home = Self::bare();
        home.use_registry(address);
        home
    }

    /// A home for a test that is [`alone`].
    pub(crate) fn for_one_alone(_: &Alone) -> Self {
        let home = Self::make(None);
        home.use_registry(&registry().address);
        home
    }

    /// A home that has `busybox` pulled.
    pub(crate) fn with_busybox() -> Self {
        let home = Self::new();
        home.ok(&["pull", "-q", "busybox"]);
        home
    }

    fn make(guard: Option<Rc<RwLockReadGuard<'static, ()>>>) -> Self {
        let parent = std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
        // Runtime directories hold sockets, whose paths may have 107 bytes: keep the name short.
        let dir = tempfile::Builder::new().prefix("rt-").tempdir_in(parent).unwrap().keep();
        for (name, mode) in [("home", 0o755), ("run", 0o700), ("data", 0o755), ("work", 0o755)] {
            fs::create_dir(dir.join(name)).unwrap();
            fs::set_permissions(dir.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        for name in ["containers.conf", "storage.conf", "registries.conf"] {
            fs::write(dir.join(name), "").unwrap();
        }
        let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
        let variables = [
            ("PATH", machine::PATH.into()),
            ("HOME", at("home")),
            ("USER", machine::user_name()),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("CONTAINERS_CONF", at("containers.conf")),
            ("CONTAINERS_STORAGE_CONF", at("storage.conf")),
            ("CONTAINERS_REGISTRIES_CONF", at("registries.conf")),
        ];
        let variables = variables.map(|(key, value)| (key.to_owned(), value)).into();
        Self { dir, variables, _guard: guard }
    }

    pub(crate) fn use_registry(&self, address: &str) {
        let text = format!(
            "unqualified-search-registries = [\"docker.io\"]\n\
             [[registry]]\nlocation = \"{address}\"\ninsecure = true\n\
             [[registry]]\nprefix = \"docker.io\"\nlocation = \"{address}\"\ninsecure = true\n"
        );
        self.write("registries.conf", &text);
    }

    /// A path in this home's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The same as text, for an argument.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Where rcon keeps what it knows.
    pub(crate) fn store(&self) -> PathBuf {
        self.path("data/rcon")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.unset(key);
        self.variables.push((key.into(), value.into()));
    }

    pub(crate) fn unset(&mut self, key: &str) {
        self.variables.retain(|(name, _)| name != key);
    }

    /// An environment with nothing in it.
    pub(crate) fn unset_all(&mut self) {
        self.variables.clear();
    }

    /// A command with this home's environment and nothing of the tests' own.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.variables.iter().cloned());
        command.current_dir(self.path("work")).stdin(Stdio::null());
        command
    }

    pub(crate) fn rcon(&self, args: &[&str]) -> Command {
        let mut command = self.command(binary());
        command.args(args);
        command
    }

    /// Runs rcon to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        command::finish(self.rcon(args), b"")
    }

    /// Runs rcon to its end with `input` on its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Output {
        command::finish(self.rcon(args), input)
    }

    /// Runs rcon, which must succeed; answers what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.run(args).success()
    }

    /// Runs `sh -c script` in a container of busybox without network; answers what it printed.
    #[track_caller]
    pub(crate) fn sh(&self, options: &[&str], script: &str) -> String {
        self.try_sh(options, script).success()
    }

    /// The same, whatever comes of it.
    pub(crate) fn try_sh(&self, options: &[&str], script: &str) -> Output {
        let mut args = vec!["run", "--rm", "--network", "none"];
        args.extend_from_slice(options);
        args.extend_from_slice(&["busybox", "sh", "-c", script]);
        self.run(&args)
    }

    /// Starts rcon and leaves it running.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        Running::start(self.rcon(args))
    }

    /// Starts rcon on a terminal of its own.
    pub(crate) fn on_terminal(&self, args: &[&str]) -> Pty {
        Pty::start(&self.rcon(args))
    }

    /// The parsed output of a command with `--format json`.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut all = args.to_vec();
        all.extend_from_slice(&["--format", "json"]);
        let text = self.ok(&all);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{all:?}: {error}:\n{text}"))
    }

    /// What `ps -a` says of each container: (name, state).
    #[track_caller]
    pub(crate) fn containers(&self) -> Vec<(String, String)> {
        let list = self.json(&["ps", "-a"]);
        let list = list.as_array().expect("ps prints an array").clone();
        let one = |entry: &serde_json::Value| {
            let name = entry["Names"][0].as_str().expect("a name").to_owned();
            (name, entry["State"].as_str().expect("a state").to_owned())
        };
        list.iter().map(one).collect()
    }

    /// Files below the store whose path contains `part`.
    pub(crate) fn stored(&self, part: &str) -> Vec<PathBuf> {
        let list = self.command("find").arg(self.store()).output().unwrap();
        let list = String::from_utf8_lossy(&list.stdout).into_owned();
        let mut found: Vec<PathBuf> =
            list.lines().filter(|line| line.contains(part)).map(PathBuf::from).collect();
        found.sort();
        found
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let containers =
            fs::read_dir(self.store().join("containers")).is_ok_and(|mut all| all.next().is_some());
        if containers {
            let _ = command::finish(self.rcon(&["rm", "--all", "--force"]), b"");
        }
        remove(&self.dir);
        let left = self.dir.exists();
        assert!(!left || std::thread::panicking(), "{} cannot be removed", self.dir.display());
    }
}

/// Removes a tree that holds files of subordinate ids too.
fn remove(dir: &Path) {
    if fs::remove_dir_all(dir).is_ok() {
        return;
    }
    for _ in 0..2 {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--map-auto", "rm", "-rf"]).arg(dir);
        let done = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
        if done.is_ok_and(|status| status.success()) {
            return;
        }
        // Something is still at work in there.
        std::thread::sleep(Duration::from_millis(200));
    }
    let _ = Command::new("chmod").args(["-R", "u+rwX"]).arg(dir).stderr(Stdio::null()).status();
    let _ = fs::remove_dir_all(dir);
}

/// The rcon under test.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("RCON_TEST_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_rcon")), PathBuf::from)
}
