//! Settings from flag > environment > file > default, and where everything lies.
//!
//! The process environment is read once, into an [`Env`], and nowhere else; files are read from the places
//! that [`Paths`] and [`Env`] name, so that a test can put them where it likes. Nothing here creates a
//! store or enters a namespace.

pub mod auth;
pub mod certs_d;
pub mod containers_conf;
mod env;
mod paths;
pub mod policy;
pub mod registries_conf;
pub mod storage_conf;
mod toml_file;

pub use env::{Env, Passwd};
pub use paths::Paths;
pub use registries_conf::ShortNames;
