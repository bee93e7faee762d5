//! A bundle, a state root, and the container that is made of them.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::command::{self, Output, Running, eventually};
use super::{config, detached, machine, program};

/// A directory with a bundle in it. Gone, with the containers of its state root, when dropped.
pub(crate) struct Bundle {
    dir: PathBuf,
    /// What config.json will say: written by each operation that reads it.
    pub(crate) config: Value,
    /// The container's id, unlike that of any other test: ids name cgroups, too.
    pub(crate) id: String,
    environment: Vec<(String, String)>,
}

impl Bundle {
    /// A bundle of busybox whose process is `true`.
    pub(crate) fn new() -> Self {
        let parent = std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
        // State roots hold sockets, whose paths may have 107 bytes.
        let dir = tempfile::Builder::new().prefix("cr-").tempdir_in(parent).unwrap().keep();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let id = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let bundle = Self { dir, config: config::default(), id, environment: Vec::new() };
        fs::create_dir(bundle.path("run")).unwrap();
        fs::set_permissions(bundle.path("run"), fs::Permissions::from_mode(0o700)).unwrap();
        bundle.fill_rootfs();
        bundle
    }

    /// A bundle that runs a line of shell.
    pub(crate) fn sh(script: &str) -> Self {
        Self::of(&["sh", "-c", script])
    }

    /// A bundle that runs a program.
    pub(crate) fn of(args: &[&str]) -> Self {
        Self::new().with(|config| config["process"]["args"] = json!(args))
    }

    /// A bundle whose process stays until it is killed.
    pub(crate) fn sleeping() -> Self {
        Self::of(&["sleep", "1000"])
    }

    /// Changes the configuration.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.config);
        self
    }

    /// Adds a mount at the end of the list.
    pub(crate) fn mount(self, mount: Value) -> Self {
        self.with(|config| config["mounts"].as_array_mut().unwrap().push(mount))
    }

    /// Sets a variable of the runtime's own environment.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.environment.push((key.into(), value.into()));
        self
    }

    fn fill_rootfs(&self) {
        let rootfs = self.path("rootfs");
        for name in ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var"] {
            fs::create_dir_all(rootfs.join(name)).unwrap();
        }
        fs::set_permissions(rootfs.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        copy_executable(Path::new("/bin/busybox"), &rootfs.join("bin/busybox"));
        let applets = "cat chmod chown cut dd df echo env false find grep head hostname id ionice ip ln ls mkdir mknod \
             mount nice ps pwd readlink realpath rm sed sh sleep sort stat stty tail test touch tr true tty umount uname wc";
        for applet in applets.split(' ') {
            symlink("busybox", rootfs.join("bin").join(applet)).unwrap();
        }
        fs::write(rootfs.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
        fs::write(rootfs.join("etc/group"), "root:x:0:\n").unwrap();
    }

    /// A path in this test's directory, which is the bundle's.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The same as text, for an argument.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file into this test's directory.
    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// Writes a script into this test's directory.
    pub(crate) fn write_script(&self, name: &str, content: &str) {
        let draft = format!("{name}.draft");
        self.write(&draft, content);
        fs::set_permissions(self.path(&draft), fs::Permissions::from_mode(0o755)).unwrap();
        copy_executable(&self.path(&draft), &self.path(name));
        fs::remove_file(self.path(&draft)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path(name)).is_ok()
    }

    pub(crate) fn save(&self) {
        fs::write(self.path("config.json"), serde_json::to_vec_pretty(&self.config).unwrap()).unwrap();
    }

    /// A command with the runtime's environment and nothing of the tests' own.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", machine::PATH).env("HOME", &self.dir);
        command.env("XDG_RUNTIME_DIR", self.path("run")).envs(self.environment.iter().cloned());
        command.current_dir(&self.dir).stdin(Stdio::null());
        command
    }

    /// The runtime's program.
    pub(crate) fn program(&self) -> PathBuf {
        program(&self.dir)
    }

    /// The runtime with the state root of this test.
    pub(crate) fn runtime(&self, args: &[&str]) -> Command {
        let mut command = self.command(self.program());
        command.arg("--root").arg(self.path("state")).args(args);
        command
    }

    /// Runs an operation to its end.
    pub(crate) fn try_to(&self, args: &[&str]) -> Output {
        command::finish(self.runtime(args), b"")
    }

    /// Runs an operation, which must succeed; answers what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.try_to(args).success()
    }

    /// Runs an operation that must fail and say something.
    #[track_caller]
    pub(crate) fn refuses(&self, args: &[&str]) -> Output {
        let output = self.try_to(args);
        assert_ne!(output.code, 0, "{output}");
        assert!(!output.stderr.trim().is_empty(), "no reason is given: {output}");
        assert!(!output.stderr.contains("panicked"), "{output}");
        output
    }

    /// `run`: the container from its beginning to its end.
    #[track_caller]
    pub(crate) fn run(&self) -> Output {
        self.run_with(&[])
    }

    #[track_caller]
    pub(crate) fn run_with(&self, options: &[&str]) -> Output {
        command::finish(self.run_command(options), b"")
    }

    /// What the container printed; it must have ended with 0.
    #[track_caller]
    pub(crate) fn says(&self) -> String {
        self.run().success()
    }

    pub(crate) fn run_command(&self, options: &[&str]) -> Command {
        self.save();
        let bundle = self.text("");
        let mut args = vec!["run", "--bundle", &bundle];
        args.extend_from_slice(options);
        args.push(&self.id);
        self.runtime(&args)
    }

    /// Starts `run` and leaves it running.
    pub(crate) fn start_run(&self) -> Running {
        Running::start(self.run_command(&[]))
    }

    /// `create`; the container's output goes to files of this directory.
    pub(crate) fn try_create(&self, options: &[&str]) -> Output {
        self.save();
        let bundle = self.text("");
        let mut args = vec!["create", "--bundle", &bundle];
        args.extend_from_slice(options);
        args.push(&self.id);
        self.detached(self.runtime(&args))
    }

    #[track_caller]
    pub(crate) fn create(&self) {
        self.try_create(&[]).success();
    }

    /// Runs a command that leaves a process with its standard streams.
    pub(crate) fn detached(&self, mut command: Command) -> Output {
        let (out, err) = (self.path("out"), self.path("err"));
        let append = |path: &Path| File::options().create(true).append(true).open(path).unwrap();
        command.stdout(append(&out)).stderr(append(&err));
        detached::finish(command, &out, &err)
    }

    /// What a created container has printed by now.
    pub(crate) fn printed(&self) -> String {
        fs::read_to_string(self.path("out")).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn start(&self) {
        self.ok(&["start", &self.id]);
    }

    /// Creates and starts, and waits until the payload runs, which not every runtime waits for.
    #[track_caller]
    pub(crate) fn running(self) -> Self {
        self.create();
        self.start();
        self.wait_for("running");
        let namespace = format!("/proc/{}/ns/mnt", self.pid());
        eventually("the program has been executed", || fs::read_link(&namespace).is_ok());
        self
    }

    /// Creates, starts, and waits for the end.
    #[track_caller]
    pub(crate) fn stopped(self) -> Self {
        self.create();
        self.start();
        self.wait_for("stopped");
        self
    }

    #[track_caller]
    pub(crate) fn state(&self) -> Value {
        let text = self.ok(&["state", &self.id]);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("state: {error}:\n{text}"))
    }

    #[track_caller]
    pub(crate) fn status(&self) -> String {
        self.state()["status"].as_str().expect("a status").to_owned()
    }

    #[track_caller]
    pub(crate) fn pid(&self) -> i32 {
        self.state()["pid"].as_i64().expect("a pid").try_into().unwrap()
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, status: &str) {
        eventually(&format!("the container is {status}"), || self.status() == status);
    }

    #[track_caller]
    pub(crate) fn kill(&self, signal: &str) {
        self.ok(&["kill", &self.id, signal]);
    }

    /// `exec` in the running container.
    pub(crate) fn try_exec(&self, options: &[&str], command: &[&str]) -> Output {
        let mut args = vec!["exec"];
        args.extend_from_slice(options);
        args.push(&self.id);
        args.extend_from_slice(command);
        self.try_to(&args)
    }

    #[track_caller]
    pub(crate) fn exec(&self, options: &[&str], script: &str) -> String {
        self.try_exec(options, &["sh", "-c", script]).success()
    }

    /// The ids that the runtime knows.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<String> {
        self.ok(&["list", "--quiet"]).lines().map(str::to_owned).collect()
    }

    /// The configuration cannot be applied: an error, and no container.
    #[track_caller]
    pub(crate) fn is_refused(&self) -> Output {
        let output = self.try_create(&[]);
        assert_ne!(output.code, 0, "was accepted: {}", self.config);
        assert!(!output.stderr.trim().is_empty(), "no reason is given: {output}");
        assert!(!output.stderr.contains("panicked"), "{output}");
        self.refuses(&["state", &self.id]);
        assert!(!self.ids().contains(&self.id), "a container is left");
        output
    }

    /// Runs the test program itself inside: see `probe`.
    pub(crate) fn probing(question: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let bundle =
            Self::of(&["/probe", "probe::answer", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
        bundle.write("rootfs/probe", "");
        bundle.mount(json!({ "destination": "/probe", "source": program, "options": ["bind", "ro"] })).with(
            |config| {
                let question = format!("RCON_TEST_PROBE={question}");
                config["process"]["env"].as_array_mut().unwrap().push(json!(question));
            },
        )
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        if self.exists("state") {
            let list = command::finish(self.runtime(&["list", "--quiet"]), b"").stdout;
            for id in list.lines() {
                let _ = command::finish(self.runtime(&["delete", "--force", id]), b"");
            }
        }
        // What another runtime leaves after an error; of rcon's, tests look for themselves.
        if super::runtime_is("crun") && self.config["linux"]["cgroupsPath"].is_string() {
            let _ = fs::remove_dir(self.cgroup());
        }
        remove(&self.dir);
        let left = self.dir.exists();
        assert!(!left || std::thread::panicking(), "{} cannot be removed", self.dir.display());
    }
}

/// Copies a program in a process of its own: a descriptor of this one, open for writing, would live on for a moment
/// in every child that another test starts meanwhile, and the copy could not be executed (ETXTBSY).
pub(crate) fn copy_executable(from: &Path, to: &Path) {
    let status = Command::new("/bin/cp").arg("--preserve=mode").arg(from).arg(to).status().unwrap();
    assert!(status.success(), "cp {} {}", from.display(), to.display());
}

/// Removes a tree that holds files of subordinate ids too.
fn remove(dir: &Path) {
    if fs::remove_dir_all(dir).is_ok() {
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--map-auto", "rm", "-rf"]).arg(dir);
    let _ = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
    let _ = Command::new("chmod").args(["-R", "u+rwX"]).arg(dir).stderr(Stdio::null()).status();
    let _ = fs::remove_dir_all(dir);
}
