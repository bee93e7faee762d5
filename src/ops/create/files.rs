//! The files that every container is given: hosts, resolv.conf, hostname, .containerenv, and passwd and
//! group where a line is missing.

use std::path::PathBuf;

use super::Draft;
use crate::error::{Error, Result};
use crate::network;
use crate::spec::user::{self, Database, ResolvedUser};
use crate::spec::value::Timezone;
use crate::spec::{self, Files, NamespacePlace, Settings};

impl Draft<'_> {
    /// Writes them into the container's directory.
    pub(super) fn files(
        &self,
        network: &network::Plan,
        user: &ResolvedUser,
        database: Database<'_>,
        settings: &Settings,
    ) -> Result<Files> {
        let directory = &self.directory;
        let write = |name: &str, content: &str| directory.write(name, content.as_bytes()).map(Some);
        let hostname = self.hostname();
        let mut files = Files {
            hosts: network.hosts_file().map_or(Ok(None), |text| write("hosts", text))?,
            resolv_conf: network.resolv_conf().map_or(Ok(None), |text| write("resolv.conf", text))?,
            hostname: write("hostname", &format!("{hostname}\n"))?,
            containerenv: write("containerenv", "")?,
            ..Files::default()
        };
        // One network, one set of names for what is on it.
        if let Some(other) = &self.network_of {
            let theirs = |name: &str| Some(other.join(name)).filter(|path| path.exists());
            (files.hosts, files.resolv_conf) = (theirs("hosts"), theirs("resolv.conf"));
        }
        let login = self.userns.container_user.and_then(|_| self.session.env.user_name());
        if let Some(line) = user::passwd_addition(user, login, database) {
            files.passwd = Some(directory.write("passwd", &user::append(database.passwd, &line))?);
        }
        if let Some(line) = user::group_addition(user, login, database) {
            files.group = Some(directory.write("group", &user::append(database.group, &line))?);
        }
        files.localtime = spec::timezone(&self.request, settings).map(zone_file).transpose()?;
        Ok(files)
    }

    /// As the uts namespace has it.
    fn hostname(&self) -> String {
        let id = &self.directory.id()[..12];
        let own = || self.request.hostname.as_ref().map_or(id, |name| name.as_str()).to_owned();
        match &self.placement.uts {
            NamespacePlace::New => own(),
            NamespacePlace::Host => rustix::system::uname().nodename().to_string_lossy().into_owned(),
            NamespacePlace::Existing(_) => self.placement.hostname.clone().unwrap_or_else(own),
        }
    }
}

fn zone_file(zone: &Timezone) -> Result<PathBuf> {
    let path = zone.host_file();
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::not_found(format!("the time zone's file {} does not exist", path.display())))
}
