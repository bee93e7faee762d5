//! runtime.md, "Start".

use serde_json::json;

use crate::rig::{Bundle, deviates, eventually, needs};

#[test]
fn the_program_of_the_configuration_runs() {
    needs!(bundles);
    let bundle = Bundle::of(&["echo", "one", "two words", "$HOME", ""]);
    bundle.create();
    bundle.start();
    bundle.wait_for("stopped");
    assert_eq!(bundle.printed(), "one two words $HOME \n");
}

/// `running` is a container whose "container process has executed the user-specified program", and hooks that come
/// after that are called "before the start operation returns".
#[test]
fn it_answers_when_the_program_has_been_executed() {
    needs!(bundles);
    deviates!("crun", "answers before");
    for _ in 0..10 {
        let bundle = Bundle::sleeping();
        bundle.create();
        bundle.start();
        assert_eq!(bundle.status(), "running");
        let line = std::fs::read_to_string(format!("/proc/{}/cmdline", bundle.pid())).unwrap();
        assert_eq!(line, "sleep\x001000\0");
    }
}

/// "MUST generate an error if it is not provided the container ID"
#[test]
fn it_needs_an_id_that_exists() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.refuses(&["start"]);
    bundle.refuses(&["start", "no-such-container"]);
}

/// "Attempting to start a container that is not created MUST have no effect on the container"
#[test]
fn a_running_container_is_not_started_again() {
    needs!(bundles);
    let bundle = Bundle::sh("echo started; sleep 1000").running();
    eventually("it has started", || bundle.printed() == "started\n");
    let before = bundle.state();
    bundle.refuses(&["start", &bundle.id]);
    assert_eq!(bundle.state(), before);
    assert_eq!(bundle.printed(), "started\n");
}

#[test]
fn a_stopped_container_is_not_started_again() {
    needs!(bundles);
    let bundle = Bundle::sh("echo started").stopped();
    bundle.refuses(&["start", &bundle.id]);
    assert_eq!(bundle.status(), "stopped");
    assert_eq!(bundle.printed(), "started\n");
}

#[test]
fn two_starts_at_once_start_once() {
    needs!(bundles);
    let bundle = Bundle::sh("echo started; sleep 1000");
    bundle.create();
    let codes = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..4).map(|_| scope.spawn(|| bundle.try_to(&["start", &bundle.id]).code)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    eventually("it has started", || bundle.printed() == "started\n");
}

/// "This operation MUST generate an error if process was not set."
#[test]
fn a_configuration_without_a_process_cannot_be_started() {
    needs!(bundles);
    deviates!("crun", "start answers with success and nothing runs");
    let bundle = Bundle::new().with(|config| drop(config.as_object_mut().unwrap().remove("process")));
    let output = bundle.try_create(&[]);
    // A runtime may say so at once: "The runtime MAY validate config.json".
    if output.code == 0 {
        bundle.refuses(&["start", &bundle.id]);
    }
}

/// "process (object, OPTIONAL)", "If process is not set, start MUST generate an error."
#[test]
fn a_container_without_a_process_can_be_made_and_not_started() {
    needs!(bundles);
    let bundle = Bundle::new().with(|config| {
        config.as_object_mut().unwrap().remove("process");
    });
    bundle.create();
    bundle.refuses(&["start", &bundle.id]);
    bundle.wait_for("stopped");
}

/// How engines learn that there is no such command: by the words of the error.
#[test]
fn a_command_that_does_not_exist_is_an_error_that_says_so() {
    needs!(bundles);
    for args in [json!(["no-such-command"]), json!(["/no/such/command"])] {
        let bundle = Bundle::new().with(|config| config["process"]["args"] = args);
        let output = bundle.run();
        assert_ne!(output.code, 0, "{output}");
        let said = output.stderr.to_lowercase();
        let words = ["no such file or directory", "executable file not found in"];
        assert!(words.iter().any(|word| said.contains(word)), "{output}");
    }
}

#[test]
fn a_command_that_is_not_executable_is_an_error_that_says_so() {
    needs!(bundles);
    for file in ["/etc/passwd", "/etc"] {
        let bundle = Bundle::of(&[file]);
        let output = bundle.run();
        assert_ne!(output.code, 0, "{output}");
        let said = output.stderr.to_lowercase();
        let words = ["permission denied", "operation not permitted"];
        assert!(words.iter().any(|word| said.contains(word)), "{output}");
    }
}

#[test]
fn a_search_goes_along_the_path_of_the_process() {
    needs!(bundles);
    let bundle = Bundle::of(&["tool"]);
    for (dir, mode) in [("first", 0o644), ("second", 0o755), ("third", 0o755)] {
        std::fs::create_dir(bundle.path(&format!("rootfs/{dir}"))).unwrap();
        bundle.write_script(&format!("rootfs/{dir}/tool"), &format!("#!/bin/sh\necho {dir}\n"));
        let file = bundle.path(&format!("rootfs/{dir}/tool"));
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    let bundle = bundle.with(|config| {
        config["process"]["env"] = json!(["PATH=/nowhere:/first:/second:/third:/bin"]);
    });
    assert_eq!(bundle.says(), "second\n", "what is not executable is passed over");
}

#[test]
fn a_relative_path_is_relative_to_the_working_directory() {
    needs!(bundles);
    let bundle = Bundle::of(&["./busybox", "pwd"]).with(|config| config["process"]["cwd"] = json!("/bin"));
    assert_eq!(bundle.says(), "/bin\n");
}

#[test]
fn the_runtime_ends_with_the_code_of_the_program() {
    needs!(bundles);
    for code in [0, 1, 7, 125, 255] {
        Bundle::sh(&format!("exit {code}")).run().exits(code);
    }
}

#[test]
fn a_program_that_a_signal_ended_gives_128_and_its_number() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    let mut running = bundle.start_run();
    eventually("it runs", || bundle.try_to(&["state", &bundle.id]).stdout.contains("\"running\""));
    bundle.kill("KILL");
    assert_eq!(crate::rig::command::code_of(running.wait()), 128 + 9);
}

#[test]
fn run_leaves_no_container_behind() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.run().success();
    assert_eq!(bundle.ids(), [""; 0]);
    // The same id can be used again.
    bundle.run().success();
    Bundle::of(&["no-such-command"]).run();
    assert_eq!(bundle.ids(), [""; 0]);
}

#[test]
fn run_passes_the_standard_streams_through() {
    needs!(bundles);
    let bundle = Bundle::sh("read line; echo out $line; echo err $line >&2");
    let output = crate::rig::command::finish(bundle.run_command(&[]), b"word\n");
    assert_eq!((output.code, &*output.stdout, &*output.stderr), (0, "out word\n", "err word\n"));
}

#[test]
fn run_detached_comes_back_when_the_program_runs() {
    needs!(bundles);
    let bundle = Bundle::sh("echo started; sleep 1000");
    let pid = bundle.text("pid");
    let output = bundle.detached(bundle.run_command(&["--detach", "--pid-file", &pid]));
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(bundle.status(), "running");
    assert_eq!(bundle.read("pid").trim().parse::<i32>().unwrap(), bundle.pid());
    bundle.kill("KILL");
    bundle.wait_for("stopped");
    bundle.ok(&["delete", &bundle.id]);
}
