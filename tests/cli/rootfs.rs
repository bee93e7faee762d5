//! `--rootfs`: a container without an image, over any directory, and over the host itself.

use std::fs;

use crate::rig::{Home, needs};

const HOST: &[&str] = &["run", "--rm", "--network", "none", "--rootfs", "/:O"];

fn on_host(home: &Home, script: &str) -> String {
    let mut args = HOST.to_vec();
    args.extend_from_slice(&["sh", "-c", script]);
    home.ok(&args)
}

#[test]
fn the_hosts_own_files_are_a_root_file_system_and_stay_as_they_are() {
    needs!(containers);
    let home = Home::bare();
    // Only what all belongs to the user can be changed, even in a copy: here nothing between the root's own
    // directory and the files is somebody else's.
    let work = tempfile::tempdir_in("/tmp").unwrap();
    let path = |name: &str| work.path().join(name);
    let file = path("precious").display().to_string();
    fs::write(path("precious"), "precious").unwrap();
    fs::write(path("removed"), "still there").unwrap();
    let script = format!(
        "id -u; echo spoilt >{file}; cat {file}; cd {}; rm removed; mkdir new; ls",
        work.path().display()
    );
    assert_eq!(on_host(&home, &script), "0\nspoilt\nnew\nprecious\n", "inside it is writable");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(fs::read_to_string(path("removed")).unwrap(), "still there");
    assert!(!path("new").exists());
    assert_eq!(on_host(&home, &format!("cat {file}")), "precious", "the next container starts afresh");
}

#[test]
fn a_container_that_runs_amok_changes_nothing_on_the_host() {
    needs!(containers);
    let home = Home::bare();
    home.write("work/precious", "precious");
    home.write("home/dear", "dear");
    let places = [home.text("work"), home.text("home")].join(" ");
    let script =
        format!("rm -rf --one-file-system {places} /etc /usr/share /tmp/* /var/tmp/* 2>/dev/null; echo done");
    assert_eq!(on_host(&home, &script), "done\n");
    assert_eq!(fs::read_to_string(home.path("work/precious")).unwrap(), "precious");
    assert_eq!(fs::read_to_string(home.path("home/dear")).unwrap(), "dear");
    assert!(fs::exists("/etc/passwd").unwrap());
}

#[test]
fn programs_of_the_host_run_and_see_the_container() {
    needs!(containers);
    let home = Home::bare();
    let found = on_host(&home, "uname -n | wc -c; ls /proc/1/exe >/dev/null && echo $$; ls /sys/class/net");
    assert_eq!(found, "13\n1\nlo\n");
}

#[test]
fn a_directory_can_be_the_root_itself() {
    needs!(containers, busybox);
    let home = Home::bare();
    let root = home.path("root");
    for dir in ["bin", "proc", "sys", "dev", "tmp", "etc", "run"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    let root_arg = root.to_str().unwrap().to_owned();
    let args = [
        "run",
        "--rm",
        "--network",
        "none",
        "--rootfs",
        &root_arg,
        "/bin/busybox",
        "sh",
        "-c",
        "echo x >/tmp/made; /bin/busybox id -u",
    ];
    assert_eq!(home.ok(&args), "0\n");
    assert_eq!(fs::read_to_string(root.join("tmp/made")).unwrap(), "x\n", "without :O it is the directory");
    let overlaid = format!("{root_arg}:O");
    let args = ["run", "--rm", "--network", "none", "--rootfs", &overlaid, "/bin/busybox", "rm", "/tmp/made"];
    home.ok(&args);
    assert!(root.join("tmp/made").exists(), "with :O it is not");
}

#[test]
fn a_rootfs_container_is_listed_and_removed_like_any_other() {
    needs!(containers);
    let home = Home::bare();
    home.run(&["run", "--name", "host", "--network", "none", "--rootfs", "/:O", "sh", "-c", "exit 4"])
        .exits(4);
    assert_eq!(home.containers(), [("host".into(), "exited".into())]);
    home.ok(&["rm", "host"]);
    assert_eq!(home.containers(), []);
}

#[test]
fn the_readmes_first_command_works_without_any_network_helper() {
    needs!(containers);
    let mut home = Home::bare();
    // No pasta, no slirp4netns, no newuidmap: nothing but what a shell needs.
    home.set("PATH", "/nowhere");
    let output = home.run(&["run", "--rm", "--rootfs", "/:O", "/bin/sh", "-c", "echo works"]).exits(0);
    assert_eq!(output.stdout, "works\n");
    let mut terminal = home.on_terminal(&["run", "-it", "--rm", "--rootfs", "/:O", "/bin/sh"]);
    terminal.send("echo in $((1 + 1)) a box; exit 6\n");
    terminal.expect("in 2 a box");
    assert_eq!(terminal.wait(), 6);
}
