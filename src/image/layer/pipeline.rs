//! The line of threads between a compressed stream and the files: inflate, hash, and the reader that the
//! extractor pulls from.
//!
//! A buffer goes down the line whole, from owner to owner, and comes back empty through `spare`; the number
//! of buffers is fixed, so a slow disk holds up the inflater and a slow source starves the writer, and memory
//! stays what it is. A stage that fails drops its ends: those before it find nobody to send to and stop,
//! those after it see the stream end; the failure itself travels in the stage's result.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::error::{Context, Error, Kind, Result};
use crate::oci::{Algorithm, Digest, Hasher};

use super::{Compression, Limits};

/// Bytes in one buffer: large enough that a hand-over costs nothing, small enough to stay in the cache.
const BUFFER: usize = 256 << 10;

/// Buffers in flight.
const BUFFERS: usize = 12;

/// Inflates `source`, hashes what comes out, and lets `write` read it on a thread of its own. Gives the
/// digest of the whole uncompressed stream, how it was compressed, and what `write` made of it.
pub(super) fn run<T: Send>(
    source: impl Read,
    limits: &Limits,
    write: impl FnOnce(&mut Stream) -> Result<T> + Send,
) -> Result<(Digest, Compression, T)> {
    let (spare, spares) = channel();
    for _ in 0..BUFFERS {
        let _ = spare.send(Vec::with_capacity(BUFFER));
    }
    let (inflated, to_hash) = sync_channel(BUFFERS);
    let (hashed, to_write) = sync_channel(BUFFERS);
    thread::scope(|scope| {
        let hash = scope.spawn(move || hash(&to_hash, &hashed));
        let writer = scope.spawn(move || {
            let mut stream = Stream { incoming: to_write, spare, current: Vec::new(), at: 0 };
            let written = write(&mut stream)?;
            // What follows the end of the archive is nobody's file, but part of the digest.
            while !stream.fill_buf().context(|| "cannot read layer")?.is_empty() {
                stream.consume(usize::MAX);
            }
            Ok(written)
        });
        let read = inflate(source, limits, &spares, inflated);
        let digest = join(hash);
        let written: Result<T> = join(writer);
        // A stream that broke off looks like a short archive to the writer: the cause comes first.
        read.and_then(|compression| Ok((digest, compression, written?)))
    })
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The first stage: from the source into buffers, until the source ends or nobody listens.
fn inflate(
    mut source: impl Read,
    limits: &Limits,
    spares: &Receiver<Vec<u8>>,
    inflated: SyncSender<Vec<u8>>,
) -> Result<Compression> {
    let start = first_bytes(&mut source).context(|| "cannot read layer")?;
    let compression = Compression::sniff(&start);
    let taken = Rc::new(Cell::new(0));
    let counted = Counted { source: io::Cursor::new(start).chain(source), taken: Rc::clone(&taken) };
    let mut decoder: Box<dyn Read + '_> = match compression {
        Compression::None => Box::new(counted),
        Compression::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(BUFFER, counted)))
        }
        Compression::Zstd => Box::new(
            zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(BUFFER, counted))
                .context(|| "cannot start the zstd decoder")?,
        ),
    };
    let mut given = 0u64;
    while let Ok(mut buffer) = spares.recv() {
        buffer.resize(BUFFER, 0);
        let filled = fill(&mut decoder, &mut buffer).map_err(|error| broken(compression, given, error))?;
        buffer.truncate(filled);
        given += filled as u64;
        let allowed = taken.get().saturating_mul(limits.ratio).max(Limits::FREE);
        if compression != Compression::None && given > allowed {
            return Err(Error::invalid(format!(
                "layer inflates to more than {} times its size ({given} bytes from {})",
                limits.ratio,
                taken.get()
            )));
        }
        if filled == 0 || inflated.send(buffer).is_err() {
            break;
        }
    }
    Ok(compression)
}

/// As many of the first bytes as [`Compression::sniff`] wants.
fn first_bytes(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = vec![0; 6];
    let filled = fill(source, &mut start)?;
    start.truncate(filled);
    Ok(start)
}

/// Reads until `buffer` is full or the source ends.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The source's own failure keeps its kind; what the decoder says of the bytes is the layer's fault.
fn broken(compression: Compression, given: u64, error: io::Error) -> Error {
    let context = match compression {
        Compression::None => format!("cannot read layer after {given} bytes"),
        Compression::Gzip => format!("cannot inflate layer (gzip) after {given} bytes"),
        Compression::Zstd => format!("cannot inflate layer (zstd) after {given} bytes"),
    };
    let from_system = error.raw_os_error().is_some();
    match error.downcast::<Error>() {
        Ok(own) => Error::wrap(context, own),
        Err(error) if compression == Compression::None || from_system => Error::wrap(context, error),
        Err(error) => Error::wrap(context, error).with_kind(Kind::Invalid),
    }
}

/// The second stage: passes buffers on and hashes them.
fn hash(incoming: &Receiver<Vec<u8>>, outgoing: &SyncSender<Vec<u8>>) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for buffer in incoming {
        hasher.update(&buffer);
        if outgoing.send(buffer).is_err() {
            break;
        }
    }
    hasher.finish()
}

struct Counted<R> {
    source: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}

/// The last stage's view: a reader over the buffers as they arrive, without another copy.
pub(super) struct Stream {
    incoming: Receiver<Vec<u8>>,
    spare: Sender<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.current.len() {
            let next = self.incoming.recv().unwrap_or_default();
            let empty = std::mem::replace(&mut self.current, next);
            self.at = 0;
            if empty.capacity() > 0 {
                let _ = self.spare.send(empty);
            }
        }
        Ok(&self.current[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.current.len());
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
