//! Writing the maps of a user namespace that a process just made.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::unistd::Pid;

use crate::error::{Context, Error, Kind, Result};
use crate::userns::{Helpers, IdMap, MapWriter, UserNamespace, explain, id_map};

impl UserNamespace {
    /// Writes the maps of the user namespace that process `pid` is in, from the namespace above it. `pid` is
    /// as this process sees it and waits meanwhile.
    pub fn write_maps(&self, pid: Pid) -> Result<()> {
        match &self.writer {
            MapWriter::Helpers(helpers) => helpers.write(self, pid),
            MapWriter::Direct { deny_setgroups } => write_directly(self, pid, *deny_setgroups),
        }
    }
}

fn write_directly(namespace: &UserNamespace, pid: Pid, deny_setgroups: bool) -> Result<()> {
    let write = |file: &str, content: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::write(&path, content).context(|| format!("cannot write {path}")).map_err(|error| {
            match explain::forbidding_knob() {
                Some(knob) => Error::wrap(knob.what, error).with_kind(Kind::Denied).hint(knob.remedy),
                None => error,
            }
        })
    };
    // In this order: without privilege the kernel takes a gid_map only after setgroups is given up.
    if deny_setgroups {
        match write("setgroups", "deny") {
            // Linux before 3.19 has no such file and asks for nothing.
            Err(error) if error.kind() == Kind::NotFound => {}
            other => other?,
        }
    }
    write("gid_map", &id_map::text(&namespace.maps.gid))?;
    write("uid_map", &id_map::text(&namespace.maps.uid))
}

impl Helpers {
    /// Runs both side by side: each spends its time in exec and in the user database.
    fn write(&self, namespace: &UserNamespace, pid: Pid) -> Result<()> {
        let users = spawn(&self.newuidmap, pid, &namespace.maps.uid);
        let groups = spawn(&self.newgidmap, pid, &namespace.maps.gid);
        // Both are reaped whatever the first one says.
        let (users, groups) = (finish(&self.newuidmap, users), finish(&self.newgidmap, groups));
        users.and(groups)
    }
}

fn spawn(program: &Path, pid: Pid, maps: &[IdMap]) -> io::Result<Child> {
    let numbers = maps.iter().flat_map(|map| [map.inside, map.outside, map.count]);
    Command::new(program)
        .arg(pid.to_string())
        .args(numbers.map(|number| number.to_string()))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

fn finish(program: &Path, child: io::Result<Child>) -> Result<()> {
    let output = child
        .and_then(Child::wait_with_output)
        .context(|| format!("cannot run {}", program.display()))
        .map_err(|error| {
            error.hint("sudo apt install uidmap, or the package of your system that holds it")
        })?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(explain_helper(program, stderr.trim(), output.status.code()))
}

/// The sentence for what newuidmap or newgidmap wrote to its standard error.
fn explain_helper(program: &Path, stderr: &str, code: Option<i32>) -> Error {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let (file, option) = if name.contains("gid") { ("/etc/subgid", "gid") } else { ("/etc/subuid", "uid") };
    let said = match stderr {
        "" => format!("it ended with status {}", code.map_or("unknown".to_owned(), |code| code.to_string())),
        text => text.lines().collect::<Vec<_>>().join("; "),
    };
    let cause = Error::new(Kind::Denied, said);
    let explained = |what: &str| Error::wrap(format!("cannot map ids with {name}: {what}"), cause);
    if stderr.contains("not allowed") {
        explained(&format!("a range is not granted in {file}")).hint(format!(
            "compare the ranges with {file}; a range is granted by \
             sudo usermod --add-sub{option}s FIRST-LAST $USER"
        ))
    } else if stderr.contains("Invalid argument") {
        explained("the kernel refuses the ranges").hint(format!(
            "ranges that overlap, or that hold your own id, are refused: see your lines in {file}"
        ))
    } else if stderr.contains("setgroups") {
        explained("setgroups(2) cannot be kept").hint(format!("your group ids need a range in {file}"))
    } else if stderr.contains("owned by a different user") {
        explained("the process to map belongs to another user")
            .hint("run rcon as the user who logged in, not through a set-user-id program")
    } else if stderr.contains("Operation not permitted") || stderr.contains("Permission denied") {
        let error = explained("it has no privilege here");
        match explain::forbidding_knob() {
            Some(knob) => error.hint(knob.remedy),
            None => error.hint(format!(
                "sudo chmod u+s {} (or setcap cap_set{option}+ep); in a container, the ids must exist outside",
                program.display()
            )),
        }
    } else {
        explained("it failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::userns::IdMaps;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn helper(dir: &Path, name: &str, script: &str) -> PathBuf {
        let file = dir.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    fn namespace(newuidmap: PathBuf, newgidmap: PathBuf) -> UserNamespace {
        let maps = IdMaps {
            uid: vec![IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65_536)],
            gid: vec![IdMap::new(0, 1001, 1)],
        };
        UserNamespace {
            maps: maps.clone(),
            writer: MapWriter::Helpers(Helpers { newuidmap, newgidmap }),
            notes: Vec::new(),
            container_user: None,
            default_maps: maps,
        }
    }

    #[test]
    fn the_helpers_get_the_process_and_the_maps() {
        let dir = tempfile::tempdir().unwrap();
        let log = |name: &str| format!("echo \"$@\" > {}/{name}", dir.path().display());
        let namespace = namespace(
            helper(dir.path(), "newuidmap", &log("uid")),
            helper(dir.path(), "newgidmap", &log("gid")),
        );
        namespace.write_maps(Pid::from_raw(4242)).unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("uid"), "4242 0 1000 1 1 100000 65536\n");
        assert_eq!(read("gid"), "4242 0 1001 1\n");
    }

    #[test]
    fn each_failure_of_a_helper_has_its_sentence() {
        let dir = tempfile::tempdir().unwrap();
        for (said, sentence, hint) in [
            ("newuidmap: uid range [1-65537) -> [100000-165536) not allowed", "/etc/subuid", "--add-subuids"),
            ("newuidmap: write to uid_map failed: Invalid argument", "refuses the ranges", "overlap"),
            ("newuidmap: write to uid_map failed: Operation not permitted", "no privilege", "sudo "),
            ("newuidmap: open of uid_map failed: Permission denied", "no privilege", "sudo "),
            ("newuidmap: Target process 1 is owned by a different user", "another user", "run rcon"),
        ] {
            let failing = helper(dir.path(), "newuidmap", &format!("echo '{said}' >&2; exit 1"));
            let working = helper(dir.path(), "newgidmap", "exit 0");
            let error = namespace(failing, working).write_maps(Pid::from_raw(1)).unwrap_err();
            assert!(error.to_string().contains(sentence), "{error:?}");
            assert!(error.chain()[1].contains(said), "{error:?}");
            assert!(error.hints()[0].contains(hint), "{error:?}");
        }
    }

    #[test]
    fn a_silent_failure_and_a_missing_program_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let working = helper(dir.path(), "newuidmap", "exit 0");
        let silent = helper(dir.path(), "newgidmap", "exit 3");
        let error = namespace(working.clone(), silent).write_maps(Pid::from_raw(1)).unwrap_err();
        assert!(error.chain()[1].contains("status 3"), "{error:?}");
        let missing = namespace(working, dir.path().join("none")).write_maps(Pid::from_raw(1)).unwrap_err();
        assert_eq!(missing.kind(), Kind::NotFound);
        assert!(missing.hints()[0].contains("uidmap"), "{missing:?}");
    }
}
