//! What the process may do.

use super::{parse, parse_list};
use crate::error::Result;
use crate::spec::Security;
use crate::spec::value::Sysctl;

/// Options of the container's powers.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Security")]
pub(crate) struct SecurityFlags {
    /// Add a capability, or ALL
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_add: Vec<String>,
    /// Drop a capability, or ALL
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_drop: Vec<String>,
    /// no-new-privileges, seccomp=unconfined|FILE, mask=PATH, unmask=ALL|PATH, proc-opts=…
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
    /// Set a kernel parameter of the container's namespaces: NAME=VALUE
    #[arg(long, value_name = "SYSCTL")]
    sysctl: Vec<String>,
}

impl SecurityFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> Result<Security> {
        let mut security = Security {
            cap_add: parse_list("--cap-add", &self.cap_add)?,
            cap_drop: parse_list("--cap-drop", &self.cap_drop)?,
            ..Security::default()
        };
        for text in &self.security_opt {
            security.options.add(parse("--security-opt", text)?);
        }
        Ok(security)
    }

    /// `--sysctl`.
    pub(crate) fn sysctls(&self) -> Result<Vec<Sysctl>> {
        parse_list("--sysctl", &self.sysctl)
    }
}
