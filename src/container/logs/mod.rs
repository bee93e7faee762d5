//! What containers print, kept on disk and read back.

mod k8s_file;

pub use k8s_file::{Entry, Reader, Writer};
