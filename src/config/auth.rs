//! Credentials for registries: podman's auth.json, Docker's config.json, and credential helpers.
//!
//! Keys are a registry (`quay.io`) or a registry with a path (`quay.io/org`); the longest that fits wins.
//! Helpers are programs `docker-credential-NAME` that speak JSON on stdin and stdout; they run with the
//! caller's environment and must be asked before a user namespace is entered.
//! Source: containers-auth.json(5), docker/docker-credential-helpers.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use serde::Deserialize;

use crate::config::{Env, Paths};
use crate::error::{Context, Error, Result};
use crate::sys::atomic;

/// What proves who we are. Its `Debug` form keeps the secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// An OAuth2 refresh token.
    IdentityToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { user, .. } => write!(f, "Basic({user}:…)"),
            Self::IdentityToken(_) => f.write_str("IdentityToken(…)"),
        }
    }
}

impl Credentials {
    /// Reads `USER:PASSWORD`.
    pub fn from_option(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some((user, password)) if !user.is_empty() => {
                Ok(Self::Basic { user: user.to_owned(), password: password.to_owned() })
            }
            _ => Err(Error::usage("credentials are not of the form USER:PASSWORD")),
        }
    }
}

/// The places where credentials may lie, in order. They are read when they are asked for.
#[derive(Clone, Debug)]
pub struct AuthFiles {
    files: Vec<PathBuf>,
    /// A file that was asked for by name must exist.
    named: bool,
    helpers: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

impl AuthFiles {
    /// `named` (`--authfile`) or `$REGISTRY_AUTH_FILE` alone, else the usual places. `helpers` are the
    /// `credential-helpers` of registries.conf.
    pub fn new(env: &Env, paths: &Paths, named: Option<&Path>, helpers: &[String]) -> Self {
        let helpers = helpers.to_vec();
        let named = named.map(Path::to_path_buf).or_else(|| env.get("REGISTRY_AUTH_FILE").map(PathBuf::from));
        if let Some(file) = named {
            return Self { files: vec![file], named: true, helpers };
        }
        let runtime = env
            .path("XDG_RUNTIME_DIR")
            .map_or_else(|| PathBuf::from(format!("/run/user/{}", env.uid())), Path::to_path_buf);
        let docker = env.path("DOCKER_CONFIG").map_or_else(|| paths.home.join(".docker"), Path::to_path_buf);
        let files = vec![
            runtime.join("containers/auth.json"),
            paths.config_home.join("containers/auth.json"),
            docker.join("config.json"),
            paths.home.join(".dockercfg"),
        ];
        Self { files, named: false, helpers }
    }

    /// The credentials for `name` (`registry/repository`), from the first place that has any.
    pub fn find(&self, env: &Env, name: &str) -> Result<Option<Credentials>> {
        let in_files = ["containers-auth.json".to_owned()];
        let helpers = if self.helpers.is_empty() { &in_files[..] } else { &self.helpers };
        for helper in helpers {
            let found = if helper == "containers-auth.json" {
                self.find_in_files(env, name)?
            } else {
                ask_helper(env, helper, server_of(name))?
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn find_in_files(&self, env: &Env, name: &str) -> Result<Option<Credentials>> {
        for path in &self.files {
            let Some(bytes) = atomic::read_optional(path)? else {
                if self.named {
                    return Err(Error::not_found(format!("auth file {} does not exist", path.display())));
                }
                continue;
            };
            let found = File::parse(&bytes, path.ends_with(".dockercfg"))
                .and_then(|file| file.find(env, name))
                .context(|| format!("cannot take credentials from {}", path.display()))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

impl File {
    fn parse(bytes: &[u8], is_legacy: bool) -> Result<Self> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let parsed = if is_legacy {
            serde_json::from_slice(bytes).map(|auths| Self { auths, ..Self::default() })
        } else {
            serde_json::from_slice(bytes)
        };
        // The text of a parse error quotes the file, which holds secrets: only its place is told.
        parsed.map_err(|error| {
            Error::invalid(format!("malformed JSON at line {}, column {}", error.line(), error.column()))
        })
    }

    fn find(&self, env: &Env, name: &str) -> Result<Option<Credentials>> {
        for key in keys_of(name) {
            if let Some(helper) = self.cred_helpers.get(key)
                && let Some(found) = ask_helper(env, helper, key)?
            {
                return Ok(Some(found));
            }
            if let Some(entry) = self.auths.get(key)
                && let Some(found) = entry.credentials(key)?
            {
                return Ok(Some(found));
            }
        }
        // Docker's keys are URLs (https://index.docker.io/v1/).
        let registry = normal_registry(server_of(name));
        let by_url =
            |(key, _): &(&String, &Entry)| normal_registry(host_of_url(key)) == registry && !is_path(key);
        if let Some((key, entry)) = self.auths.iter().find(by_url)
            && let Some(found) = entry.credentials(key)?
        {
            return Ok(Some(found));
        }
        if self.creds_store.is_empty() {
            return Ok(None);
        }
        let server =
            if registry == "index.docker.io" { "https://index.docker.io/v1/" } else { server_of(name) };
        ask_helper(env, &self.creds_store, server)
    }
}

impl Entry {
    fn credentials(&self, key: &str) -> Result<Option<Credentials>> {
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credentials::IdentityToken(self.identitytoken.clone())));
        }
        if self.auth.is_empty() {
            let Entry { username, password, .. } = self;
            let basic = Credentials::Basic { user: username.clone(), password: password.clone() };
            return Ok((!username.is_empty()).then_some(basic));
        }
        let decoded = base64::engine::general_purpose::STANDARD.decode(&self.auth).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = text.as_deref().and_then(|text| text.split_once(':'));
        let (user, password) =
            pair.ok_or_else(|| Error::invalid(format!("the credentials for {key} are malformed")))?;
        let password = password.trim_end_matches('\0').to_owned();
        Ok(Some(Credentials::Basic { user: user.to_owned(), password }))
    }
}

/// `a.io/b/c`, `a.io/b`, `a.io`.
fn keys_of(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |key| key.rsplit_once('/').map(|(parent, _)| parent))
}

fn server_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

fn host_of_url(key: &str) -> &str {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    server_of(rest)
}

/// Whether a key is podman's form with a path, which means that path and nothing beside it.
fn is_path(key: &str) -> bool {
    !key.contains("://") && key.contains('/') && !key.ends_with("/v1/") && !key.ends_with("/v2/")
}

fn normal_registry(host: &str) -> &str {
    if matches!(host, "docker.io" | "registry-1.docker.io") { "index.docker.io" } else { host }
}

/// Asks `docker-credential-NAME get` about a server. That it knows nothing is no failure.
fn ask_helper(env: &Env, name: &str, server: &str) -> Result<Option<Credentials>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        #[serde(default)]
        username: String,
        #[serde(default)]
        secret: String,
    }
    let program = format!("docker-credential-{name}");
    if name.contains('/') {
        return Err(Error::invalid(format!("{name:?} does not name a credential helper")));
    }
    let path = env.find_program(&program).ok_or_else(|| {
        Error::not_found(format!("credential helper {program} is not installed"))
            .hint(format!("install {program}, or give --creds or --authfile"))
    })?;
    let mut child = Command::new(path)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context(|| format!("cannot start {program}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input says why in its output.
        let _ = stdin.write_all(server.as_bytes());
    }
    let output = child.wait_with_output().context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(Error::new(crate::error::Kind::Denied, format!("{program} failed for {server}: {said}")));
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| Error::invalid(format!("{program} did not answer with JSON")))?;
    Ok(match (answer.username.as_str(), answer.secret) {
        ("", _) => None,
        ("<token>", token) => Some(Credentials::IdentityToken(token)),
        (user, password) => Some(Credentials::Basic { user: user.to_owned(), password }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(json: &str, name: &str) -> Option<String> {
        let file = File::parse(json.as_bytes(), false).unwrap();
        match file.find(&Env::from_pairs([("PATH", "/nowhere")]), name).unwrap()? {
            Credentials::Basic { user, password } => Some(format!("{user}:{password}")),
            Credentials::IdentityToken(token) => Some(token),
        }
    }

    #[test]
    fn the_longest_key_wins_and_a_path_means_that_path() {
        // a:1, b:2, c:3
        let json = r#"{"auths":{"q.io":{"auth":"YTox"},"q.io/org":{"auth":"Yjoy"},"q.io/org/r":{"auth":"Yzoz"},
            "p.io/org":{"auth":"YTox"}}}"#;
        assert_eq!(find(json, "q.io/x").unwrap(), "a:1");
        assert_eq!(find(json, "q.io/org/x").unwrap(), "b:2");
        assert_eq!(find(json, "q.io/org/r").unwrap(), "c:3");
        assert_eq!(find(json, "q.io/org/rr").unwrap(), "b:2");
        assert_eq!(find(json, "p.io/other"), None);
    }

    #[test]
    fn docker_s_keys_and_tokens_are_understood() {
        let json = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YTox"},"http://h:5000":{"identitytoken":"t"}}}"#;
        assert_eq!(find(json, "docker.io/library/alpine").unwrap(), "a:1");
        assert_eq!(find(json, "h:5000/x").unwrap(), "t");
        assert_eq!(find(json, "h/x"), None);
        assert_eq!(find("", "h/x"), None);
        assert!(!format!("{:?}", Credentials::from_option("u:secret").unwrap()).contains("secret"));
    }

    #[test]
    fn a_helper_is_asked_and_its_ignorance_is_no_failure() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("docker-credential-test");
        let script = "#!/bin/sh\nread -r server\ncase $server in\n\
            good.io) echo '{\"ServerURL\":\"good.io\",\"Username\":\"u\",\"Secret\":\"p\"}';;\n\
            token.io) echo '{\"Username\":\"<token>\",\"Secret\":\"t\"}';;\n\
            *) echo 'credentials not found in native keychain'; exit 1;;\nesac\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let env = Env::from_pairs([("PATH", dir.path())]);
        let file = File::parse(br#"{"credHelpers":{"good.io":"test"},"credsStore":"test"}"#, false).unwrap();
        let basic = Credentials::from_option("u:p").unwrap();
        assert_eq!(file.find(&env, "good.io/x").unwrap(), Some(basic));
        assert_eq!(file.find(&env, "token.io/x").unwrap(), Some(Credentials::IdentityToken("t".to_owned())));
        assert_eq!(file.find(&env, "other.io/x").unwrap(), None);
        let missing = File::parse(br#"{"credsStore":"absent-one"}"#, false).unwrap();
        assert!(
            missing.find(&env, "x.io/y").unwrap_err().to_string().contains("docker-credential-absent-one")
        );
    }
}
