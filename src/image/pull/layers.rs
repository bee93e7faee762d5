//! The layers of one image: in parallel, biggest first, each fetched and unpacked by a thread of its own
//! that the event loop feeds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::{Either, join_all, select};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::pipeline::{self, Outcome, Task};
use crate::error::{Context, Error, Kind, Result};
use crate::image::registry::Registry;
use crate::image::{LayerProgress, Progress};
use crate::oci::{Descriptor, Digest};
use crate::storage::Store;

/// Chunks that may wait between the network and the thread of a layer.
const CHUNKS_IN_FLIGHT: usize = 16;

/// One layer as the manifest and the configuration describe it.
#[derive(Clone, Debug)]
pub(super) struct LayerPlan {
    pub(super) diff_id: Digest,
    /// Names this layer together with those below it.
    pub(super) chain: Digest,
    pub(super) descriptor: Descriptor,
}

/// A layer that is in the store.
#[derive(Clone, Debug)]
pub(super) struct Obtained {
    pub(super) key: String,
    pub(super) size: u64,
}

/// Where layers come from and go to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) store: &'a Store,
    pub(super) staging: &'a Path,
    pub(super) registry: &'a Registry,
    pub(super) single: bool,
}

/// Brings every layer of `plans` into the store and gives them in the same order.
pub(super) async fn obtain(
    scope: &Scope<'_>,
    plans: &[LayerPlan],
    parallel: usize,
    progress: &dyn Progress,
) -> Result<Vec<Obtained>> {
    let distinct: BTreeMap<&Digest, &LayerPlan> = plans.iter().map(|plan| (&plan.diff_id, plan)).collect();
    let mut queue: Vec<&LayerPlan> = distinct.into_values().collect();
    queue.sort_by_key(|plan| std::cmp::Reverse(plan.descriptor.size));
    let permits = Semaphore::new(parallel);
    let (stop, stopped) = watch::channel(false);
    let stop = Arc::new(stop);
    let jobs = queue.iter().map(|plan| {
        let (stop, stopped, permits) = (stop.clone(), stopped.clone(), &permits);
        async move {
            let _permit = permits.acquire().await;
            if *stopped.borrow() {
                return Ok(None);
            }
            let result = obtain_one(scope, plan, stopped, progress).await;
            if result.is_err() {
                let _ = stop.send(true);
            }
            result.map(|outcome| Some(((*plan).clone(), outcome)))
        }
    });
    // All threads are waited for, also after a failure: none may write into a directory that is being
    // removed.
    let results = join_all(jobs).await;
    let mut outcomes = Vec::new();
    let mut failures = Vec::new();
    for result in results {
        match result {
            Ok(outcome) => outcomes.extend(outcome),
            Err(error) => failures.push(error),
        }
    }
    if !failures.is_empty() {
        // Those that were stopped say so; the one that failed says why.
        let first = failures.iter().position(|error| !is_interruption(error)).unwrap_or(0);
        return Err(failures.swap_remove(first));
    }
    finish(scope, plans, outcomes)
}

/// The error of a layer that stopped because another one failed.
pub(super) fn interruption() -> Error {
    Error::new(Kind::System, "interrupted")
}

fn is_interruption(error: &Error) -> bool {
    error.chain().last().is_some_and(|cause| cause == "interrupted")
}

async fn obtain_one(
    scope: &Scope<'_>,
    plan: &LayerPlan,
    stopped: watch::Receiver<bool>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let digest = &plan.descriptor.digest;
    let mut again = true;
    loop {
        let reporter: Box<dyn LayerProgress> = progress.layer(digest, plan.descriptor.size);
        let outcome = attempt(scope, plan, stopped.clone(), reporter).await;
        match outcome.context(|| format!("cannot take in layer {digest}"))? {
            // What an earlier pull had left on disk was not what it should be: once more, from the beginning.
            Outcome::Stale if again => again = false,
            Outcome::Stale => {
                return Err(Error::invalid(format!("layer {digest} is not what its digest says")));
            }
            outcome => return Ok(outcome),
        }
    }
}

/// Runs the thread of a layer and feeds it from the network, if it asks for that.
async fn attempt(
    scope: &Scope<'_>,
    plan: &LayerPlan,
    mut stopped: watch::Receiver<bool>,
    progress: Box<dyn LayerProgress>,
) -> Result<Outcome> {
    let (start, started) = oneshot::channel::<u64>();
    let (chunks, received) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let (done, outcome) = oneshot::channel();
    let task = Task {
        store: scope.store.clone(),
        staging: scope.staging.to_owned(),
        plan: plan.clone(),
        single: scope.single,
        start,
        chunks: received,
        progress,
    };
    let thread = std::thread::Builder::new().name("layer".to_owned()).spawn(move || {
        let _ = done.send(pipeline::run(task));
    });
    let thread = thread.context(|| "cannot start a thread for a layer")?;
    if let Ok(from) = started.await {
        let mut stream = scope.registry.blob(&plan.descriptor.digest, plan.descriptor.size, from);
        loop {
            let stop = Box::pin(stopped.wait_for(|stopped| *stopped));
            let next = match select(Box::pin(stream.next()), stop).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => Err(interruption()),
            };
            let is_last = !matches!(next, Ok(Some(_)));
            if let Some(message) = next.transpose()
                && chunks.send(message).await.is_err()
            {
                break;
            }
            if is_last {
                break;
            }
        }
    }
    drop(chunks);
    let outcome =
        outcome.await.unwrap_or_else(|_| Err(Error::new(Kind::System, "the thread of a layer died")));
    let _ = thread.join();
    outcome
}

/// Layers that link into those below them come last, since all others have to be there for them.
fn finish(
    scope: &Scope<'_>,
    plans: &[LayerPlan],
    outcomes: Vec<(LayerPlan, Outcome)>,
) -> Result<Vec<Obtained>> {
    let mut outcomes: BTreeMap<Digest, Outcome> =
        outcomes.into_iter().map(|(plan, outcome)| (plan.diff_id, outcome)).collect();
    let mut obtained: Vec<Obtained> = Vec::new();
    for plan in plans {
        let key = match outcomes.remove(&plan.diff_id) {
            Some(Outcome::Linking(pending)) => {
                let below: Vec<PathBuf> =
                    obtained.iter().map(|layer| scope.store.layer_dir(&layer.key)).collect();
                pipeline::link_and_commit(scope.store, pending, &below, &plan.chain)?
            }
            // A layer that stands in the stack twice links into the same ones from the lower place.
            _ => scope.store.layer_key(&plan.diff_id, &plan.chain).ok_or_else(|| {
                Error::new(Kind::Conflict, format!("layer {} vanished from the store", plan.diff_id))
            })?,
        };
        let size = scope.store.layer(&key)?.map_or(0, |record| record.size);
        obtained.push(Obtained { key, size });
    }
    Ok(obtained)
}
