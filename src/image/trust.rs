//! Whether an image may be taken in: policy.json asked about a reference.

use crate::config::policy::Policy;
use crate::error::Result;
use crate::oci::Reference;

/// Refuses `reference` where the policy does. What counts is the name that was asked for, not the mirror
/// that it comes from.
pub fn check(policy: &Policy, reference: &Reference) -> Result<()> {
    let separator = if reference.digest().is_some() { '@' } else { ':' };
    policy.check(&reference.name(), &format!("{separator}{}", reference.version()))
}
