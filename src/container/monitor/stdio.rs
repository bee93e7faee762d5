//! The standard streams between the monitor and the payload: pipes, or the leader of a terminal.

use std::os::fd::OwnedFd;

use rustix::fs::OFlags;

use crate::container::launch::Job;
use crate::container::protocol::Stream;
use crate::error::{Context, Result};
use crate::runtime::Stdio;
use crate::sys::process;

/// The monitor's ends.
#[derive(Debug, Default)]
pub(super) struct Ours {
    /// Where to write the payload's standard input.
    pub(super) input: Option<OwnedFd>,
    /// What to read.
    pub(super) sources: Vec<(Stream, OwnedFd)>,
    /// The leader of the payload's terminal; `input` and the one source are copies of it.
    pub(super) terminal: Option<OwnedFd>,
}

/// Makes the pipes: our ends, and the payload's. With a terminal there are none.
pub(super) fn make(job: &Job<'_>) -> Result<(Ours, Option<Stdio>)> {
    if job.plan.terminal {
        return Ok((Ours::default(), None));
    }
    let (input_theirs, input) = if job.record.request.process.interactive {
        let (read, write) = process::pipe()?;
        (read, Some(nonblocking(write)?))
    } else {
        let null = std::fs::File::open("/dev/null").context(|| "cannot open /dev/null")?;
        (null.into(), None)
    };
    let (output, output_theirs) = process::pipe()?;
    let (error, error_theirs) = process::pipe()?;
    let sources = vec![(Stream::Output, nonblocking(output)?), (Stream::Error, nonblocking(error)?)];
    Ok((Ours { input, sources, terminal: None }, Some([input_theirs, output_theirs, error_theirs])))
}

impl Ours {
    /// Takes over the terminal's leader, if the payload has one.
    pub(super) fn with_terminal(mut self, leader: Option<OwnedFd>) -> Result<Self> {
        if let Some(leader) = leader {
            let leader = nonblocking(leader)?;
            let copy = || leader.try_clone().context(|| "dup");
            self.input = Some(copy()?);
            self.sources = vec![(Stream::Output, copy()?)];
            self.terminal = Some(leader);
        }
        Ok(self)
    }
}

fn nonblocking(fd: OwnedFd) -> Result<OwnedFd> {
    rustix::fs::fcntl_setfl(&fd, OFlags::NONBLOCK).context(|| "fcntl(O_NONBLOCK)")?;
    Ok(fd)
}
