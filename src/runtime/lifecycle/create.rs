//! create: everything of a container but its program.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use oci_spec::runtime::{BoxBuilder, Spec};

use super::console::Console;
use super::directory::{self, Claim, Container, Record, START};
use super::{Runtime, Status, hooks};
use crate::error::{Context, Error, Kind, Result};
use crate::runtime::{Host, Input, Lifetime, Plan, Started, Surroundings, cgroup, plan, validate};
use crate::storage::rootfs::Rootfs;
use crate::sys::channel::Channel;
use crate::sys::clone::Process;
use crate::sys::{atomic, exec, terminal};
use crate::userns::UserNamespace;

/// What create and run are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Creation<'a> {
    /// The container's id.
    pub id: &'a str,
    /// The bundle's directory.
    pub bundle: &'a Path,
    /// Where the first process's number is written to.
    pub pid_file: Option<&'a Path>,
    /// Where the terminal is sent to.
    pub console_socket: Option<&'a Path>,
    /// How many descriptors from 3 on the process keeps.
    pub preserve_fds: u32,
    /// Whether it gets a session keyring of its own.
    pub keyring: bool,
}

/// Makes a container, which then waits for its start.
pub fn create(runtime: &Runtime<'_>, creation: &Creation<'_>) -> Result<Container> {
    let draft = Draft::new(runtime, creation)?;
    if draft.plan.terminal && draft.console.is_none() {
        return Err(Error::usage(
            "process.terminal is true: --console-socket has to say where the terminal goes",
        ));
    }
    let directory = fs::File::open(&draft.claim.directory)
        .context(|| format!("cannot open {}", draft.claim.directory.display()))?;
    let listener = Channel::listen(directory.as_fd(), START).context(|| "cannot make the start socket")?;
    let (container, started) = draft.make(Lifetime::Waiting(listener))?;
    drop(started);
    Ok(container)
}

/// Everything that can be checked and allocated before anything is made.
pub(super) struct Draft<'a> {
    runtime: &'a Runtime<'a>,
    creation: &'a Creation<'a>,
    pub(super) spec: Spec,
    pub(super) plan: Plan,
    pub(super) console: Option<Console>,
    pub(super) claim: Claim,
    userns: Option<UserNamespace>,
    cgroup: Option<cgroup::Plan>,
    record: Record,
}

impl<'a> Draft<'a> {
    pub(super) fn new(runtime: &'a Runtime<'a>, creation: &'a Creation<'a>) -> Result<Self> {
        directory::check_id(creation.id)?;
        let activated = runtime.activated();
        let preserve_fds = creation.preserve_fds + activated.unwrap_or(0);
        keep_descriptors(preserve_fds)?;
        let bundle = std::path::absolute(creation.bundle)
            .context(|| format!("cannot find the bundle {}", creation.bundle.display()))?;
        let config = bundle.join("config.json");
        let text = fs::read_to_string(&config).context(|| format!("cannot read {}", config.display()))?;
        let validate::Loaded { mut spec, warnings } = validate::load(&text)?;
        warnings.iter().for_each(|warning| (runtime.note)(warning));
        let rootfs = root_directory(&spec, &bundle)?;
        if let Some(count) = activated {
            tell_of_activation(&mut spec, count);
        }
        if creation.console_socket.is_none() {
            adopt_window(&mut spec);
        }
        let userns = runtime.user_namespace(&spec)?;
        let recipe = Rootfs::Directory(rootfs.clone());
        let plan = plan(&Input {
            spec: &spec,
            rootfs: &recipe,
            userns: userns.as_ref(),
            bundle: Some(&bundle),
            keyring: creation.keyring,
            init: false,
            opened: spec.hooks().is_some(),
            preserve_fds,
        })?;
        let terminal = plan.terminal;
        let console = Console::connect(creation.console_socket, terminal)?;
        let cgroup = runtime.cgroup(creation.id, &spec)?;
        let claim = directory::claim(runtime.root, creation.id)?;
        atomic::write(&claim.directory.join("config.json"), text.as_bytes(), 0o600)?;
        let annotations: BTreeMap<_, _> =
            spec.annotations().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        let record = Record {
            oci_version: spec.version().clone(),
            id: creation.id.to_owned(),
            pid: 0,
            pid_started: 0,
            bundle,
            rootfs,
            created: Timestamp::now().to_string(),
            owner: runtime.env.user_name().unwrap_or_default().to_owned(),
            annotations,
            cgroup: None,
            keyring: creation.keyring,
        };
        Ok(Self { runtime, creation, spec, plan, console, claim, userns, cgroup, record })
    }

    /// Makes the container. Where it is not to wait, its program runs when this returns.
    pub(super) fn make(mut self, lifetime: Lifetime) -> Result<(Container, Started)> {
        let stdio = if self.plan.terminal { None } else { Some(standard_streams()?) };
        let pending = self.cgroup.as_ref().map(cgroup::Plan::make).transpose()?;
        let surroundings = Surroundings {
            userns: self.userns.as_ref(),
            stdio,
            cgroup: pending.as_ref().and_then(cgroup::Pending::directory),
            lifetime,
        };
        let created = crate::runtime::create(&self.plan, surroundings)?;
        let pid = created.init.pid;
        if let Some(pending) = pending {
            match pending.adopt(pid) {
                Ok(cgroup) => self.record.cgroup = Some(cgroup),
                Err(error) => return Err(created.abandon(error)),
            }
        }
        self.record.pid = pid.as_raw();
        self.record.pid_started = directory::process_stat(pid.as_raw()).map_or(0, |(_, started)| started);
        // Before anything runs: whoever kills us now leaves a container that others can see and delete.
        if let Err(error) = self.claim.write(&self.record) {
            let error = created.abandon(error);
            self.undo();
            return Err(error);
        }
        created.proceed();
        let mut host = CreateHooks { spec: &self.spec, record: &self.record };
        let made = created.start(&mut host).and_then(|started| self.deliver(&started).map(|()| started));
        let started = made.inspect_err(|_| self.undo())?;
        Ok((self.claim.keep(self.record), started))
    }

    /// What others wait for: the terminal and the number.
    fn deliver(&self, started: &Started) -> Result<()> {
        let delivered = match (&self.console, &started.terminal) {
            (Some(console), Some(leader)) => console.send(leader),
            _ => Ok(()),
        };
        let delivered = delivered.and_then(|()| match self.creation.pid_file {
            Some(path) => atomic::write(path, self.record.pid.to_string().as_bytes(), 0o644),
            None => Ok(()),
        });
        delivered.inspect_err(|_| {
            let _ = started.init.signal(libc::SIGKILL);
            let _ = started.init.wait();
        })
    }

    /// After a failure: the hooks that clean up after the container, and its control group.
    fn undo(&self) {
        if let Some(cgroup) = &self.record.cgroup
            && let Err(error) = cgroup.remove()
        {
            (self.runtime.note)(&error.chain().join(": "));
        }
        let poststop = self.spec.hooks().as_ref().and_then(|hooks| hooks.poststop().as_deref());
        hooks::run_all("poststop", poststop, &self.record.state(Status::Stopped, 0), self.runtime.note);
    }
}

/// The hooks of the runtime's namespaces, at their moment.
struct CreateHooks<'a> {
    spec: &'a Spec,
    record: &'a Record,
}

impl Host for CreateHooks<'_> {
    fn hooks(&mut self, _: &Process) -> Result<String> {
        // The specification counts a container as created once its namespaces are, before the hooks run.
        let state = self.record.state(Status::Created, self.record.pid);
        if let Some(kinds) = self.spec.hooks() {
            hooks::run("prestart", kinds.prestart().as_deref(), &state)?;
            hooks::run("createRuntime", kinds.create_runtime().as_deref(), &state)?;
        }
        Ok(self.record.state_inside(Status::Created).to_string())
    }

    fn state(&mut self, _: &Process) -> Result<Vec<u8>> {
        Ok(self.record.state(Status::Creating, self.record.pid).to_string().into_bytes())
    }
}

impl Runtime<'_> {
    /// The control group of a container, if the machine has any for it.
    fn cgroup(&self, id: &str, spec: &Spec) -> Result<Option<cgroup::Plan>> {
        let linux = spec.linux().as_ref();
        cgroup::plan(&cgroup::Request {
            id,
            path: linux.and_then(|linux| linux.cgroups_path().as_deref()),
            resources: linux.and_then(|linux| linux.resources().as_ref()),
            manager: self.cgroup_manager,
            user_bus: self.user_bus,
        })
    }

    /// How many descriptors of socket activation there are (sd_listen_fds(3)): they come first.
    fn activated(&self) -> Option<u32> {
        self.env.get("LISTEN_FDS").and_then(|count| count.parse().ok())
    }
}

fn tell_of_activation(spec: &mut Spec, count: u32) {
    if let Some(mut process) = spec.process().clone() {
        let mut env = process.env().clone().unwrap_or_default();
        env.extend([format!("LISTEN_FDS={count}"), "LISTEN_PID=1".to_owned()]);
        process.set_env(Some(env));
        spec.set_process(Some(process));
    }
}

/// A terminal that will be shown on the caller's has its size from the first moment.
pub(super) fn adopt_window(spec: &mut Spec) {
    let Some(mut process) = spec.process().clone() else { return };
    if process.terminal() == Some(true)
        && process.console_size().is_none()
        && let Ok((rows, columns)) = terminal::size(std::io::stdout())
    {
        process.set_console_size(BoxBuilder::default().height(rows).width(columns).build().ok());
        spec.set_process(Some(process));
    }
}

/// The process gets `count` descriptors from 3 on, which have to be there: it would get others in their place. No program
/// of ours gets them, and what else the caller left open is closed: a container that waits for its start would hold it.
/// Nothing that owns a descriptor may exist yet.
pub(super) fn keep_descriptors(count: u32) -> Result<()> {
    for fd in 3..3 + count {
        if !exec::is_open(fd as i32) {
            return Err(Error::usage(format!("--preserve-fds: descriptor {fd} is not open")));
        }
    }
    exec::close_from(3 + count).and_then(|()| exec::close_on_exec_from(3)).context(|| "close_range")
}

/// The root file system's directory.
fn root_directory(spec: &Spec, bundle: &Path) -> Result<PathBuf> {
    let root = spec.root().as_ref().ok_or_else(|| Error::invalid("config.json has no \"root\""))?;
    let path = bundle.join(root.path());
    let metadata = fs::metadata(&path).context(|| format!("cannot find root.path {}", path.display()))?;
    if !metadata.is_dir() {
        return Err(Error::new(Kind::Invalid, format!("root.path {} is no directory", path.display())));
    }
    Ok(path)
}

/// The caller's own standard streams, for the container.
pub(super) fn standard_streams() -> Result<[OwnedFd; 3]> {
    let copy = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().context(|| "dup");
    Ok([copy(std::io::stdin().as_fd())?, copy(std::io::stdout().as_fd())?, copy(std::io::stderr().as_fd())?])
}
