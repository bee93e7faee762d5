//! Which user namespace a specification means.

use oci_spec::runtime::{Linux, LinuxIdMapping, LinuxNamespaceType, Spec};

use super::Runtime;
use crate::error::{Error, Result};
use crate::userns::{self, IdMap, IdMaps, UserNamespace};

impl Runtime<'_> {
    /// The user namespace to make; `None` where the container stays in the caller's or joins one.
    pub(super) fn user_namespace(&self, spec: &Spec) -> Result<Option<UserNamespace>> {
        let linux = spec.linux().clone().unwrap_or_else(empty);
        let wanted =
            linux.namespaces().iter().flatten().find(|entry| entry.typ() == LinuxNamespaceType::User);
        match wanted {
            Some(entry) if entry.path().is_some() => Ok(None),
            Some(_) => self.with_mappings(&linux).map(Some),
            None if userns::surrounding().root => Ok(None),
            None => {
                (self.note)(
                    "config.json names no user namespace, which only root can do without: made one in which root is you",
                );
                self.default_namespace().map(Some)
            }
        }
    }

    fn with_mappings(&self, linux: &Linux) -> Result<UserNamespace> {
        let maps = |mappings: &Option<Vec<LinuxIdMapping>>| -> Vec<IdMap> {
            let map =
                |entry: &LinuxIdMapping| IdMap::new(entry.container_id(), entry.host_id(), entry.size());
            mappings.iter().flatten().map(map).collect()
        };
        let maps = IdMaps { uid: maps(linux.uid_mappings()), gid: maps(linux.gid_mappings()) };
        match (maps.uid.is_empty(), maps.gid.is_empty()) {
            (true, true) => self.default_namespace(),
            (false, false) => userns::with_maps(self.env, maps),
            (true, false) => Err(Error::invalid("linux.gidMappings without linux.uidMappings")),
            (false, true) => Err(Error::invalid("linux.uidMappings without linux.gidMappings")),
        }
    }

    fn default_namespace(&self) -> Result<UserNamespace> {
        let namespace = userns::plan(self.env, &userns::Request::default())?;
        namespace.notes.iter().for_each(|note| (self.note)(note));
        Ok(namespace)
    }
}

fn empty() -> Linux {
    let mut linux = Linux::default();
    linux.set_namespaces(None).set_resources(None).set_masked_paths(None).set_readonly_paths(None);
    linux
}
