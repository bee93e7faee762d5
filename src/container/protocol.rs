//! What the monitor and an attached client say to each other: messages on a [`Channel`], a byte of kind and
//! then the content.
//!
//! | from | kind | content |
//! | --- | --- | --- |
//! | client | `i` | bytes for standard input |
//! | client | `e` | end of standard input |
//! | client | `w` | window size: rows, columns, little-endian 16 bits each |
//! | client | `s` | a signal's number, one byte |
//! | client | `d` | detach: the container goes on alone |
//! | client | `p` | nobody reads this stream (`o` or `r`) any more |
//! | monitor | `o` `r` | bytes of standard output, of standard error |
//! | monitor | `S` | the payload runs |
//! | monitor | `X` | the payload ended: exit code, one byte |
//! | monitor | `E` | it could not be started: the error as JSON |

use crate::error::{Error, Kind, Result, Wire};

/// The most content that one message carries.
pub const MAX_CONTENT: usize = 32 * 1024;

/// A buffer of this size takes any message.
pub const MAX_MESSAGE: usize = MAX_CONTENT + 1;

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub enum FromClient<'a> {
    /// Bytes for standard input.
    Input(&'a [u8]),
    /// Standard input has ended.
    EndOfInput,
    /// The client's terminal has these (rows, columns).
    Resize(u16, u16),
    /// Pass this signal on.
    Signal(i32),
    /// Nobody reads this stream any more.
    Closed(Stream),
    /// The client goes, the container stays.
    Detach,
    /// The client is gone.
    Gone,
}

/// What the monitor says.
#[derive(Debug)]
pub enum FromMonitor<'a> {
    /// Bytes of standard output (of everything, with a terminal).
    Output(&'a [u8]),
    /// Bytes of standard error.
    ErrorOutput(&'a [u8]),
    /// The payload runs.
    Started,
    /// The payload ended with this code.
    Exited(i32),
    /// It could not be started.
    Failed(Error),
    /// The monitor is gone without a word.
    Gone,
}

/// One of the two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

impl Stream {
    /// The kind byte of a message with bytes of this stream.
    pub fn kind(self) -> u8 {
        match self {
            Self::Output => b'o',
            Self::Error => b'r',
        }
    }

    /// The stream's name in log files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Output => "stdout",
            Self::Error => "stderr",
        }
    }
}

/// The message that the payload runs.
pub const STARTED: &[u8] = b"S";

/// Reads a client's message; unknown ones are an error.
pub fn from_client(message: &[u8]) -> Result<FromClient<'_>> {
    Ok(match message {
        [] => FromClient::Gone,
        [b'i', content @ ..] => FromClient::Input(content),
        [b'e'] => FromClient::EndOfInput,
        [b'w', a, b, c, d] => FromClient::Resize(u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d])),
        [b's', signal] => FromClient::Signal(i32::from(*signal)),
        [b'd'] => FromClient::Detach,
        [b'p', b'o'] => FromClient::Closed(Stream::Output),
        [b'p', b'r'] => FromClient::Closed(Stream::Error),
        _ => return Err(Error::new(Kind::Invalid, "a client sent an unknown message")),
    })
}

/// Reads the monitor's message; unknown ones are an error.
pub fn from_monitor(message: &[u8]) -> Result<FromMonitor<'_>> {
    Ok(match message {
        [] => FromMonitor::Gone,
        [b'o', content @ ..] => FromMonitor::Output(content),
        [b'r', content @ ..] => FromMonitor::ErrorOutput(content),
        [b'S'] => FromMonitor::Started,
        [b'X', code] => FromMonitor::Exited(i32::from(*code)),
        [b'E', json @ ..] => FromMonitor::Failed(match serde_json::from_slice::<Wire>(json) {
            Ok(wire) => wire.into(),
            Err(error) => Error::wrap("the monitor's error cannot be read", error),
        }),
        _ => return Err(Error::new(Kind::Invalid, "the monitor sent an unknown message")),
    })
}

/// The message that the client's terminal has a new size.
pub fn resize(rows: u16, columns: u16) -> [u8; 5] {
    let ([a, b], [c, d]) = (rows.to_le_bytes(), columns.to_le_bytes());
    [b'w', a, b, c, d]
}

/// The message that the container could not be started.
pub fn failed(error: &Error) -> Vec<u8> {
    let mut message = b"E".to_vec();
    message.extend(serde_json::to_vec(&error.to_wire()).unwrap_or_default());
    message.truncate(MAX_MESSAGE);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written() {
        assert_eq!(from_client(&resize(24, 300)).unwrap(), FromClient::Resize(24, 300));
        assert_eq!(from_client(b"ixyz").unwrap(), FromClient::Input(b"xyz"));
        assert_eq!(from_client(b"").unwrap(), FromClient::Gone);
        assert!(from_client(b"?").is_err() && from_client(b"w1").is_err());
        let error = Error::wrap("a", Error::new(Kind::CommandNotFound, "b"));
        let FromMonitor::Failed(back) = from_monitor(&failed(&error))
            .map(|m| match m {
                FromMonitor::Failed(e) => FromMonitor::Failed(e),
                other => panic!("{other:?}"),
            })
            .unwrap()
        else {
            panic!()
        };
        assert_eq!((back.kind(), back.chain()), (Kind::CommandNotFound, error.chain()));
    }
}
