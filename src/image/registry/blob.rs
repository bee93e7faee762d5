//! A blob as a stream of chunks that survives broken connections.

use bytes::Bytes;
use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};

use super::failure::{self, Failure, Tries};
use super::{Ask, Registry};
use crate::error::{Context, Error, Kind, Result};
use crate::oci::Digest;

/// A blob being fetched. It yields exactly as many bytes as were announced, or an error.
pub struct BlobStream<'a> {
    registry: &'a Registry,
    digest: Digest,
    size: u64,
    /// Bytes that have been yielded, or that the caller has already.
    position: u64,
    response: Option<Response>,
    /// Bytes to pass over, where the registry sent more than what was asked for.
    skip: u64,
    tries: Tries,
}

impl Registry {
    /// Fetches the blob, which has `size` bytes, from byte `from` on. Nothing is sent before the first
    /// chunk is asked for.
    pub fn blob(&self, digest: &Digest, size: u64, from: u64) -> BlobStream<'_> {
        BlobStream {
            registry: self,
            digest: digest.clone(),
            size,
            position: from,
            response: None,
            skip: 0,
            tries: Tries::new(self.retry),
        }
    }
}

impl BlobStream<'_> {
    /// The next bytes, or `None` after the last. After an error there are no more.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let what = format!("cannot fetch blob {} of {}", self.digest, self.registry.endpoint.name);
        loop {
            if self.position == self.size {
                return Ok(None);
            }
            match self.try_next().await {
                Ok(Some(chunk)) if chunk.is_empty() => {}
                Ok(Some(chunk)) => {
                    self.tries.reset();
                    return Ok(Some(chunk));
                }
                Ok(None) => return Ok(None),
                Err(failure) => {
                    self.response = None;
                    self.tries.pause_or_give_up(failure).await.context(|| what.clone())?;
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Option<Bytes>, Failure> {
        let response = match &mut self.response {
            Some(response) => response,
            None => {
                let (response, skip) = self.open().await?;
                self.skip = skip;
                self.response.insert(response)
            }
        };
        let mut chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Err(self.broke_off("the registry sent less than it announced".to_owned())),
            Err(error) => {
                let cause = failure::root_cause(&error);
                return Err(self.broke_off(cause));
            }
        };
        let skipped = self.skip.min(chunk.len() as u64);
        self.skip -= skipped;
        let _ = chunk.split_to(skipped as usize);
        if chunk.len() as u64 > self.size - self.position {
            return Err(Failure::lasting(Error::invalid(format!(
                "the registry sends more than the {} bytes of the descriptor",
                self.size
            ))));
        }
        self.position += chunk.len() as u64;
        Ok(Some(chunk))
    }

    fn broke_off(&self, cause: String) -> Failure {
        let at = format!("the connection broke off after {} of {} bytes", self.position, self.size);
        Failure::transient(Error::wrap(at, Error::new(Kind::Network, cause)))
    }

    /// Sends the request; gives the response and how many of its bytes are already there.
    async fn open(&self) -> Result<(Response, u64), Failure> {
        let mut ask = Ask::get(format!("blobs/{}", self.digest));
        ask.from = self.position;
        let response = self.registry.try_send(&ask).await?;
        let (start, total) = match (self.position, response.status()) {
            (1.., StatusCode::PARTIAL_CONTENT) => {
                let header = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
                header.and_then(content_range).ok_or_else(|| {
                    Failure::lasting(Error::invalid("the registry sends a part and does not say which"))
                })?
            }
            (0, StatusCode::PARTIAL_CONTENT) => {
                return Err(Failure::lasting(Error::invalid(
                    "the registry sends a part of what was asked for",
                )));
            }
            // Ranges are not served: all of it comes again.
            _ => (0, response.content_length()),
        };
        if start > self.position || total.is_some_and(|total| total != self.size) {
            return Err(Failure::lasting(Error::invalid(format!(
                "the registry offers {} bytes from {start} where the descriptor says {} and {} were asked for",
                total.map_or_else(|| "some".to_owned(), |total| total.to_string()),
                self.size,
                self.position
            ))));
        }
        Ok((response, self.position - start))
    }
}

/// `bytes START-END/TOTAL`. Source: RFC 9110, section 14.4.
fn content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = header.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    let total: Option<u64> = if total == "*" { None } else { Some(total.parse().ok()?) };
    // A part that stops short of the end is what the next request continues.
    (start <= end && total.is_none_or(|total| end < total)).then_some((start, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_not() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for bad in ["", "bytes", "bytes */10", "bytes 9-5/10", "bytes 5-10/10", "bytes -5/10", "items 5-9/10"]
        {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
