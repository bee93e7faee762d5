//! certs.d: certificates for one registry, in a directory named after its host and port.
//!
//! `*.crt` are certificate authorities, `*.cert` with its `*.key` is the client's own.
//! Source: containers-certs.d(5).

use std::path::{Path, PathBuf};

use crate::config::Paths;
use crate::error::{Context, Error, Result};

/// The certificates for one registry, in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    /// Certificate authorities beside the system's.
    pub authorities: Vec<Vec<u8>>,
    /// The client's certificate and key, one after the other.
    pub identity: Option<Vec<u8>>,
}

impl Certificates {
    /// The certificates for `host` (with its port): from `cert_dir` if that is given, else from the first
    /// directory of that name in the user's, the system's and Docker's `certs.d`.
    pub fn load(paths: &Paths, host: &str, cert_dir: Option<&Path>) -> Result<Self> {
        if let Some(directory) = cert_dir {
            return Self::read(directory);
        }
        let user = paths.config_home.join("containers/certs.d");
        let system = ["/etc/containers/certs.d", "/usr/share/containers/certs.d", "/etc/docker/certs.d"];
        let directories = std::iter::once(user).chain(system.map(PathBuf::from));
        match directories.map(|directory| directory.join(host)).find(|directory| directory.is_dir()) {
            Some(directory) => Self::read(&directory),
            None => Ok(Self::default()),
        }
    }

    fn read(directory: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", directory.display());
        let mut certificates = Self::default();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).context(cannot)? {
            files.push(entry.context(cannot)?.path());
        }
        files.sort();
        let read = |path: &Path| std::fs::read(path).context(|| format!("cannot read {}", path.display()));
        for path in &files {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => certificates.authorities.push(read(path)?),
                Some("cert") => {
                    let key = path.with_extension("key");
                    if certificates.identity.is_some() {
                        return Err(Error::unsupported(format!(
                            "{} has several client certificates",
                            directory.display()
                        )));
                    }
                    let mut identity = read(path)?;
                    identity.push(b'\n');
                    identity.extend(
                        read(&key)
                            .context(|| format!("client certificate {} lacks its key", path.display()))?,
                    );
                    certificates.identity = Some(identity);
                }
                Some("key") if !files.contains(&path.with_extension("cert")) => {
                    return Err(Error::invalid(format!("key {} lacks its certificate", path.display())));
                }
                _ => {}
            }
        }
        Ok(certificates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_and_the_client_s_pair_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| std::fs::write(dir.path().join(name), name).unwrap();
        write("a.crt");
        write("README");
        assert_eq!(Certificates::read(dir.path()).unwrap().authorities, [b"a.crt"]);
        write("me.cert");
        assert!(Certificates::read(dir.path()).unwrap_err().to_string().contains("lacks its key"));
        write("me.key");
        assert_eq!(Certificates::read(dir.path()).unwrap().identity.unwrap(), b"me.cert\nme.key");
        write("other.key");
        assert!(Certificates::read(dir.path()).unwrap_err().to_string().contains("other.key"));
    }
}
