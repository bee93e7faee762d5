//! Where a container is in its life.

use std::fmt;

/// The status of a container. Source: runtime-spec runtime.md, "State"; `paused` is runc's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is being made.
    Creating,
    /// It waits for its start.
    Created,
    /// Its process runs.
    Running,
    /// Its control group is frozen.
    Paused,
    /// Its process has ended.
    Stopped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        })
    }
}
