//! The environment of the first process.
//!
//! Later wins: containers.conf (or PATH alone), `container` and TERM, the caller's proxies, the image,
//! `--env-file` and `--env`; HOME and HOSTNAME are set where nothing else set them.

use super::{Inputs, systemd};
use crate::error::{Error, Result};
use crate::spec::request::Request;

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What `--http-proxy` passes on.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
];

/// Variables in the order in which they were first set.
#[derive(Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    fn set_missing(&mut self, name: &str, value: &str) {
        if !self.0.iter().any(|(known, _)| known == name) {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// `NAME=VALUE` each, as execve(2) takes them.
pub(super) fn environment(request: &Request, inputs: &Inputs<'_>, hostname: &str) -> Result<Vec<String>> {
    let asked = &request.process;
    let mut variables = Variables::default();
    if !asked.unset_all_env {
        defaults(&mut variables, request, inputs)?;
    }
    variables.0.retain(|(name, _)| !asked.unset_env.contains(name));
    for variable in &asked.env {
        variables.set(&variable.name, &variable.value);
    }
    let home = inputs.user.home().to_string_lossy();
    variables.set_missing("HOME", &home);
    variables.set_missing("HOSTNAME", hostname);
    Ok(variables.0.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
}

/// What nobody asked for on the command line.
fn defaults(variables: &mut Variables, request: &Request, inputs: &Inputs<'_>) -> Result<()> {
    variables.set("PATH", DEFAULT_PATH);
    for variable in &inputs.settings.env {
        variables.set(&variable.name, &variable.value);
    }
    variables.set("container", "rcon");
    if systemd::wanted(request, inputs.image) {
        variables.set("container_uuid", inputs.id.get(..32).unwrap_or(inputs.id));
    }
    if request.process.tty {
        variables.set("TERM", "xterm");
    }
    if request.process.http_proxy.or(inputs.settings.http_proxy).unwrap_or(true) {
        for name in PROXIES {
            if let Some(value) = (inputs.caller_env)(name) {
                variables.set(name, &value);
            }
        }
    }
    for text in inputs.image.iter().flat_map(|image| &image.config.env) {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        if name.is_empty() || text.contains('\0') {
            return Err(Error::invalid(format!("the image's Env holds {text:?}")));
        }
        variables.set(name, value);
    }
    Ok(())
}
