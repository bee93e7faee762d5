//! `pull`, and the pull that `run` makes.

use crate::config::registries_conf::RegistriesConf;
use crate::error::Result;
use crate::image::Progress;
use crate::image::pull::{Options, PullPolicy, Puller};
use crate::oci::Digest;
use crate::ops::Session;
use crate::storage::Image;
use crate::userns;

/// Pulls images and gives their ids, in order.
pub fn pull(
    session: &Session,
    names: &[String],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<Digest>> {
    with_puller(session, |puller| puller.pull(names, options, progress))
}

/// The image that a container is to be made from, pulled if the policy says so, and whole.
pub fn for_container(
    session: &Session,
    name: &str,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Image> {
    let is_local_enough =
        matches!(options.policy, PullPolicy::Missing | PullPolicy::Never) && options.platform.is_none();
    if is_local_enough {
        // The path of nearly every `run`: one name, one record, no registries.conf but for short names.
        let registries = RegistriesConf::load(&session.env, &session.paths)?;
        if let Some(image) = session.store.resolve(name, registries.short_names())? {
            if session.store.damaged_layers(&image)?.is_empty() {
                return Ok(image);
            }
            with_puller(session, |puller| puller.repair(&image, progress))?;
            return session.store.find(name, registries.short_names());
        }
    }
    let ids = pull(session, &[name.to_owned()], options, progress)?;
    let registries = RegistriesConf::load(&session.env, &session.paths)?;
    let id = ids.first().map(ToString::to_string).unwrap_or_default();
    session.store.find(&id, registries.short_names())
}

fn with_puller<T>(session: &Session, act: impl FnOnce(&Puller<'_>) -> Result<T>) -> Result<T> {
    let registries = RegistriesConf::load(&session.env, &session.paths)?;
    let namespace = userns::plan(&session.env, &userns::Request::default())?;
    let parallel = session.conf.engine.image_parallel_copies.unwrap_or(0) as usize;
    let puller = Puller {
        env: &session.env,
        paths: &session.paths,
        store: &session.store,
        userns: &namespace,
        registries: &registries,
        parallel,
    };
    act(&puller)
}
