//! From a name to an image in the store.
//!
//! ```text
//! this process:    short names, registries.conf, credentials (helpers run here), policy
//! a child in the   manifest -> platform -> configuration -> layers, in parallel, biggest first:
//! user namespace:    network -> sha256 + partial blob -> unpack -> diff id -> rename
//!                  image record -> name: that rename is the commit
//! ```
//!
//! The child is root in the user namespace that the store's layers are written from, so unpacked files get
//! subordinate owners. Threads and the event loop live and die in it.

mod commit;
mod fetch;
mod layers;
mod pipeline;
mod policy;
mod resolve;
mod transfer;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use policy::PullPolicy;

use super::Progress;
use super::registry::{Proxies, Retry};
use crate::config::auth::Credentials;
use crate::config::policy::Policy;
use crate::config::registries_conf::RegistriesConf;
use crate::config::{Env, Paths};
use crate::error::{Error, Result};
use crate::oci::{Digest, Platform};
use crate::storage::{Image, Store};
use crate::userns::{self, UserNamespace};

/// How images are pulled.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// For which platform; this machine's where it is not given.
    pub platform: Option<Platform>,
    /// When the registry is asked at all.
    pub policy: PullPolicy,
    /// The one file to take credentials from.
    pub auth_file: Option<PathBuf>,
    /// The credentials to use, whatever the files say.
    pub credentials: Option<Credentials>,
    /// Overrides `insecure` of registries.conf.
    pub tls_verify: Option<bool>,
    /// The one directory to take certificates from.
    pub cert_dir: Option<PathBuf>,
    /// How failures are retried.
    pub retry: Retry,
    /// Every tag of the repository.
    pub all_tags: bool,
}

/// What a pull works with.
pub struct Puller<'a> {
    /// The environment: proxies, places of files.
    pub env: &'a Env,
    /// The directories.
    pub paths: &'a Paths,
    /// Where images go.
    pub store: &'a Store,
    /// The user namespace that layers are written from.
    pub userns: &'a UserNamespace,
    /// registries.conf.
    pub registries: &'a RegistriesConf,
    /// How many layers are fetched at once; 0 for a good number.
    pub parallel: usize,
}

impl Puller<'_> {
    /// Pulls images one after another and gives their ids in the order of `names`; with `all_tags`, that of
    /// every tag.
    pub fn pull(&self, names: &[String], options: &Options, progress: &dyn Progress) -> Result<Vec<Digest>> {
        self.obtain(names, options, false, progress)
    }

    fn obtain(
        &self,
        names: &[String],
        options: &Options,
        repair: bool,
        progress: &dyn Progress,
    ) -> Result<Vec<Digest>> {
        if options.all_tags && names.iter().any(|name| resolve::has_version(name)) {
            return Err(Error::usage("--all-tags takes names without a tag or a digest"));
        }
        let policy = Policy::load(self.paths)?;
        let mut wanted = Vec::new();
        for name in names {
            wanted.push(resolve::want(self, name, options, &policy)?);
        }
        if let Some(ids) = wanted.iter().map(|wanted| wanted.settled.clone()).collect::<Option<Vec<_>>>() {
            return Ok(ids);
        }
        let job = fetch::Job {
            store: self.store,
            options,
            proxies: Proxies::from_env(self.env),
            single: self.userns.single(),
            parallel: if self.parallel == 0 { 6 } else { self.parallel },
            repair,
        };
        userns::run_inside(self.userns, "the pull", || fetch::run(&job, &wanted, progress))
    }

    /// Unpacks the layers of `image` anew that an earlier boot left damaged or that are missing: from their
    /// blobs where these are here, from the registry else. Most of the time there are none.
    pub fn repair(&self, image: &Image, progress: &dyn Progress) -> Result<()> {
        if self.store.damaged_layers(image)?.is_empty() {
            return Ok(());
        }
        let from = image.names.first().or(image.repo_digests.first()).ok_or_else(|| {
            Error::not_found(format!("image {} is damaged and has no name to pull it by", image.id))
                .hint(format!("rcon rmi {}", image.id.hex()))
        })?;
        progress.message(&format!("Unpacking {from} again: this machine went down while it was written"));
        self.obtain(std::slice::from_ref(from), &Options::default(), true, progress).map(|_| ())
    }
}
