//! The operations of an OCI runtime: create, start, state, kill, delete, and what runc and crun have beside them.
//!
//! A container is a directory of the runtime's root:
//!
//! ```text
//! ROOT/ID/lock          held while it is made: what has no state.json and no holder is garbage
//!         config.json   the bundle's, as it was then
//!         state.json    what [`Record`] says
//!         start         the socket behind which it waits to be started; gone afterwards
//! ```
//!
//! Nothing of the runtime stays while a container runs: whether it does is asked of the kernel.
//!
//! Source: runtime-spec runtime.md.

mod console;
mod create;
mod delete;
mod directory;
mod exec;
mod hooks;
mod identity;
mod kill;
mod processes;
mod relay;
mod run;
mod start;
mod status;

use std::path::Path;

pub use create::{Creation, create};
pub use delete::delete;
pub use directory::{Container, Record, list, load};
pub use exec::{Execution, Ran, exec};
pub use kill::{Target, kill};
pub use processes::processes;
pub use run::{Mode, Outcome, run};
pub use start::start;
pub use status::Status;

use super::cgroup;
use crate::config::Env;

/// What every operation needs to know.
#[derive(Clone, Copy)]
pub struct Runtime<'a> {
    /// The directory of all containers.
    pub root: &'a Path,
    /// The caller's environment.
    pub env: &'a Env,
    /// Who makes control groups, if that was said.
    pub cgroup_manager: Option<cgroup::Manager>,
    /// D-Bus addresses at which the user's service manager may be found, best first.
    pub user_bus: &'a [String],
    /// Takes one line about something that is lost or done unasked.
    pub note: &'a dyn Fn(&str),
}
