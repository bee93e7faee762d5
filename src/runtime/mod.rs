//! The OCI runtime: specification + root file system -> process. Knows neither images nor containers.
//!
//! ```text
//! parent: plan() ── create() ─ clone3 ─ newuidmap ‖ newgidmap ─ "mapped" ─ (network) ─ "go" ─ wait
//! child:              └ open paths, early mounts ─┴─ targets, pivot, masks ─┴─ ids, filter, execve
//! ```
//!
//! [`plan`](plan()) makes a list of operations; [`create()`] clones a child that carries them out.

mod create;
mod init;
mod op;
mod plan;
pub mod seccomp;
mod sync;

pub use create::{Created, Started, Stdio, create};
pub use plan::{Input, Plan, plan};
