//! The black-box tests: the built binary, real images from a real registry, an ordinary user.
//!
//! They are one program, so that it is linked once. `tests/run` sets a machine up for them; under plain
//! `cargo test` those that need what the machine lacks say so and are skipped.

mod concurrency;
mod drivers;
mod environment;
mod escapes;
mod files;
mod hostile;
mod images;
mod isolation;
mod kills;
mod layers;
mod lifecycle;
mod limits;
mod namespaces;
mod network;
mod privileges;
mod probe;
mod pull;
mod rig;
mod rootfs;
mod run;
mod surface;
mod terminal;
mod two_users;
mod user_namespace;
mod users;
mod zero_setup;
