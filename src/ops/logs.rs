//! `logs`: what a container has printed.

use super::Session;
use crate::container::{self, Container, Phase, logs::Reader};
use crate::error::Result;

/// A container's log, open for reading.
#[derive(Debug)]
pub struct Log {
    container: Container,
    reader: Option<Reader>,
}

/// Opens the log of the container that `text` means.
pub fn open(session: &Session, text: &str) -> Result<Log> {
    let container = container::find(&session.store, text)?;
    let reader = Reader::open(&container.directory.log())?;
    Ok(Log { container, reader })
}

impl Log {
    /// The next entry; `None` at the end of what is written.
    pub fn read(&mut self) -> Result<Option<container::logs::Entry>> {
        if self.reader.is_none() {
            self.reader = Reader::open(&self.container.directory.log())?;
        }
        match &mut self.reader {
            Some(reader) => reader.read(),
            None => Ok(None),
        }
    }

    /// Whether more may come.
    pub fn is_live(&self) -> Result<bool> {
        let now = Container::load(self.container.directory.clone())?;
        Ok(now.is_some_and(|container| container.state.phase == Phase::Running))
    }

    /// The container's name.
    pub fn container_name(&self) -> &str {
        &self.container.record.name
    }

    /// The container's id.
    pub fn container_id(&self) -> &str {
        &self.container.record.id
    }
}
