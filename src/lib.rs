//! rcon: rootless containers without a daemon. This page is the map; CONTRIBUTING.md tells the story.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`error`] | the one error type |
//! | [`sys`] | system calls in safe pieces; the only unsafe code |
//! | [`oci`] | OCI and Docker data types, digests; no I/O |
//! | [`config`] | flag > environment > file > default |
//! | [`userns`] | subordinate ids, id maps, newuidmap and newgidmap |
//! | [`storage`] | blobs, layers, images on disk, root file systems, garbage |
//! | [`image`] | references, registries, pull, layers' archives |
//! | [`spec`] | request + image + settings -> OCI runtime specification; pure |
//! | [`network`] | connectivity for a network namespace |
//! | [`runtime`] | the OCI runtime: specification + root file system -> process |
//! | [`container`] | the life of a container |
//! | [`ops`] | one file per user verb; knows no terminal |
//! | [`cli`] | argv and terminal |
//!
//! An arrow between modules points down this table's layers:
//! `cli -> ops -> container -> runtime, network, spec, image -> storage -> userns -> config -> oci, sys -> error`.
//! `tests/layering.rs` holds the code to it.

pub mod cli;
pub mod config;
pub mod container;
pub mod error;
pub mod image;
pub mod network;
pub mod oci;
pub mod ops;
pub mod runtime;
pub mod spec;
pub mod storage;
pub mod sys;
pub mod userns;
