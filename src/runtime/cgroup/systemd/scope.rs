//! A transient scope: what is asked for, and the asking.

use std::path::Path;

use nix::unistd::Pid;

use super::client::{Bus, Connection};
use super::message::{Callee, Message, Value, Writer};
use crate::error::{Context, Error, Kind, Result};

const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// The scope of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime::cgroup) struct Scope {
    /// `rcon-ID.scope`
    pub(in crate::runtime::cgroup) unit: String,
    slice: String,
}

impl Scope {
    /// The scope of the container `id`: named by `path`, which is `slice:prefix:name` (as podman, runc and crun have
    /// it), or else by the id.
    pub(in crate::runtime::cgroup) fn of(id: &str, path: Option<&Path>, bus: &Bus) -> Result<Self> {
        let default_slice = match bus {
            Bus::System => "machine.slice",
            Bus::User(_) => "user.slice",
        };
        let Some(path) = path else {
            return Ok(Self { unit: format!("rcon-{id}.scope"), slice: default_slice.to_owned() });
        };
        let wrong = |why: &str| {
            let path = path.display();
            Error::new(Kind::Invalid, format!("{path} names no control group of systemd: {why}"))
        };
        let text = path.to_str().ok_or_else(|| wrong("it is not text"))?;
        let parts: Vec<&str> = text.split(':').collect();
        let [slice, prefix, name] = parts[..] else {
            return Err(wrong("expected SLICE:PREFIX:NAME"));
        };
        let is_name = |part: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
            part.len() < 200 && part.chars().all(fits)
        };
        if !is_name(slice) || !is_name(prefix) || !is_name(name) || name.is_empty() {
            return Err(wrong("a unit's name has letters, digits and :-_.\\@"));
        }
        if !slice.is_empty() && !slice.ends_with(".slice") {
            return Err(wrong("the slice must end in .slice"));
        }
        // The specification's default differs from ours: runc and crun put it into system.slice.
        let slice = match (slice, bus) {
            ("", Bus::System) => "system.slice",
            ("", Bus::User(_)) => default_slice,
            (slice, _) => slice,
        };
        Ok(Self { unit: format!("{prefix}-{name}.scope"), slice: slice.to_owned() })
    }

    /// Has the service manager make the scope with these processes in it, and waits until it is there.
    pub(in crate::runtime::cgroup) fn start(&self, bus: &Bus, pids: &[Pid]) -> Result<()> {
        self.ask(bus, pids).context(|| format!("systemd cannot make the scope {}", self.unit)).map_err(|error| {
            error.hint("--cgroup-manager cgroupfs does without systemd, --cgroups disabled without a control group")
        })
    }

    fn ask(&self, bus: &Bus, pids: &[Pid]) -> Result<()> {
        let mut connection = Connection::open(bus)?;
        connection.listen(&format!(
            "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',\
             interface='{MANAGER}',member='JobRemoved'"
        ))?;
        match self.attempt(&mut connection, pids) {
            // A scope of that name ended badly and is remembered; its name is free after this.
            Err(error) if error.kind() == Kind::Conflict => {
                let mut body = Writer::default();
                body.string(&self.unit);
                connection.tell(manager("ResetFailedUnit"), "s", body)?;
                self.attempt(&mut connection, pids)
            }
            other => other,
        }
    }

    fn attempt(&self, connection: &mut Connection, pids: &[Pid]) -> Result<()> {
        let call = connection.tell(manager("StartTransientUnit"), "ssa(sv)a(sa(sv))", self.body(pids))?;
        let mut job = None;
        // The signal may come before the answer that says which job it is about.
        let mut removed: Vec<(String, String)> = Vec::new();
        loop {
            let message = connection.next()?;
            match message.kind {
                Message::RETURN if message.reply_to == call => job = Some(message.text()?),
                Message::ERROR if message.reply_to == call => return Err(refusal(&message)),
                Message::SIGNAL if message.member == "JobRemoved" => removed.push(message.job_removed()?),
                _ => {}
            }
            let Some(job) = &job else { continue };
            match removed.iter().find(|(ended, _)| ended == job) {
                Some((_, result)) if result == "done" => return Ok(()),
                Some((_, result)) => {
                    return Err(Error::new(Kind::System, format!("its job ended with {result:?}")));
                }
                None => {}
            }
        }
    }

    /// What `StartTransientUnit` is given: name, mode, properties, no further units.
    fn body(&self, pids: &[Pid]) -> Writer {
        let text = |text: &str| Value::String(text.to_owned());
        let properties = [
            ("Description", text("container")),
            ("Slice", text(&self.slice)),
            ("DefaultDependencies", Value::Bool(false)),
            // Every controller that there is, and nobody but us writes to groups below.
            ("Delegate", Value::Bool(true)),
            ("CPUAccounting", Value::Bool(true)),
            ("MemoryAccounting", Value::Bool(true)),
            ("IOAccounting", Value::Bool(true)),
            ("TasksAccounting", Value::Bool(true)),
            // DefaultTasksMax= is for services; the container's own limit is set below.
            ("TasksMax", Value::U64(u64::MAX)),
            // One that ended by being killed is not remembered as failed.
            ("CollectMode", text("inactive-or-failed")),
            ("PIDs", Value::U32s(pids.iter().map(|pid| pid.as_raw().unsigned_abs()).collect())),
        ];
        let mut body = Writer::default();
        body.string(&self.unit);
        body.string("fail");
        body.array(8, |array| properties.iter().for_each(|(name, value)| array.property(name, value)));
        body.array(8, |_| {});
        body
    }
}

fn refusal(message: &Message) -> Error {
    let text = message.text().unwrap_or_default();
    let kind = match message.error.as_str() {
        "org.freedesktop.systemd1.UnitExists" => Kind::Conflict,
        "org.freedesktop.DBus.Error.AccessDenied"
        | "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" => Kind::Denied,
        _ => Kind::System,
    };
    Error::new(kind, format!("{}: {text}", message.error))
}

fn manager(member: &str) -> Callee<'_> {
    Callee {
        destination: "org.freedesktop.systemd1",
        path: "/org/freedesktop/systemd1",
        interface: MANAGER,
        member,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_slice_prefix_and_name() {
        let user = Bus::User(Vec::new());
        let of = |path: &str, bus: &Bus| {
            Scope::of("id", Some(Path::new(path)), bus).map(|scope| (scope.slice, scope.unit))
        };
        let pair = |slice: &str, unit: &str| (slice.to_owned(), unit.to_owned());
        assert_eq!(of("user.slice:libpod:12", &user).unwrap(), pair("user.slice", "libpod-12.scope"));
        assert_eq!(of(":libpod:12", &user).unwrap(), pair("user.slice", "libpod-12.scope"));
        assert_eq!(of(":crio:12", &Bus::System).unwrap(), pair("system.slice", "crio-12.scope"));
        for bad in ["/a/b", "a:b", "a:b:c", "a.slice:b:", "a.slice:b:c/d", "a.slice:b:c:d", "a.slice:ü:c"] {
            assert!(of(bad, &user).is_err(), "{bad}");
        }
        let own = Scope::of("id", None, &Bus::System).unwrap();
        assert_eq!((own.slice.as_str(), own.unit.as_str()), ("machine.slice", "rcon-id.scope"));
    }
}
