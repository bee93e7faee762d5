//! A real registry (Debian's docker-registry) on loopback: one for the whole test process, gone with it.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use super::http;
use super::image::Digest;

pub(crate) struct Registry {
    /// host:port
    pub(crate) address: String,
}

/// The registry of this process, with the standard images in it.
pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let registry = Registry { address: start() };
        super::stock::push_all(&registry);
        registry
    })
}

/// Starts the server from a thread that never ends: the kernel kills a child with PDEATHSIG when the
/// *thread* that started it is gone, and test threads come and go.
fn start() -> String {
    let (tell, told) = mpsc::channel();
    std::thread::Builder::new()
        .name("registry".into())
        .spawn(move || {
            for _ in 0..5 {
                let address = free_address();
                if let Some(server) = serve(&address) {
                    tell.send(Some(address)).unwrap();
                    let mut server = server;
                    server.wait().expect("waiting for docker-registry");
                    return;
                }
            }
            tell.send(None).unwrap();
        })
        .unwrap();
    told.recv().unwrap().expect("docker-registry does not start")
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn serve(address: &str) -> Option<std::process::Child> {
    let config = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{inmemory: {{}}, delete: {{enabled: true}}}}\n\
         http: {{addr: '{address}', relativeurls: true}}\n"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), config).unwrap();
    let mut server = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "docker-registry", "serve"])
        .arg(file.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("setpriv (util-linux) starts docker-registry");
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if http::request(address, "GET", "/v2/", &[], b"").is_ok_and(|answer| answer.status == 200) {
            return Some(server);
        }
        if server.try_wait().unwrap().is_some() {
            return None; // somebody else took the port meanwhile
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = server.kill();
    let _ = server.wait();
    None
}

impl Registry {
    pub(crate) fn push_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let started = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "text/plain", b"");
        let location = started.header("location").expect("an upload has a location");
        let path = location.strip_prefix(&format!("http://{}", self.address)).unwrap_or(location);
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}digest={}", digest.to_string().replace(':', "%3A"));
        self.send("PUT", &path, "application/octet-stream", bytes);
        digest
    }

    pub(crate) fn push_manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Digest {
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.send("PUT", &path, media_type, bytes);
        Digest::of(bytes)
    }

    fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> http::Response {
        let headers = [("Content-Type", media_type)];
        let answer =
            http::request(&self.address, method, path, &headers, body).expect("the registry answers");
        assert!([201, 202].contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        answer
    }
}
