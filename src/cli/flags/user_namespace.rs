//! Whose ids the container's are.

use crate::spec::UserNamespaceRequest;

/// Options of the user namespace.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "User namespace")]
pub(crate) struct UserNamespaceFlags {
    /// host, keep-id[:uid=…,gid=…], nomap or auto [default: host, where the container's root is you]
    #[arg(long, value_name = "MODE")]
    userns: Option<String>,
    /// Map user ids: [u+]CONTAINER:FROM[:AMOUNT]
    #[arg(long, value_name = "MAP", conflicts_with = "userns")]
    uidmap: Vec<String>,
    /// Map group ids: [g+]CONTAINER:FROM[:AMOUNT]
    #[arg(long, value_name = "MAP", conflicts_with = "userns")]
    gidmap: Vec<String>,
}

impl UserNamespaceFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> UserNamespaceRequest {
        UserNamespaceRequest {
            mode: self.userns.clone(),
            uidmaps: self.uidmap.clone(),
            gidmaps: self.gidmap.clone(),
        }
    }
}
