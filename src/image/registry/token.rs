//! The answer to a registry's challenge: an `Authorization` header, with a token fetched where one is
//! wanted.

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Url};
use serde::Deserialize;

use super::challenge::Challenge;
use super::failure::{self, Failure};
use super::{Endpoint, read_bounded};
use crate::config::auth::Credentials;
use crate::error::{Error, Kind};

/// The most bytes of a token server's answer.
const ANSWER_LIMIT: u64 = 1 << 20;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

/// The `Authorization` that answers `challenges`.
pub(super) async fn authorize(
    http: &Client,
    endpoint: &Endpoint,
    challenges: &[String],
) -> Result<String, Failure> {
    let challenges: Vec<Challenge> =
        challenges.iter().flat_map(|header| Challenge::parse_all(header)).collect();
    let bearer = challenges.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
    if let Some(Challenge::Bearer { realm, service, scope }) = bearer {
        let request = request(endpoint, realm, service.as_deref(), scope.as_deref())?;
        let token = fetch(http, endpoint, request).await?;
        return Ok(format!("Bearer {token}"));
    }
    match &endpoint.credentials {
        Some(Credentials::Basic { user, password }) if challenges.contains(&Challenge::Basic) => {
            Ok(basic(user, password))
        }
        _ => {
            let host = endpoint.host();
            Err(Failure::lasting(
                Error::new(Kind::Denied, format!("{host} wants authentication"))
                    .hint(format!("give credentials with --creds USER:PASSWORD, or log in to {host}")),
            ))
        }
    }
}

/// What is sent to the token server.
struct Request {
    url: Url,
    /// A form: the OAuth2 exchange of an identity token.
    form: Option<String>,
    authorization: Option<String>,
}

fn request(
    endpoint: &Endpoint,
    realm: &str,
    service: Option<&str>,
    scope: Option<&str>,
) -> Result<Request, Failure> {
    let mut url = Url::parse(realm)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http"))
        .ok_or_else(|| Failure::lasting(Error::invalid(format!("token server {realm:?} is not a URL"))))?;
    if url.scheme() == "http" && !endpoint.insecure {
        let host = endpoint.host();
        return Err(Failure::lasting(Error::new(
            Kind::Denied,
            format!("{host} wants credentials to be sent to {realm} in plain text"),
        )));
    }
    let default_scope = format!("repository:{}:pull", endpoint.repository());
    let mut pairs = vec![("scope", scope.unwrap_or(&default_scope))];
    pairs.extend(service.map(|service| ("service", service)));
    match &endpoint.credentials {
        Some(Credentials::IdentityToken(token)) => {
            pairs.extend([("grant_type", "refresh_token"), ("client_id", "rcon"), ("refresh_token", token)]);
            let mut form = Url::parse("form:").map_err(|_| Failure::lasting(Error::invalid("form")))?;
            form.query_pairs_mut().extend_pairs(pairs);
            Ok(Request { url, form: form.query().map(str::to_owned), authorization: None })
        }
        Some(Credentials::Basic { user, password }) => {
            pairs.push(("account", user));
            url.query_pairs_mut().extend_pairs(pairs);
            Ok(Request { url, form: None, authorization: Some(basic(user, password)) })
        }
        None => {
            url.query_pairs_mut().extend_pairs(pairs);
            Ok(Request { url, form: None, authorization: None })
        }
    }
}

async fn fetch(http: &Client, endpoint: &Endpoint, request: Request) -> Result<String, Failure> {
    let server = request.url.host_str().unwrap_or_default().to_owned();
    let mut sent = match request.form {
        Some(form) => {
            http.post(request.url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
        }
        None => http.get(request.url),
    };
    if let Some(authorization) = request.authorization {
        sent = sent.header(AUTHORIZATION, authorization);
    }
    let token_server = Endpoint { name: server.clone(), ..Endpoint::default() };
    let response = sent.send().await.map_err(|error| failure::of_request(&token_server, &error))?;
    if !response.status().is_success() {
        return Err(failure::of_status(endpoint, response).await);
    }
    let body = read_bounded(response, ANSWER_LIMIT).await?.bytes;
    let answer = serde_json::from_slice::<Answer>(&body).ok();
    answer
        .and_then(|answer| answer.token.or(answer.access_token))
        .filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()))
        .ok_or_else(|| Failure::lasting(Error::invalid(format!("token server {server} gave no token"))))
}

fn basic(user: &str, password: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {pair}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(credentials: Option<Credentials>) -> Endpoint {
        Endpoint { name: "q.io/org/x".into(), credentials, ..Endpoint::default() }
    }

    #[test]
    fn the_token_request_fits_the_credentials() {
        let anonymous = request(&endpoint(None), "https://t/token?x=1", Some("q io"), None).unwrap();
        assert_eq!(
            anonymous.url.as_str(),
            "https://t/token?x=1&scope=repository%3Aorg%2Fx%3Apull&service=q+io"
        );
        assert!(anonymous.authorization.is_none());
        let token = Credentials::IdentityToken("a&b".into());
        let refresh = request(&endpoint(Some(token)), "https://t/token", None, Some("s")).unwrap();
        assert_eq!(refresh.url.as_str(), "https://t/token");
        assert!(refresh.form.unwrap().ends_with("refresh_token=a%26b"));
        let basic = Credentials::from_option("u:p").unwrap();
        let with_user = request(&endpoint(Some(basic.clone())), "https://t/token", None, None).unwrap();
        assert_eq!(with_user.authorization.unwrap(), "Basic dTpw");
        assert!(request(&endpoint(Some(basic)), "http://t/token", None, None).is_err(), "not in plain text");
        assert!(request(&endpoint(None), "file:///etc/passwd", None, None).is_err());
    }
}
