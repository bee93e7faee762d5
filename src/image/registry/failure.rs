//! What went wrong with a request, and whether and when it is worth another try.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use oci_client::errors::OciEnvelope;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};

use super::{Endpoint, Retry};
use crate::error::{Error, Kind, Result};

/// The longest pause that a registry may ask for; what asks for more has refused.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A failed request.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    is_transient: bool,
    after: Option<Duration>,
}

impl Failure {
    pub(super) fn lasting(error: Error) -> Self {
        Self { error, is_transient: false, after: None }
    }

    pub(super) fn transient(error: Error) -> Self {
        Self { error, is_transient: true, after: None }
    }
}

/// Counts tries of one act.
pub(super) struct Tries {
    retry: Retry,
    made: u32,
}

impl Tries {
    pub(super) fn new(retry: Retry) -> Self {
        Self { retry, made: 0 }
    }

    /// Something was achieved: count anew.
    pub(super) fn reset(&mut self) {
        self.made = 0;
    }

    /// Waits before the next try, or gives the failure back where there is none.
    pub(super) async fn pause_or_give_up(&mut self, failure: Failure) -> Result<()> {
        let asked = failure.after.unwrap_or_default();
        if !failure.is_transient || self.made >= self.retry.count || asked > LONGEST_PAUSE {
            return Err(failure.error);
        }
        let own =
            self.retry.delay.unwrap_or_else(|| spread(Duration::from_millis(500) * (1 << self.made.min(6))));
        self.made += 1;
        tokio::time::sleep(asked.max(own)).await;
        Ok(())
    }
}

/// Up to a quarter more, so that many clients do not come back at once.
fn spread(delay: Duration) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    delay + delay / 4 * (now.subsec_nanos() % 1000) / 1000
}

/// The innermost message of a chain, which names the fact (`Connection refused`).
pub(super) fn root_cause(error: &dyn StdError) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// No answer came.
pub(super) fn of_request(endpoint: &Endpoint, error: &reqwest::Error) -> Failure {
    let host = endpoint.host();
    let cause = root_cause(error);
    let is_certificate = cause.contains("certificate");
    let is_plain_http = cause.contains("InvalidContentType") || cause.contains("corrupt message");
    let refused = cause.contains("refused") || cause.contains("no address");
    let mut wrapped =
        Error::wrap(format!("cannot reach registry {host}"), Error::new(Kind::Network, cause.clone()));
    if is_certificate {
        wrapped = wrapped.hint(format!(
            "put the certificate of its authority into ~/.config/containers/certs.d/{host}/ca.crt"
        ));
    }
    if is_plain_http {
        wrapped = wrapped.hint(format!(
            "if {host} speaks plain HTTP, say --tls-verify=false or set `insecure = true` for it in registries.conf"
        ));
    }
    let lasting = is_certificate || is_plain_http || refused || error.is_builder() || error.is_redirect();
    if lasting { Failure::lasting(wrapped) } else { Failure::transient(wrapped) }
}

/// An answer came, and it was no.
pub(super) async fn of_status(endpoint: &Endpoint, mut response: Response) -> Failure {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > 64 << 10 {
            break;
        }
    }
    let said = said(&body).map(|said| format!(": {said}")).unwrap_or_default();
    let host = endpoint.host();
    let login = format!("give credentials with --creds USER:PASSWORD, or log in to {host}");
    let is_transient = matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504 | 507..=599);
    let error = match status {
        StatusCode::UNAUTHORIZED => {
            Error::new(Kind::Denied, format!("{host} wants authentication{said}")).hint(login)
        }
        StatusCode::FORBIDDEN => Error::new(Kind::Denied, format!("{host} denies access{said}")).hint(login),
        StatusCode::NOT_FOUND => Error::not_found(format!("{host} does not have it{said}")),
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = after.map(|after| format!(" (again in {} s)", after.as_secs())).unwrap_or_default();
            Error::new(Kind::Network, format!("{host} says that there were too many requests{wait}{said}"))
        }
        _ if is_transient => Error::new(Kind::Network, format!("{host} answers {status}{said}")),
        _ => Error::new(Kind::Denied, format!("{host} answers {status}{said}")),
    };
    Failure { error, is_transient, after }
}

/// The message in a registry's error body, in one line.
fn said(body: &[u8]) -> Option<String> {
    let envelope: OciEnvelope = serde_json::from_slice(body).ok()?;
    let first = envelope.errors.into_iter().next()?;
    let message = if first.message.is_empty() { format!("{:?}", first.code) } else { first.message };
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    Some(line)
}

/// `Retry-After`: seconds, or a date. Source: RFC 9110, section 10.2.3.
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(date.duration_since(jiff::Timestamp::now()).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_read_in_both_forms() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(retry_after("Fri, 31 Dec 2100 23:59:59 GMT").unwrap() > LONGEST_PAUSE);
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn a_registry_s_message_is_one_line_without_control_characters() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest\u001b[2J\nunknown"}]}"#;
        assert_eq!(said(body).unwrap(), "manifest [2J unknown");
        assert_eq!(said(b"<html>"), None);
    }
}
