//! config-linux.md, "Devices" and "Default Devices"; runtime-linux.md, "Dev symbolic links".

use serde_json::{Value, json};

use crate::rig::{Bundle, deviates, needs};

fn with(device: Value, script: &str) -> Bundle {
    Bundle::sh(script).with(|config| config["linux"]["devices"] = json!([device]))
}

/// "the runtime MUST also supply": each the character device that its manual page says, usable by everybody.
#[test]
fn default_devices() {
    needs!(bundles);
    let script = "cd /dev; stat -c '%n %F %t:%T %a' null zero full random urandom tty";
    let expected = "null character special file 1:3 666\nzero character special file 1:5 666\n\
                    full character special file 1:7 666\nrandom character special file 1:8 666\n\
                    urandom character special file 1:9 666\ntty character special file 5:0 666\n";
    assert_eq!(Bundle::sh(script).says(), expected);
}

#[test]
fn default_devices_do_what_they_are_for() {
    needs!(bundles);
    let script = "echo x >/dev/null && cat /dev/null; head -c 4 /dev/zero | tr '\\0' z; echo; \
                  head -c 8 /dev/urandom | wc -c; echo x 2>&1 >/dev/full; true";
    let printed = Bundle::sh(script).says();
    assert!(printed.starts_with("zzzz\n8\n"), "{printed}");
    assert!(printed.contains("No space left"), "{printed}");
}

/// "/dev/ptmx: a bind-mount or symlink of the container's /dev/pts/ptmx"
#[test]
fn ptmx_is_the_containers_own() {
    needs!(bundles);
    let script = "stat -L -c '%t:%T %d' /dev/ptmx; stat -c '%t:%T %d' /dev/pts/ptmx; ls /dev/pts";
    let printed = Bundle::sh(script).says();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0], lines[1], "{printed}");
    assert!(lines[0].starts_with("5:2 "), "{printed}");
    assert_eq!(lines[2..], ["ptmx"], "no terminal of the host");
}

/// "runtimes MUST create the following symlinks if the source file exists after processing mounts"
#[test]
fn symbolic_links() {
    needs!(bundles);
    let script = "cd /dev; for l in fd stdin stdout stderr; do echo $l $(readlink $l); done; echo through >/dev/stdout";
    let expected =
        "fd /proc/self/fd\nstdin /proc/self/fd/0\nstdout /proc/self/fd/1\nstderr /proc/self/fd/2\nthrough\n";
    assert_eq!(Bundle::sh(script).says(), expected);
}

/// What the root file system holds at /dev is the mount's to cover; without one it is the runtime's to fill.
#[test]
fn a_root_with_its_own_dev() {
    needs!(bundles);
    let mut bundle = Bundle::sh("echo x >/dev/null; stat -c %t:%T /dev/null /dev/zero; readlink /dev/fd");
    let places = ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"];
    let mounts = bundle.config["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| !places.contains(&mount["destination"].as_str().unwrap()));
    assert_eq!(bundle.says(), "1:3\n1:5\n/proc/self/fd\n");
}

/// "/dev/console is set up if terminal is enabled"
#[test]
fn no_console_without_a_terminal() {
    needs!(bundles);
    assert_eq!(Bundle::sh("ls /dev/console 2>/dev/null | wc -l").says(), "0\n");
}

/// A user may not make nodes, but the host's can be bound.
#[test]
fn a_device_of_the_host() {
    needs!(bundles);
    let device = json!({ "path": "/dev/another", "type": "c", "major": 1, "minor": 5 });
    if nix::unistd::geteuid().is_root() {
        assert_eq!(with(device, "stat -c '%F %t:%T' /dev/another").says(), "character special file 1:5\n");
    }
    // Under its own name it can be had by everybody.
    if std::fs::exists("/dev/fuse").unwrap() {
        let device =
            json!({ "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666 });
        assert_eq!(with(device, "stat -c '%F %t:%T' /dev/fuse").says(), "character special file a:e5\n");
    }
}

/// "notably outside of /dev"
#[test]
fn a_device_outside_of_dev() {
    needs!(bundles, root);
    let device = json!({ "path": "/srv/deep/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 5, "gid": 6 });
    let printed = with(device, "stat -c '%F %t:%T %a %u:%g' /srv/deep/null").says();
    assert_eq!(printed, "character special file 1:3 640 5:6\n");
}

#[test]
fn a_fifo() {
    needs!(bundles);
    let device = json!({ "path": "/run/fifo", "type": "p", "fileMode": 0o600 });
    let printed =
        with(device, "stat -c '%F %a' /run/fifo; (echo through >/run/fifo &) ; cat /run/fifo").run();
    if nix::unistd::geteuid().is_root() || printed.code == 0 {
        assert_eq!(printed.success(), "fifo 600\nthrough\n");
    }
}

/// "If a file already exists at path that does not match the requested device, the runtime MUST generate an error."
#[test]
fn a_file_that_is_another_device_is_an_error() {
    needs!(bundles, root);
    deviates!("crun", "leaves the file as it is");
    let device = json!({ "path": "/etc/passwd", "type": "c", "major": 1, "minor": 3 });
    with(device, "true").is_refused();
}

/// "type of device: c, b, u or p"; "major, minor (int64, REQUIRED unless type is p)"; "path (string, REQUIRED)"
#[test]
fn devices_that_mean_nothing_are_refused() {
    needs!(bundles);
    if nix::unistd::geteuid().is_root() {
        deviates!("crun", "makes something of any type");
    }
    for device in [
        json!({ "path": "/dev/x", "type": "q", "major": 1, "minor": 3 }),
        json!({ "type": "c", "major": 1, "minor": 3 }),
    ] {
        with(device, "true").is_refused();
    }
}

/// "Containers MAY NOT access any device node that is not either explicitly referenced … or … default".
#[test]
fn nothing_else_is_in_dev() {
    needs!(bundles);
    let printed = Bundle::sh("ls /dev | tr '\\n' ' '").says();
    let known = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
        .split(' ')
        .collect::<Vec<_>>();
    for name in printed.split_whitespace() {
        assert!(known.contains(&name), "{name} in {printed}");
    }
}
