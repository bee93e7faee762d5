//! runtime.md, "State" and "Query State".

use serde_json::json;

use crate::rig::{Bundle, needs};

#[test]
fn a_created_container_has_every_property() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.create();
    let state = bundle.state();
    assert_eq!(state["id"], json!(bundle.id));
    assert_eq!(state["status"], "created");
    assert_eq!(
        state["bundle"].as_str().unwrap().trim_end_matches('/'),
        bundle.text("").trim_end_matches('/')
    );
    let pid = state["pid"].as_i64().unwrap();
    assert!(std::fs::exists(format!("/proc/{pid}")).unwrap(), "{state}");
    let version = state["ociVersion"].as_str().unwrap();
    assert!(version.starts_with("1."), "{state}");
}

#[test]
fn the_status_follows_the_life() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.create();
    assert_eq!(bundle.status(), "created");
    let pid = bundle.pid();
    bundle.start();
    bundle.wait_for("running");
    assert_eq!(bundle.pid(), pid, "the payload is the process that create made");
    bundle.kill("KILL");
    bundle.wait_for("stopped");
}

#[test]
fn annotations_are_part_of_the_state() {
    needs!(bundles);
    let annotations = json!({ "com.example.key": "value", "com.example.empty": "" });
    let bundle = Bundle::sleeping().with(|config| config["annotations"] = annotations.clone());
    bundle.create();
    assert_eq!(bundle.state()["annotations"], annotations);
}

#[test]
fn no_annotations_are_absent_or_an_empty_map() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.create();
    let state = bundle.state();
    let annotations = state.get("annotations").cloned().unwrap_or(json!({}));
    assert_eq!(annotations, json!({}), "{state}");
}

/// "the absolute path to the container's bundle directory", however it was given.
#[test]
fn the_bundle_is_an_absolute_path() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.save();
    let id = format!("{}-relative", bundle.id);
    bundle.detached(bundle.runtime(&["create", "--bundle", ".", &id])).success();
    let state: serde_json::Value = serde_json::from_str(&bundle.ok(&["state", &id])).unwrap();
    assert_eq!(
        state["bundle"].as_str().unwrap().trim_end_matches('/'),
        bundle.text("").trim_end_matches('/')
    );
    // Without the option it is the working directory.
    let id = format!("{}-default", bundle.id);
    bundle.detached(bundle.runtime(&["create", &id])).success();
    let state: serde_json::Value = serde_json::from_str(&bundle.ok(&["state", &id])).unwrap();
    assert_eq!(
        state["bundle"].as_str().unwrap().trim_end_matches('/'),
        bundle.text("").trim_end_matches('/')
    );
}

/// "MUST generate an error if it is not provided the ID of a container"; "that does not exist".
#[test]
fn what_does_not_exist_has_no_state() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.refuses(&["state"]);
    bundle.refuses(&["state", "no-such-container"]);
    bundle.create();
    bundle.ok(&["delete", "--force", &bundle.id]);
    bundle.refuses(&["state", &bundle.id]);
}

#[test]
fn a_state_root_is_a_scope_of_its_own() {
    needs!(bundles);
    let (one, other) = (Bundle::sleeping(), Bundle::sleeping());
    one.create();
    other.refuses(&["state", &one.id]);
    assert_eq!(other.ids(), [""; 0]);
}

#[test]
fn a_process_that_was_killed_from_outside_is_stopped() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.create();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(bundle.pid()), nix::sys::signal::SIGKILL).unwrap();
    bundle.wait_for("stopped");
    bundle.ok(&["delete", &bundle.id]);
}
