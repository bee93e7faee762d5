//! The data types of the OCI and Docker v2 schema 2 formats, references and digests. No I/O.

mod config;
mod digest;
mod manifest;
mod media_type;
mod platform;
mod reference;

pub use config::{Healthcheck, History, ImageConfig, ProcessConfig, RootFs};
pub use digest::{Algorithm, Digest, Hasher};
pub use manifest::{Descriptor, Document, Index, Manifest};
pub use media_type::{LayerFormat, MediaType};
pub use platform::Platform;
pub use reference::{Named, Reference};
