//! What a name on the command line may mean, and with which credentials and certificates it is asked for.

use super::{Options, PullPolicy, Puller};
use crate::config::auth::AuthFiles;
use crate::config::certs_d::Certificates;
use crate::config::policy::Policy;
use crate::config::registries_conf::{PullSource, ShortNameMode, ShortNames};
use crate::error::{Error, Kind, Result};
use crate::image::registry::Endpoint;
use crate::image::trust;
use crate::oci::{Digest, Named, Platform, Reference};
use crate::storage::Image;

/// Transports that podman knows beside `docker://`; their names are not names of images.
const OTHER_TRANSPORTS: [&str; 8] =
    ["containers-storage", "dir", "docker-archive", "docker-daemon", "oci", "oci-archive", "ostree", "sif"];

/// One name, resolved as far as it can be without a network.
pub(super) struct Wanted {
    /// As typed.
    pub(super) text: String,
    /// The image, where no registry need be asked.
    pub(super) settled: Option<Digest>,
    /// The image that is here and serves if the registry has no better one.
    pub(super) fallback: Option<Digest>,
    /// What it may mean, most likely first.
    pub(super) candidates: Vec<Candidate>,
}

/// A reference and the places that may have it, best first.
pub(super) struct Candidate {
    pub(super) reference: Reference,
    pub(super) endpoints: Vec<Endpoint>,
}

/// Whether a name as typed has a tag or a digest.
pub(super) fn has_version(text: &str) -> bool {
    text.contains('@') || text.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// Resolves `text` under `options`.
pub(super) fn want(puller: &Puller<'_>, text: &str, options: &Options, policy: &Policy) -> Result<Wanted> {
    let named = parse(text)?;
    let short_names = puller.registries.short_names();
    let local = local(puller, text, options, short_names)?;
    let mut wanted = Wanted { text: text.to_owned(), settled: None, fallback: None, candidates: Vec::new() };
    match (options.policy, local) {
        (PullPolicy::Missing | PullPolicy::Never, Some(image)) => {
            wanted.settled = Some(image.id);
            return Ok(wanted);
        }
        (PullPolicy::Never, None) => {
            return Err(Error::not_found(format!("{text}: image not known"))
                .hint("the pull policy `never` forbids to ask a registry"));
        }
        (PullPolicy::Newer, local) => wanted.fallback = local.map(|image| image.id),
        (PullPolicy::Always | PullPolicy::Missing, _) => {}
    }
    for reference in candidates(&named, short_names)? {
        trust::check(policy, &reference)?;
        let endpoints = endpoints(puller, &reference, options)?;
        wanted.candidates.push(Candidate { reference, endpoints });
    }
    Ok(wanted)
}

fn parse(text: &str) -> Result<Named> {
    if let Some(name) = text.strip_prefix("docker://") {
        return Ok(Named::Full(name.parse()?));
    }
    if let Some((transport, _)) = text.split_once(':')
        && OTHER_TRANSPORTS.contains(&transport)
    {
        return Err(Error::unsupported(format!("images cannot be pulled from {transport}: yet")));
    }
    text.parse()
}

/// The image of that name that is here, if it is for the wanted platform and whole.
fn local(
    puller: &Puller<'_>,
    text: &str,
    options: &Options,
    short_names: &ShortNames,
) -> Result<Option<Image>> {
    let Some(image) = puller.store.resolve(text.trim_start_matches("docker://"), short_names)? else {
        return Ok(None);
    };
    let fits = options.platform.as_ref().is_none_or(|wanted| wanted.distance(&platform_of(&image)).is_some());
    if !fits || !puller.store.damaged_layers(&image)?.is_empty() {
        return Ok(None);
    }
    Ok(Some(image))
}

/// The platform that an image says it is for.
pub(super) fn platform_of(image: &Image) -> Platform {
    let config = &image.config;
    Platform::new(&config.os, &config.architecture, &config.variant)
}

/// The references that a name may mean, in the order in which they are tried.
fn candidates(named: &Named, short_names: &ShortNames) -> Result<Vec<Reference>> {
    let short = match named {
        Named::Full(reference) => return Ok(vec![reference.clone()]),
        Named::Short(short) => short,
    };
    if let Some(full) = short_names.alias(short.path()) {
        return Ok(vec![short.completed_by(full)?]);
    }
    let search = short_names.search();
    if search.is_empty() {
        return Err(Error::new(
            Kind::NotFound,
            format!(
                "short name {short} is no alias, and registries.conf names no unqualified-search-registries"
            ),
        )
        .hint(format!("name the registry: docker.io/library/{short}")));
    }
    if short_names.mode() == ShortNameMode::Enforcing && search.len() > 1 {
        let full: Vec<String> = search.iter().map(|registry| format!("{registry}/{short}")).collect();
        return Err(Error::new(
            Kind::Denied,
            format!(
                "short name {short} is ambiguous, and registries.conf has short-name-mode = \"enforcing\""
            ),
        )
        .hint(format!("name one of {}", full.join(", "))));
    }
    search.iter().map(|registry| short.at(registry)).collect()
}

fn endpoints(puller: &Puller<'_>, reference: &Reference, options: &Options) -> Result<Vec<Endpoint>> {
    let helpers = puller.registries.credential_helpers();
    let auth = AuthFiles::new(puller.env, puller.paths, options.auth_file.as_deref(), helpers);
    let sources = puller.registries.pull_sources(&reference.name(), reference.digest().is_some())?;
    let mut endpoints = Vec::new();
    for PullSource { name, insecure } in sources {
        let relocated = reference.relocated(&name)?;
        let credentials = match &options.credentials {
            Some(given) => Some(given.clone()),
            None => auth.find(puller.env, &relocated.name())?,
        };
        let certificates =
            Certificates::load(puller.paths, relocated.registry(), options.cert_dir.as_deref())?;
        let insecure = options.tls_verify.map_or(insecure, |verify| !verify);
        endpoints.push(Endpoint { name: relocated.name(), insecure, credentials, certificates });
    }
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_transports_are_refused_by_name() {
        assert!(
            matches!(parse("docker://alpine"), Ok(Named::Full(r)) if r.canonical() == "docker.io/library/alpine:latest")
        );
        for text in ["oci:/tmp/x", "dir:/tmp/x", "docker-archive:x.tar", "containers-storage:alpine"] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), Kind::Unsupported, "{text}");
        }
        assert!(parse("ocify:1").is_ok());
    }

    #[test]
    fn versions_are_seen_where_they_are() {
        for (text, expected) in
            [("a", false), ("h:5000/a", false), ("h:5000/a:1", true), ("a@sha256:0", true)]
        {
            assert_eq!(has_version(text), expected, "{text}");
        }
    }
}
