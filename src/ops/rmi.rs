//! `rmi`: takes names from images, and images without a name from the store.

use serde::Deserialize;

use super::images::short_names;
use crate::config::ShortNames;
use crate::error::{Context, Error, Kind, Result};
use crate::oci::Digest;
use crate::ops::Session;
use crate::storage::{Freed, Image, Parts};
use crate::sys::atomic;
use crate::userns;

/// What is removed and what is not a failure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// By id, also where the image has several names.
    pub force: bool,
    /// Every image that no container uses.
    pub all: bool,
    /// That there is no such image is no failure.
    pub ignore: bool,
}

/// What has been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A name was taken away.
    Untagged(String),
    /// An image was removed.
    Deleted(Digest),
}

/// What came of a removal: what was done, and what was not.
#[derive(Debug, Default)]
pub struct Removed {
    /// In order.
    pub events: Vec<Event>,
    /// One an image that is still there.
    pub failures: Vec<Error>,
}

/// Removes `names`, each independently of the others, and then what nobody needs any more.
pub fn remove(session: &Session, names: &[String], options: Options) -> Result<Removed> {
    let mut removed = Removed::default();
    let short_names = short_names(session)?;
    let all;
    let names = if options.all {
        all = session.store.image_ids()?.into_iter().map(String::from).collect::<Vec<_>>();
        &all
    } else {
        names
    };
    {
        let _naming = session.store.naming()?;
        let force = options.force || options.all;
        for name in names {
            match remove_one(session, name, &short_names, force, &mut removed.events) {
                Err(error) if options.ignore && error.kind() == Kind::NotFound => {}
                Err(error) => removed.failures.push(error),
                Ok(()) => {}
            }
        }
        if !removed.events.is_empty() {
            session.store.write_layout()?;
        }
    }
    if removed.events.iter().any(|event| matches!(event, Event::Deleted(_))) {
        collect(session, Parts::Keep).context(|| "the images are removed, but not their files")?;
    }
    Ok(removed)
}

/// Removes layers and blobs that nothing needs, as root of the user namespace that wrote them.
pub(super) fn collect(session: &Session, parts: Parts) -> Result<Freed> {
    let namespace = userns::plan(&session.env, &userns::Request::default())?;
    userns::run_inside(&namespace, "the removal of layers", || session.store.gc(&[], parts))
}

fn remove_one(
    session: &Session,
    text: &str,
    short_names: &ShortNames,
    force: bool,
    events: &mut Vec<Event>,
) -> Result<()> {
    let store = &session.store;
    let image = store
        .resolve(text, short_names)?
        .ok_or_else(|| Error::not_found(format!("{text}: image not known")))?;
    let names = store.names_of(&image.id)?;
    // An id means all names of the image, as does a digest that is none of them.
    if image.names.len() < names.len() {
        for name in image.names {
            store.remove_ref(&name)?;
            events.push(Event::Untagged(name));
        }
        return Ok(());
    }
    if names.len() > 1 && !force {
        return Err(Error::new(
            Kind::Conflict,
            format!("image {} has several names ({})", short_id(&image), names.join(", ")),
        )
        .hint(format!("rcon rmi --force {}", short_id(&image))));
    }
    refuse_if_used(session, &image)?;
    for name in names {
        store.remove_ref(&name)?;
        events.push(Event::Untagged(name));
    }
    store.remove_image(&image.id)?;
    events.push(Event::Deleted(image.id));
    Ok(())
}

fn short_id(image: &Image) -> &str {
    &image.id.hex()[..12]
}

/// Fails with a container that was made from `image`.
fn refuse_if_used(session: &Session, image: &Image) -> Result<()> {
    let Some(user) = users(session)?.into_iter().find(|user| user.image == image.id.hex()) else {
        return Ok(());
    };
    let id = user.id.get(..12).unwrap_or(&user.id).to_owned();
    Err(Error::new(
        Kind::Conflict,
        format!("image {} is in use by container {id} ({})", short_id(image), user.name),
    )
    .hint(format!("rcon rm --force {id}")))
}

/// A container that was made from an image.
pub(super) struct User {
    /// The digits of the image's id.
    pub(super) image: String,
    id: String,
    name: String,
}

/// The containers that were made from images.
pub(super) fn users(session: &Session) -> Result<Vec<User>> {
    #[derive(Deserialize)]
    struct Record {
        #[serde(default)]
        image_id: Option<String>,
        #[serde(default)]
        id: String,
        #[serde(default)]
        name: String,
    }
    let containers = session.store.root().join("containers");
    let Ok(entries) = std::fs::read_dir(&containers) else { return Ok(Vec::new()) };
    let mut users = Vec::new();
    for entry in entries.filter_map(std::result::Result::ok) {
        let path = entry.path().join("record.json");
        let Some(bytes) = atomic::read_optional(&path)? else { continue };
        let record: Record =
            serde_json::from_slice(&bytes).context(|| format!("cannot read {}", path.display()))?;
        if let Some(image) = record.image_id.filter(|id| !id.is_empty()) {
            let image = image.trim_start_matches("sha256:").to_owned();
            users.push(User { image, id: record.id, name: record.name });
        }
    }
    Ok(users)
}
