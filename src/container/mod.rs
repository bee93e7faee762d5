//! The life of a container: its record, its phases, its monitor, its logs.

mod attach;
mod directory;
mod launch;
pub mod logs;
mod monitor;
pub mod names;
pub mod protocol;
mod record;
mod remove;

pub use attach::{Attachment, Ending, attach};
pub use directory::{Directory, all, find};
pub use launch::{Job, launch};
pub use record::{Phase, Record, State};
pub use remove::{remove, remove_as_owner, sweep};

use crate::error::Result;

/// A container as the store has it right now.
#[derive(Clone, Debug)]
pub struct Container {
    /// Where it is.
    pub directory: Directory,
    /// What it is.
    pub record: Record,
    /// What became of it. The phase is the true one: a container whose state says running and whose lock
    /// nobody holds has ended.
    pub state: State,
}

impl Container {
    /// Reads a container; `None` if it is not there, or not whole yet.
    pub fn load(directory: Directory) -> Result<Option<Self>> {
        let Some(record) = directory.record()? else { return Ok(None) };
        let mut state = directory.state()?;
        if state.phase == Phase::Running && !directory.is_alive()? {
            // The monitor died: read again, it may have written its last word in between.
            state = directory.state()?;
            if state.phase == Phase::Running {
                state.phase = Phase::Exited;
                state.pid = None;
                state.monitor = None;
                state.error = Some("the monitor was killed".into());
            }
        }
        Ok(Some(Self { directory, record, state }))
    }
}
