//! Which capabilities a container has: the rules of podman's `MergeCapabilities`.

use oci_spec::runtime::LinuxCapabilities;

use super::Settings;
use crate::error::{Error, Result};
use crate::spec::request::Request;
use crate::spec::user::ResolvedUser;
use crate::spec::value::CapabilityName;
use crate::sys::caps::{Cap, CapSet};

/// The bounding set: the default set, less `--cap-drop`, with `--cap-add`. `last` is the kernel's last capability.
pub fn capabilities(request: &Request, settings: &Settings, last: u8) -> Result<CapSet> {
    if request.security.privileged {
        return Ok(CapSet::all(last));
    }
    let (add, drop) = (&request.security.cap_add, &request.security.cap_drop);
    let default = settings.default_capabilities.unwrap_or(CapSet::DEFAULT);
    let add_all = add.iter().any(CapabilityName::is_all);
    let drop_all = drop.iter().any(CapabilityName::is_all);
    if add_all && drop_all {
        return Err(Error::usage("--cap-add ALL and --cap-drop ALL contradict each other"));
    }
    if let Some(both) = add.iter().find(|name| drop.contains(name)) {
        return Err(Error::usage(format!("capability {} is both added and dropped", both.as_str())));
    }
    let base = match (add_all, drop_all) {
        (true, _) => CapSet::all(last),
        (_, true) => CapSet::EMPTY,
        _ => default,
    };
    Ok(base.union(named(add, last)?).difference(named(drop, last)?.difference(named(add, last)?)))
}

/// The set of these, `ALL` left out.
fn named(names: &[CapabilityName], last: u8) -> Result<CapSet> {
    names.iter().filter(|name| !name.is_all()).map(|name| one(name.as_str(), last)).collect()
}

fn one(name: &str, last: u8) -> Result<Cap> {
    let cap: Cap = name.parse()?;
    if cap.number() > last {
        return Err(Error::unsupported(format!("this kernel does not have {name}")));
    }
    Ok(cap)
}

/// The five sets of the first process. Root has all of `bounding`; another user only what was added by name,
/// which is ambient so that it outlives execve.
pub(super) fn sets(
    request: &Request,
    user: &ResolvedUser,
    bounding: CapSet,
    last: u8,
) -> Result<LinuxCapabilities> {
    let mut sets = LinuxCapabilities::default();
    let bound = bounding.to_oci();
    if user.is_root() {
        sets.set_effective(Some(bound.clone()))
            .set_permitted(Some(bound.clone()))
            .set_inheritable(None)
            .set_ambient(None);
    } else {
        let add_all = request.security.cap_add.iter().any(CapabilityName::is_all);
        let added = if add_all { bounding } else { named(&request.security.cap_add, last)? };
        let added = (!added.is_empty()).then(|| added.intersection(bounding).to_oci());
        sets.set_effective(added.clone())
            .set_permitted(added.clone())
            .set_inheritable(added.clone())
            .set_ambient(added);
    }
    sets.set_bounding(Some(bound));
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::request::Base;

    fn merged(add: &[&str], drop: &[&str]) -> Result<Vec<&'static str>> {
        let mut request = Request::new(Base::Image("x".into()));
        request.security.cap_add = add.iter().map(|name| name.parse().unwrap()).collect();
        request.security.cap_drop = drop.iter().map(|name| name.parse().unwrap()).collect();
        capabilities(&request, &Settings::default(), 40).map(|set| set.iter().map(Cap::name).collect())
    }

    #[test]
    fn adding_and_dropping() {
        assert_eq!(merged(&[], &[]).unwrap().len(), 11);
        assert_eq!(merged(&["net_raw"], &[]).unwrap().len(), 12);
        assert_eq!(merged(&["chown"], &[]).unwrap().len(), 11);
        assert_eq!(merged(&[], &["chown"]).unwrap().len(), 10);
        assert_eq!(merged(&[], &["all"]).unwrap(), [""; 0]);
        assert_eq!(merged(&["chown"], &["all"]).unwrap(), ["CAP_CHOWN"]);
        assert_eq!(merged(&["all"], &[]).unwrap().len(), 41);
        assert_eq!(merged(&["all"], &["sys_admin"]).unwrap().len(), 40);
        for (add, drop) in [(["all"], ["all"]), (["chown"], ["chown"]), (["nonsense"], ["chown"])] {
            assert!(merged(&add, &drop).is_err(), "{add:?} {drop:?}");
        }
    }
}
