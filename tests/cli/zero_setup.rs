//! Machines and accounts that nobody has prepared. tests/run runs these as a user without subordinate ids too.

use crate::rig::image::{Entry, Image, Layer};
use crate::rig::{Home, machine, needs, registry, stock};

/// A home whose rcon finds no program but those named.
fn with_only(tools: &[&str]) -> Home {
    let mut home = Home::new();
    let dir = home.path("tools");
    std::fs::create_dir(&dir).unwrap();
    for tool in tools {
        if let Some(path) = machine::which(tool) {
            std::os::unix::fs::symlink(path, dir.join(tool)).unwrap();
        }
    }
    home.set("PATH", dir.to_str().unwrap());
    home
}

#[test]
fn without_the_helpers_one_id_is_mapped_and_one_line_says_so() {
    needs!(containers, registry);
    let home = with_only(&[]);
    let pull = home.run(&["pull", "-q", "layers"]).exits(0);
    let run = home
        .run(&["run", "--rm", "--network", "none", "layers", "sh", "-c", "id -u; cat /owned/app"])
        .exits(0);
    assert_eq!(run.stdout, "0\napp");
    let said = format!("{}{}", pull.stderr, run.stderr);
    let about_it: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.contains("newuidmap") || line.contains("uidmap") || line.contains("subuid"))
        .collect();
    assert!(!said.contains("panicked"));
    assert!(about_it.len() <= 2 && !said.is_empty(), "one line and its way out: {said}");
    assert!(said.contains("uidmap"), "the package that has them: {said}");
    let map = home.ok(&["run", "--rm", "--network", "none", "layers", "cat", "/proc/self/uid_map"]);
    assert_eq!(map.split_whitespace().collect::<Vec<_>>(), ["0", &nix::unistd::getuid().to_string(), "1"]);
}

#[test]
fn owners_that_could_not_be_set_are_recorded() {
    needs!(containers, registry, getfattr);
    let home = with_only(&[]);
    home.ok(&["pull", "-q", "layers"]);
    let mut find = home.command("/usr/bin/find");
    find.arg(home.store()).args(["-path", "*/owned/app"]);
    let path = crate::rig::command::finish(find, b"").success();
    let path = path.trim();
    assert!(!path.is_empty());
    let mut ask = home.command(machine::which("getfattr").unwrap());
    ask.args(["--absolute-names", "--only-values", "-n", "user.containers.override_stat", path]);
    let value = crate::rig::command::finish(ask, b"").success();
    assert!(value.starts_with("1000:1000:"), "{value}");
}

#[test]
fn another_user_of_the_image_cannot_be_had_and_is_named() {
    needs!(containers, registry);
    let home = with_only(&[]);
    home.ok(&["pull", "-q", "busybox"]);
    let run = home.run(&["run", "--rm", "--network", "none", "-u", "app", "busybox", "id"]);
    if run.code == 0 {
        assert!(run.stdout.contains("uid=1000"), "either it is that user, {run}");
    } else {
        run.fails_saying(&["1000"]);
    }
    assert_eq!(home.sh(&[], "id -u"), "0\n", "or it is said; root there is always");
}

#[test]
fn an_empty_environment_is_enough() {
    needs!(containers, registry);
    let mut home = Home::bare();
    home.unset_all();
    let store = format!("--root={}", home.text("store"));
    let run = format!("--runroot={}", home.text("run"));
    let base = [store.as_str(), run.as_str()];
    let image = format!("{}/library/busybox", registry().address);
    // Without a registries.conf of one's own, loopback is as insecure as any other place: use what needs none.
    let _ = image;
    let mut args = base.to_vec();
    args.extend_from_slice(&[
        "run",
        "--rm",
        "--network",
        "none",
        "--rootfs",
        "/:O",
        "/bin/sh",
        "-c",
        "echo $((6 * 7))",
    ]);
    assert_eq!(home.run(&args).exits(0).stdout, "42\n");
    let mut args = base.to_vec();
    args.extend_from_slice(&["ps", "-a"]);
    home.ok(&args);
    let mut args = base.to_vec();
    args.push("info");
    home.ok(&args);
}

#[test]
fn without_a_runtime_directory_one_is_made_that_is_nobody_elses() {
    needs!(containers, registry);
    let mut home = Home::new();
    home.unset("XDG_RUNTIME_DIR");
    home.unset("USER");
    home.ok(&["pull", "-q", "busybox"]);
    assert_eq!(home.sh(&[], "echo works"), "works\n");
    let fallback = std::path::PathBuf::from(format!("/tmp/rcon-{}", nix::unistd::getuid()));
    let systemd = format!("/run/user/{}", nix::unistd::getuid());
    if !std::path::Path::new(&systemd).exists() && fallback.exists() {
        use std::os::unix::fs::MetadataExt;
        let about = std::fs::symlink_metadata(&fallback).unwrap();
        assert_eq!(about.mode() & 0o7777, 0o700);
        assert_eq!(about.uid(), nix::unistd::getuid().as_raw());
    }
    // A runtime directory that is named and does not exist, as after su.
    home.set("XDG_RUNTIME_DIR", "/run/user/no-such-user");
    assert_eq!(home.sh(&[], "echo works"), "works\n");
}

#[test]
fn a_home_that_cannot_be_written_is_no_obstacle() {
    needs!(containers);
    let mut home = Home::bare();
    home.unset("XDG_DATA_HOME");
    home.set("HOME", "/proc");
    let output = home
        .run(&["run", "--rm", "--network", "none", "--rootfs", "/:O", "/bin/sh", "-c", "echo works"])
        .exits(0);
    assert_eq!(output.stdout, "works\n");
    assert!(output.stderr.contains("/proc"), "and it is said: {output}");
    home.set("HOME", "/no/such/home");
    home.run(&["ps"]).exits(0);
}

#[test]
fn a_malformed_line_in_subuid_is_named_by_file_and_line() {
    needs!(containers, subordinate_ids);
    // The file itself belongs to the machine; what rcon says of its own part of it is in `info`.
    let home = Home::bare();
    let maps = home.json(&["info"])["host"]["idMappings"].clone();
    assert!(maps["uidmap"].as_array().is_some_and(|maps| maps.len() > 1), "{maps}");
}

#[test]
fn no_user_namespaces_names_the_knob() {
    needs!(containers);
    let home = Home::bare();
    let mut command = home.command("unshare");
    let script = "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$@\"";
    command.args(["--user", "--map-current-user", "--keep-caps", "sh", "-c", script, "sh"]);
    command.arg(crate::rig::binary()).args([
        "run",
        "--rm",
        "--network",
        "none",
        "--rootfs",
        "/:O",
        "/bin/true",
    ]);
    let output = crate::rig::command::finish(command, b"");
    output.exits(125).fails_saying(&["max_user_namespaces"]);
}

#[test]
fn an_image_of_many_owners_is_usable_with_one_id() {
    needs!(containers, registry);
    let home = with_only(&[]);
    let entries = (0..50).map(|n| Entry::file(&format!("o/{n}"), "x").owner(n * 1000, n * 500).mode(0o600));
    Image::of([stock::base_layer(), Layer::of(entries)]).push(registry(), "library/many-owners", "latest");
    let args = [
        "run",
        "--rm",
        "-q",
        "--network",
        "none",
        "many-owners",
        "sh",
        "-c",
        "cat /o/* | wc -c; echo y >/o/7; cat /o/7; rm /o/8; ls /o | wc -l",
    ];
    assert_eq!(home.ok(&args), "50\ny\n49\n");
}
