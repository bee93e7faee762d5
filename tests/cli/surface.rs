//! The command line itself: help, version, errors, what is not there yet.

use crate::rig::{Home, needs};

#[test]
fn version_and_help_need_nothing() {
    let mut home = Home::bare();
    home.unset_all();
    let version = home.ok(&["--version"]);
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let help = home.ok(&["--help"]);
    for command in [
        "run", "ps", "images", "pull", "rm", "rmi", "logs", "inspect", "info", "version", "unshare", "doctor",
    ] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command} in {help}");
    }
    assert!(!home.store().exists(), "asking for help makes nothing");
}

#[test]
fn every_commands_help_is_on_stdout() {
    let home = Home::bare();
    for command in [&["run"][..], &["pull"], &["ps"], &["image", "inspect"], &["unshare"]] {
        let mut args = command.to_vec();
        args.push("--help");
        let output = home.run(&args).exits(0);
        assert!(output.stdout.contains("Usage:") && output.stderr.is_empty(), "{output}");
    }
}

#[test]
fn every_option_of_run_that_is_promised_is_there() {
    let home = Home::bare();
    let help = home.ok(&["run", "--help"]);
    let promised = "--interactive --tty --rm --name --env --env-file --workdir --user --volume --mount --tmpfs --entrypoint \
        --hostname --read-only --init --label --add-host --dns --network --publish --userns --rootfs --pull --platform \
        --cidfile --ulimit --cap-add --cap-drop --security-opt --shm-size --device --stop-signal --stop-timeout --quiet";
    for option in promised.split_whitespace() {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn mistakes_are_explained() {
    let home = Home::bare();
    home.run(&["rum"]).exits(125).fails_saying(&["rum"]);
    home.run(&["run", "--nmae", "x", "y"]).exits(125).fails_saying(&["--nmae"]);
    home.run(&["exec", "x", "y"]).exits(125).fails_saying(&["exec"]);
    let output = home.run(&["--no-such-flag"]).exits(125);
    assert_eq!(output.stdout, "", "errors are no output");
}

#[test]
fn info_and_version_speak_json() {
    needs!(containers);
    let home = Home::bare();
    let info = home.json(&["info"]);
    assert_eq!(info["host"]["security"]["rootless"], true, "{info}");
    assert!(
        info["store"]["graphRoot"].as_str().is_some_and(|path| path.starts_with(&home.text("data"))),
        "{info}"
    );
    assert!(info["store"]["graphDriverName"].is_string(), "{info}");
    let version = home.json(&["version"]);
    assert!(version.to_string().contains(env!("CARGO_PKG_VERSION")), "{version}");
}

#[test]
fn doctor_tells_of_every_part() {
    needs!(containers);
    let home = Home::bare();
    let output = home.run(&["doctor"]);
    for part in ["subordinate ids", "overlay", "network", "control groups"] {
        assert!(output.stdout.to_lowercase().contains(part), "{part} in {output}");
    }
}

#[test]
fn unknown_keys_of_podmans_configuration_are_no_obstacle_and_broken_ones_are_named() {
    needs!(containers);
    let home = Home::bare();
    home.write("containers.conf", "[engine]\nsomething_of_tomorrow = true\n[secrets]\ndriver = \"file\"\n");
    home.ok(&["ps"]);
    home.write("containers.conf", "[engine\n");
    home.run(&["run", "--rm", "--rootfs", "/:O", "true"]).exits(125).fails_saying(&["containers.conf"]);
}
