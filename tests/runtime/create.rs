//! runtime.md, "Create" and the first steps of "Lifecycle".

use serde_json::json;

use crate::rig::{Bundle, eventually, needs};

/// "the user-specified program MUST NOT be run at this time"
#[test]
fn the_program_does_not_run_before_start() {
    needs!(bundles);
    let bundle = Bundle::sh("echo ran");
    bundle.create();
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", bundle.pid())).unwrap();
    assert!(!line.starts_with("sh\0-c\0"), "{line}");
    assert_eq!(bundle.status(), "created");
    assert_eq!(bundle.printed(), "");
    bundle.start();
    bundle.wait_for("stopped");
    assert_eq!(bundle.printed(), "ran\n");
}

/// "All of the properties configured in config.json except for process MUST be applied."
#[test]
fn everything_but_the_process_is_there_after_create() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.create();
    let pid = bundle.pid();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    assert_eq!(pids.split_whitespace().last(), Some("1"), "it is in its pid namespace");
    // What has not executed its program is nobody's to look into but root's.
    if !nix::unistd::geteuid().is_root() {
        let map = std::fs::read_to_string(format!("/proc/{pid}/uid_map")).unwrap();
        let map: Vec<_> = map.split_whitespace().collect();
        assert_eq!(map, ["0", &*nix::unistd::getuid().to_string(), "1"]);
        return;
    }
    for name in ["pid", "net", "ipc", "uts", "mnt"] {
        let of = |who: &str| std::fs::read_link(format!("/proc/{who}/ns/{name}")).unwrap();
        assert_ne!(of(&pid.to_string()), of("self"), "{name}");
    }
    let mounts = std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    // Read-only paths are bound over themselves.
    for target in ["/", "/proc", "/dev", "/dev/shm", "/sys", "/proc/sys"] {
        assert!(mounts.lines().any(|line| line.split(' ').nth(4) == Some(target)), "{target}: {mounts}");
    }
}

/// "If the ID provided is not unique across all containers within the scope of the runtime"
#[test]
fn an_id_in_use_is_refused_and_its_container_is_not_touched() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.create();
    let before = bundle.state();
    let output = bundle.try_create(&[]);
    assert_ne!(output.code, 0, "{output}");
    assert_eq!(bundle.state(), before);
    bundle.start();
    bundle.wait_for("running");
    let output = bundle.try_create(&[]);
    assert_ne!(output.code, 0, "{output}");
    assert_eq!(bundle.status(), "running");
    bundle.kill("KILL");
    bundle.wait_for("stopped");
    let output = bundle.try_create(&[]);
    assert_ne!(output.code, 0, "{output}");
    assert_eq!(bundle.status(), "stopped");
}

/// "or is not valid in any other way"
#[test]
fn ids_that_name_no_container_are_refused() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.save();
    for id in ["", ".", "..", "a/b", "../escaped", "/absolute"] {
        let output = bundle.detached(bundle.runtime(&["create", id]));
        assert_ne!(output.code, 0, "{id:?}: {output}");
        assert!(!bundle.exists("escaped"), "{id:?}");
    }
    assert_eq!(bundle.ids(), [""; 0]);
}

#[test]
fn ids_of_every_allowed_letter() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.save();
    for suffix in ["A-b_c.9", "plus+", &"l".repeat(100)] {
        let id = format!("{}{suffix}", bundle.id);
        bundle.detached(bundle.runtime(&["create", &id])).success();
        assert!(bundle.ids().contains(&id));
    }
}

/// "Any changes made to the config.json file after this operation will not have an effect on the container."
#[test]
fn later_changes_of_the_bundle_do_not_matter() {
    needs!(bundles);
    let mut bundle = Bundle::sh("echo before; hostname");
    bundle.create();
    bundle.config["process"]["args"] = json!(["sh", "-c", "echo after"]);
    bundle.config["hostname"] = json!("after");
    bundle.config["annotations"] = json!({ "com.example.late": "yes" });
    bundle.save();
    assert!(bundle.state()["annotations"].get("com.example.late").is_none());
    bundle.start();
    bundle.wait_for("stopped");
    assert_eq!(bundle.printed(), "before\nconformance\n");
}

#[test]
fn a_configuration_that_is_gone_does_not_matter_either() {
    needs!(bundles);
    let bundle = Bundle::sh("echo ran");
    bundle.create();
    std::fs::remove_file(bundle.path("config.json")).unwrap();
    bundle.start();
    bundle.wait_for("stopped");
    assert_eq!(bundle.printed(), "ran\n");
    bundle.ok(&["delete", &bundle.id]);
}

#[test]
fn a_bundle_that_is_none_is_refused() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.refuses(&["create"]);
    bundle.refuses(&["create", "--bundle", "/no/such/bundle", &bundle.id]);
    bundle.refuses(&["create", "--bundle", "/etc/passwd", &bundle.id]);
    // A directory without a configuration.
    bundle.refuses(&["create", "--bundle", &bundle.text("rootfs"), &bundle.id]);
    assert_eq!(bundle.ids(), [""; 0]);
}

/// A caller that waits for its end of a pipe must not wait for what is none of the container's.
#[test]
fn nothing_but_the_container_is_left_behind() {
    needs!(bundles);
    let bundle = Bundle::sleeping().running();
    let state = bundle.state();
    let pid = state["pid"].as_i64().unwrap();
    let holders = || {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i64>().ok());
        let holds = |pid: &i64| {
            let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            fds.filter_map(|fd| std::fs::read_link(fd.path()).ok()).any(|target| target == bundle.path("out"))
        };
        pids.filter(holds).filter(|pid| *pid != i64::from(std::process::id())).collect::<Vec<_>>()
    };
    eventually("only the payload holds the standard output", || holders() == [pid]);
}

/// "a pid file" is what engines wait for instead of parsing the state.
#[test]
fn the_pid_file_names_the_process() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    bundle.try_create(&["--pid-file", &bundle.text("pid")]).success();
    assert_eq!(bundle.read("pid").trim().parse::<i32>().unwrap(), bundle.pid());
    assert_eq!(bundle.read("pid"), bundle.read("pid").trim(), "the number and nothing else");
}

#[test]
fn a_pid_file_that_cannot_be_written_is_an_error() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    let output = bundle.try_create(&["--pid-file", &bundle.text("no-such-directory/pid")]);
    assert_ne!(output.code, 0, "{output}");
    assert!(!bundle.ids().contains(&bundle.id), "a container is left");
}
