//! Manifests and indexes: parsed only after their digest has been checked, and always kept as the bytes that
//! came, since a digest is over bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::or_default;
use super::{Digest, MediaType, Platform};
use crate::error::{Context, Error, Result};

/// A pointer to a document or a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it points to.
    #[serde(default, deserialize_with = "or_default")]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes; no more is ever read.
    pub size: u64,
    /// In an index: what the manifest is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Free-form metadata.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An image manifest, OCI or Docker v2 schema 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The manifest's own type; OCI manifests may leave it out.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// The type of an artifact that is not an image.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub artifact_type: String,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, bottom first.
    #[serde(default, deserialize_with = "or_default")]
    pub layers: Vec<Descriptor>,
    /// Free-form metadata.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An index (manifest list): one manifest a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// The index's own type.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Its entries.
    #[serde(default, deserialize_with = "or_default")]
    pub manifests: Vec<Descriptor>,
}

/// What a registry may give for a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one value a request")]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// A choice of images.
    Index(Index),
}

impl Document {
    /// Reads a manifest or an index. What it is, its own `mediaType` says; where that is missing, `claimed`
    /// (the `Content-Type` it came with, or a descriptor's type); where that says nothing, its shape. A
    /// document that claims to be both is refused: parsers that disagree about it would run different images.
    pub fn parse(bytes: &[u8], claimed: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            #[serde(default)]
            schema_version: Option<u32>,
            #[serde(default, deserialize_with = "or_default")]
            media_type: String,
            config: Option<serde::de::IgnoredAny>,
            layers: Option<serde::de::IgnoredAny>,
            manifests: Option<serde::de::IgnoredAny>,
            #[serde(rename = "fsLayers")]
            fs_layers: Option<serde::de::IgnoredAny>,
        }
        let shape: Shape = serde_json::from_slice(bytes).context(|| "cannot parse the manifest")?;
        if shape.schema_version == Some(1) || shape.fs_layers.is_some() {
            MediaType::parse("application/vnd.docker.distribution.manifest.v1+json")?;
        }
        let like_manifest = shape.config.is_some() || shape.layers.is_some();
        if like_manifest && shape.manifests.is_some() {
            return Err(Error::invalid("the document claims to be a manifest and an index at once"));
        }
        let stated = if shape.media_type.is_empty() { claimed } else { &shape.media_type };
        let kind = match MediaType::parse(stated) {
            Ok(kind) => kind,
            Err(error) if !shape.media_type.is_empty() => return Err(error),
            Err(_) if like_manifest => MediaType::Manifest,
            Err(_) if shape.manifests.is_some() => MediaType::Index,
            Err(error) => return Err(error),
        };
        match kind {
            MediaType::Manifest => {
                Ok(Self::Manifest(serde_json::from_slice(bytes).context(|| "cannot parse the manifest")?))
            }
            MediaType::Index => {
                Ok(Self::Index(serde_json::from_slice(bytes).context(|| "cannot parse the index")?))
            }
            MediaType::Config | MediaType::Layer(_) => {
                Err(Error::invalid(format!("a manifest was asked for, {stated} came")))
            }
        }
    }
}

impl Manifest {
    /// Refuses what is well-formed but not the manifest of a container image.
    pub fn check_is_image(&self) -> Result<()> {
        match MediaType::parse(&self.config.media_type) {
            Ok(MediaType::Config) => Ok(()),
            // Old tools pushed configurations as octet streams or plain JSON; the parse of it decides.
            _ if matches!(
                self.config.media_type.as_str(),
                "" | "application/octet-stream" | "application/json"
            ) =>
            {
                Ok(())
            }
            _ => {
                let what =
                    if self.artifact_type.is_empty() { &self.config.media_type } else { &self.artifact_type };
                Err(Error::unsupported(format!("this is an artifact ({what}), not a container image")))
            }
        }
    }
}

impl Index {
    /// The entry that serves `platform` best; the first of equals.
    pub fn choose(&self, platform: &Platform) -> Result<&Descriptor> {
        let fits = |entry: &'_ Descriptor| platform.distance(entry.platform.as_ref()?);
        let best = self
            .manifests
            .iter()
            .filter_map(|entry| Some((fits(entry)?, entry)))
            .min_by_key(|(distance, _)| *distance);
        best.map(|(_, entry)| entry).ok_or_else(|| {
            let offered: Vec<String> = self
                .manifests
                .iter()
                .filter_map(|entry| entry.platform.as_ref())
                .filter(|offered| offered.os != "unknown")
                .map(ToString::to_string)
                .collect();
            Error::not_found(format!(
                "no image for platform {platform} in the index (it has {})",
                offered.join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(kind: &str) -> String {
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":1}}"#, Digest::of(b""))
    }

    #[test]
    fn documents_are_told_apart_and_confused_ones_refused() {
        let config = descriptor("application/vnd.oci.image.config.v1+json");
        let oci = "application/vnd.oci.image.manifest.v1+json";
        let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]}}"#);
        assert!(matches!(Document::parse(manifest.as_bytes(), oci), Ok(Document::Manifest(_))));
        assert!(matches!(Document::parse(manifest.as_bytes(), "text/plain"), Ok(Document::Manifest(_))));
        let index = r#"{"schemaVersion":2,"manifests":null}"#;
        assert!(Document::parse(index.as_bytes(), "text/plain").is_err(), "nothing says what it is");
        let index = r#"{"schemaVersion":2,"manifests":[]}"#;
        assert!(matches!(Document::parse(index.as_bytes(), ""), Ok(Document::Index(_))));
        let both = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"manifests":[]}}"#);
        assert!(Document::parse(both.as_bytes(), oci).is_err());
        let schema1 = r#"{"schemaVersion":1,"fsLayers":[]}"#;
        assert!(Document::parse(schema1.as_bytes(), oci).unwrap_err().to_string().contains("schema 1"));
        assert!(Document::parse(b"<html>", oci).is_err());
    }

    #[test]
    fn an_index_yields_the_nearest_entry_or_says_what_it_has() {
        let entry = |platform: &str| {
            let platform: Platform = platform.parse().unwrap();
            let mut entry: Descriptor = serde_json::from_str(&descriptor("m")).unwrap();
            entry.digest = Digest::of(platform.to_string().as_bytes());
            entry.platform = Some(platform);
            entry
        };
        let index = Index {
            media_type: String::new(),
            manifests: vec![
                entry("linux/arm/v6"),
                entry("linux/arm/v7"),
                entry("unknown/unknown"),
                entry("linux/arm64"),
            ],
        };
        let chosen = index.choose(&"linux/arm/v8".parse().unwrap()).unwrap();
        assert_eq!(chosen.platform.as_ref().unwrap().to_string(), "linux/arm/v7");
        let error = index.choose(&"linux/s390x".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("linux/arm64"), "{error}");
        assert!(!error.to_string().contains("unknown"), "{error}");
    }
}
