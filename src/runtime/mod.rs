//! The OCI runtime: specification + root file system -> process. Knows neither images nor containers.
//!
//! ```text
//! parent: plan() ── create() ─ clone3 ─ newuidmap ‖ newgidmap ─ "mapped" ─ (network) ─ "go" ─ wait
//! child:              └ open paths, early mounts ─┴─ targets, pivot, masks ─┴─ ids, filter, execve
//! ```
//!
//! [`plan`](plan()) makes a list of operations; [`create()`] clones a child that carries them out.

mod agent;
pub mod cgroup;
mod create;
mod describe;
mod failure;
mod features;
mod idmap;
mod init;
mod join;
pub mod lifecycle;
mod op;
mod plan;
pub mod seccomp;
mod sync;
pub mod validate;

pub use create::{Created, Host, Lifetime, Started, Stdio, Surroundings, create};
pub use features::{NEWEST_SPECIFICATION, features};
pub use plan::{Input, Plan, exec as exec_plan, plan};
