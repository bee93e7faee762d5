//! Mechanism without policy: the only unsafe code of the crate, in small safe pieces.
//!
//! Everything here speaks of descriptors, paths and processes; nothing knows what an image or a container
//! is. Descriptors are owned (`OwnedFd`, `BorrowedFd`) and close on exec.

pub mod atomic;
pub mod caps;
pub mod channel;
pub mod clone;
pub mod copy;
pub mod exec;
pub mod filesystem;
pub mod keyring;
pub mod limits;
pub mod lock;
pub mod memory;
pub mod mount;
pub mod netdev;
pub mod process;
pub mod root;
pub mod scheduling;
pub mod seccomp;
pub mod signal;
pub mod spawn;
pub mod terminal;
pub mod xattr;
