//! The committed completions and manual pages are what the program itself would write today.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn source() -> PathBuf {
    env::var_os("RCON_TEST_SOURCE").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

fn rcon() -> PathBuf {
    env::var_os("RCON_TEST_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_rcon")), PathBuf::from)
}

#[test]
fn completions_and_manual_pages_are_fresh() {
    let fresh = tempfile::tempdir().unwrap();
    let output = Command::new(rcon()).arg("generate-docs").arg(fresh.path()).output().unwrap();
    assert!(output.status.success(), "generate-docs: {}", String::from_utf8_lossy(&output.stderr));
    for directory in ["completions", "man"] {
        let made = files(&fresh.path().join(directory));
        let kept = files(&source().join(directory));
        assert!(!made.is_empty(), "generate-docs wrote no {directory}/");
        let names = |map: &BTreeMap<_, _>| map.keys().cloned().collect::<Vec<PathBuf>>();
        assert_eq!(names(&made), names(&kept), "{directory}/ has files too many or too few: {}", remedy());
        for (name, text) in &made {
            assert!(kept[name] == *text, "{directory}/{} is stale: {}", name.display(), remedy());
        }
    }
}

#[test]
fn every_command_that_help_lists_has_a_page() {
    let help = Command::new(rcon()).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    let mut seen = 0;
    for command in commands {
        let page = source().join(format!("man/rcon-{command}.1"));
        assert!(page.exists(), "{} is missing: {}", page.display(), remedy());
        seen += 1;
    }
    assert!(seen > 8, "--help lists only {seen} commands:\n{help}");
}

fn remedy() -> &'static str {
    "run `cargo run -- generate-docs .` and commit what changes"
}

fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let entries =
        fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}: {}", dir.display(), remedy()));
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (PathBuf::from(path.file_name().unwrap()), fs::read_to_string(&path).unwrap()))
        .collect()
}
