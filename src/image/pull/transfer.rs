//! The bytes of one blob: from the registry (resumed from what an earlier pull left) or from the store, on
//! their way to the unpacking; hashed, kept, and counted.

use std::fs::File;
use std::io::{self, Read};
use std::sync::mpsc::SyncSender;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Context, Error, Kind, Result};
use crate::image::LayerProgress;
use crate::oci::{Descriptor, Digest, Hasher};
use crate::storage::{PartialBlob, Store};

/// Bytes that are read from disk at once.
const READ_SIZE: usize = 256 << 10;

/// Where the bytes come from.
pub(super) enum Source {
    /// The blob is here.
    Store { file: File, remove: Box<dyn FnOnce() -> Result<()> + Send> },
    /// The blob is to be fetched.
    Network { partial: PartialBlob, start: oneshot::Sender<u64>, chunks: mpsc::Receiver<Result<Bytes>> },
}

/// How a transfer ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Transferred {
    /// Every byte came and the digest is right.
    Whole,
    /// What lay on disk was wrong; it has been removed.
    Stale,
}

impl Source {
    /// Chooses the source; waits while another pull fetches the same blob.
    pub(super) fn of(
        store: &Store,
        descriptor: &Descriptor,
        start: oneshot::Sender<u64>,
        chunks: mpsc::Receiver<Result<Bytes>>,
    ) -> Result<Self> {
        if let Some(partial) = store.partial_blob(&descriptor.digest)? {
            return Ok(Self::Network { partial, start, chunks });
        }
        let path = store.blob_path(&descriptor.digest);
        let file = File::open(&path).context(|| format!("cannot open {}", path.display()))?;
        let remove = Box::new(move || crate::sys::atomic::remove_optional(&path));
        Ok(Self::Store { file, remove })
    }
}

/// Moves all bytes to `out`.
pub(super) fn run(
    source: Source,
    descriptor: &Descriptor,
    out: &SyncSender<io::Result<Bytes>>,
    progress: &dyn LayerProgress,
) -> Result<Transferred> {
    let hasher = Hasher::new(descriptor.digest.algorithm());
    let mut flow = Flow { hasher, count: 0, out, hung_up: false, progress };
    let result = match source {
        Source::Store { file, remove } => {
            flow.read(file)?;
            let hung_up = flow.hung_up;
            // Also where the unpacking stopped: it may have stumbled over what is wrong.
            if flow.count != descriptor.size || flow.finish() != descriptor.digest {
                remove().map(|()| Transferred::Stale)
            } else if hung_up {
                Err(hang_up())
            } else {
                Ok(Transferred::Whole)
            }
        }
        Source::Network { partial, start, chunks } => flow.fetch(partial, descriptor, start, chunks),
    };
    if result.is_err() {
        let _ = out.send(Err(io::Error::from(io::ErrorKind::UnexpectedEof)));
    }
    result
}

struct Flow<'a> {
    hasher: Hasher,
    count: u64,
    out: &'a SyncSender<io::Result<Bytes>>,
    /// Whether nobody takes the bytes any more.
    hung_up: bool,
    progress: &'a dyn LayerProgress,
}

impl Flow<'_> {
    /// Hands a chunk on and takes its hash while the other side works on it.
    fn push(&mut self, chunk: &Bytes) {
        self.hung_up = self.hung_up || self.out.send(Ok(chunk.clone())).is_err();
        self.hasher.update(chunk);
        self.count += chunk.len() as u64;
        self.progress.advance(chunk.len() as u64);
    }

    fn finish(self) -> Digest {
        self.hasher.finish()
    }

    fn read(&mut self, mut file: File) -> Result<()> {
        loop {
            let mut buffer = Vec::with_capacity(READ_SIZE);
            let read = (&mut file).take(READ_SIZE as u64).read_to_end(&mut buffer);
            if read.context(|| "cannot read a blob of the store")? == 0 {
                return Ok(());
            }
            self.push(&Bytes::from(buffer));
        }
    }

    fn fetch(
        mut self,
        mut partial: PartialBlob,
        descriptor: &Descriptor,
        start: oneshot::Sender<u64>,
        mut chunks: mpsc::Receiver<Result<Bytes>>,
    ) -> Result<Transferred> {
        if partial.len()? > descriptor.size {
            partial.restart()?;
        }
        let resumed_at = partial.len()?;
        // The event loop may connect while the bytes that are here are read.
        let _ = start.send(resumed_at);
        self.read(partial.reader()?)?;
        while let Some(chunk) = chunks.blocking_recv() {
            let chunk = chunk?;
            self.push(&chunk);
            if self.hung_up {
                break;
            }
            partial.append(&chunk)?;
        }
        if self.hung_up && resumed_at > 0 {
            // What lay on disk may be what the unpacking stumbled over: it is fetched anew, once.
            return partial.restart().map(|()| Transferred::Stale);
        }
        if self.hung_up {
            return Err(hang_up());
        }
        if self.count != descriptor.size {
            return Err(super::layers::interruption());
        }
        let got = self.finish();
        if got == descriptor.digest {
            partial.commit()?;
            return Ok(Transferred::Whole);
        }
        partial.restart()?;
        if resumed_at > 0 {
            return Ok(Transferred::Stale);
        }
        Err(Error::invalid(format!(
            "the blob that came has digest {got}, {} was asked for",
            descriptor.digest
        )))
    }
}

const HANG_UP: &str = "the unpacking stopped";

fn hang_up() -> Error {
    Error::new(Kind::System, HANG_UP)
}

/// Whether a transfer ended because the unpacking, which has the better message, did.
pub(super) fn is_hang_up(error: &Error) -> bool {
    error.to_string() == HANG_UP
}
