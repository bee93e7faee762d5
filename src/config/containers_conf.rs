//! containers.conf(5): the settings of containers that podman, buildah and rcon share.
//!
//! Read in this order, a later file's keys over an earlier one's (podman 5's order, with the directories
//! for rootless users that podman 6 added):
//!
//! ```text
//!   /usr/share/containers/  /etc/containers/  $XDG_CONFIG_HOME/containers/    and in each:
//!     containers.conf
//!     containers.conf.d/*.conf
//!     containers.rootless.conf.d/*.conf  containers.rootless.conf.d/UID/*.conf
//! ```
//!
//! `$CONTAINERS_CONF` names the one file that is read in place of all these, `$CONTAINERS_CONF_OVERRIDE` one
//! that is read after. A list replaces the list of earlier files, unless it ends in `{append=true}`. Keys
//! that rcon has no use for are left alone, as podman leaves alone those it does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::config::toml_file::{self, Layer};
use crate::config::{Env, Paths};
use crate::error::Result;

/// The settings that rcon knows, merged; what no file sets is `None`, and defaults are their user's affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ContainersConf {
    /// `[containers]`.
    pub containers: Containers,
    /// `[network]`.
    pub network: Network,
    /// `[engine]`.
    pub engine: Engine,
}

/// A list of strings that may add to the one of an earlier file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    values: Option<Vec<String>>,
    append: Option<bool>,
}

/// A table whose fields a later file sets one by one.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Layer for $name {
            fn overlay(&mut self, later: Self) {
                $(self.$field.overlay(later.$field);)*
            }
        }
    };
}

section! {
    /// `[containers]`: what containers get unless the command line says otherwise.
    Containers {
        /// Permanent annotations, `key=value`.
        annotations: List,
        /// The AppArmor profile.
        apparmor_profile: Option<String>,
        /// The file that /etc/hosts starts from: a path, `none` or `image`.
        base_hosts_file: Option<String>,
        /// Files of the control group and what is written to them, `memory.high=1073741824`.
        cgroup_conf: List,
        /// Where a cgroup namespace comes from: `private` or `host`.
        cgroupns: Option<String>,
        /// `enabled`, `no-conmon`, `disabled`.
        cgroups: Option<String>,
        /// Capabilities; where set, they replace the built-in set.
        default_capabilities: List,
        /// Sysctls, `name=value`.
        default_sysctls: List,
        /// Resource limits, `name=soft:hard`.
        default_ulimits: List,
        /// Host devices, `host:container:permissions`.
        devices: List,
        /// Options of resolv.conf.
        dns_options: List,
        /// Search domains of resolv.conf.
        dns_searches: List,
        /// Name servers.
        dns_servers: List,
        /// Environment, `NAME=value`.
        env: List,
        /// Whether the host's environment goes into containers.
        env_host: Option<bool>,
        /// The address of `host.containers.internal`.
        host_containers_internal_ip: Option<String>,
        /// Whether the proxy variables of the host go into containers.
        http_proxy: Option<bool>,
        /// Whether containers run an init process.
        init: Option<bool>,
        /// The init program.
        init_path: Option<String>,
        /// `private`, `shareable`, `host`, `none`.
        ipcns: Option<String>,
        /// Whether SELinux users and roles are set from the labels.
        label_users: Option<bool>,
        /// Whether SELinux labels are set.
        label: Option<bool>,
        /// The driver of containers' logs.
        log_driver: Option<String>,
        /// The most bytes of a container's log; -1 for no end.
        log_size_max: Option<i64>,
        /// Mounts, in the syntax of `--mount`.
        mounts: List,
        /// `private`, `host`, `none` or a network's name.
        netns: Option<String>,
        /// Whether /etc/hosts stays the image's.
        no_hosts: Option<bool>,
        /// The value for /proc/PID/oom_score_adj.
        oom_score_adj: Option<i32>,
        /// `private` or `host`.
        pidns: Option<String>,
        /// The most processes in a container; 0 or -1 for no limit.
        pids_limit: Option<i64>,
        /// Whether containers get every privilege.
        privileged: Option<bool>,
        /// Whether the root file system is read-only.
        read_only: Option<bool>,
        /// The seccomp profile.
        seccomp_profile: Option<String>,
        /// The size of /dev/shm, `64m`.
        shm_size: Option<String>,
        /// The time zone; `local` for the host's.
        tz: Option<String>,
        /// The umask, in octal digits.
        umask: Option<String>,
        /// The user namespace, in the syntax of `--userns`.
        userns: Option<String>,
        /// `private` or `host`.
        utsns: Option<String>,
        /// Volumes, in the syntax of `--volume`.
        volumes: List,
    }
}

section! {
    /// `[network]`.
    Network {
        /// The network of containers that name none.
        default_network: Option<String>,
        /// `pasta` or `slirp4netns`.
        default_rootless_network_cmd: Option<String>,
        /// The address that published ports are bound to.
        default_host_ips: List,
        /// Options for pasta.
        pasta_options: List,
    }
}

section! {
    /// `[engine]`.
    Engine {
        /// `systemd` or `cgroupfs`.
        cgroup_manager: Option<String>,
        /// The keys that detach from a container.
        detach_keys: Option<String>,
        /// The environment of every command, `NAME=value`.
        env: List,
        /// Where helper programs are looked for.
        helper_binaries_dir: List,
        /// How many layers are fetched at once.
        image_parallel_copies: Option<u64>,
        /// Options for slirp4netns.
        network_cmd_options: List,
        /// The slirp4netns program.
        network_cmd_path: Option<String>,
        /// How many times a failed pull is tried again.
        retry: Option<u64>,
        /// How long to wait between two tries, `2s`.
        retry_delay: Option<String>,
        /// The OCI runtime's name.
        runtime: Option<String>,
        /// OCI runtimes: where each may lie.
        runtimes: BTreeMap<String, Vec<String>>,
        /// How many seconds a container is given to stop.
        stop_timeout: Option<u64>,
        /// `always`, `missing`, `never`, `newer`.
        pull_policy: Option<String>,
    }
}

impl ContainersConf {
    /// Reads and merges the files. A file that is not TOML, or has a key of the wrong type, is an error that
    /// names the file, the line and the column.
    pub fn load(env: &Env, paths: &Paths) -> Result<Self> {
        let mut merged = Self::default();
        for file in files(Path::new("/"), env, paths)? {
            if let Some(later) = toml_file::read::<Self>(&file)? {
                merged.overlay(later);
            }
        }
        Ok(merged)
    }
}

/// The files to read, lowest first; those that must exist are checked.
fn files(system: &Path, env: &Env, paths: &Paths) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if let Some(only) = toml_file::named_by(env, "CONTAINERS_CONF")? {
        files.push(only);
    } else {
        let user = paths.config_home.join("containers");
        for dir in [system.join("usr/share/containers"), system.join("etc/containers"), user] {
            files.push(dir.join("containers.conf"));
            toml_file::drop_ins(&dir.join("containers.conf.d"), &mut files)?;
            let rootless = dir.join("containers.rootless.conf.d");
            if env.uid() != 0 && rootless.is_dir() {
                toml_file::drop_ins(&rootless, &mut files)?;
                toml_file::drop_ins(&rootless.join(env.uid().to_string()), &mut files)?;
            }
        }
    }
    files.extend(toml_file::named_by(env, "CONTAINERS_CONF_OVERRIDE")?);
    Ok(files)
}

impl List {
    /// The values, if any file sets the key; an empty list is a setting too.
    pub fn get(&self) -> Option<&[String]> {
        self.values.as_deref()
    }

    /// The values, none where no file sets the key.
    pub fn values(&self) -> &[String] {
        self.get().unwrap_or_default()
    }
}

impl<const N: usize> From<[&str; N]> for List {
    fn from(values: [&str; N]) -> Self {
        Self { values: Some(values.iter().map(|value| (*value).to_owned()).collect()), append: None }
    }
}

impl Layer for ContainersConf {
    fn overlay(&mut self, later: Self) {
        self.containers.overlay(later.containers);
        self.network.overlay(later.network);
        self.engine.overlay(later.engine);
    }
}

impl Layer for List {
    /// `append` itself is inherited by the lists of later files, until one says `{append=false}`.
    fn overlay(&mut self, later: Self) {
        let append = later.append.or(self.append);
        match (later.values, append) {
            (None, _) => {}
            (Some(new), Some(true)) => self.values.get_or_insert_default().extend(new),
            (Some(new), _) => self.values = Some(new),
        }
        self.append = append;
    }
}

impl Layer for BTreeMap<String, Vec<String>> {
    fn overlay(&mut self, later: Self) {
        self.extend(later);
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut list = Self { values: Some(Vec::new()), append: None };
        for item in Vec::<toml::Value>::deserialize(deserializer)? {
            match item {
                toml::Value::String(text) => list.values.get_or_insert_default().push(text),
                toml::Value::Table(table) => match (table.len(), table.get("append")) {
                    (1, Some(toml::Value::Boolean(append))) => list.append = Some(*append),
                    _ => return Err(D::Error::custom("expected {append=true} or {append=false}")),
                },
                other => {
                    let what = other.type_str();
                    return Err(D::Error::custom(format!("expected a list of strings, found {what} in it")));
                }
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Files(tempfile::TempDir);

    impl Files {
        fn new(files: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            for (name, content) in files {
                let path = dir.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            Self(dir)
        }

        fn path(&self, name: &str) -> String {
            self.0.path().join(name).to_str().unwrap().to_owned()
        }

        fn load(&self, pairs: &[(&str, &str)]) -> Result<ContainersConf> {
            let mut pairs = pairs.to_vec();
            let (config, data) = (self.path("home/.config"), self.path("data"));
            pairs.extend([("XDG_CONFIG_HOME", config.as_str()), ("XDG_DATA_HOME", data.as_str())]);
            let env = Env::from_pairs(pairs).with_ids(1000, 1000);
            let paths = Paths::discover(&env, None, Some(Path::new("/run"))).unwrap();
            let mut merged = ContainersConf::default();
            for file in files(self.0.path(), &env, &paths)? {
                if let Some(later) = toml_file::read::<ContainersConf>(&file)? {
                    merged.overlay(later);
                }
            }
            Ok(merged)
        }
    }

    #[test]
    fn later_files_set_key_by_key() {
        let files = Files::new(&[
            ("usr/share/containers/containers.conf", "[containers]\ntz='a'\numask='0022'\nenv=['A=1']\n"),
            ("etc/containers/containers.conf", "[containers]\ntz='b'\n[engine]\nimage_parallel_copies=3\n"),
            ("etc/containers/containers.conf.d/20.conf", "[containers]\ntz='d'\nenv=['C=1']"),
            ("etc/containers/containers.conf.d/10.conf", "[containers]\ntz='c'\nenv=['B=1', {append=true}]"),
            ("etc/containers/containers.conf.d/README", "not toml"),
            ("etc/containers/containers.rootless.conf.d/1000/a.conf", "[containers]\npids_limit=7"),
            ("home/.config/containers/containers.conf", "[network]\npasta_options=['-4']\n"),
        ]);
        let conf = files.load(&[]).unwrap();
        assert_eq!(conf.containers.tz.as_deref(), Some("d"));
        assert_eq!(conf.containers.umask.as_deref(), Some("0022"));
        assert_eq!(conf.containers.env.values(), ["A=1", "B=1", "C=1"], "append is inherited");
        assert_eq!(conf.containers.pids_limit, Some(7));
        assert_eq!(conf.engine.image_parallel_copies, Some(3));
        assert_eq!(conf.network.pasta_options.get().unwrap(), ["-4"]);
        assert_eq!(conf.network.default_host_ips.get(), None);
    }

    #[test]
    fn the_environment_names_the_only_file_and_the_last() {
        let files = Files::new(&[
            ("etc/containers/containers.conf", "[containers]\ntz='etc'\numask='1'"),
            ("only.conf", "[containers]\ntz='only'\n"),
            ("last.conf", "[containers]\numask='2'\n"),
        ]);
        let (only, last) = (files.path("only.conf"), files.path("last.conf"));
        let conf = files.load(&[("CONTAINERS_CONF", &only), ("CONTAINERS_CONF_OVERRIDE", &last)]).unwrap();
        assert_eq!(conf.containers.tz.as_deref(), Some("only"));
        assert_eq!(conf.containers.umask.as_deref(), Some("2"));
        let missing = files.load(&[("CONTAINERS_CONF", "/no/such/file")]).unwrap_err();
        assert!(missing.to_string().contains("CONTAINERS_CONF"), "{missing:?}");
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_column() {
        for (content, place) in [
            ("[containers]\ntz = ", "line 2"),
            ("[containers]\n\npids_limit = 'many'\n", "line 3"),
            ("[containers]\nenv = [1]\n", "line 2"),
            ("[containers]\nenv = ['a', {apend=true}]\n", "line 2"),
            ("containers = 3\n", "line 1"),
            ("[network\n", "line 1"),
            ("\u{0}", "line 1"),
        ] {
            let files = Files::new(&[("etc/containers/containers.conf", content)]);
            let error = files.load(&[]).unwrap_err();
            let text = error.chain().join(": ");
            assert!(text.contains("etc/containers/containers.conf"), "{text}");
            assert!(text.contains(place), "{content:?}: {text}");
        }
    }

    #[test]
    fn unknown_keys_and_empty_files_are_nothing() {
        let files = Files::new(&[
            ("etc/containers/containers.conf", "# only a comment\n[containers]\n#tz='x'\n"),
            ("usr/share/containers/containers.conf", "[farms]\nx=1\n[containers]\nunknown={a=1}\n"),
        ]);
        assert_eq!(files.load(&[]).unwrap(), ContainersConf::default());
    }
}
