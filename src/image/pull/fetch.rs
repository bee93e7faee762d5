//! The part of a pull that talks: manifest, platform, configuration; then layers and records.

use super::commit::{self, Complete};
use super::layers::{self, LayerPlan};
use super::resolve::{Candidate, Wanted, platform_of};
use super::{Options, PullPolicy};
use crate::error::{Context, Error, Kind, Result};
use crate::image::Progress;
use crate::image::registry::{Fetched, Proxies, Registry};
use crate::oci::{
    Descriptor, Digest, Document, Hasher, ImageConfig, Index, Manifest, MediaType, Platform, Reference,
};
use crate::storage::{Image, Parts, Store, chain_ids};

/// The most bytes that a configuration may have.
const CONFIG_LIMIT: u64 = 8 << 20;
/// The most bytes that a manifest may have.
const MANIFEST_LIMIT: u64 = 4 << 20;

/// What the child knows.
pub(super) struct Job<'a> {
    pub(super) store: &'a Store,
    pub(super) options: &'a Options,
    pub(super) proxies: Proxies,
    /// Only one id is mapped: owners are recorded, not set.
    pub(super) single: bool,
    pub(super) parallel: usize,
    /// The image is here and damaged: its manifest is not asked for again.
    pub(super) repair: bool,
}

/// A manifest that was chosen, with what it was chosen from.
struct Chosen {
    manifest: Manifest,
    digest: Digest,
    bytes: Vec<u8>,
    index: Option<(Digest, Vec<u8>)>,
}

/// Pulls everything that is wanted: the body of the child.
pub(super) fn run(job: &Job<'_>, wanted: &[Wanted], progress: &dyn Progress) -> Result<Vec<Digest>> {
    // What the dead left goes first: its room may be needed. That it cannot go is not this pull's failure.
    let _ = job.store.sweep(Parts::Keep);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context(|| "cannot start the event loop of the pull")?;
    runtime.block_on(async {
        let mut ids = Vec::new();
        for wanted in wanted {
            ids.extend(pull_one(job, wanted, progress).await?);
        }
        Ok(ids)
    })
}

async fn pull_one(job: &Job<'_>, wanted: &Wanted, progress: &dyn Progress) -> Result<Vec<Digest>> {
    if let Some(id) = &wanted.settled {
        return Ok(vec![id.clone()]);
    }
    let mut failures = Vec::new();
    for candidate in &wanted.candidates {
        match pull_candidate(job, candidate, progress).await {
            Ok(ids) => return Ok(ids),
            Err(error) => failures.push(error),
        }
    }
    if let (PullPolicy::Newer, Some(id)) = (job.options.policy, &wanted.fallback) {
        return Ok(vec![id.clone()]);
    }
    Err(summary(&wanted.text, failures))
}

/// One error for several: the only one, or a list in its message.
fn summary(text: &str, mut failures: Vec<Error>) -> Error {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let kind = failures.first().map_or(Kind::NotFound, Error::kind);
    let lines: Vec<String> = failures.iter().map(|failure| failure.chain().join(": ")).collect();
    let mut error = Error::new(kind, format!("cannot pull {text}: {}", lines.join("; ")));
    for hint in failures.iter().flat_map(Error::hints) {
        error = error.hint(hint);
    }
    error
}

/// Tries the places that may have a reference, mirrors first.
async fn pull_candidate(
    job: &Job<'_>,
    candidate: &Candidate,
    progress: &dyn Progress,
) -> Result<Vec<Digest>> {
    progress.message(&format!("Trying to pull {}...", candidate.reference));
    let mut failures = Vec::new();
    for endpoint in &candidate.endpoints {
        let pulled = async {
            let registry = Registry::new(endpoint.clone(), job.options.retry, &job.proxies)?;
            pull_from(job, &registry, &candidate.reference, progress).await
        };
        match pulled.await {
            Ok(ids) => return Ok(ids),
            Err(error) => failures.push(error),
        }
    }
    let reference = &candidate.reference;
    Err(summary(&reference.canonical(), failures)).context(|| format!("cannot pull {reference}"))
}

async fn pull_from(
    job: &Job<'_>,
    registry: &Registry,
    reference: &Reference,
    progress: &dyn Progress,
) -> Result<Vec<Digest>> {
    if !job.options.all_tags {
        return Ok(vec![pull_reference(job, registry, reference, progress).await?]);
    }
    let mut ids = Vec::new();
    for tag in registry.tags().await? {
        ids.push(pull_reference(job, registry, &reference.with_tag(&tag)?, progress).await?);
    }
    Ok(ids)
}

async fn pull_reference(
    job: &Job<'_>,
    registry: &Registry,
    reference: &Reference,
    progress: &dyn Progress,
) -> Result<Digest> {
    if let Some(id) = unchanged(job, registry, reference).await? {
        return Ok(id);
    }
    let kept = if job.repair { of_store(job.store, reference)? } else { None };
    let chosen = match kept {
        Some(chosen) => chosen,
        None => choose(job, registry, reference).await?,
    };
    chosen.manifest.check_is_image()?;
    let (config, config_bytes) = configuration(job, registry, &chosen.manifest).await?;
    let id = chosen.manifest.config.digest.clone();
    warn_of_platform(job, &chosen, &config, reference, progress);
    let plans = plan(&chosen.manifest, &config)?;

    let staging = job.store.staging()?;
    {
        let _reader = job.store.reader()?;
        let keys = plans.iter().flat_map(|plan| [&plan.diff_id, &plan.chain]).map(|d| d.hex().to_owned());
        let mut blobs: Vec<Digest> = plans.iter().map(|plan| plan.descriptor.digest.clone()).collect();
        blobs.extend([id.clone(), chosen.digest.clone()]);
        blobs.extend(chosen.index.iter().map(|(digest, _)| digest.clone()));
        staging.keep(keys.collect(), blobs)?;
    }
    let scope = layers::Scope { store: job.store, staging: staging.path(), registry, single: job.single };
    let obtained = layers::obtain(&scope, &plans, job.parallel, progress).await?;

    let mut documents = vec![(id.clone(), config_bytes), (chosen.digest.clone(), chosen.bytes)];
    let index = chosen.index.map(|(digest, bytes)| {
        documents.push((digest.clone(), bytes));
        digest
    });
    commit::commit(
        job.store,
        reference,
        Complete {
            id,
            manifest_digest: chosen.digest,
            manifest: chosen.manifest,
            index,
            config,
            layers: obtained,
            documents,
        },
    )
}

/// The image, where the registry says that the name still means what it means here. One request.
async fn unchanged(job: &Job<'_>, registry: &Registry, reference: &Reference) -> Result<Option<Digest>> {
    let Some(record) = job.store.read_ref(&reference.canonical())? else { return Ok(None) };
    let Some(image) = job.store.image_by_id(&record.image)? else { return Ok(None) };
    let platform = job.options.platform.clone().unwrap_or_else(Platform::native);
    if platform.distance(&platform_of(&image)).is_none() || !job.store.damaged_layers(&image)?.is_empty() {
        return Ok(None);
    }
    let digest = match reference.digest() {
        // A digest cannot come to mean something else.
        Some(digest) => Some(digest.clone()),
        None => match registry.manifest_digest(reference.version()).await {
            Ok(digest) => digest,
            // Some registries do not answer HEAD; the GET that follows says what is really the matter.
            Err(error) if error.kind() != Kind::Network => None,
            Err(error) => return Err(error),
        },
    };
    let same = digest.is_some_and(|digest| digest == record.manifest || record.index == Some(digest));
    Ok(same.then_some(image.id))
}

/// The manifest as it was when the image was pulled: what a repair goes by, network or not.
fn of_store(store: &Store, reference: &Reference) -> Result<Option<Chosen>> {
    let Some(record) = store.read_ref(&reference.canonical())? else { return Ok(None) };
    let Some(bytes) = store.read_blob(&record.manifest, MANIFEST_LIMIT)? else { return Ok(None) };
    let Document::Manifest(manifest) = Document::parse(&bytes, "")? else { return Ok(None) };
    let index = match record.index {
        Some(digest) => store.read_blob(&digest, MANIFEST_LIMIT)?.map(|bytes| (digest, bytes)),
        None => None,
    };
    Ok(Some(Chosen { manifest, digest: record.manifest, bytes, index }))
}

/// The manifest for the wanted platform, directly or through an index.
async fn choose(job: &Job<'_>, registry: &Registry, reference: &Reference) -> Result<Chosen> {
    let fetched = registry.manifest(reference.version()).await?;
    let digest = match reference.digest() {
        Some(digest) => {
            check(digest, &fetched.bytes, "the manifest")?;
            digest.clone()
        }
        None => Digest::of(&fetched.bytes),
    };
    match Document::parse(&fetched.bytes, &fetched.content_type)? {
        Document::Manifest(manifest) => Ok(Chosen { manifest, digest, bytes: fetched.bytes, index: None }),
        Document::Index(index) => choose_from(job, registry, &index, (digest, fetched.bytes)).await,
    }
}

async fn choose_from(
    job: &Job<'_>,
    registry: &Registry,
    index: &Index,
    index_document: (Digest, Vec<u8>),
) -> Result<Chosen> {
    let platform = job.options.platform.clone().unwrap_or_else(Platform::native);
    let entry = index.choose(&platform)?;
    let bytes = match job.store.read_blob(&entry.digest, MANIFEST_LIMIT)? {
        Some(bytes) => bytes,
        None => {
            let Fetched { bytes, .. } = registry.manifest(entry.digest.as_str()).await?;
            check_described(entry, &bytes, "the manifest")?;
            bytes
        }
    };
    match Document::parse(&bytes, &entry.media_type)? {
        Document::Manifest(manifest) => {
            Ok(Chosen { manifest, digest: entry.digest.clone(), bytes, index: Some(index_document) })
        }
        Document::Index(_) => Err(Error::unsupported("an index of indexes is not supported")),
    }
}

/// The configuration from the registry, unless another pull brings it in the meantime.
async fn fetch_configuration(job: &Job<'_>, registry: &Registry, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let claimed = job.store.partial_blob(&descriptor.digest)?;
    if claimed.is_none()
        && let Some(bytes) = job.store.read_blob(&descriptor.digest, CONFIG_LIMIT)?
    {
        return Ok(bytes);
    }
    let bytes = registry.small_blob(&descriptor.digest, descriptor.size).await?;
    check_described(descriptor, &bytes, "the configuration")?;
    if let Some(mut blob) = claimed {
        blob.restart()?;
        blob.append(&bytes)?;
        blob.commit()?;
    }
    Ok(bytes)
}

/// The image's configuration: from the store or the registry.
async fn configuration(
    job: &Job<'_>,
    registry: &Registry,
    manifest: &Manifest,
) -> Result<(ImageConfig, Vec<u8>)> {
    let descriptor = &manifest.config;
    if descriptor.size > CONFIG_LIMIT {
        return Err(Error::invalid(format!(
            "the configuration has {} bytes, more than the {CONFIG_LIMIT} that it may have",
            descriptor.size
        )));
    }
    let bytes = match job.store.read_blob(&descriptor.digest, CONFIG_LIMIT)? {
        Some(bytes) => bytes,
        None => fetch_configuration(job, registry, descriptor).await?,
    };
    let config = serde_json::from_slice(&bytes).context(|| "cannot parse the image's configuration")?;
    Ok((config, bytes))
}

/// Pairs the layers with their diff ids.
fn plan(manifest: &Manifest, config: &ImageConfig) -> Result<Vec<LayerPlan>> {
    let diff_ids = &config.rootfs.diff_ids;
    if diff_ids.len() != manifest.layers.len() {
        return Err(Error::invalid(format!(
            "the manifest has {} layers and the configuration {} diff ids",
            manifest.layers.len(),
            diff_ids.len()
        )));
    }
    let chains = chain_ids(diff_ids);
    let layers = manifest.layers.iter().zip(diff_ids).zip(chains);
    layers
        .map(|((descriptor, diff_id), chain)| match MediaType::parse(&descriptor.media_type)? {
            MediaType::Layer(_) => {
                Ok(LayerPlan { diff_id: diff_id.clone(), chain, descriptor: descriptor.clone() })
            }
            _ => Err(Error::invalid(format!("{} is not the type of a layer", descriptor.media_type))),
        })
        .collect()
}

/// An image that is not from an index is taken whatever it is for, as podman does, but not in silence.
fn warn_of_platform(
    job: &Job<'_>,
    chosen: &Chosen,
    config: &ImageConfig,
    reference: &Reference,
    progress: &dyn Progress,
) {
    let wanted = job.options.platform.clone().unwrap_or_else(Platform::native);
    let got = Platform::new(&config.os, &config.architecture, &config.variant);
    if chosen.index.is_none() && wanted.distance(&got).is_none() {
        progress.message(&format!("Warning: {reference} is for {got}, not for {wanted}"));
    }
}

fn check(digest: &Digest, bytes: &[u8], what: &str) -> Result<()> {
    let mut hasher = Hasher::new(digest.algorithm());
    hasher.update(bytes);
    let got = hasher.finish();
    if got == *digest {
        return Ok(());
    }
    Err(Error::invalid(format!("{what} that came has digest {got}, {digest} was asked for")))
}

fn check_described(descriptor: &Descriptor, bytes: &[u8], what: &str) -> Result<()> {
    if bytes.len() as u64 != descriptor.size {
        let size = descriptor.size;
        return Err(Error::invalid(format!(
            "{what} that came has {} bytes, its descriptor says {size}",
            bytes.len()
        )));
    }
    check(&descriptor.digest, bytes, what)
}

impl Complete {
    /// The record of the image.
    pub(super) fn record(&self, reference: &Reference) -> Image {
        let name = reference.name();
        let digests = [Some(&self.manifest_digest), self.index.as_ref()];
        Image {
            id: self.id.clone(),
            manifest_digest: self.manifest_digest.clone(),
            names: Vec::new(),
            repo_digests: digests.into_iter().flatten().map(|digest| format!("{name}@{digest}")).collect(),
            layers: self.layers.iter().map(|layer| layer.key.clone()).collect(),
            diff_ids: self.config.rootfs.diff_ids.clone(),
            blobs: self.manifest.layers.iter().map(|layer| layer.digest.clone()).collect(),
            size: self.layers.iter().map(|layer| layer.size).sum(),
            created: self.config.created.clone(),
            annotations: self.manifest.annotations.clone(),
            media_type: self.manifest.media_type.clone(),
            config: self.config.clone(),
        }
    }
}
