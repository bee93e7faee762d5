//! One file per user verb. Knows no terminal; reports through a Progress trait.

mod control_groups;
mod create;
pub mod doctor;
pub mod image_inspect;
pub mod images;
pub mod info;
pub mod inspect;
pub mod logs;
pub mod prune;
pub mod ps;
pub mod pull;
mod reference_pattern;
pub mod rm;
pub mod rmi;
pub mod run;
pub mod unshare;
pub mod version;

use std::path::PathBuf;

use crate::config::containers_conf::ContainersConf;
use crate::config::storage_conf::StorageConf;
use crate::config::{Env, Paths};
use crate::error::Result;
use crate::storage::Store;
use crate::storage::rootfs::{self, Choice};

/// The options that stand before every verb.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// `--root`: where the store is.
    pub root: Option<PathBuf>,
    /// `--runroot`: where what lasts until the next boot is.
    pub runroot: Option<PathBuf>,
    /// `--storage-driver`.
    pub storage_driver: Option<String>,
    /// `--storage-opt`, in order.
    pub storage_opts: Vec<String>,
    /// `--cgroup-manager`.
    pub cgroup_manager: Option<String>,
}

/// Settings and store, opened for one invocation.
#[derive(Debug)]
pub struct Session {
    /// The environment.
    pub env: Env,
    /// Where everything lies.
    pub paths: Paths,
    /// containers.conf.
    pub conf: ContainersConf,
    /// storage.conf and `--storage-opt`.
    pub storage_conf: StorageConf,
    /// The store.
    pub store: Store,
    /// The options before the verb.
    pub globals: Globals,
}

impl Session {
    /// Reads the configuration and opens the store.
    pub fn open(env: Env, globals: Globals) -> Result<Self> {
        let paths = Paths::discover(&env, globals.root.as_deref(), globals.runroot.as_deref())?;
        let conf = ContainersConf::load(&env, &paths)?;
        let mut storage_conf = StorageConf::load(&env, &paths)?;
        for option in &globals.storage_opts {
            storage_conf.set(option)?;
        }
        let store = Store::open(&paths)?;
        Ok(Self { env, paths, conf, storage_conf, store, globals })
    }

    /// How root file systems are made here, and why.
    pub fn rootfs_choice(&self) -> Result<Choice> {
        let flag = self.globals.storage_driver.as_deref().or_else(|| self.env.get("STORAGE_DRIVER"));
        rootfs::choose(&self.env, flag, &self.storage_conf, self.store.root())
    }
}
