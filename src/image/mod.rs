//! References, registries, trust, and moving images in and out.

pub mod layer;
mod progress;
pub mod pull;
pub mod registry;
pub mod trust;

pub use crate::oci::{Named, Platform, Reference};
pub use progress::{LayerProgress, Progress, Silent};
