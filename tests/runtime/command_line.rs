//! What the specification leaves to the command line, and engines rely on: list, ps, spec, --version, --log.

use serde_json::Value;

use crate::rig::{Bundle, deviates, needs};

#[test]
fn a_list_as_json_and_as_a_table() {
    needs!(bundles);
    let bundle = Bundle::sleeping().running();
    let second = format!("{}-second", bundle.id);
    bundle.detached(bundle.runtime(&["create", "--bundle", &bundle.text(""), &second])).success();
    let text = bundle.ok(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let entry = |id: &str| {
        let entry = list.as_array().unwrap().iter().find(|entry| entry["id"] == id);
        entry.unwrap_or_else(|| panic!("no {id} in {list}")).clone()
    };
    let first = entry(&bundle.id);
    assert_eq!(
        (first["status"].as_str(), first["pid"].as_i64()),
        (Some("running"), Some(bundle.pid().into()))
    );
    assert_eq!(
        first["bundle"].as_str().unwrap().trim_end_matches('/'),
        bundle.text("").trim_end_matches('/')
    );
    assert_eq!(entry(&second)["status"], "created");
    let table = bundle.ok(&["list"]);
    assert!(table.lines().next().unwrap().contains("ID"), "{table}");
    assert!(table.lines().any(|line| line.starts_with(&bundle.id) && line.contains("running")), "{table}");
    let mut ids = bundle.ids();
    ids.sort();
    assert_eq!(ids, [bundle.id.clone(), second]);
}

#[test]
fn a_list_of_nothing() {
    needs!(bundles);
    let bundle = Bundle::new();
    assert_eq!(bundle.ids(), [""; 0]);
    let list: Value = serde_json::from_str(&bundle.ok(&["list", "--format", "json"])).unwrap_or_default();
    assert!(list.is_null() || list.as_array().unwrap().is_empty(), "{list}");
}

/// A state that another version wrote, or nobody: what is broken is no reason to hide the rest.
#[test]
fn a_foreign_directory_in_the_state_root_hides_nothing() {
    needs!(bundles);
    deviates!("crun", "ends at the first that it cannot read");
    let bundle = Bundle::sleeping().running();
    std::fs::create_dir(bundle.path("state/foreign")).unwrap();
    assert!(bundle.ids().contains(&bundle.id));
    bundle.refuses(&["state", "foreign"]);
    std::fs::remove_dir(bundle.path("state/foreign")).unwrap();
}

#[test]
fn the_log_is_one_json_object_a_line() {
    needs!(bundles);
    let bundle = Bundle::new();
    let log = bundle.text("log");
    let options = ["--log", &*log, "--log-format", "json"];
    for args in [&["start", "no-such-container"][..], &["state", "no-such-container"]] {
        let output = bundle.try_to(&[&options[..], args].concat());
        assert_ne!(output.code, 0, "{output}");
    }
    let text = bundle.read("log");
    assert!(text.lines().count() >= 2, "{text}");
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(!entry["msg"].as_str().unwrap().is_empty(), "{line}");
        assert!(
            ["error", "warning", "info", "debug", "fatal"].contains(&entry["level"].as_str().unwrap()),
            "{line}"
        );
        // RFC 3339.
        let time = entry["time"].as_str().unwrap();
        assert!(time.len() >= 20 && time.as_bytes()[10] == b'T', "{line}");
    }
    assert!(text.contains("error") || text.contains("fatal"), "{text}");
}

/// How podman learns why a container could not be made.
#[test]
fn what_fails_in_the_container_is_in_the_log_too() {
    needs!(bundles);
    let bundle = Bundle::of(&["/no/such/command"]);
    bundle.save();
    let log = bundle.text("log");
    let bundle_dir = bundle.text("");
    let args = ["--log", &*log, "--log-format", "json", "run", "--bundle", &bundle_dir, &bundle.id];
    assert_ne!(bundle.try_to(&args).code, 0);
    let found = bundle.read("log").lines().any(|line| {
        let entry: Value = serde_json::from_str(line).unwrap();
        entry["msg"].as_str().unwrap().to_lowercase().contains("no such file or directory")
    });
    assert!(found, "{}", bundle.read("log"));
}

#[test]
fn a_log_as_text() {
    needs!(bundles);
    let bundle = Bundle::new();
    let log = bundle.text("log");
    assert_ne!(bundle.try_to(&["--log", &log, "state", "no-such-container"]).code, 0);
    assert!(!bundle.read("log").is_empty());
}

#[test]
fn a_log_format_that_does_not_exist_is_refused() {
    needs!(bundles);
    let bundle = Bundle::new();
    let output = bundle.try_to(&["--log", &bundle.text("log"), "--log-format", "nonsense", "list"]);
    assert_ne!(output.code, 0, "{output}");
}

#[test]
fn unknown_commands_and_options_are_refused() {
    needs!(bundles);
    let bundle = Bundle::new();
    for args in
        [&["nonsense"][..], &["create", "--nonsense", "x"], &["--nonsense", "list"], &["kill", "a", "b", "c"]]
    {
        let output = bundle.try_to(args);
        assert_ne!(output.code, 0, "{output}");
    }
    bundle.ok(&["--version"]);
    bundle.ok(&["--help"]);
}

/// What `spec` writes, runs; without privileges with `--rootless`.
#[test]
fn a_specification_to_start_from() {
    needs!(bundles);
    let mut bundle = Bundle::new();
    let options: &[&str] = if nix::unistd::geteuid().is_root() { &["spec"] } else { &["spec", "--rootless"] };
    bundle.ok(options);
    let spec: Value = serde_json::from_str(&bundle.read("config.json")).unwrap();
    assert!(spec["ociVersion"].as_str().unwrap().starts_with("1."), "{spec}");
    assert_eq!(spec["root"]["path"], "rootfs", "{spec}");
    bundle.config = spec;
    bundle.config["process"]["terminal"] = false.into();
    bundle.config["process"]["args"] = serde_json::json!(["echo", "ran"]);
    bundle.config["root"]["readonly"] = false.into();
    assert_eq!(bundle.says(), "ran\n");
}

#[test]
fn an_existing_configuration_is_not_overwritten() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.save();
    let before = bundle.read("config.json");
    bundle.refuses(&["spec"]);
    assert_eq!(bundle.read("config.json"), before);
}

/// What is said of the caller has to be true of it: nothing is accepted and ignored.
#[test]
fn a_wrong_word_about_the_caller_is_refused() {
    needs!(bundles);
    deviates!("crun", "has no such option");
    let bundle = Bundle::new();
    let (wrong, right) = if nix::unistd::geteuid().is_root() { ("true", "false") } else { ("false", "true") };
    bundle.refuses(&[&format!("--rootless={wrong}"), "list"]);
    bundle.ok(&[&format!("--rootless={right}"), "list"]);
    bundle.ok(&["--rootless=auto", "list"]);
}
