//! config.md, "Linux Process": capabilities.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::rig::{Bundle, needs};

const CHOWN: u64 = 1;
const KILL: u64 = 1 << 5;
const NET_BIND: u64 = 1 << 10;

/// The sets of a process that runs with the given ones.
fn sets(bundle: &Bundle) -> BTreeMap<String, u64> {
    let printed = bundle.says();
    let lines = printed.lines().filter_map(|line| line.strip_prefix("Cap")?.split_once(":\t"));
    lines.map(|(name, value)| (name.to_owned(), u64::from_str_radix(value, 16).unwrap())).collect()
}

fn with(capabilities: Value) -> Bundle {
    Bundle::of(&["grep", "^Cap", "/proc/self/status"])
        .with(|config| config["process"]["capabilities"] = capabilities)
}

#[track_caller]
fn assert_sets(found: &BTreeMap<String, u64>, expected: [u64; 5]) {
    for (name, expected) in ["Bnd", "Prm", "Eff", "Inh", "Amb"].into_iter().zip(expected) {
        assert_eq!(found[name], expected, "{name} of {found:x?}");
    }
}

#[test]
fn the_bounding_set_bounds_what_root_gets_by_execve() {
    needs!(bundles);
    let both = json!(["CAP_CHOWN", "CAP_KILL"]);
    let found = sets(&with(json!({ "bounding": both, "permitted": both, "effective": both })));
    assert_sets(&found, [CHOWN | KILL, CHOWN | KILL, CHOWN | KILL, 0, 0]);
}

/// An execve of root's makes permitted and effective of bounding: capabilities(7).
#[test]
fn the_inheritable_and_the_ambient_set() {
    needs!(bundles);
    let all = json!(["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    let found = sets(&with(json!({
        "bounding": all, "permitted": all, "effective": all,
        "inheritable": ["CAP_NET_BIND_SERVICE", "CAP_KILL"], "ambient": ["CAP_NET_BIND_SERVICE"],
    })));
    let all = CHOWN | KILL | NET_BIND;
    assert_sets(&found, [all, all, all, NET_BIND | KILL, NET_BIND]);
}

#[test]
fn nothing_listed_is_nothing_granted() {
    needs!(bundles);
    assert_sets(&sets(&with(json!({}))), [0; 5]);
    let empty = json!([]);
    let found = sets(&with(json!({ "bounding": empty, "permitted": empty, "effective": empty })));
    assert_sets(&found, [0; 5]);
}

/// Where no capability comes from the user id, the sets are those that were asked for.
#[test]
fn another_user_gets_what_is_ambient() {
    needs!(bundles, subordinate_ids);
    let ambient = json!(["CAP_NET_BIND_SERVICE"]);
    let bundle = with(json!({
        "bounding": ["CAP_NET_BIND_SERVICE", "CAP_KILL"], "permitted": ambient, "effective": ambient,
        "inheritable": ambient, "ambient": ambient,
    }));
    let bundle = bundle
        .with_subordinate_ids()
        .with(|config| config["process"]["user"] = json!({ "uid": 7, "gid": 7 }));
    assert_sets(&sets(&bundle), [NET_BIND | KILL, NET_BIND, NET_BIND, NET_BIND, NET_BIND]);
}

#[test]
fn another_user_without_ambient_ones_has_none() {
    needs!(bundles, subordinate_ids);
    let some = json!(["CAP_NET_BIND_SERVICE", "CAP_KILL"]);
    let bundle = with(json!({ "bounding": some, "permitted": some, "effective": some }));
    let bundle = bundle
        .with_subordinate_ids()
        .with(|config| config["process"]["user"] = json!({ "uid": 7, "gid": 7 }));
    assert_sets(&sets(&bundle), [NET_BIND | KILL, 0, 0, 0, 0]);
}

/// "Any value which cannot be mapped to a relevant kernel interface … MUST be logged as a warning"; "Runtimes SHOULD
/// NOT fail".
#[test]
fn a_capability_that_the_kernel_does_not_know_is_no_error() {
    needs!(bundles);
    let some = json!(["CAP_CHOWN", "CAP_OF_TOMORROW"]);
    let found = sets(&with(json!({ "bounding": some, "permitted": some, "effective": some })));
    assert_sets(&found, [CHOWN, CHOWN, CHOWN, 0, 0]);
}

/// Root's own bounding set may be a small one; a user has all of them in a user namespace.
#[test]
fn every_capability_of_the_features_is_recognised() {
    needs!(bundles, user);
    let features: Value = serde_json::from_str(&Bundle::new().ok(&["features"])).unwrap();
    let all = &features["linux"]["capabilities"];
    let found = sets(&with(json!({ "bounding": all, "permitted": all, "effective": all })));
    let last: u64 = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap().trim().parse().unwrap();
    assert_eq!(found["Eff"], (1 << (last + 1)) - 1, "{found:x?}");
}
