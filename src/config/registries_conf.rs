//! registries.conf, version 2: which registries a short name is looked for in, and where a name's registry
//! really is.
//!
//! One main file (`$CONTAINERS_REGISTRIES_CONF`, else the user's, else `/etc`'s, else `/usr/share`'s), then
//! the `.conf` files of the drop-in directories of `/usr/share`, `/etc` and the user, then
//! `$CONTAINERS_REGISTRIES_CONF_OVERRIDE`. A later file replaces single settings and registries of the same
//! prefix. Source: containers-registries.conf(5), containers-registries.conf.d(5).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{Env, Paths};
use crate::error::{Context, Error, Kind, Result};

/// How names without a registry are completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShortNames {
    aliases: BTreeMap<String, String>,
    search: Vec<String>,
    mode: ShortNameMode,
}

/// What is done about a short name that several registries may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShortNameMode {
    /// podman asks; without a terminal every search registry is tried in order, as rcon always does.
    #[default]
    Permissive,
    /// Every search registry is tried in order.
    Disabled,
    /// podman asks; without a terminal, and in rcon, an ambiguous name is an error.
    Enforcing,
}

/// One place that an image may be fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSource {
    /// `registry/repository` as it is there.
    pub name: String,
    /// Whether unverified TLS and plain HTTP are good enough.
    pub insecure: bool,
}

/// What all the files say together.
#[derive(Clone, Debug, Default)]
pub struct RegistriesConf {
    short_names: ShortNames,
    registries: Vec<Registry>,
    /// Names of credential helpers, tried in order; `containers-auth.json` stands for the auth files.
    credential_helpers: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    unqualified_search_registries: Option<Vec<String>>,
    short_name_mode: Option<ShortNameMode>,
    credential_helpers: Option<Vec<String>>,
    #[serde(default, rename = "registry")]
    registries: Vec<Registry>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    /// The table of version 1.
    #[serde(rename = "registries")]
    version_1: Option<toml::Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Registry {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    mirror_by_digest_only: bool,
    #[serde(rename = "mirror")]
    mirrors: Vec<Mirror>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Mirror {
    location: String,
    insecure: bool,
    pull_from_mirror: Option<PullFromMirror>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PullFromMirror {
    All,
    DigestOnly,
    TagOnly,
}

impl ShortNames {
    /// Names completed as Docker does: from docker.io alone.
    pub fn docker() -> Self {
        Self { search: vec!["docker.io".to_owned()], ..Self::default() }
    }

    /// The full name that `path` is an alias of.
    pub fn alias(&self, path: &str) -> Option<&str> {
        self.aliases.get(path).map(String::as_str).filter(|full| !full.is_empty())
    }

    /// The registries that an unqualified name is looked for in, in order.
    pub fn search(&self) -> &[String] {
        &self.search
    }

    /// What is done about ambiguous names.
    pub fn mode(&self) -> ShortNameMode {
        self.mode
    }
}

impl RegistriesConf {
    /// Reads the files of this machine and user.
    pub fn load(env: &Env, paths: &Paths) -> Result<Self> {
        let user = paths.config_home.join("containers");
        let mut files: Vec<PathBuf> = Vec::new();
        match env.get("CONTAINERS_REGISTRIES_CONF") {
            Some(named) => files.push(PathBuf::from(named)),
            None => files.extend(
                [user.as_path(), Path::new("/etc/containers"), Path::new("/usr/share/containers")]
                    .map(|dir| dir.join("registries.conf"))
                    .into_iter()
                    .find(|file| file.exists()),
            ),
        }
        for dir in [Path::new("/usr/share/containers"), Path::new("/etc/containers"), user.as_path()] {
            files.extend(drop_ins(&dir.join("registries.conf.d")));
        }
        files.extend(env.get("CONTAINERS_REGISTRIES_CONF_OVERRIDE").map(PathBuf::from));
        let mut conf = Self::from_files(&files)?;
        let cache = env.path("XDG_CACHE_HOME").map_or_else(|| paths.home.join(".cache"), Path::to_path_buf);
        conf.add_alias_cache(&cache.join("containers/short-name-aliases.conf"))?;
        Ok(conf)
    }

    /// Reads these files, later ones over earlier ones. No file at all: Docker's rules.
    fn from_files(files: &[PathBuf]) -> Result<Self> {
        let mut conf = Self::default();
        let mut search = None;
        for path in files {
            let text = std::fs::read_to_string(path).context(|| format!("cannot read {}", path.display()))?;
            let file = parse(&text).context(|| format!("cannot parse {}", path.display()))?;
            search = file.unqualified_search_registries.or(search);
            conf.short_names.mode = file.short_name_mode.unwrap_or(conf.short_names.mode);
            conf.short_names.aliases.extend(file.aliases);
            conf.credential_helpers = file.credential_helpers.unwrap_or(conf.credential_helpers);
            for registry in file.registries {
                conf.registries.retain(|known| known.prefix != registry.prefix);
                conf.registries.push(registry);
            }
        }
        // Distributions put aliases into a drop-in without a main file beside it; only a file that names
        // search registries, or an empty list of them, decides against docker.io.
        conf.short_names.search = match search {
            Some(search) => search,
            None if files.iter().any(|file| file.ends_with("registries.conf")) => Vec::new(),
            None => ShortNames::docker().search,
        };
        Ok(conf)
    }

    /// What podman's users chose at its prompt wins over the configured aliases.
    fn add_alias_cache(&mut self, path: &Path) -> Result<()> {
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(()) };
        let file = parse(&text).context(|| format!("cannot parse {}", path.display()))?;
        self.short_names.aliases.extend(file.aliases);
        Ok(())
    }

    /// How short names are completed.
    pub fn short_names(&self) -> &ShortNames {
        &self.short_names
    }

    /// The credential helpers that `credential-helpers` lists, auth files included by their name
    /// `containers-auth.json`; empty where nothing is said.
    pub fn credential_helpers(&self) -> &[String] {
        &self.credential_helpers
    }

    /// Where `name` (`registry/repository`) may be fetched from, best first: mirrors, then its own place.
    pub fn pull_sources(&self, name: &str, by_digest: bool) -> Result<Vec<PullSource>> {
        let Some((length, registry)) = self.matching(name) else {
            return Ok(vec![PullSource { name: name.to_owned(), insecure: false }]);
        };
        if registry.blocked {
            return Err(Error::new(
                Kind::Denied,
                format!("registry {} is blocked by registries.conf", registry.prefix),
            ));
        }
        let at = |location: &str| match location {
            "" => name.to_owned(),
            location => format!("{location}{}", &name[length..]),
        };
        let serves = |mirror: &&Mirror| match mirror.pull_from_mirror {
            Some(PullFromMirror::DigestOnly) => by_digest,
            Some(PullFromMirror::TagOnly) => !by_digest,
            Some(PullFromMirror::All) => true,
            None => by_digest || !registry.mirror_by_digest_only,
        };
        let mirrors = registry.mirrors.iter().filter(serves);
        let mut sources: Vec<PullSource> = mirrors
            .map(|mirror| PullSource { name: at(&mirror.location), insecure: mirror.insecure })
            .collect();
        sources.push(PullSource { name: at(&registry.location), insecure: registry.insecure });
        Ok(sources)
    }

    /// The registry with the longest prefix that `name` has, and the length of what it replaces.
    fn matching(&self, name: &str) -> Option<(usize, &Registry)> {
        self.registries
            .iter()
            .filter_map(|registry| Some((matching_length(name, &registry.prefix)?, registry)))
            .max_by_key(|(_, registry)| registry.prefix.len())
    }
}

/// The length of what `prefix` covers of `name`: `quay.io/org` covers itself and what lies below it,
/// `*.example.com` every host below example.com.
fn matching_length(name: &str, prefix: &str) -> Option<usize> {
    let length = match prefix.strip_prefix('*') {
        Some(suffix) => {
            let at = name.find(suffix)?;
            if name[..at].contains('/') {
                return None;
            }
            at + suffix.len()
        }
        None => name.starts_with(prefix).then_some(prefix.len())?,
    };
    matches!(name.as_bytes().get(length), None | Some(b':' | b'/' | b'@')).then_some(length)
}

/// The `.conf` files of a directory by name; none where there is no such directory.
fn drop_ins(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    files.sort();
    files
}

fn parse(text: &str) -> Result<File> {
    let mut file: File = toml::from_str(text)
        .map_err(|error| Error::invalid(error.to_string().trim_end().replace('\n', " ")))?;
    if file.version_1.is_some() {
        return Err(Error::unsupported("this is version 1 of registries.conf").hint(
            "name the registries in unqualified-search-registries and [[registry]] tables (version 2)",
        ));
    }
    for registry in &mut file.registries {
        check(registry)?;
    }
    for entry in file.unqualified_search_registries.iter().flatten() {
        check_location(entry)?;
    }
    Ok(file)
}

/// Fills in the prefix and refuses what podman refuses.
fn check(registry: &mut Registry) -> Result<()> {
    if registry.prefix.is_empty() {
        registry.prefix.clone_from(&registry.location);
    }
    registry.prefix.truncate(registry.prefix.trim_end_matches('/').len());
    registry.location.truncate(registry.location.trim_end_matches('/').len());
    let prefix = &registry.prefix;
    if prefix.is_empty() {
        return Err(Error::invalid("a [[registry]] has neither prefix nor location"));
    }
    if registry.location.is_empty() && !prefix.starts_with("*.") {
        return Err(Error::invalid(format!("registry {prefix} has no location")));
    }
    check_location(&registry.location)?;
    for mirror in &mut registry.mirrors {
        mirror.location.truncate(mirror.location.trim_end_matches('/').len());
        if mirror.location.is_empty() {
            return Err(Error::invalid(format!("a mirror of registry {prefix} has no location")));
        }
        if registry.mirror_by_digest_only && mirror.pull_from_mirror.is_some() {
            return Err(Error::invalid(format!(
                "registry {prefix} sets mirror-by-digest-only and a mirror's pull-from-mirror"
            )));
        }
        check_location(&mirror.location)?;
    }
    Ok(())
}

fn check_location(location: &str) -> Result<()> {
    if location.contains("://") {
        return Err(Error::invalid(format!("location {location} is a URL; write it without the scheme")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(texts: &[&str]) -> Result<RegistriesConf> {
        let dir = tempfile::tempdir().unwrap();
        let write = |(number, text): (usize, &&str)| {
            let name = if number == 0 { "registries.conf".into() } else { format!("{number}.conf") };
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        RegistriesConf::from_files(&texts.iter().enumerate().map(write).collect::<Vec<_>>())
    }

    fn names(conf: &RegistriesConf, name: &str, by_digest: bool) -> Vec<String> {
        let sources = conf.pull_sources(name, by_digest).unwrap();
        sources
            .into_iter()
            .map(|s| format!("{}{}", s.name, if s.insecure { " insecure" } else { "" }))
            .collect()
    }

    #[test]
    fn the_longest_prefix_is_rewritten() {
        let conf = conf(&[r#"
            [[registry]]
            prefix = "docker.io"
            location = "localhost:5000"
            insecure = true
            [[registry]]
            prefix = "docker.io/library/special"
            location = "quay.io/other"
            [[registry]]
            prefix = "*.example.com"
            location = "cache.local/all/"
            [[registry]]
            prefix = "*.bare.org"
            insecure = true
        "#])
        .unwrap();
        assert_eq!(
            names(&conf, "docker.io/library/alpine", false),
            ["localhost:5000/library/alpine insecure"]
        );
        assert_eq!(names(&conf, "docker.io/library/special", false), ["quay.io/other"]);
        assert_eq!(
            names(&conf, "docker.io/library/specialist", false)[0],
            "localhost:5000/library/specialist insecure"
        );
        assert_eq!(names(&conf, "docker.iox/library/alpine", false), ["docker.iox/library/alpine"]);
        assert_eq!(names(&conf, "a.b.example.com/x/y", false), ["cache.local/all/x/y"]);
        assert_eq!(names(&conf, "quay.io/a.example.com/x", false), ["quay.io/a.example.com/x"]);
        assert_eq!(names(&conf, "h.bare.org:5000/x", false), ["h.bare.org:5000/x insecure"]);
    }

    #[test]
    fn mirrors_come_first_where_they_serve_the_kind_of_reference() {
        let conf = conf(&[r#"
            [[registry]]
            location = "a.io"
            [[registry.mirror]]
            location = "digests.local/a"
            pull-from-mirror = "digest-only"
            [[registry.mirror]]
            location = "tags.local"
            pull-from-mirror = "tag-only"
            insecure = true
            [[registry]]
            location = "b.io"
            mirror-by-digest-only = true
            [[registry.mirror]]
            location = "m.local"
        "#])
        .unwrap();
        assert_eq!(names(&conf, "a.io/x", true), ["digests.local/a/x", "a.io/x"]);
        assert_eq!(names(&conf, "a.io/x", false), ["tags.local/x insecure", "a.io/x"]);
        assert_eq!(names(&conf, "b.io/x", false), ["b.io/x"]);
        assert_eq!(names(&conf, "b.io/x", true), ["m.local/x", "b.io/x"]);
    }

    #[test]
    fn later_files_replace_settings_and_add_aliases() {
        let conf = conf(&[
            "unqualified-search-registries = ['a.io', 'b.io']\nshort-name-mode = 'enforcing'\n[aliases]\nx = 'a.io/x'\ny = 'a.io/y'",
            "unqualified-search-registries = ['c.io']\n[aliases]\nx = 'c.io/x'\ny = ''\n[[registry]]\nlocation = 'c.io'\nblocked = true",
        ])
        .unwrap();
        let short = conf.short_names();
        assert_eq!(short.search(), ["c.io"]);
        assert_eq!((short.alias("x"), short.alias("y"), short.alias("z")), (Some("c.io/x"), None, None));
        assert_eq!(short.mode(), ShortNameMode::Enforcing);
        assert_eq!(conf.pull_sources("c.io/x", false).unwrap_err().kind(), Kind::Denied);
    }

    #[test]
    fn without_a_file_names_are_docker_s_and_an_empty_file_has_none() {
        assert_eq!(conf(&[]).unwrap().short_names().search(), ["docker.io"]);
        assert!(conf(&["# nothing"]).unwrap().short_names().search().is_empty());
        let aliases_only = RegistriesConf::from_files(&[]).unwrap();
        assert_eq!(aliases_only.short_names().search(), ["docker.io"]);
    }

    #[test]
    fn what_podman_refuses_is_refused() {
        for text in [
            "[registries.search]\nregistries = ['a']",
            "[[registry]]\ninsecure = true",
            "[[registry]]\nprefix = 'a.io'",
            "[[registry]]\nlocation = 'https://a.io'",
            "[[registry]]\nlocation = 'a.io'\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = 'b'\npull-from-mirror = 'all'",
            "[[registry]]\nlocation = 'a.io'\n[[registry.mirror]]\ninsecure = true",
            "short-name-mode = 'never'",
        ] {
            assert!(conf(&[text]).is_err(), "{text}");
        }
    }
}
