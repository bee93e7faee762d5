//! Pure: request + image configuration + settings -> OCI runtime specification.
//!
//! ```text
//! cli flags ──> Request ─┐
//! image configuration ───┼─> build() ──> oci_spec::runtime::Spec (the bundle's config.json)
//! Inputs (host, files) ──┘
//! ```
//!
//! Nothing here reads a file, the environment or the clock. What a person types is parsed once, by the types
//! of [`value`]; everything after that is total or says which value does not fit.

mod build;
mod request;
pub mod seccomp;
pub mod user;
pub mod value;

pub use build::{
    CgroupFacts, CgroupMaker, Files, HostFacts, INIT_ANNOTATION, Inputs, KEEP_GROUPS_ANNOTATION,
    NamespacePlace, NetworkNamespace, Placement, Settings, build, capabilities, cgroup_mode,
    cgroup_namespace, hostname, init, labels, mounts, notes, published, read_only, stop_signal, stop_timeout,
    timezone,
};
pub use request::{
    Base, Filesystem, ImageRequest, ImageVolumes, Lifecycle, Namespaces, NetworkRequest, ProcessRequest,
    Request, ResourceRequest, Rootfs, RootfsMode, Security, Terminal, UserNamespaceRequest,
};
pub use user::ResolvedUser;
