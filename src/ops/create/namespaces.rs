//! Namespaces that exist already: `container:NAME` and `ns:PATH`, and the user namespace that they belong to, which
//! has to be joined first.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::container;
use crate::error::{Context, Error, Result};
use crate::network;
use crate::ops::Session;
use crate::spec::value::NamespaceMode;
use crate::spec::{NamespacePlace, Placement, Request};
use crate::sys::clone;
use crate::userns::IdMaps;

/// Where a container's namespaces are, and the maps of its user namespace if that exists.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) placement: Placement,
    pub(super) maps: Option<IdMaps>,
    /// The directory of the container whose network it is.
    pub(super) network_of: Option<PathBuf>,
}

/// A user namespace, as one tells it from another.
type Identity = (u64, u64);

/// Looks up what `--pid`, `--ipc` and `--uts` name.
pub(super) fn look_up(session: &Session, request: &Request) -> Result<Shared> {
    let asked = &request.namespaces;
    let mut search = Search { session, shared: Shared::default(), owner: None };
    let pid = search.place("--pid", "pid", &asked.pid)?;
    let ipc = search.place("--ipc", "ipc", &asked.ipc.namespace)?;
    let uts = search.place("--uts", "uts", &asked.uts)?;
    let network = search.place("--network", "net", &network_mode(request)?)?;
    let Search { mut shared, .. } = search;
    shared.placement = Placement { pid, ipc, uts, network, ..shared.placement };
    let map_asked = &request.user_namespace;
    let maps_asked = !(map_asked.uidmaps.is_empty() && map_asked.gidmaps.is_empty());
    if shared.placement.user.is_some() && (map_asked.mode.is_some() || maps_asked) {
        return Err(Error::usage(
            "--userns and --uidmap: a container that joins a namespace is in the user namespace of that one",
        ));
    }
    Ok(shared)
}

/// The mode of the network, as far as it names a namespace.
fn network_mode(request: &Request) -> Result<NamespaceMode> {
    let mode: Option<network::Mode> = request.network.mode.as_deref().map(str::parse).transpose()?;
    Ok(match mode {
        Some(network::Mode::Container(name)) => NamespaceMode::Container(name),
        Some(network::Mode::Path(path)) => NamespaceMode::Path(path),
        _ => NamespaceMode::Private,
    })
}

struct Search<'a> {
    session: &'a Session,
    shared: Shared,
    owner: Option<Identity>,
}

impl Search<'_> {
    fn place(&mut self, option: &str, kind: &str, mode: &NamespaceMode) -> Result<NamespacePlace> {
        match mode {
            NamespaceMode::Private => Ok(NamespacePlace::New),
            NamespaceMode::Host => Ok(NamespacePlace::Host),
            NamespaceMode::Container(name) => self.of_container(option, kind, name),
            NamespaceMode::Path(path) => self.of_path(option, kind, path),
        }
    }

    fn of_container(&mut self, option: &str, kind: &str, name: &str) -> Result<NamespacePlace> {
        let what = || format!("{option} container:{name}");
        let container = container::find(&self.session.store, name).context(what)?;
        let Some(pid) = container.state.pid else {
            return Err(Error::usage(format!("{}: the container is not running", what())));
        };
        let theirs = &container.record.request.namespaces;
        let of_host = match kind {
            "pid" => theirs.pid.is_host(),
            "ipc" => theirs.ipc.namespace.is_host(),
            "net" => container.record.network_mode == "host",
            _ => theirs.uts.is_host(),
        };
        if kind == "net" {
            self.shared.network_of = Some(container.directory.path().to_owned());
        }
        if of_host {
            return Ok(NamespacePlace::Host);
        }
        let user = PathBuf::from(format!("/proc/{pid}/ns/user"));
        let identity = identity_of(&user).context(what)?;
        self.belongs_to(option, identity, user, container.record.maps.clone())?;
        if kind == "uts" {
            let own = container.record.id[..12].to_owned();
            let name = container.record.request.hostname.as_ref().map(|name| name.as_str().to_owned());
            self.shared.placement.hostname = Some(name.unwrap_or(own));
        }
        Ok(NamespacePlace::Existing(PathBuf::from(format!("/proc/{pid}/ns/{kind}"))))
    }

    fn of_path(&mut self, option: &str, kind: &str, path: &Path) -> Result<NamespacePlace> {
        let what = || format!("{option} ns:{}", path.display());
        let namespace = File::open(path).context(|| format!("{}: cannot find the namespace", what()))?;
        let own = identity_of(Path::new(&format!("/proc/self/ns/{kind}"))).context(what)?;
        if identity(&namespace).context(what)? == own {
            return Ok(NamespacePlace::Host);
        }
        let owner = clone::owner_of_namespace(namespace.as_fd())
            .context(|| format!("{}: cannot tell which user namespace it belongs to", what()))?;
        let owner = identity(&File::from(owner)).context(what)?;
        if owner == identity_of(Path::new("/proc/self/ns/user")).context(what)? {
            return Err(Error::unsupported(format!(
                "{}: it belongs to the host's user namespace, whose namespaces only root may join",
                what()
            )));
        }
        let process = process_in(owner).ok_or_else(|| {
            Error::not_found(format!("{}: no process is in the user namespace that it belongs to", what()))
        })?;
        let maps = IdMaps::of_process(&process).context(what)?;
        self.belongs_to(option, owner, process.join("ns/user"), maps)?;
        Ok(NamespacePlace::Existing(path.to_owned()))
    }

    /// All namespaces that are joined have to belong to one user namespace.
    fn belongs_to(&mut self, option: &str, owner: Identity, user: PathBuf, maps: IdMaps) -> Result<()> {
        match self.owner.replace(owner) {
            Some(other) if other != owner => Err(Error::usage(format!(
                "{option}: its namespace and another that is joined belong to different user namespaces"
            ))),
            Some(_) => Ok(()),
            None => {
                self.shared.placement.user = Some(user);
                self.shared.maps = Some(maps);
                Ok(())
            }
        }
    }
}

fn identity_of(path: &Path) -> Result<Identity> {
    let metadata = std::fs::metadata(path).context(|| format!("cannot open {}", path.display()))?;
    Ok((metadata.dev(), metadata.ino()))
}

fn identity(file: &File) -> Result<Identity> {
    let metadata = file.metadata().context(|| "cannot stat a namespace")?;
    Ok((metadata.dev(), metadata.ino()))
}

/// The directory in /proc of a process that is in this user namespace.
fn process_in(user: Identity) -> Option<PathBuf> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let numbered = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
    };
    processes
        .filter(numbered)
        .find(|path| identity_of(&path.join("ns/user")).is_ok_and(|found| found == user))
}
