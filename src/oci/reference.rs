//! Names of images, as Docker's grammar defines them.
//!
//! ```text
//! [registry[:port]/]path[/path…][:tag][@algorithm:digest]
//! ```
//!
//! A name is *short* when its first component is not a registry: it has no dot, no colon, and is not
//! `localhost`. Who reads a short name decides where it points to: [`Short::docker`] as Docker does,
//! [`Short::at`] as a list of search registries says.
//! Source: github.com/distribution/reference, `reference.go`, `normalize.go`.

use std::fmt;
use std::str::FromStr;

use super::Digest;
use crate::error::{Error, Result};

/// The registry that Docker's short names mean.
const DOCKER: &str = "docker.io";

/// A full reference: registry, repository, and a tag or a digest (a tag beside a digest is dropped, as podman
/// does).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    version: Version,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Version {
    Tag(String),
    Digest(Digest),
}

/// A name as a person typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// It names its registry.
    Full(Reference),
    /// It leaves the registry to be found.
    Short(Short),
}

/// A name without a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    path: String,
    version: Version,
}

impl Reference {
    /// `docker.io`, `localhost:5000`, `[::1]:5000`, …
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// `library/alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// `docker.io/library/alpine`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The tag, unless it is a reference by digest.
    pub fn tag(&self) -> Option<&str> {
        match &self.version {
            Version::Tag(tag) => Some(tag),
            Version::Digest(_) => None,
        }
    }

    /// The digest, if it is a reference by digest.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.version {
            Version::Digest(digest) => Some(digest),
            Version::Tag(_) => None,
        }
    }

    /// The tag or the digest: what stands at the end of a manifest's URL.
    pub fn version(&self) -> &str {
        match &self.version {
            Version::Tag(tag) => tag,
            Version::Digest(digest) => digest.as_str(),
        }
    }

    /// The whole name: `docker.io/library/alpine:latest`, `docker.io/library/alpine@sha256:…`.
    pub fn canonical(&self) -> String {
        let separator = if self.digest().is_some() { '@' } else { ':' };
        format!("{}{separator}{}", self.name(), self.version())
    }

    /// The name as Docker shows it: `alpine:latest`, `user/thing:1`, `quay.io/x/y:1`.
    pub fn familiar(&self) -> String {
        let canonical = self.canonical();
        let short = canonical.strip_prefix("docker.io/").unwrap_or(&canonical);
        short.strip_prefix("library/").filter(|rest| !rest.contains('/')).unwrap_or(short).to_owned()
    }

    /// The same repository at another tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self> {
        check_tag(tag, tag)?;
        Ok(Self { version: Version::Tag(tag.to_owned()), ..self.clone() })
    }

    /// The same repository at a digest.
    #[must_use]
    pub fn with_digest(&self, digest: &Digest) -> Self {
        Self { version: Version::Digest(digest.clone()), ..self.clone() }
    }

    /// The same version of the repository `name` (`registry/path`), as a mirror or an alias rewrites it.
    pub fn relocated(&self, name: &str) -> Result<Self> {
        full(name, self.version.clone(), name)
    }
}

impl Short {
    /// The name without tag and digest.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The reference under `registry`, which may carry a path of its own (`quay.io/org`).
    pub fn at(&self, registry: &str) -> Result<Reference> {
        let name = format!("{registry}/{}", self.path);
        full(&name, self.version.clone(), &name)
    }

    /// The reference that Docker means by it.
    pub fn docker(&self) -> Result<Reference> {
        self.at(DOCKER)
    }

    /// The reference that an alias stands for, at this name's tag or digest. An alias that has a tag or a
    /// digest of its own keeps it only where the short name had none to say.
    pub fn completed_by(&self, alias: &str) -> Result<Reference> {
        let (name, _) = split_version(alias)?;
        full(name, self.version.clone(), alias)
    }
}

impl FromStr for Named {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, version) = split_version(text)?;
        if name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(malformed(text, "64 hexadecimal digits are an image id, not a name"));
        }
        if has_registry(name) {
            return Ok(Self::Full(full(name, version, text)?));
        }
        check_path(name, text)?;
        Ok(Self::Short(Short { path: name.to_owned(), version }))
    }
}

/// A full name, or a short one as Docker reads it.
impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.parse()? {
            Named::Full(reference) => Ok(reference),
            Named::Short(short) => short.docker(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Version::Tag(tag) => write!(f, "{}:{tag}", self.path),
            Version::Digest(digest) => write!(f, "{}@{digest}", self.path),
        }
    }
}

fn malformed(text: &str, why: &str) -> Error {
    Error::usage(format!("invalid reference {text:?}: {why}"))
}

/// Splits the tag and the digest off. Neither means the tag `latest`.
fn split_version(text: &str) -> Result<(&str, Version)> {
    let (rest, digest) = match text.split_once('@') {
        None => (text, None),
        Some((rest, digest)) => {
            let digest =
                digest.parse().map_err(|_| malformed(text, "the digest is not sha256:… or sha512:…"))?;
            (rest, Some(Version::Digest(digest)))
        }
    };
    let (name, tag) = match rest.rsplit_once(':') {
        // A colon before the last slash belongs to the port.
        Some((name, tag)) if !tag.contains('/') => {
            check_tag(tag, text)?;
            (name, tag)
        }
        _ => (rest, "latest"),
    };
    Ok((name, digest.unwrap_or_else(|| Version::Tag(tag.to_owned()))))
}

/// Whether the first component of `name` is a registry.
fn has_registry(name: &str) -> bool {
    name.split_once('/').is_some_and(|(first, _)| {
        first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase())
    })
}

/// `registry/path` with Docker's two special cases: `index.docker.io`, and `library/` for a bare name.
fn full(name: &str, version: Version, text: &str) -> Result<Reference> {
    let (registry, path) = name.split_once('/').ok_or_else(|| malformed(text, "it names no registry"))?;
    let registry = if registry == "index.docker.io" { DOCKER } else { registry };
    check_registry(registry, text)?;
    check_path(path, text)?;
    let repository = match registry {
        DOCKER if !path.contains('/') => format!("library/{path}"),
        _ => path.to_owned(),
    };
    Ok(Reference { registry: registry.to_owned(), repository, version })
}

fn check_tag(tag: &str, text: &str) -> Result<()> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let good = tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-');
    if good { Ok(()) } else { Err(malformed(text, "the tag is malformed")) }
}

fn check_registry(registry: &str, text: &str) -> Result<()> {
    let (host, port) = match registry.rfind(':').filter(|at| !registry[*at..].contains(']')) {
        Some(at) => (&registry[..at], Some(&registry[at + 1..])),
        None => (registry, None),
    };
    let good_port =
        port.is_none_or(|port| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit()));
    let good_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok()),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        }),
    };
    if good_host && good_port { Ok(()) } else { Err(malformed(text, "the registry is malformed")) }
}

/// Path components: lower-case letters and digits, separated by one of `.`, `_`, `__` or any number of `-`.
fn check_path(path: &str, text: &str) -> Result<()> {
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(malformed(text, "the repository name must be lower-case"));
    }
    if path.is_empty() || path.len() > 255 || !path.split('/').all(good_component) {
        return Err(malformed(text, "the repository name is malformed"));
    }
    Ok(())
}

fn good_component(component: &str) -> bool {
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(alphanumeric) || !bytes.last().is_some_and(alphanumeric) {
        return false;
    }
    bytes.split(alphanumeric).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn references_are_read_as_docker_reads_them() {
        let long = format!("x/y:1@{DIGEST}");
        let table: &[(&str, &str, &str)] = &[
            ("alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"),
            ("user/thing", "docker.io/user/thing:latest", "user/thing:latest"),
            ("docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
            ("localhost:5000/x/y", "localhost:5000/x/y:latest", "localhost:5000/x/y:latest"),
            ("127.0.0.1:5000/x:t", "127.0.0.1:5000/x:t", "127.0.0.1:5000/x:t"),
            ("[::1]:5000/x:t", "[::1]:5000/x:t", "[::1]:5000/x:t"),
            (
                "quay.io/a/b_c/d-e--f.g__h",
                "quay.io/a/b_c/d-e--f.g__h:latest",
                "quay.io/a/b_c/d-e--f.g__h:latest",
            ),
            ("UPPER/x", "UPPER/x:latest", "UPPER/x:latest"),
            (&long, &format!("docker.io/x/y@{DIGEST}"), &format!("x/y@{DIGEST}")),
        ];
        for (text, canonical, familiar) in table {
            let reference: Reference = text.parse().unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!(reference.canonical(), *canonical, "{text}");
            assert_eq!(reference.familiar(), *familiar, "{text}");
            assert_eq!(canonical.parse::<Reference>().unwrap(), reference, "canonical form reads back");
        }
    }

    #[test]
    fn malformed_references_are_refused() {
        let hex = "a".repeat(64);
        let long = "a/".repeat(200);
        for text in [
            "",
            ":",
            "@",
            "Alpine",
            "docker.io/Alpine",
            "a//b",
            "/a",
            "a/",
            "a:",
            "a:b:c",
            "a@sha256:12",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "a:-x",
            "a b",
            "a\n",
            "é",
            "../x",
            "localhost:99999/x",
            "[::g]/x",
            "x.y-/z",
            "docker.io/",
            "a@md5:d41d8cd98f00b204e9800998ecf8427e",
            &hex,
            &long,
        ] {
            assert!(text.parse::<Named>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn short_names_know_that_they_are_short() {
        for short in ["alpine", "user/thing:1"] {
            assert!(matches!(short.parse().unwrap(), Named::Short(_)), "{short}");
        }
        for full in ["localhost/x", "a.b/c", "a:1/c", "docker.io/x"] {
            assert!(matches!(full.parse().unwrap(), Named::Full(_)), "{full}");
        }
        let Named::Short(short) = "fedora:40".parse().unwrap() else { panic!() };
        assert_eq!(short.at("quay.io/org").unwrap().canonical(), "quay.io/org/fedora:40");
        assert_eq!(
            short.completed_by("registry.fedoraproject.org/fedora").unwrap().canonical(),
            "registry.fedoraproject.org/fedora:40"
        );
    }
}
