//! What the process may do.

use super::{parse, parse_list, parse_option, switch};
use crate::error::Result;
use crate::spec::value::Sysctl;
use crate::spec::{Namespaces, Security};

/// Options of the container's powers.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Security")]
pub(crate) struct SecurityFlags {
    /// Give all capabilities of the user namespace and the host's devices; hide and filter nothing
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, hide_default_value = true, value_name = "BOOL")]
    privileged: bool,
    /// Processes that it sees: private, host, container:NAME or ns:PATH [default: private]
    #[arg(long, value_name = "MODE")]
    pid: Option<String>,
    /// Shared memory and message queues: private, shareable, none, host, container:NAME or ns:PATH [default: private]
    #[arg(long, value_name = "MODE")]
    ipc: Option<String>,
    /// Host name: private, host, container:NAME or ns:PATH [default: private]
    #[arg(long, value_name = "MODE")]
    uts: Option<String>,
    /// Add a capability, or ALL
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_add: Vec<String>,
    /// Drop a capability, or ALL
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_drop: Vec<String>,
    /// no-new-privileges, seccomp=unconfined|FILE, mask=PATH, unmask=ALL|PATH, apparmor=PROFILE, label=…, proc-opts=…
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
            privileged: self.privileged,
            cap_add: parse_list("--cap-add", &self.cap_add)?,
            cap_drop: parse_list("--cap-drop", &self.cap_drop)?,
            ..Security::default()
        };
        for text in &self.security_opt {
            security.options.add(parse("--security-opt", text)?);
        }
        Ok(security)
    }

    /// `--pid`, `--ipc` and `--uts`.
    pub(crate) fn namespaces(&self) -> Result<Namespaces> {
        Ok(Namespaces {
            pid: parse_option("--pid", self.pid.as_deref())?.unwrap_or_default(),
            ipc: parse_option("--ipc", self.ipc.as_deref())?.unwrap_or_default(),
            uts: parse_option("--uts", self.uts.as_deref())?.unwrap_or_default(),
        })
    }

    /// `--sysctl`.
    pub(crate) fn sysctls(&self) -> Result<Vec<Sysctl>> {
        parse_list("--sysctl", &self.sysctl)
    }
}
