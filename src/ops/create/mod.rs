//! Request -> container on disk, ready to be started: the part of `run` before anything runs.

mod devices;
mod files;
mod mounts;
mod namespaces;
mod root;
mod settings;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use oci_spec::runtime::Spec;

use crate::container::{Directory, Record, names};
use crate::error::{Context, Error, Result};
use crate::image::Progress;
use crate::network::{self, NetworkSettings};
use crate::ops::Session;
use crate::ops::control_groups::{ControlGroups, PlannedGroup};
use crate::runtime::{self, Plan};
use crate::spec::user::{Database, ResolvedUser};
use crate::spec::{self, Base, Inputs, NamespacePlace, Placement, Request, Settings};
use crate::storage::Image;
use crate::storage::rootfs::Rootfs;
use crate::sys::atomic;
use crate::sys::lock::Lock;
use crate::userns::{self, UserNamespace};

/// A container that is made and not started. Its lock is held.
pub(super) struct Created {
    pub(super) directory: Directory,
    pub(super) lock: Lock,
    pub(super) record: Record,
    pub(super) plan: Plan,
    pub(super) userns: UserNamespace,
    pub(super) network: network::Plan,
    pub(super) rootfs: Rootfs,
    pub(super) cgroup: PlannedGroup,
}

/// What a person is told on the way.
pub(super) struct Reports<'a> {
    /// Progress of a pull.
    pub(super) progress: &'a dyn Progress,
    /// One line about something that is lost, and how to get it back.
    pub(super) note: &'a dyn Fn(&str),
}

/// Makes the container. What was made is removed again if something fails.
pub(super) fn create(session: &Session, request: Request, reports: &Reports<'_>) -> Result<Created> {
    let shared = namespaces::look_up(session, &request)?;
    let mut userns = plan_userns(session, &request)?;
    if let Some(maps) = shared.maps {
        userns = UserNamespace { maps, container_user: None, ..userns };
    }
    let (placement, network_of) = (shared.placement, shared.network_of);
    for note in session.paths.notes.iter().chain(&userns.notes) {
        (reports.note)(note);
    }
    let image = match &request.base {
        Base::Image(name) => Some(settings::image(session, &request, name, reports.progress)?),
        Base::Rootfs(_) => None,
    };
    if let Some(path) = &request.lifecycle.cidfile
        && path.exists()
    {
        return Err(Error::usage(format!("container id file {} exists", path.display())));
    }
    // From here on until the record is written, garbage collection leaves the layers alone.
    let _reader = session.store.reader()?;
    let id = atomic::random_hex(32)?;
    let (directory, lock) = Directory::create(&session.store, &id)?;
    let draft =
        Draft { session, request, image, userns, placement, network_of, directory, name: String::new() };
    draft.finish(lock, reports)
}

fn plan_userns(session: &Session, request: &Request) -> Result<UserNamespace> {
    let asked = &request.user_namespace;
    let mode = asked.mode.as_deref().or_else(|| session.env.get("PODMAN_USERNS"));
    let mode = mode.or(session.conf.containers.userns.as_deref()).filter(|mode| !mode.is_empty());
    let mode: Option<userns::Mode> = mode.map(str::parse).transpose()?;
    let in_use = match mode {
        // Only this mode must know what others have: reading all records is not on the common path.
        Some(userns::Mode::Auto { .. }) => crate::container::all(&session.store)?
            .into_iter()
            .map(|container| container.record.maps)
            .collect(),
        _ => Vec::new(),
    };
    let request = userns::Request {
        mode: mode.filter(|_| asked.uidmaps.is_empty() && asked.gidmaps.is_empty() || asked.mode.is_some()),
        uidmaps: asked.uidmaps.clone(),
        gidmaps: asked.gidmaps.clone(),
        in_use,
        ids_needed: 0,
    };
    userns::plan(&session.env, &request)
}

/// A container in the making.
struct Draft<'a> {
    session: &'a Session,
    request: Request,
    image: Option<Image>,
    userns: UserNamespace,
    placement: Placement,
    /// The directory of the container whose network it is in.
    network_of: Option<PathBuf>,
    directory: Directory,
    name: String,
}

/// What a container is made of.
type Assembled = (Record, Plan, network::Plan, Rootfs, PlannedGroup);

/// The parts of a container that its record tells of.
struct Made<'a> {
    bundle: &'a Spec,
    network: &'a network::Plan,
    volumes: mounts::Volumes,
    root: &'a root::Root,
    settings: &'a Settings,
}

impl Draft<'_> {
    fn finish(mut self, lock: Lock, reports: &Reports<'_>) -> Result<Created> {
        match self.assemble(reports) {
            Ok((record, plan, network, rootfs, cgroup)) => Ok(Created {
                directory: self.directory,
                lock,
                record,
                plan,
                userns: self.userns,
                network,
                rootfs,
                cgroup,
            }),
            Err(error) => {
                self.discard();
                Err(error)
            }
        }
    }

    /// Gives back what was claimed. What cannot be removed is garbage that `system prune` finds.
    fn discard(&self) {
        let store = &self.session.store;
        let _ = std::fs::remove_dir_all(self.directory.path());
        if !self.name.is_empty() {
            let _ = names::release(store, &self.name, self.directory.id());
        }
    }

    fn assemble(&mut self, reports: &Reports<'_>) -> Result<Assembled> {
        let session = self.session;
        let id = self.directory.id().to_owned();
        self.name = self.claim_name(&id)?;
        let root = self.root(reports)?;
        let network = self.plan_network()?;
        for note in &network.notes {
            (reports.note)(note);
        }
        let passwd = root.read("/etc/passwd");
        let group = root.read("/etc/group");
        let database = Database { passwd: &passwd, group: &group };
        let user = self.resolve_user(database)?;
        let settings = Settings::from_conf(&session.conf)?;
        let config = self.image.as_ref().map(|image| &image.config);
        let volumes = self.volumes(&settings, &root)?;
        let files = self.files(&network, &user, database, &settings)?;
        let control_groups = ControlGroups::of(session)?;
        let profile = settings::seccomp_profile(&self.request, &session.conf)?;
        let inputs = Inputs {
            image: config,
            id: &id,
            root: root.path(),
            user,
            files,
            volumes: volumes.paths.clone(),
            maps: Some(&self.userns.maps),
            network: match network.namespace {
                network::Namespace::Private | network::Namespace::Existing => spec::NetworkNamespace::Private,
                network::Namespace::Host => spec::NetworkNamespace::Host,
            },
            placement: self.placement.clone(),
            devices: devices::find(&self.request, &settings)?,
            seccomp_profile: profile.as_deref(),
            host: settings::host_facts()?,
            cgroups: control_groups.facts(&self.request)?,
            settings: &settings,
            caller_env: &|name| session.env.get(name).map(str::to_owned),
        };
        for note in spec::notes(&self.request, &inputs) {
            (reports.note)(&note);
        }
        let bundle = spec::build(&self.request, &inputs)?;
        let plan = self.plan(&bundle, &root.recipe, &settings, network.has_helper())?;
        let mode = spec::cgroup_mode(&self.request, &settings);
        let cgroup = control_groups.plan(&id, &bundle, mode)?;
        self.directory.write("config.json", &serde_json::to_vec(&bundle).context(|| "config.json")?)?;
        let record = self.record(Made {
            bundle: &bundle,
            network: &network,
            volumes,
            root: &root,
            settings: &settings,
        })?;
        self.directory.write_record(&record)?;
        if let Some(path) = &self.request.lifecycle.cidfile {
            atomic::create(path, id.as_bytes(), 0o644)?;
        }
        Ok((record, plan, network, root.recipe, cgroup))
    }

    fn plan(&self, spec: &Spec, rootfs: &Rootfs, settings: &Settings, opened: bool) -> Result<Plan> {
        runtime::plan(&runtime::Input {
            spec,
            rootfs,
            userns: Some(&self.userns),
            bundle: None,
            keyring: true,
            init: spec::init(&self.request, settings),
            opened,
            preserve_fds: 0,
        })
    }

    fn claim_name(&self, id: &str) -> Result<String> {
        let store = &self.session.store;
        let Some(name) = &self.request.name else { return names::claim_any(store, id) };
        if self.request.lifecycle.replace
            && let Some(other) = names::holder(store, name.as_str())?
        {
            super::rm::remove_one(self.session, &other, true)?;
        }
        names::claim(store, name.as_str(), id)?;
        Ok(name.as_str().to_owned())
    }

    fn plan_network(&self) -> Result<network::Plan> {
        let id = self.directory.id();
        let config = self.image.as_ref().map(|image| &image.config);
        let hostname = self.request.hostname.as_ref().map_or(&id[..12], |name| name.as_str());
        let mut request = settings::network_request(&self.request, config, hostname, &self.name)?;
        if self.placement.network == NamespacePlace::Host {
            request.mode = network::Mode::Host;
        }
        network::plan(&request, &self.session.env, &self.session.conf)
    }

    fn resolve_user(&self, database: Database<'_>) -> Result<ResolvedUser> {
        let of_image = self.image.as_ref().map(|image| image.config.config.user.as_str());
        let of_image = of_image.filter(|user| !user.is_empty());
        let asked = match (&self.request.process.user, of_image) {
            (Some(user), _) => Some(user.clone()),
            // keep-id's user goes before the image's, as with podman.
            (None, Some(_)) if self.userns.container_user.is_some() => None,
            (None, Some(text)) => Some(text.parse().context(|| "the image's User")?),
            (None, None) => None,
        };
        let added = &self.request.process.groups;
        spec::user::resolve(asked.as_ref(), added, database, self.userns.container_user)
    }

    fn record(&self, made: Made<'_>) -> Result<Record> {
        let Made { bundle, network, volumes, root, settings } = made;
        let image = self.image.as_ref();
        let config = image.map(|image| &image.config);
        let exposed: Vec<&str> = config
            .into_iter()
            .flat_map(|config| config.config.exposed_ports.iter().map(String::as_str))
            .collect();
        let network_settings: NetworkSettings = network.settings(exposed);
        let labels: BTreeMap<String, String> = spec::labels(&self.request, config);
        let command =
            bundle.process().as_ref().and_then(|process| process.args().clone()).unwrap_or_default();
        let timeout = spec::stop_timeout(&self.request, settings);
        Ok(Record {
            id: self.directory.id().to_owned(),
            name: self.name.clone(),
            image_id: image.map(|image| image.id.hex().to_owned()).unwrap_or_default(),
            image: image.map(|image| settings::image_name(image, &self.request)).unwrap_or_default(),
            image_digest: image.map(|image| image.manifest_digest.to_string()).unwrap_or_default(),
            layers: image.map(|image| image.layers.clone()).unwrap_or_default(),
            created: Timestamp::now().to_string(),
            command,
            labels,
            remove: self.request.lifecycle.remove,
            stop_signal: spec::stop_signal(&self.request, config)?.number(),
            stop_timeout: timeout.seconds().unwrap_or(u32::MAX),
            maps: self.userns.maps.clone(),
            anonymous_volumes: volumes.anonymous,
            volumes: volumes.names,
            rootfs: root.driver.clone(),
            network: network_settings,
            network_mode: self.request.network.mode.clone().unwrap_or_default(),
            ports: network.ports.clone(),
            cidfile: self
                .request
                .lifecycle
                .cidfile
                .clone()
                .map(|path| std::path::absolute(&path).unwrap_or(path)),
            request: self.request.clone(),
        })
    }
}
