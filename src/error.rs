//! The one error type: what was attempted on which object, what caused it, and the way out.
//!
//! A chain of errors is printed by the command line as
//!
//! ```text
//! Error: cannot mount overlay on a1b2c3
//! Caused by: fsconfig(lowerdir+): Operation not permitted (os error 1)
//! hint: rcon --storage-driver fuse-overlayfs run …
//! ```
//!
//! Imported by every module, imports none.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of failure this is; decides the exit code and what callers may retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The command line or an option's value is wrong.
    Usage,
    /// The named object does not exist.
    NotFound,
    /// The name is taken, or the object is in a state that forbids the act.
    Conflict,
    /// The kernel, a policy or a remote refused.
    Denied,
    /// This machine or this version cannot do it.
    Unsupported,
    /// Data from outside (an image, a file, a registry) is malformed or hostile.
    Invalid,
    /// A network peer could not be reached or broke off; a retry may help.
    Network,
    /// The command in the container exists but cannot be executed (exit code 126).
    NotExecutable,
    /// The command in the container does not exist (exit code 127).
    CommandNotFound,
    /// Anything else that the system reported.
    System,
}

/// An error with its context, cause and hints. Cheap to move: one pointer.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    hints: Vec<String>,
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that has no cause below it. `context` is lower-case and without a full stop.
    pub fn new(kind: Kind, context: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, context: context.into(), source: None, hints: Vec::new() }))
    }

    /// Shorthand for [`Kind::Usage`].
    pub fn usage(context: impl Into<String>) -> Self {
        Self::new(Kind::Usage, context)
    }

    /// Shorthand for [`Kind::Invalid`].
    pub fn invalid(context: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, context)
    }

    /// Shorthand for [`Kind::NotFound`].
    pub fn not_found(context: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, context)
    }

    /// Shorthand for [`Kind::Unsupported`].
    pub fn unsupported(context: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, context)
    }

    /// Wraps `source`, whose kind and hints it takes over.
    pub fn wrap(context: impl Into<String>, source: impl StdError + Send + Sync + 'static) -> Self {
        let source: Box<dyn StdError + Send + Sync> = Box::new(source);
        let (kind, hints) = match source.downcast_ref::<Error>() {
            Some(error) => (error.0.kind, error.0.hints.clone()),
            None => (source.downcast_ref::<std::io::Error>().map_or(Kind::System, kind_of_io), Vec::new()),
        };
        Self(Box::new(Inner { kind, context: context.into(), source: Some(source), hints }))
    }

    /// The same error under another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds the next thing to type or to change.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !self.0.hints.contains(&hint) {
            self.0.hints.push(hint);
        }
        self
    }

    /// The kind of the failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The ways out, in the order in which they were added.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// The messages from the outermost to the root cause.
    pub fn chain(&self) -> Vec<String> {
        let mut messages = vec![self.0.context.clone()];
        let mut next = self.source();
        while let Some(error) = next {
            messages.push(error.to_string());
            next = error.source();
        }
        messages
    }

    /// The form in which a child process hands its error to its parent.
    pub fn to_wire(&self) -> Wire {
        Wire { kind: self.0.kind, messages: self.chain(), hints: self.0.hints.clone() }
    }
}

fn kind_of_io(error: &std::io::Error) -> Kind {
    match error.kind() {
        std::io::ErrorKind::NotFound => Kind::NotFound,
        std::io::ErrorKind::PermissionDenied => Kind::Denied,
        std::io::ErrorKind::AlreadyExists => Kind::Conflict,
        std::io::ErrorKind::Unsupported => Kind::Unsupported,
        _ => Kind::System,
    }
}

/// An error as plain data: what crosses a process boundary.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wire {
    kind: Kind,
    messages: Vec<String>,
    hints: Vec<String>,
}

impl From<Wire> for Error {
    fn from(wire: Wire) -> Self {
        let mut messages = wire.messages.into_iter().rev();
        let mut error = Error::new(wire.kind, messages.next().unwrap_or_default());
        for message in messages {
            error = Error::wrap(message, error);
        }
        error.0.hints = wire.hints;
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.chain().join(": "))?;
        for hint in &self.0.hints {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Adds what was attempted on which object to whatever went wrong below.
pub trait Context<T> {
    /// Wraps the error; the message is made only when there is one.
    fn context<S: Into<String>>(self, message: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: StdError + Send + Sync + 'static> Context<T> for Result<T, E> {
    fn context<S: Into<String>>(self, message: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| Error::wrap(message(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_kind_hints_and_every_message() {
        let error = Err::<(), _>(std::io::Error::from_raw_os_error(libc::ENOENT))
            .context(|| "open /x")
            .map_err(|e| e.hint("mkdir /x"))
            .context(|| "cannot start c1")
            .unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert_eq!(error.hints(), ["mkdir /x"]);
        assert_eq!(error.chain()[..2], ["cannot start c1", "open /x"]);
        assert_eq!(error.chain().len(), 3);
    }

    #[test]
    fn an_error_crosses_a_process_boundary_whole() {
        let error = Error::wrap("outer", Error::new(Kind::Denied, "inner").hint("ask"));
        let json = serde_json::to_string(&error.to_wire()).unwrap();
        let back = Error::from(serde_json::from_str::<Wire>(&json).unwrap());
        assert_eq!(
            (back.kind(), back.chain(), back.hints()),
            (Kind::Denied, error.chain(), &["ask".to_owned()][..])
        );
    }
}
