//! The agent that decides about the system calls of a container (`SCMP_ACT_NOTIFY`).
//!
//! Source: runtime-spec config-linux.md, "The Container Process State".

use std::io::{IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use oci_spec::runtime::LinuxSeccomp;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};

use crate::error::{Context, Error, Kind, Result};

/// Where an agent listens, and what it is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    path: PathBuf,
    metadata: Option<String>,
}

impl Agent {
    /// The agent of a filter.
    pub(crate) fn of(seccomp: &LinuxSeccomp) -> Result<Self> {
        let path = seccomp.listener_path().as_ref().filter(|path| !path.as_os_str().is_empty());
        let path = path.ok_or_else(|| {
            Error::invalid("linux.seccomp.listenerPath is missing: SCMP_ACT_NOTIFY needs an agent")
        })?;
        Ok(Self { path: path.clone(), metadata: seccomp.listener_metadata().clone() })
    }

    /// Gives the agent the `listener` of the filter of process `pid`, with the container's state (JSON).
    pub(crate) fn hand_over(&self, listener: &OwnedFd, pid: i32, state: &[u8]) -> Result<()> {
        let what = || format!("cannot hand the seccomp listener to the agent at {}", self.path.display());
        let state: Value = serde_json::from_slice(state).context(what)?;
        let message = self.message(pid, state).to_string();
        let mut socket = UnixStream::connect(&self.path).context(what)?;
        let fds = [listener.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        let bytes = message.as_bytes();
        // An agent that takes nothing must not hold the container's start for ever.
        socket.set_write_timeout(Some(std::time::Duration::from_secs(10))).context(what)?;
        let sent = loop {
            match sendmsg(&socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.context(what)?,
            }
        };
        if sent == 0 {
            return Err(Error::new(Kind::System, what()));
        }
        // The descriptor went with the first bytes.
        socket.write_all(&bytes[sent..]).context(what)
    }

    fn message(&self, pid: i32, state: Value) -> Value {
        let version = state.get("ociVersion").cloned().unwrap_or_else(|| json!("1.3.0"));
        let mut message = json!({
            "ociVersion": version,
            "fds": ["seccompFd"],
            "pid": pid,
            "state": state,
        });
        if let Some(metadata) = &self.metadata {
            message["metadata"] = json!(metadata);
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn an_agent_gets_the_descriptor_and_the_state() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let mut seccomp = LinuxSeccomp::default();
        assert!(Agent::of(&seccomp).is_err());
        seccomp.set_listener_path(Some(path.clone())).set_listener_metadata(Some("x=y".into()));
        let agent = Agent::of(&seccomp).unwrap();
        let fd: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
        let state = br#"{"ociVersion":"1.2.0","id":"c","status":"creating","pid":7,"bundle":"/b"}"#;
        let error = agent.hand_over(&fd, 7, state).unwrap_err();
        assert!(error.to_string().contains("agent.sock"), "{error:?}");
        let listener = UnixListener::bind(&path).unwrap();
        agent.hand_over(&fd, 7, state).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(message["fds"], json!(["seccompFd"]));
        assert_eq!((&message["pid"], &message["metadata"]), (&json!(7), &json!("x=y")));
        assert_eq!((&message["ociVersion"], &message["state"]["id"]), (&json!("1.2.0"), &json!("c")));
    }
}
