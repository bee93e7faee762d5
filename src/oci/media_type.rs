//! Media types of the OCI and Docker v2 schema 2 formats.

use crate::error::{Error, Result};

/// What a document or a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// A list of manifests, one a platform.
    Index,
    /// One image: a configuration and layers.
    Manifest,
    /// The configuration.
    Config,
    /// A layer.
    Layer(LayerFormat),
}

/// How a layer's archive is compressed, as its media type claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerFormat {
    /// A plain tar archive.
    Tar,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl MediaType {
    /// All manifest types that can be asked for, for an `Accept` header.
    pub const MANIFESTS: [&'static str; 4] = [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ];

    /// Reads a media type; parameters (`; charset=utf-8`) do not count. Types that exist but cannot be
    /// handled are refused with their reason.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = text.split(';').next().unwrap_or_default().trim();
        Ok(match plain {
            "application/vnd.oci.image.index.v1+json"
            | "application/vnd.docker.distribution.manifest.list.v2+json" => Self::Index,
            "application/vnd.oci.image.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v2+json" => Self::Manifest,
            "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => {
                Self::Config
            }
            "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar" => Self::Layer(LayerFormat::Tar),
            "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => Self::Layer(LayerFormat::Gzip),
            "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Self::Layer(LayerFormat::Zstd),
            "application/vnd.docker.distribution.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v1+prettyjws" => {
                return Err(Error::unsupported(
                    "the image is in Docker's schema 1, which was withdrawn in 2019 and is not supported",
                ));
            }
            _ if plain.contains("+encrypted") => {
                return Err(Error::unsupported(format!("encrypted layers ({plain}) are not supported")));
            }
            _ => return Err(Error::unsupported(format!("media type {plain:?} is not that of an image"))),
        })
    }
}
