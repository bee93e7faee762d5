//! Becoming root without root: subordinate ids, id maps, newuidmap and newgidmap, the modes.
//!
//! A map is made in two steps, as podman makes it, and written in one:
//!
//! ```text
//!   host ids          intermediate ids                     container ids
//!   you (1000)   <->  0                  (default map)
//!   100000..     <->  1..65536           second step: --userns, --uidmap  <->  0..
//! ```
//!
//! The first step is the *default map*: the one that the layers of the store are written with and that
//! `--userns=host` uses as it is. The second step speaks of intermediate ids only, so a command line means
//! the same on every machine. The kernel gets the product of both: one user namespace per container, not
//! two nested ones.
//!
//! [`plan`] decides, in the parent and without side effects; [`UserNamespace::write_maps`] and
//! [`run_inside`] act. Nothing here knows of containers or images.

mod auto;
mod enter;
mod explain;
mod id_map;
mod machine;
mod map_option;
mod mode;
mod newuidmap;
mod plan;
mod subordinate;
mod write;

pub use enter::{enter, join, run_inside};
pub use explain::{Knob, explain_clone_failure, forbidding_knob};
pub use id_map::{IdMap, IdMaps};
pub use machine::{Surrounding, grant_command, surrounding};
pub use mode::Mode;
pub use newuidmap::{Helpers, Obstacle};
pub use plan::{MapWriter, Request, UserNamespace, plan, with_maps};
pub use subordinate::{Owner, Range, Sources, Subordinate};
