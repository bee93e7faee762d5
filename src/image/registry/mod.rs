//! One registry, spoken to over HTTP: manifests, blobs, tags.
//!
//! The registry is not trusted: a body is never longer than what was announced for it, and nothing that
//! comes from here has been checked against its digest. Transient failures (broken connections, 408, 429,
//! 5xx) are retried with back-off, as long as `Retry-After` asks for; a token is fetched when the registry
//! asks for one.
//!
//! This is reqwest under a thin layer of our own: resuming, `Retry-After`, size bounds, client
//! certificates, identity tokens and a resolver that works in a static binary all need the request itself.
//! Source: OCI distribution-spec; distribution/docs, "Token Authentication".

mod blob;
mod challenge;
mod client;
mod dns;
mod failure;
mod token;

use std::sync::Mutex;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RANGE, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;

pub use blob::BlobStream;
pub use client::Proxies;
use failure::{Failure, Tries};

use crate::config::auth::Credentials;
use crate::config::certs_d::Certificates;
use crate::error::{Context, Error, Kind, Result};
use crate::oci::{Digest, MediaType};

/// The most bytes that a manifest may have. Source: distribution-spec, "Pushing Manifests".
const MANIFEST_LIMIT: u64 = 4 << 20;

/// A repository and all that is needed to speak to its registry.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// `registry/repository`.
    pub name: String,
    /// Whether unverified TLS and plain HTTP are good enough.
    pub insecure: bool,
    /// Who we are there.
    pub credentials: Option<Credentials>,
    /// Certificates for it.
    pub certificates: Certificates,
}

impl Endpoint {
    /// The registry with its port.
    pub fn host(&self) -> &str {
        self.name.split_once('/').map_or(self.name.as_str(), |(host, _)| host)
    }

    fn repository(&self) -> &str {
        self.name.split_once('/').map_or("", |(_, repository)| repository)
    }

    /// Where the registry really listens: Docker's is not at its name.
    fn address(&self) -> &str {
        if self.host() == "docker.io" { "registry-1.docker.io" } else { self.host() }
    }
}

/// How often and how fast failed requests are repeated.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// How many times more, after the first.
    pub count: u32,
    /// The pause between two tries; where it is not given, half a second that doubles each time.
    pub delay: Option<Duration>,
}

impl Default for Retry {
    fn default() -> Self {
        Self { count: 3, delay: None }
    }
}

/// A document as it came.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The `Content-Type`, empty where there was none.
    pub content_type: String,
}

/// A connection to one repository. Requests on it may run side by side.
pub struct Registry {
    endpoint: Endpoint,
    http: reqwest::Client,
    retry: Retry,
    /// Found out by the first request to an insecure registry.
    scheme: Mutex<Option<&'static str>>,
    /// The `Authorization` that worked last.
    authorization: Mutex<Option<String>>,
}

/// What is asked of the registry, below `/v2/REPOSITORY/`.
struct Ask<'a> {
    method: Method,
    path: String,
    accept: &'a [&'a str],
    from: u64,
}

impl<'a> Ask<'a> {
    fn get(path: String) -> Self {
        Self { method: Method::GET, path, accept: &[], from: 0 }
    }
}

impl Registry {
    /// Prepares to speak to `endpoint`; nothing is sent yet.
    pub fn new(endpoint: Endpoint, retry: Retry, proxies: &Proxies) -> Result<Self> {
        let http = client::build(&endpoint, proxies)?;
        let scheme = Mutex::new((!endpoint.insecure).then_some("https"));
        Ok(Self { endpoint, http, retry, scheme, authorization: Mutex::new(None) })
    }

    /// The repository that this speaks to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Fetches the manifest or index of a tag or digest.
    pub async fn manifest(&self, version: &str) -> Result<Fetched> {
        let mut ask = Ask::get(format!("manifests/{version}"));
        ask.accept = &MediaType::MANIFESTS;
        let what = || format!("cannot read manifest {version} of {}", self.endpoint.name);
        self.fetch(&ask, MANIFEST_LIMIT).await.context(what)
    }

    /// The digest that a tag has right now, as far as the registry tells without sending the manifest.
    pub async fn manifest_digest(&self, version: &str) -> Result<Option<Digest>> {
        let ask = Ask {
            method: Method::HEAD,
            path: format!("manifests/{version}"),
            accept: &MediaType::MANIFESTS,
            from: 0,
        };
        let what = || format!("cannot look up manifest {version} of {}", self.endpoint.name);
        let response = self.send(&ask).await.context(what)?;
        let header = response.headers().get("docker-content-digest");
        Ok(header.and_then(|value| value.to_str().ok()?.parse().ok()))
    }

    /// Fetches a small blob whole; it has at most `size` bytes.
    pub async fn small_blob(&self, digest: &Digest, size: u64) -> Result<Vec<u8>> {
        let ask = Ask::get(format!("blobs/{digest}"));
        let what = || format!("cannot read blob {digest} of {}", self.endpoint.name);
        Ok(self.fetch(&ask, size).await.context(what)?.bytes)
    }

    /// All tags of the repository.
    pub async fn tags(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            tags: Option<Vec<String>>,
        }
        const PAGE: usize = 1000;
        let mut tags: Vec<String> = Vec::new();
        loop {
            let last = tags.last().map(|last| format!("&last={last}")).unwrap_or_default();
            let ask = Ask::get(format!("tags/list?n={PAGE}{last}"));
            let what = || format!("cannot list the tags of {}", self.endpoint.name);
            let fetched = self.fetch(&ask, MANIFEST_LIMIT).await.context(what)?;
            let page: Page = serde_json::from_slice(&fetched.bytes).context(what)?;
            let page = page.tags.unwrap_or_default();
            let is_last = page.len() < PAGE || page.last() == tags.last();
            tags.extend(page);
            if is_last {
                tags.sort();
                tags.dedup();
                return Ok(tags);
            }
        }
    }

    /// Sends `ask` and reads the body, of which there may be `limit` bytes. Body and request count as one
    /// try.
    async fn fetch(&self, ask: &Ask<'_>, limit: u64) -> Result<Fetched> {
        let mut tries = Tries::new(self.retry);
        loop {
            let fetched = match self.try_send(ask).await {
                Ok(response) => read_bounded(response, limit).await,
                Err(failure) => Err(failure),
            };
            match fetched {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => tries.pause_or_give_up(failure).await?,
            }
        }
    }

    async fn send(&self, ask: &Ask<'_>) -> Result<Response> {
        let mut tries = Tries::new(self.retry);
        loop {
            match self.try_send(ask).await {
                Ok(response) => return Ok(response),
                Err(failure) => tries.pause_or_give_up(failure).await?,
            }
        }
    }

    /// One try: finds out the scheme and authenticates where that is asked for.
    async fn try_send(&self, ask: &Ask<'_>) -> Result<Response, Failure> {
        let mut response = self.send_by_scheme(ask).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenges: Vec<String> = response
                .headers()
                .get_all(WWW_AUTHENTICATE)
                .iter()
                .filter_map(|value| value.to_str().ok().map(str::to_owned))
                .collect();
            let authorization = token::authorize(&self.http, &self.endpoint, &challenges).await?;
            self.set_authorization(authorization);
            response = self.send_by_scheme(ask).await?;
        }
        if response.status().is_success() {
            return Ok(response);
        }
        Err(failure::of_status(&self.endpoint, response).await)
    }

    async fn send_by_scheme(&self, ask: &Ask<'_>) -> Result<Response, Failure> {
        let known = *self.scheme.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(scheme) = known {
            return self.send_over(scheme, ask).await;
        }
        match self.send_over("https", ask).await {
            Ok(response) => {
                self.set_scheme("https");
                Ok(response)
            }
            // What the insecure registry said over plain HTTP counts, if it says anything.
            Err(over_tls) => match self.send_over("http", ask).await {
                Ok(response) => {
                    self.set_scheme("http");
                    Ok(response)
                }
                Err(_) => Err(over_tls),
            },
        }
    }

    async fn send_over(&self, scheme: &str, ask: &Ask<'_>) -> Result<Response, Failure> {
        let (address, repository) = (self.endpoint.address(), self.endpoint.repository());
        let url = format!("{scheme}://{address}/v2/{repository}/{}", ask.path);
        let mut request = self.http.request(ask.method.clone(), url);
        if !ask.accept.is_empty() {
            request = request.header(ACCEPT, ask.accept.join(", "));
        }
        if ask.from > 0 {
            request = request.header(RANGE, format!("bytes={}-", ask.from));
        }
        let authorization =
            self.authorization.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().await.map_err(|error| failure::of_request(&self.endpoint, &error))
    }

    fn set_scheme(&self, scheme: &'static str) {
        *self.scheme.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(scheme);
    }

    fn set_authorization(&self, authorization: String) {
        *self.authorization.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(authorization);
    }
}

/// Reads a body of at most `limit` bytes; a longer one is refused when it is announced or when it comes.
async fn read_bounded(mut response: Response, limit: u64) -> Result<Fetched, Failure> {
    let too_long = || {
        Failure::lasting(Error::invalid(format!(
            "the registry sends more than the {limit} bytes that there may be"
        )))
    };
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    let header = response.headers().get(CONTENT_TYPE);
    let content_type = header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(Fetched { bytes, content_type }),
            Err(error) => {
                let cause = Error::new(Kind::Network, failure::root_cause(&error));
                return Err(Failure::transient(Error::wrap("the connection broke off", cause)));
            }
        }
        if bytes.len() as u64 > limit {
            return Err(too_long());
        }
    }
}
