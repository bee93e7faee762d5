//! Given a network namespace, makes connectivity.
//!
//! ```text
//! Request + settings --plan()--> Plan --start(init)--> Helper --wait_ready()--> connected
//!   --network, --publish,          hosts, resolv.conf,    pasta or slirp4netns, a child
//!   --dns, --add-host …            ports, notes           of the container's monitor
//! ```
//!
//! [`plan()`] makes every choice and check and starts nothing. It knows no container, only the pid whose
//! namespaces are to be connected.

mod address;
mod hosts;
#[cfg(test)]
mod live;
mod maker;
mod mode;
mod pasta;
mod plan;
mod ports;
mod process;
mod publish;
mod request;
mod resolv;
mod settings;
mod slirp4netns;

pub use mode::{Cidr, Mode, SlirpOptions};
pub use plan::{Namespace, Plan, plan};
pub use process::Helper;
pub use publish::{PortMapping, Protocol, Publish};
pub use request::{AddHost, DnsServer, Request};
pub use settings::{HostBinding, NetworkSettings, PortMap, port_map, ports_column};
