//! delete: what create made goes.

use super::directory::Container;
use super::kill::destroy;
use super::{Runtime, Status, hooks};
use crate::error::{Error, Kind, Result};

/// Removes a container that has stopped; with `force`, one that has not is killed first.
pub fn delete(runtime: &Runtime<'_>, container: &Container, force: bool) -> Result<()> {
    let record = &container.record;
    match container.status() {
        Status::Stopped => {}
        _ if force => {}
        status => {
            let message = format!("cannot delete container {}: it is {status}, not stopped", record.id);
            return Err(Error::new(Kind::Conflict, message)
                .hint(format!("rcon runtime kill {} KILL, or delete --force", record.id)));
        }
    }
    // Also where it has stopped: without a pid namespace its children may go on.
    destroy(container)?;
    if let Some(cgroup) = &record.cgroup {
        cgroup.remove()?;
    }
    let spec = container.spec();
    container.remove()?;
    let poststop = spec.as_ref().ok().and_then(|spec| spec.hooks().as_ref()?.poststop().clone());
    let state = record.state(Status::Stopped, 0);
    hooks::run_all("poststop", poststop.as_deref(), &state, runtime.note);
    Ok(())
}
