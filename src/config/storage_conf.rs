//! containers-storage.conf(5): which storage driver, with which options.
//!
//! Only the driver and its options are taken. The directories of the file are podman's store, which has
//! another form than rcon's and must not be mixed with it.
//!
//! Read is `$CONTAINERS_STORAGE_CONF`, else the first of `$XDG_CONFIG_HOME/containers/storage.conf`,
//! `/etc/containers/storage.conf` and `/usr/share/containers/storage.conf`; then
//! `$CONTAINERS_STORAGE_CONF_OVERRIDE`. `$STORAGE_DRIVER` and `$STORAGE_OPTS` win over files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use crate::config::toml_file::{self, Layer};
use crate::config::{Env, Paths};
use crate::error::{Error, Result};

/// The settings of storage that rcon knows; what is not set is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageConf {
    /// `overlay`, `fuse-overlayfs` or `vfs`.
    pub driver: Option<String>,
    /// The program that mounts in place of the kernel: fuse-overlayfs.
    pub mount_program: Option<PathBuf>,
    /// Options of the overlay mount, separated by commas.
    pub mountopt: Option<String>,
    /// Whether an owner that cannot be set is passed over.
    pub ignore_chown_errors: Option<bool>,
    /// Permissions that every file and directory of a layer is given: `shared`, `private` or octal digits.
    pub force_mask: Option<String>,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    storage: Storage,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Storage {
    driver: Option<String>,
    options: Options,
}

/// Options stand in `[storage.options]` or, since containers-storage 1.16, in `[storage.options.overlay]`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    #[serde(flatten)]
    all: OverlayOptions,
    overlay: OverlayOptions,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OverlayOptions {
    mount_program: Option<PathBuf>,
    mountopt: Option<String>,
    #[serde(deserialize_with = "flag")]
    ignore_chown_errors: Option<bool>,
    force_mask: Option<String>,
}

impl StorageConf {
    /// Reads the file and the environment.
    pub fn load(env: &Env, paths: &Paths) -> Result<Self> {
        Self::load_below(Path::new("/"), env, paths)
    }

    fn load_below(system: &Path, env: &Env, paths: &Paths) -> Result<Self> {
        let mut conf = Self::default();
        let file = match toml_file::named_by(env, "CONTAINERS_STORAGE_CONF")? {
            Some(file) => Some(file),
            None => [
                paths.config_home.join("containers/storage.conf"),
                system.join("etc/containers/storage.conf"),
                system.join("usr/share/containers/storage.conf"),
            ]
            .into_iter()
            .find(|file| file.is_file()),
        };
        let last = toml_file::named_by(env, "CONTAINERS_STORAGE_CONF_OVERRIDE")?;
        for file in file.iter().chain(&last) {
            if let Some(content) = toml_file::read::<File>(file)? {
                conf.overlay(Self::from(content));
            }
        }
        conf.file = file;
        conf.driver.overlay(env.get("STORAGE_DRIVER").map(str::to_owned));
        for option in env.get("STORAGE_OPTS").unwrap_or_default().split(',').filter(|text| !text.is_empty()) {
            conf.set(option)?;
        }
        Ok(conf)
    }

    /// Sets one option in the form of `--storage-opt`: `[overlay.]NAME=VALUE`.
    pub fn set(&mut self, option: &str) -> Result<()> {
        let (name, value) = option.split_once('=').ok_or_else(|| {
            Error::usage(format!("storage option {option:?} is not of the form NAME=VALUE"))
        })?;
        let bare = name.strip_prefix("storage.").unwrap_or(name);
        match bare.strip_prefix("overlay.").unwrap_or(bare) {
            "mount_program" => self.mount_program = Some(PathBuf::from(value)),
            "mountopt" => self.mountopt = Some(value.to_owned()),
            "ignore_chown_errors" => {
                self.ignore_chown_errors = Some(truth(value).ok_or_else(|| {
                    Error::usage(format!("storage option {option:?}: expected true or false"))
                })?);
            }
            "force_mask" => self.force_mask = Some(value.to_owned()),
            _ => {
                return Err(Error::usage(format!("unknown storage option {name:?}"))
                    .hint("known are overlay.mount_program, mountopt, ignore_chown_errors and force_mask"));
            }
        }
        Ok(())
    }
}

impl Layer for StorageConf {
    fn overlay(&mut self, later: Self) {
        self.driver.overlay(later.driver);
        self.mount_program.overlay(later.mount_program);
        self.mountopt.overlay(later.mountopt);
        self.ignore_chown_errors.overlay(later.ignore_chown_errors);
        self.force_mask.overlay(later.force_mask);
    }
}

impl From<File> for StorageConf {
    fn from(File { storage: Storage { driver, options: Options { all, overlay } } }: File) -> Self {
        let text = |value: Option<String>| value.filter(|value| !value.is_empty());
        let mut conf = Self { driver: text(driver), ..Self::default() };
        for options in [all, overlay] {
            conf.overlay(Self {
                mount_program: options.mount_program.filter(|path| !path.as_os_str().is_empty()),
                mountopt: text(options.mountopt),
                ignore_chown_errors: options.ignore_chown_errors,
                force_mask: text(options.force_mask),
                ..Self::default()
            });
        }
        conf
    }
}

/// The file has truth as a string: `ignore_chown_errors = "true"`.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<bool>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::Boolean(value) => Ok(Some(value)),
        toml::Value::String(text) if text.is_empty() => Ok(None),
        toml::Value::String(text) if truth(&text).is_some() => Ok(truth(&text)),
        other => Err(serde::de::Error::custom(format!("expected \"true\" or \"false\", found {other:?}"))),
    }
}

/// What Go's ParseBool takes.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(content: &str, pairs: &[(&str, &str)]) -> Result<StorageConf> {
        let dir = tempfile::tempdir().unwrap();
        let etc = dir.path().join("etc/containers");
        std::fs::create_dir_all(&etc).unwrap();
        std::fs::write(etc.join("storage.conf"), content).unwrap();
        let mut pairs = pairs.to_vec();
        let home = dir.path().to_str().unwrap().to_owned();
        pairs.push(("HOME", &home));
        let env = Env::from_pairs(pairs);
        let paths = Paths::discover(&env, None, Some(Path::new("/run"))).unwrap();
        StorageConf::load_below(dir.path(), &env, &paths)
    }

    #[test]
    fn the_driver_and_its_options_are_read_from_both_tables() {
        let conf = load(
            "[storage]\ndriver='overlay'\ngraphroot='/x'\n[storage.options]\npull_options={a='b'}\n\
             mountopt='nodev'\n[storage.options.overlay]\nmount_program='/usr/bin/fuse-overlayfs'\n\
             ignore_chown_errors='true'\nmountopt='nodev,metacopy=on'\n",
            &[],
        )
        .unwrap();
        assert_eq!(conf.driver.as_deref(), Some("overlay"));
        assert_eq!(conf.mount_program.as_deref(), Some(Path::new("/usr/bin/fuse-overlayfs")));
        assert_eq!(conf.mountopt.as_deref(), Some("nodev,metacopy=on"));
        assert_eq!(conf.ignore_chown_errors, Some(true));
        assert!(conf.file.is_some());
    }

    #[test]
    fn the_environment_wins() {
        let conf = load(
            "[storage]\ndriver='overlay'\n",
            &[("STORAGE_DRIVER", "vfs"), ("STORAGE_OPTS", "overlay.mountopt=x,ignore_chown_errors=1")],
        )
        .unwrap();
        assert_eq!(conf.driver.as_deref(), Some("vfs"));
        assert_eq!((conf.mountopt.as_deref(), conf.ignore_chown_errors), (Some("x"), Some(true)));
        assert!(load("", &[("STORAGE_OPTS", "nonsense=1")]).is_err());
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        let error =
            load("[storage]\ndriver='overlay'\n[storage.options]\nignore_chown_errors='maybe'\n", &[])
                .unwrap_err();
        assert!(error.to_string().contains("storage.conf: line "), "{error:?}");
        assert!(load("[storage]\ndriver=1\n", &[]).unwrap_err().to_string().contains("line 2"));
    }
}
