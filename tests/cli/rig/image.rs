//! Builds real images, byte by byte where it matters: layers as tar archives (also malformed ones), OCI and
//! Docker manifests, indexes.

use std::fmt;
use std::io::Write;

use serde_json::{Value, json};
use sha2::Digest as _;

use super::registry::Registry;

/// A sha256 digest in its textual form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let hash = sha2::Sha256::digest(bytes);
        Self(format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
    }

    pub(crate) fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One archive member. The names go into the header as they are, however hostile.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: u8,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
    pub(crate) mtime: u64,
    pub(crate) device: (u32, u32),
    pub(crate) content: Vec<u8>,
    /// What the header says; the content's own length where it says nothing.
    pub(crate) claimed_size: Option<u64>,
    pub(crate) pax: Vec<(String, Vec<u8>)>,
}

impl Entry {
    fn new(path: &str, kind: u8, mode: u32) -> Self {
        Self {
            path: path.into(),
            kind,
            link: Vec::new(),
            mode,
            owner: (0, 0),
            mtime: 1_600_000_000,
            device: (0, 0),
            content: Vec::new(),
            claimed_size: None,
            pax: Vec::new(),
        }
    }

    pub(crate) fn file(path: &str, content: impl AsRef<[u8]>) -> Self {
        Self { content: content.as_ref().to_vec(), ..Self::new(path, b'0', 0o644) }
    }

    pub(crate) fn dir(path: &str) -> Self {
        Self::new(path, b'5', 0o755)
    }

    pub(crate) fn symlink(path: &str, target: &str) -> Self {
        Self { link: target.into(), ..Self::new(path, b'2', 0o777) }
    }

    pub(crate) fn hardlink(path: &str, target: &str) -> Self {
        Self { link: target.into(), ..Self::new(path, b'1', 0o644) }
    }

    pub(crate) fn char_device(path: &str, major: u32, minor: u32) -> Self {
        Self { device: (major, minor), ..Self::new(path, b'3', 0o666) }
    }

    pub(crate) fn fifo(path: &str) -> Self {
        Self::new(path, b'6', 0o644)
    }

    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub(crate) fn owner(mut self, uid: u64, gid: u64) -> Self {
        self.owner = (uid, gid);
        self
    }

    pub(crate) fn mtime(mut self, seconds: u64) -> Self {
        self.mtime = seconds;
        self
    }

    pub(crate) fn claiming(mut self, size: u64) -> Self {
        self.claimed_size = Some(size);
        self
    }

    pub(crate) fn pax(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.pax.push((key.into(), value.as_ref().to_vec()));
        self
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut pax = self.pax.clone();
        if self.path.len() > 100 {
            pax.push(("path".into(), self.path.clone()));
        }
        if self.link.len() > 100 {
            pax.push(("linkpath".into(), self.link.clone()));
        }
        if !pax.is_empty() {
            let records: Vec<u8> = pax.iter().flat_map(|(key, value)| pax_record(key, value)).collect();
            let header = Self { content: records, ..Self::new("pax", b'x', 0o644) };
            header.write(out);
        }
        let mut header = tar::Header::new_ustar();
        let size = self.claimed_size.unwrap_or(self.content.len() as u64);
        header.set_size(size);
        header.set_mode(self.mode);
        header.set_uid(self.owner.0.min(0o7_777_777));
        header.set_gid(self.owner.1.min(0o7_777_777));
        header.set_mtime(self.mtime);
        {
            let old = header.as_old_mut();
            old.linkflag = [self.kind];
            put(&mut old.name, &self.path);
            put(&mut old.linkname, &self.link);
        }
        header.set_device_major(self.device.0).unwrap();
        header.set_device_minor(self.device.1).unwrap();
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&self.content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
}

fn put(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Docker's manifests or OCI's.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Oci,
    Docker,
}

#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) tar: Vec<u8>,
    pub(crate) compression: Compression,
}

impl Layer {
    pub(crate) fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut tar = Vec::new();
        for entry in entries {
            entry.write(&mut tar);
        }
        tar.resize(tar.len() + 1024, 0);
        Self { tar, compression: Compression::Gzip }
    }

    pub(crate) fn compressed(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    pub(crate) fn blob(&self) -> Vec<u8> {
        match self.compression {
            Compression::None => self.tar.clone(),
            Compression::Zstd => zstd::encode_all(&self.tar[..], 1).unwrap(),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&self.tar).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    fn media_type(&self, format: Format) -> &'static str {
        match (format, self.compression) {
            (Format::Docker, Compression::None) => "application/vnd.docker.image.rootfs.diff.tar",
            (Format::Docker, _) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            (Format::Oci, Compression::None) => "application/vnd.oci.image.layer.v1.tar",
            (Format::Oci, Compression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Format::Oci, Compression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) layers: Vec<Layer>,
    pub(crate) format: Format,
    pub(crate) architecture: String,
    /// The `config` object: Env, Cmd, User …
    pub(crate) config: Value,
}

/// An image that a registry has.
#[derive(Clone, Debug)]
pub(crate) struct Pushed {
    pub(crate) manifest: Digest,
    pub(crate) config: Digest,
    pub(crate) size: usize,
    pub(crate) media_type: &'static str,
    pub(crate) architecture: String,
    pub(crate) layers: Vec<Digest>,
}

impl Image {
    pub(crate) fn of(layers: impl IntoIterator<Item = Layer>) -> Self {
        Self {
            layers: layers.into_iter().collect(),
            format: Format::Oci,
            architecture: super::machine::architecture().into(),
            config: json!({ "Env": ["PATH=/bin:/usr/bin:/sbin"], "Cmd": ["sh"] }),
        }
    }

    pub(crate) fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    pub(crate) fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub(crate) fn architecture(mut self, architecture: &str) -> Self {
        self.architecture = architecture.into();
        self
    }

    pub(crate) fn push(&self, registry: &Registry, repository: &str, tag: &str) -> Pushed {
        self.push_altered(registry, repository, tag, |_| {})
    }

    /// Pushes after `alter` had its way with the manifest.
    pub(crate) fn push_altered(
        &self,
        registry: &Registry,
        repository: &str,
        tag: &str,
        alter: impl FnOnce(&mut Value),
    ) -> Pushed {
        let diff_ids: Vec<_> = self.layers.iter().map(|layer| Digest::of(&layer.tar).to_string()).collect();
        let config = json!({
            "created": "2024-05-06T07:08:09Z",
            "architecture": self.architecture,
            "os": "linux",
            "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": diff_ids.iter().map(|_| json!({ "created_by": "test" })).collect::<Vec<_>>(),
        });
        let config = serde_json::to_vec(&config).unwrap();
        let mut digests = Vec::new();
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|layer| {
                let blob = layer.blob();
                let digest = registry.push_blob(repository, &blob);
                digests.push(digest.clone());
                json!({ "mediaType": layer.media_type(self.format), "digest": digest.to_string(), "size": blob.len() })
            })
            .collect();
        let config_digest = registry.push_blob(repository, &config);
        let (media_type, config_type) = match self.format {
            Format::Oci => {
                ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json")
            }
            Format::Docker => (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
            ),
        };
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": { "mediaType": config_type, "digest": config_digest.to_string(), "size": config.len() },
            "layers": layers,
        });
        alter(&mut manifest);
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let digest = registry.push_manifest(repository, tag, media_type, &manifest);
        Pushed {
            manifest: digest,
            config: config_digest,
            size: manifest.len(),
            media_type,
            architecture: self.architecture.clone(),
            layers: digests,
        }
    }
}

/// Pushes an index over images of one repository; answers its digest.
pub(crate) fn push_index(registry: &Registry, repository: &str, tag: &str, images: &[Pushed]) -> Digest {
    let docker = images.iter().all(|image| image.media_type.contains("docker"));
    let media_type = if docker {
        "application/vnd.docker.distribution.manifest.list.v2+json"
    } else {
        "application/vnd.oci.image.index.v1+json"
    };
    let manifests: Vec<_> = images
        .iter()
        .map(|image| {
            json!({
                "mediaType": image.media_type,
                "digest": image.manifest.to_string(),
                "size": image.size,
                "platform": { "os": "linux", "architecture": image.architecture },
            })
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests });
    registry.push_manifest(repository, tag, media_type, &serde_json::to_vec(&index).unwrap())
}
