//! The HTTP client for one registry: trust, proxies, time-outs, redirects.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, Identity, NoProxy, Proxy, redirect};

use super::Endpoint;
use super::dns::Resolver;
use crate::config::Env;
use crate::error::{Context, Error, Kind, Result};

/// The proxies that the environment names.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    except: String,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, lower-case ones too. As in Go, this
    /// machine itself is never reached through a proxy.
    pub fn from_env(env: &Env) -> Self {
        let either =
            |upper: &str| env.get(upper).or_else(|| env.get(&upper.to_lowercase())).map(str::to_owned);
        let all = either("ALL_PROXY");
        let except = either("NO_PROXY").unwrap_or_default();
        Self {
            http: either("HTTP_PROXY").or_else(|| all.clone()),
            https: either("HTTPS_PROXY").or(all),
            except: format!("localhost,127.0.0.0/8,::1,{except}"),
        }
    }

    fn list(&self) -> Result<Vec<Proxy>> {
        let mut proxies = Vec::new();
        type Make = fn(&str) -> reqwest::Result<Proxy>;
        let http: Make = |url| Proxy::http(url);
        let https: Make = |url| Proxy::https(url);
        let both = [(&self.http, http), (&self.https, https)];
        for (url, make) in both {
            let Some(url) = url else { continue };
            // Go takes a bare host:port for an HTTP proxy.
            let url = if url.contains("://") { url.clone() } else { format!("http://{url}") };
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(Error::unsupported(format!("proxy {url} is not an HTTP proxy")));
            }
            let proxy = make(&url).context(|| "cannot use the proxy of the environment")?;
            proxies.push(proxy.no_proxy(NoProxy::from_string(&self.except)));
        }
        Ok(proxies)
    }
}

/// The client for `endpoint`.
pub(super) fn build(endpoint: &Endpoint, proxies: &Proxies) -> Result<Client> {
    // The provider of this process; that it is there already is the usual case.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("rcon/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(30))
        .read_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .dns_resolver(Arc::new(Resolver))
        .redirect(redirects(endpoint.insecure))
        .no_proxy();
    for proxy in proxies.list()? {
        builder = builder.proxy(proxy);
    }
    if let Some(identity) = &endpoint.certificates.identity {
        let identity = Identity::from_pem(identity)
            .context(|| format!("cannot use the client certificate for {}", endpoint.host()))?;
        builder = builder.identity(identity);
    }
    builder = builder.tls_certs_only(roots(endpoint)?);
    if endpoint.insecure {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.build().context(|| format!("cannot prepare to speak to {}", endpoint.host()))
}

/// Up to ten redirects, but never from TLS to plain text unless the registry is insecure anyway.
fn redirects(insecure: bool) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        let downgrade =
            attempt.url().scheme() != "https" && attempt.previous().iter().any(|u| u.scheme() == "https");
        if attempt.previous().len() > 10 {
            attempt.error("too many redirects")
        } else if downgrade && !insecure {
            attempt.error("redirected from https to plain text")
        } else {
            attempt.follow()
        }
    })
}

/// The authorities that the registry's certificate may come from. An insecure registry's is not verified.
fn roots(endpoint: &Endpoint) -> Result<Vec<Certificate>> {
    if endpoint.insecure {
        return Ok(Vec::new());
    }
    let mut usable = rustls::RootCertStore::empty();
    let mut roots = Vec::new();
    for der in rustls_native_certs::load_native_certs().certs {
        // A store may hold certificates that webpki cannot read; one such must not spoil the others.
        if usable.add(der.clone()).is_ok() {
            roots.push(Certificate::from_der(&der).context(|| "cannot use a system certificate")?);
        }
    }
    for pem in &endpoint.certificates.authorities {
        let bundle = Certificate::from_pem_bundle(pem)
            .context(|| format!("cannot use the authorities for {} in certs.d", endpoint.host()))?;
        roots.extend(bundle);
    }
    if roots.is_empty() {
        return Err(Error::new(
            Kind::Unsupported,
            format!("no certificate authorities to verify {}", endpoint.host()),
        )
        .hint("install the package ca-certificates, or set SSL_CERT_FILE"));
    }
    Ok(roots)
}
