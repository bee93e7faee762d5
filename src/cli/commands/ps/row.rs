//! One container as `ps` shows it: podman's words and keys.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::output::{Listing, units};
use crate::container::Phase;
use crate::network::{PortMapping, ports_column};

/// Go's zero time in seconds since 1970: what podman's JSON has for "never".
const NEVER: i64 = -62_135_596_800;

/// The columns and every field of `--format`.
pub(super) const LISTING: Listing = Listing {
    fields: &[
        ("AutoRemove", "AUTO REMOVE"),
        ("Command", "COMMAND"),
        ("Created", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedHuman", "CREATED"),
        ("ExitCode", "EXIT CODE"),
        ("Exited", "EXITED"),
        ("ExitedAt", "EXITED AT"),
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("ImageID", "IMAGE ID"),
        ("IsInfra", "IS INFRA"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("Names", "NAMES"),
        ("Networks", "NETWORKS"),
        ("Pid", "PID"),
        ("Pod", "POD ID"),
        ("PodName", "PODNAME"),
        ("Ports", "PORTS"),
        ("Restarts", "RESTARTS"),
        ("RunningFor", "RUNNING FOR"),
        ("StartedAt", "STARTED AT"),
        ("State", "STATE"),
        ("Status", "STATUS"),
    ],
    columns: &["ID", "Image", "Command", "CreatedHuman", "Status", "Ports", "Names"],
};

/// Whether ids and commands are shortened (`--no-trunc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// Twelve digits of an id, twenty characters of a command.
    Short,
    /// All of it.
    Full,
}

impl Width {
    /// An id at this width.
    pub(super) fn id(self, id: &str) -> &str {
        match self {
            Self::Short => id.get(..12).unwrap_or(id),
            Self::Full => id,
        }
    }

    /// podman's way: seventeen characters and three dots.
    fn command(self, words: &[String]) -> String {
        let whole = words.join(" ");
        if self == Self::Full || whole.chars().count() <= 20 {
            return whole;
        }
        whole.chars().take(17).chain("...".chars()).collect()
    }
}

/// A container, as far as `ps` is concerned.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) image: String,
    pub(super) image_id: String,
    pub(super) command: Vec<String>,
    pub(super) created: Timestamp,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    pub(super) phase: Phase,
    pub(super) exit_code: i32,
    pub(super) pid: i32,
    pub(super) labels: BTreeMap<String, String>,
    /// Where volumes and directories of the host are mounted in it, and what they are.
    pub(super) mounts: BTreeMap<String, String>,
    pub(super) ports: Vec<PortMapping>,
    pub(super) auto_remove: bool,
}

impl Row {
    /// `Up 2 hours`, `Exited (3) 5 minutes ago`, `Created`.
    pub(super) fn status(&self, now: Timestamp) -> String {
        match (self.phase, self.started, self.finished) {
            (Phase::Created, ..) => "Created".into(),
            (Phase::Running, started, _) => {
                format!("Up {}", units::human_duration(units::elapsed(started.unwrap_or(now), now)))
            }
            (Phase::Exited, _, finished) => {
                format!("Exited ({}) {}", self.exit_code, units::ago(finished.unwrap_or(self.created), now))
            }
        }
    }

    /// What templates and tables are made from.
    pub(super) fn fields(&self, width: Width, now: Timestamp) -> Value {
        let created_human = units::ago(self.created, now);
        json!({
            "AutoRemove": self.auto_remove,
            "Command": width.command(&self.command),
            "Created": units::go_time(self.created),
            "CreatedAt": units::go_time(self.created),
            "CreatedHuman": created_human,
            "ExitCode": self.exit_code,
            "Exited": self.phase == Phase::Exited,
            "ExitedAt": seconds(self.finished),
            "ID": width.id(&self.id),
            "Image": self.image,
            "ImageID": width.id(&self.image_id),
            "IsInfra": false,
            "Labels": self.labels,
            "Mounts": self.mounts.keys().collect::<Vec<_>>(),
            "Names": self.name,
            "Networks": "",
            "Pid": self.pid,
            "Pod": "",
            "PodName": "",
            "Ports": ports_column(&self.ports, []),
            "Restarts": 0,
            "RunningFor": created_human,
            "StartedAt": seconds(self.started),
            "State": self.phase.name(),
            "Status": self.status(now),
        })
    }

    /// What `--format json` prints for it.
    pub(super) fn json(&self, now: Timestamp) -> Value {
        json!({
            "AutoRemove": self.auto_remove,
            "CIDFile": "",
            "Command": self.command,
            "Created": self.created.as_second(),
            "CreatedAt": units::ago(self.created, now),
            "ExitCode": self.exit_code,
            "Exited": self.phase == Phase::Exited,
            "ExitedAt": seconds(self.finished),
            "ExposedPorts": null,
            "Id": self.id,
            "Image": self.image,
            "ImageID": self.image_id,
            "IsInfra": false,
            "Labels": self.labels,
            "Mounts": self.mounts.keys().collect::<Vec<_>>(),
            "Names": [self.name],
            "Namespaces": {},
            "Networks": [],
            "Pid": self.pid,
            "Pod": "",
            "PodName": "",
            "Ports": self.ports,
            "Restarts": 0,
            "Size": null,
            "StartedAt": seconds(self.started),
            "State": self.phase.name(),
            "Status": self.status(now),
        })
    }
}

fn seconds(time: Option<Timestamp>) -> i64 {
    time.map_or(NEVER, Timestamp::as_second)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::output::Heading;

    pub(crate) fn now() -> Timestamp {
        "2026-11-23T15:56:36.5Z".parse().unwrap()
    }

    fn row(id: &str, name: &str, command: &[&str]) -> Row {
        Row {
            id: id.repeat(64 / id.len()),
            name: name.into(),
            image: "docker.io/library/alpine:latest".into(),
            image_id: "32935c5fbd2b4d74".repeat(4),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            created: "2026-11-23T15:56:35.372246277Z".parse().unwrap(),
            started: None,
            finished: None,
            phase: Phase::Created,
            exit_code: 0,
            pid: 0,
            labels: BTreeMap::new(),
            mounts: BTreeMap::new(),
            ports: Vec::new(),
            auto_remove: false,
        }
    }

    /// The three containers of a session with podman 5.4.
    pub(crate) fn rows() -> Vec<Row> {
        let at = |text: &str| Some(text.parse().unwrap());
        let mut running = row("1ae3b788", "c1", &["sleep", "1000"]);
        running.started = at("2026-11-23T15:56:35.4Z");
        running.phase = Phase::Running;
        running.pid = 879;
        running.labels = BTreeMap::from([("a".into(), "b".into()), ("q".into(), "x<y&z".into())]);
        running.mounts = BTreeMap::from([("/data".into(), "vol1".into())]);
        running.ports = vec![
            serde_json::from_value(
                json!({"host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp"}),
            )
            .unwrap(),
        ];
        let mut exited = row("1821439f", "c2", &["sh", "-c", "echo hello; exit 3"]);
        exited.started = at("2026-11-23T15:56:35.4Z");
        exited.finished = at("2026-11-23T15:56:35.5Z");
        exited.phase = Phase::Exited;
        exited.exit_code = 3;
        let mut created = row("a7522580", "c3", &["echo", "some", "very", "long", "command", "line"]);
        created.created = at("2026-11-23T15:56:36Z").unwrap();
        created.image = "docker.io/library/busybox:latest".into();
        vec![running, exited, created]
    }

    fn shown(format: Option<&str>, width: Width) -> String {
        let fields: Vec<_> = rows().iter().map(|row| row.fields(width, now())).collect();
        LISTING.render(format, Heading::Shown, &fields, || Value::Null).unwrap()
    }

    #[test]
    fn the_table_is_podmans() {
        let expected = "\
CONTAINER ID  IMAGE                             COMMAND               CREATED                 STATUS                   PORTS                 NAMES
1ae3b7881ae3  docker.io/library/alpine:latest   sleep 1000            1 second ago            Up 1 second              0.0.0.0:8080->80/tcp  c1
1821439f1821  docker.io/library/alpine:latest   sh -c echo hello;...  1 second ago            Exited (3) 1 second ago                        c2
a7522580a752  docker.io/library/busybox:latest  echo some very lo...  Less than a second ago  Created                                        c3
";
        assert_eq!(shown(None, Width::Short), expected);
        assert!(shown(None, Width::Full).contains("sh -c echo hello; exit 3  "));
    }

    #[test]
    fn templates_see_podmans_fields() {
        let format = "{{.ID}} {{.State}} {{.ExitCode}} {{.Pid}} {{.ExitedAt}} {{.Labels}} {{.Mounts}} {{.Label \"a\"}}";
        let expected = "\
1ae3b7881ae3 running 0 879 -62135596800 map[a:b q:x<y&z] [/data] b
1821439f1821 exited 3 0 1795449395 map[] [] 
a7522580a752 created 0 0 -62135596800 map[] [] 
";
        assert_eq!(shown(Some(format), Width::Short), expected);
        let table = shown(Some("table {{.Names}} {{.CreatedAt}} {{.RunningFor}}"), Width::Short);
        assert!(
            table.starts_with("NAMES       CREATED AT                               RUNNING FOR\n"),
            "{table}"
        );
    }

    #[test]
    fn every_field_has_its_heading() {
        let fields = rows()[0].fields(Width::Short, now());
        let keys: Vec<_> = fields.as_object().unwrap().keys().collect();
        let known: Vec<_> = LISTING.fields.iter().map(|(field, _)| *field).collect();
        assert_eq!(keys, known);
    }

    #[test]
    fn json_has_podmans_keys() {
        let json = rows()[0].json(now());
        assert_eq!(json["Names"], json!(["c1"]));
        assert_eq!(json["Ports"][0]["host_port"], 8080);
        assert_eq!((&json["Created"], &json["State"]), (&json!(1_795_449_395), &json!("running")));
        assert_eq!(json["ExitedAt"], NEVER);
    }
}
