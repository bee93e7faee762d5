//! Scopes of systemd: a group that a service manager makes for processes that it did not start.

mod client;
mod message;
mod scope;

pub(super) use client::Bus;
pub(super) use scope::Scope;
