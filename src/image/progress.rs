//! How work on images is reported, by whoever knows no terminal to whoever does.

use crate::oci::Digest;

/// Takes reports. Implemented by the command line (bars or plain lines) and by [`Silent`].
pub trait Progress: Send + Sync {
    /// A layer of `size` bytes begins to be fetched.
    fn layer(&self, digest: &Digest, size: u64) -> Box<dyn LayerProgress>;

    /// A line for the person who waits.
    fn message(&self, text: &str);
}

/// Takes reports about one layer.
pub trait LayerProgress: Send + Sync {
    /// `bytes` more have arrived.
    fn advance(&self, bytes: u64);

    /// What is being done now, in a word or two.
    fn note(&self, text: &str);

    /// The layer is complete.
    fn done(&self);
}

/// Reports nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn layer(&self, _: &Digest, _: u64) -> Box<dyn LayerProgress> {
        Box::new(Silent)
    }

    fn message(&self, _: &str) {}
}

impl LayerProgress for Silent {
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn done(&self) {}
}
