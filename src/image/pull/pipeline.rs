//! The thread of one layer: claims it, gets its bytes, unpacks them, checks both digests, gives it its name.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::layers::LayerPlan;
use super::transfer::{self, Source, Transferred};
use crate::error::{Context, Error, Result};
use crate::image::LayerProgress;
use crate::image::layer::{self, Compression, Limits, Owners, Unpacked};
use crate::oci::Digest;
use crate::storage::{Census, LayerLock, LayerRecord, Store, boot_id};
use crate::sys::root::Root;

/// Chunks that may wait between the transfer and the unpacking.
const CHUNKS_IN_FLIGHT: usize = 16;

/// What the thread is given.
pub(super) struct Task {
    pub(super) store: Store,
    pub(super) staging: PathBuf,
    pub(super) plan: LayerPlan,
    pub(super) single: bool,
    /// Asks the event loop for the blob, from this byte on. Dropped where it is not needed.
    pub(super) start: oneshot::Sender<u64>,
    pub(super) chunks: mpsc::Receiver<Result<Bytes>>,
    pub(super) progress: Box<dyn LayerProgress>,
}

/// How a layer ended.
#[expect(clippy::large_enum_variant, reason = "one value a layer")]
pub(super) enum Outcome {
    /// It is in the store.
    InStore,
    /// It is unpacked but for its links into lower layers.
    Linking(Pending),
    /// The bytes on disk were wrong and are gone now.
    Stale,
}

/// A layer that waits for the ones below it.
pub(super) struct Pending {
    staged: PathBuf,
    record: LayerRecord,
    links: Vec<layer::OutsideLink>,
    _lock: LayerLock,
}

/// Does all of it.
pub(super) fn run(task: Task) -> Result<Outcome> {
    let Task { store, staging, plan, single, start, chunks, progress } = task;
    let lock = store.layer_lock(plan.diff_id.hex())?;
    if let Some(key) = store.layer_key(&plan.diff_id, &plan.chain) {
        if store.is_sound(&key)? {
            progress.note("already exists");
            progress.done();
            return Ok(Outcome::InStore);
        }
        store.take_layer(&key, &staging.join(format!("damaged-{key}")))?;
    }
    let source = Source::of(&store, &plan.descriptor, start, chunks)?;
    let staged = staging.join(plan.diff_id.hex());
    let files = staged.join("fs");
    let _ = std::fs::remove_dir_all(&staged);
    std::fs::create_dir_all(&files).context(|| format!("cannot create {}", files.display()))?;
    let owners = if single { Owners::Single } else { Owners::Mapped };
    let (transferred, unpacked) = unpack(source, &plan, &files, owners, progress.as_ref());
    let unpacked = match (transferred, unpacked) {
        (Ok(Transferred::Stale), _) => return Ok(Outcome::Stale),
        // The transfer fails with the cause; the unpacking then fails because the bytes ended.
        (Err(error), _) if !transfer::is_hang_up(&error) => return Err(error),
        (_, Err(error)) => return Err(error),
        (Err(error), Ok(_)) => return Err(error),
        (Ok(Transferred::Whole), Ok(unpacked)) => unpacked,
    };
    if unpacked.diff_id != plan.diff_id {
        return Err(Error::invalid(format!(
            "the layer unpacks to {}, the image's configuration says {}",
            unpacked.diff_id, plan.diff_id
        )));
    }
    let record = record_of(&plan, &unpacked);
    let pending = Pending { staged, record, links: unpacked.outside_links, _lock: lock };
    if !pending.links.is_empty() {
        progress.done();
        return Ok(Outcome::Linking(pending));
    }
    commit(&store, pending, &plan.diff_id)?;
    progress.done();
    Ok(Outcome::InStore)
}

/// Transfer and unpacking side by side.
fn unpack(
    source: Source,
    plan: &LayerPlan,
    files: &Path,
    owners: Owners,
    progress: &dyn LayerProgress,
) -> (Result<Transferred>, Result<Unpacked>) {
    let (sender, receiver) = sync_channel(CHUNKS_IN_FLIGHT);
    std::thread::scope(|scope| {
        let descriptor = &plan.descriptor;
        let transfer = scope.spawn(move || transfer::run(source, descriptor, &sender, progress));
        let unpacked = Root::open(files).and_then(|root| {
            let compression = Compression::of_media_type(&descriptor.media_type).unwrap_or(Compression::None);
            let options = layer::Options { owners, limits: Limits::default() };
            layer::unpack_blob(Chunks { receiver, current: Bytes::new() }, compression, &root, &options)
        });
        let died = || Err(Error::new(crate::error::Kind::System, "the transfer of a layer died"));
        (transfer.join().unwrap_or_else(|_| died()), unpacked)
    })
}

fn record_of(plan: &LayerPlan, unpacked: &Unpacked) -> LayerRecord {
    LayerRecord {
        diff_id: plan.diff_id.clone(),
        blob: plan.descriptor.digest.clone(),
        size: unpacked.bytes,
        census: Census::default(),
        unsynced_boot: Some(boot_id()),
        notes: unpacked.notes.clone(),
        overrides: unpacked.overrides.iter().map(|o| (o.path.clone(), o.stat.clone())).collect(),
    }
}

/// Makes the links of a layer into the ones below it (bottom first) and names it by its chain.
pub(super) fn link_and_commit(
    store: &Store,
    pending: Pending,
    below: &[PathBuf],
    chain: &Digest,
) -> Result<String> {
    let lowers = below.iter().map(|path| Root::open(path)).collect::<Result<Vec<_>>>()?;
    let into = Root::open(&pending.staged.join("fs"))?;
    layer::resolve_outside_links(&lowers, &into, &pending.links)?;
    commit(store, pending, chain)?;
    Ok(chain.hex().to_owned())
}

fn commit(store: &Store, mut pending: Pending, key: &Digest) -> Result<()> {
    pending.record.census = Census::of(&pending.staged.join("fs"))?;
    store.commit_layer(&pending.staged, key.hex(), &pending.record)
}

/// The transfer's chunks as a reader. It ends where the transfer ends, whether that is right or not: the
/// transfer says which.
struct Chunks {
    receiver: Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.recv() {
                Ok(chunk) => self.current = chunk?,
                Err(_) => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}
