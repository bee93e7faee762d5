//! policy.json: which images may be taken in at all.
//!
//! `insecureAcceptAnything` and `reject` are honoured for every scope. Requirements that want a signature
//! are refused by name: an image that they cover is never taken in unchecked. Where there is no policy file
//! every image is accepted: a machine that nobody set up has no one to ask.
//! Source: containers-policy.json(5).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::Paths;
use crate::error::{Context, Error, Kind, Result};
use crate::sys::atomic;

/// A policy, read.
#[derive(Clone, Debug, Default)]
pub struct Policy(Option<(PathBuf, File)>);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Vec<Requirement>,
    #[serde(default)]
    transports: BTreeMap<String, BTreeMap<String, Vec<Requirement>>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Requirement {
    #[serde(rename = "type")]
    kind: String,
}

impl Policy {
    /// Reads the user's file, else `/etc`'s, else `/usr/share`'s.
    pub fn load(paths: &Paths) -> Result<Self> {
        let user = paths.config_home.join("containers");
        for dir in [user.as_path(), Path::new("/etc/containers"), Path::new("/usr/share/containers")] {
            let path = dir.join("policy.json");
            if let Some(bytes) = atomic::read_optional(&path)? {
                return Self::parse(&bytes, path);
            }
        }
        Ok(Self::default())
    }

    fn parse(bytes: &[u8], path: PathBuf) -> Result<Self> {
        let file: File =
            serde_json::from_slice(bytes).context(|| format!("cannot parse {}", path.display()))?;
        let scopes = file.transports.values().flat_map(BTreeMap::values);
        if scopes.chain([&file.default]).any(Vec::is_empty) {
            return Err(Error::invalid(format!("{} has a scope without requirements", path.display())));
        }
        Ok(Self(Some((path, file))))
    }

    /// Whether the image that a registry serves as `name` (`registry/repository`) in `version` (`:tag` or
    /// `@digest`) may be taken in.
    pub fn check(&self, name: &str, version: &str) -> Result<()> {
        let Some((path, file)) = &self.0 else { return Ok(()) };
        for requirement in file.requirements(name, version) {
            let why = match requirement.kind.as_str() {
                "insecureAcceptAnything" => continue,
                "reject" => "the policy rejects it".to_owned(),
                kind @ ("signedBy" | "signedBaseLayer" | "sigstoreSigned") => {
                    format!("the policy wants {kind}, and signatures cannot be verified yet")
                }
                kind => format!("the policy has an unknown requirement {kind:?}"),
            };
            return Err(Error::new(Kind::Denied, format!("{name}{version} is not accepted: {why}"))
                .hint(format!("the policy is {}", path.display())));
        }
        Ok(())
    }
}

impl File {
    /// The most specific scope decides alone: reference, repository, its parents, the registry, wildcards
    /// of the registry's parents, the transport's default, the default.
    fn requirements(&self, name: &str, version: &str) -> &[Requirement] {
        let Some(scopes) = self.transports.get("docker") else { return &self.default };
        if let Some(found) = scopes.get(&format!("{name}{version}")) {
            return found;
        }
        let mut scope = name;
        loop {
            if let Some(found) = scopes.get(scope) {
                return found;
            }
            let Some((parent, _)) = scope.rsplit_once('/') else { break };
            scope = parent;
        }
        while let Some((_, parent)) = scope.split_once('.') {
            if let Some(found) = scopes.get(&format!("*.{parent}")) {
                return found;
            }
            scope = parent;
        }
        scopes.get("").unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Result<Policy> {
        Policy::parse(text.as_bytes(), PathBuf::from("/p"))
    }

    #[test]
    fn the_most_specific_scope_decides() {
        let policy = policy(
            r#"{"default":[{"type":"reject"}],"transports":{"docker":{
                "docker.io/library":[{"type":"insecureAcceptAnything"}],
                "docker.io/library/bad":[{"type":"reject"}],
                "docker.io/library/bad:good":[{"type":"insecureAcceptAnything"}],
                "*.example.com":[{"type":"insecureAcceptAnything"}],
                "quay.io":[{"type":"signedBy","keyType":"GPGKeys"}]}}}"#,
        )
        .unwrap();
        let accepted = |name: &str, version: &str| policy.check(name, version).is_ok();
        assert!(accepted("docker.io/library/alpine", ":latest"));
        assert!(!accepted("docker.io/library/bad", ":latest"));
        assert!(accepted("docker.io/library/bad", ":good"));
        assert!(!accepted("docker.io/other", ":latest"));
        assert!(accepted("a.b.example.com/x", ":1"));
        assert!(!accepted("example.com/x", ":1"));
        let error = policy.check("quay.io/x", ":1").unwrap_err();
        assert!(error.to_string().contains("signedBy"), "{error}");
    }

    #[test]
    fn no_file_accepts_and_a_broken_one_does_not() {
        Policy::default().check("x/y", ":z").unwrap();
        assert!(policy("{}").is_err());
        assert!(policy(r#"{"default":[]}"#).is_err());
        assert!(policy(r#"{"default":[{"type":"later"}]}"#).unwrap().check("x/y", ":z").is_err());
    }
}
