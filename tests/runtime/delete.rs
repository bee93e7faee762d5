//! runtime.md, "Delete" and "Errors".

use serde_json::json;

use crate::rig::{Bundle, deviates, needs};

/// Every file of the test's directory, with the time it was changed.
fn files(bundle: &Bundle) -> Vec<String> {
    let output =
        bundle.command("find").args([".", "-not", "-path", "./err", "-not", "-path", "./out"]).output();
    let mut files: Vec<_> =
        String::from_utf8(output.unwrap().stdout).unwrap().lines().map(str::to_owned).collect();
    files.sort();
    files
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// "Attempting to delete a container that is not stopped MUST have no effect on the container"
#[test]
fn a_running_container_is_not_deleted() {
    needs!(bundles);
    let bundle = Bundle::sleeping().running();
    let before = bundle.state();
    bundle.refuses(&["delete", &bundle.id]);
    assert_eq!(bundle.state(), before);
    let pid = bundle.pid();
    assert!(std::fs::exists(format!("/proc/{pid}")).unwrap());
}

/// The same holds for `created`: engines that give a container up say `--force`.
#[test]
fn a_created_container_is_not_deleted_without_force() {
    needs!(bundles);
    deviates!("runc", "deletes what was created");
    deviates!("crun", "deletes what was created");
    let bundle = Bundle::sleeping();
    bundle.create();
    let before = bundle.state();
    bundle.refuses(&["delete", &bundle.id]);
    assert_eq!(bundle.state(), before);
    bundle.start();
    bundle.wait_for("running");
}

/// "MUST generate an error if it is not provided the container ID"
#[test]
fn it_needs_an_id_that_exists() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.refuses(&["delete"]);
    bundle.refuses(&["delete", "no-such-container"]);
}

/// "MUST delete the resources that were created during the create step"; "its ID MAY be used by a subsequent
/// container".
#[test]
fn what_create_made_is_gone_and_the_id_is_free() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.save();
    let mounts_before = mounts();
    bundle.create();
    bundle.ok(&["delete", "--force", &bundle.id]);
    let files_before = files(&bundle);
    bundle.create();
    bundle.start();
    bundle.wait_for("stopped");
    bundle.ok(&["delete", &bundle.id]);
    assert_eq!(bundle.ids(), [""; 0]);
    assert_eq!(files(&bundle), files_before);
    assert_eq!(mounts(), mounts_before);
    bundle.create();
    assert_eq!(bundle.status(), "created");
}

/// "resources associated with the container, but not created by this container, MUST NOT be deleted"
#[test]
fn what_was_there_before_stays() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.write("data/file", "content");
    let data = bundle.text("data");
    let bundle = bundle
        .mount(json!({ "destination": "/data", "source": data, "options": ["rbind", "rw"] }))
        .with(|config| config["process"]["args"] = json!(["sh", "-c", "echo more >>/data/file"]))
        .stopped();
    bundle.ok(&["delete", &bundle.id]);
    assert_eq!(bundle.read("data/file"), "contentmore\n");
    assert!(bundle.exists("rootfs/bin/busybox") && bundle.exists("config.json"));
}

#[test]
fn force_deletes_in_every_state() {
    needs!(bundles);
    for script in ["sleep 1000", "exit 0"] {
        let bundle = Bundle::sh(script);
        for start in [false, true] {
            bundle.create();
            let pid = bundle.pid();
            if start {
                bundle.start();
            }
            bundle.ok(&["delete", "--force", &bundle.id]);
            bundle.refuses(&["state", &bundle.id]);
            let alive = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            assert_eq!(alive, "", "the process is left");
        }
    }
}

/// "generating an error MUST leave the state of the environment as if the operation were never attempted"
#[test]
fn a_create_that_fails_late_leaves_nothing() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.create();
    bundle.ok(&["delete", "--force", &bundle.id]);
    let bundle = bundle.mount(json!({
        "destination": "/broken", "type": "no-such-file-system", "source": "none",
    }));
    bundle.write("rootfs/broken/.keep", "");
    bundle.save();
    let (files_before, mounts_before) = (files(&bundle), mounts());
    bundle.is_refused();
    assert_eq!(files(&bundle), files_before);
    assert_eq!(mounts(), mounts_before);
}

#[test]
fn a_run_that_fails_leaves_nothing() {
    needs!(bundles);
    let bundle = Bundle::of(&["no-such-command"]);
    let before = mounts();
    bundle.run();
    assert_eq!(bundle.ids(), [""; 0]);
    bundle.refuses(&["state", &bundle.id]);
    assert_eq!(mounts(), before);
}
