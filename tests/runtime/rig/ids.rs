//! The ids that tests map, and the namespaces that they leave out.

use std::fs;

use serde_json::{Value, json};

use super::{Bundle, machine};

/// The first range that a file of subordinate ids grants: its start and its length.
fn granted(file: &str) -> (u32, u32) {
    let name = machine::user_name();
    let uid = nix::unistd::getuid().to_string();
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = lines.find(|line| line[0] == name || line[0] == uid).expect("subordinate ids");
    (line[1].parse().unwrap(), line[2].parse().unwrap())
}

fn map(own: u32, file: &str) -> Value {
    let (start, size) = granted(file);
    json!([
        { "containerID": 0, "hostID": own, "size": 1 },
        { "containerID": 1, "hostID": start, "size": size },
    ])
}

impl Bundle {
    /// Maps more than one id, where a map is needed.
    pub(crate) fn with_subordinate_ids(mut self) -> Self {
        if !nix::unistd::geteuid().is_root() {
            self.config["linux"]["uidMappings"] = map(nix::unistd::getuid().as_raw(), "/etc/subuid");
            self.config["linux"]["gidMappings"] = map(nix::unistd::getgid().as_raw(), "/etc/subgid");
        }
        self
    }

    /// Asks for one namespace less.
    pub(crate) fn without_namespace(mut self, name: &str) -> Self {
        let list = self.config["linux"]["namespaces"].as_array_mut().unwrap();
        list.retain(|namespace| namespace["type"] != name);
        self
    }

    /// Asks for a new namespace, or for the one at `path`.
    pub(crate) fn with_namespace(mut self, name: &str, path: Option<&str>) -> Self {
        self = self.without_namespace(name);
        let namespace = path.map_or(json!({ "type": name }), |path| json!({ "type": name, "path": path }));
        self.config["linux"]["namespaces"].as_array_mut().unwrap().push(namespace);
        self
    }
}
