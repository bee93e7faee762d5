//! The conformance suite: what the OCI runtime specification asks of a runtime, asked of the built rcon.
//!
//! `RCON_TEST_RUNTIME=/usr/bin/crun cargo test --test runtime` asks another runtime the same. Each file is a section of the
//! specification; where runtimes differ, its words decide, and the test quotes them.

// runtime.md
mod command_line;
mod create;
mod delete;
mod exec;
mod kill;
mod start;
mod state;
// config.md
mod capabilities;
mod hooks;
mod invalid;
mod mount_options;
mod mounts;
mod process;
mod root;
mod terminal;
// config-linux.md and runtime-linux.md
mod cgroups;
mod descriptors;
mod devices;
mod linux;
mod namespaces;
mod seccomp;
// features.md
mod features;

mod probe;
mod rig;
