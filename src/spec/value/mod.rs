//! The values that flags take, each parsed once. Every type has `FromStr`; what it refuses, it names.

mod byte_size;
mod device;
mod entrypoint;
mod env;
mod identity;
mod label;
mod mount;
mod names;
mod namespace;
mod resources;
mod security;
mod signal;
mod terminal;
mod ulimit;

pub use byte_size::ByteSize;
pub use device::{Access, Device};
pub use entrypoint::Entrypoint;
pub use env::{EnvArgument, EnvVar, parse_env_file};
pub use identity::{Group, Umask, UserSpec};
pub use label::{Label, Sysctl, parse_label_file};
pub(in crate::spec) use mount::clean_destination;
pub use mount::{Mount, MountOptions, Propagation, Source, TmpfsOptions, TmpfsSize};
pub use names::{ContainerName, Hostname, Timezone, VolumeName};
pub use namespace::{IpcMode, NamespaceMode, SystemdMode};
pub use resources::{
    CgroupMode, CgroupNamespace, CgroupParent, CgroupSetting, Cpus, DiskWeight, Maximum, NumberList, OfDevice,
};
pub use security::{CapabilityName, MaskChange, Seccomp, SecurityOption, SecurityOptions, SelinuxLabel};
pub use signal::{Signal, StopTimeout};
pub use terminal::DetachKeys;
pub use ulimit::{Limit, Ulimit};
