//! Request -> container on disk, ready to be started: the part of `run` before anything runs.

mod files;
mod mounts;
mod root;
mod settings;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::container::{Directory, Record, names};
use crate::error::{Context, Error, Result};
use crate::image::Progress;
use crate::network::{self, NetworkSettings};
use crate::ops::Session;
use crate::runtime::{self, Plan};
use crate::spec::user::{Database, ResolvedUser};
use crate::spec::{self, Base, Inputs, Request, Settings};
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
    let userns = plan_userns(session, &request)?;
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
    let draft = Draft { session, request, image, userns, directory, name: String::new() };
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
    directory: Directory,
    name: String,
}

/// The parts of a container that its record tells of.
struct Made<'a> {
    bundle: &'a oci_spec::runtime::Spec,
    network: &'a network::Plan,
    volumes: mounts::Volumes,
    root: &'a root::Root,
    settings: &'a Settings,
}

impl Draft<'_> {
    fn finish(mut self, lock: Lock, reports: &Reports<'_>) -> Result<Created> {
        match self.assemble(reports) {
            Ok((record, plan, network, rootfs)) => Ok(Created {
                directory: self.directory,
                lock,
                record,
                plan,
                userns: self.userns,
                network,
                rootfs,
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

    fn assemble(&mut self, reports: &Reports<'_>) -> Result<(Record, Plan, network::Plan, Rootfs)> {
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
                network::Namespace::Private => spec::NetworkNamespace::Private,
                network::Namespace::Host => spec::NetworkNamespace::Host,
            },
            seccomp_profile: profile.as_deref(),
            host: settings::host_facts()?,
            settings: &settings,
            caller_env: &|name| session.env.get(name).map(str::to_owned),
        };
        for note in spec::notes(&self.request, &inputs) {
            (reports.note)(&note);
        }
        let bundle = spec::build(&self.request, &inputs)?;
        let plan = runtime::plan(&runtime::Input {
            spec: &bundle,
            rootfs: &root.recipe,
            userns: &self.userns,
            init: spec::init(&self.request, &settings),
            preserve_fds: 0,
        })?;
        let config_json = serde_json::to_vec(&bundle).context(|| "cannot encode config.json")?;
        self.directory.write("config.json", &config_json)?;
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
        Ok((record, plan, network, root.recipe))
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
        let request = settings::network_request(&self.request, config, hostname, &self.name)?;
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
