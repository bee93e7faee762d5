//! A registry in this process that serves one small image and lies on demand.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::oci::Digest;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
}

/// What is sent back.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Break the connection off after this many bytes of the body.
    pub(super) cut: Option<usize>,
    /// Say nothing about the length.
    pub(super) unbounded: bool,
}

impl Reply {
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        Self { status, body: body.to_vec(), ..Self::default() }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// An image of one layer, gzip.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) layer: Vec<u8>,
    pub(super) config: Vec<u8>,
    pub(super) manifest: Vec<u8>,
}

impl Content {
    /// `files` by name; each layer is told apart by them.
    pub(super) fn new(files: &[(&str, &[u8])]) -> Self {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, *bytes).unwrap();
        }
        let plain = archive.into_inner().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gzip.write_all(&plain).unwrap();
        Self::of_layer(gzip.finish().unwrap(), &Digest::of(&plain))
    }

    /// An image of this layer, whose configuration claims this diff id.
    pub(super) fn of_layer(layer: Vec<u8>, diff_id: &Digest) -> Self {
        let native = crate::oci::Platform::native();
        let config = json!({
            "architecture": native.architecture, "os": native.os, "config": { "Cmd": ["sh"] },
            "rootfs": { "type": "layers", "diff_ids": [diff_id] },
        });
        let config = serde_json::to_vec(&config).unwrap();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json",
                        "digest": Digest::of(&config), "size": config.len() },
            "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                         "digest": Digest::of(&layer), "size": layer.len() }],
        });
        Self { layer, config, manifest: serde_json::to_vec(&manifest).unwrap() }
    }

    /// What an honest registry says.
    pub(super) fn answer(&self, request: &Request) -> Reply {
        let last = request.path.rsplit('/').next().unwrap();
        let documents = [&self.layer, &self.config, &self.manifest];
        let by_digest = documents.into_iter().find(|document| Digest::of(document).as_str() == last);
        if request.path.contains("/manifests/") {
            let bytes = if last == "latest" { &self.manifest } else { by_digest.unwrap_or(&self.manifest) };
            let digest = Digest::of(bytes).to_string();
            return Reply::of(200, bytes)
                .with("Content-Type", MANIFEST)
                .with("Docker-Content-Digest", &digest);
        }
        let Some(bytes) = by_digest else { return Reply::of(404, b"") };
        let from =
            request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        match from.and_then(|from| from.parse::<usize>().ok()) {
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Reply::of(206, &bytes[from..]).with("Content-Range", &range)
            }
            None => Reply::of(200, bytes),
        }
    }
}

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What decides about each reply; it is told how many requests for the same path there were before.
pub(super) type Handler = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// A listening registry. It ends with the test process.
pub(super) struct Registry {
    pub(super) host: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Registry {
    pub(super) fn start(handler: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (handler, shared): (Arc<Handler>, _) = (Arc::new(handler), log.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, log) = (handler.clone(), shared.clone());
                std::thread::spawn(move || serve(stream, handler.as_ref(), &log));
            }
        });
        Self { host, log }
    }

    /// The requests so far, but for those that looked for TLS.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// `GET /path` lines of the requests whose path contains `part`.
    pub(super) fn count(&self, part: &str) -> usize {
        self.requests().iter().filter(|request| request.path.contains(part)).count()
    }
}

fn serve(mut stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Request>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    // The first byte of a TLS handshake: this registry speaks plain HTTP.
    if reader.fill_buf().ok()?.first() == Some(&0x16) {
        return None;
    }
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length: u64 = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    let request = Request { method, path, headers };
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|earlier| earlier.path == request.path).count();
        log.push(request.clone());
        before
    };
    let reply = handler(&request, before);
    let mut head = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status);
    if !reply.unbounded {
        head.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    if request.method != "HEAD" {
        let end = reply.cut.unwrap_or(reply.body.len()).min(reply.body.len());
        stream.write_all(&reply.body[..end]).ok()?;
    }
    Some(())
}
