//! `ps`: the containers.

use super::Session;
use crate::container::{self, Container, Phase};
use crate::error::Result;

/// Which containers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that run.
    Running,
    /// All of them.
    All,
}

/// The containers, the oldest first.
pub fn list(session: &Session, which: Which) -> Result<Vec<Container>> {
    let mut containers = container::all(&session.store)?;
    if which == Which::Running {
        containers.retain(|container| container.state.phase == Phase::Running);
    }
    Ok(containers)
}
