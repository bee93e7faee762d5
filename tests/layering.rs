//! Holds the source to the house rules that a compiler does not know: which module may import which,
//! how long a file may be, where `unsafe` may stand, and how many packages the lock file may have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, top first. A module may use those of lower lines, never its own line's or a higher one's.
const LAYERS: &[&[&str]] = &[
    &["cli"],
    &["ops"],
    &["container"],
    &["runtime", "network", "spec", "image"],
    &["storage"],
    &["userns"],
    &["config"],
    &["oci", "sys"],
    &["error"],
];

/// What Cargo.lock may hold. Nearly all of it hangs below three crates: the registry client with its HTTP
/// and TLS stack, the OCI types, and clap. A new dependency is a decision: raise this with it, and say in
/// CONTRIBUTING.md what it saves.
const PACKAGES_AT_MOST: usize = 256;

/// Lines of code a file may have: no comments, no blank lines, nothing from the first `#[cfg(test)]` on, and
/// not the files that are tests alone.
const LINES_AT_MOST: usize = 400;

/// Files that are one table and may be longer.
const TABLES: &[&str] = &[];

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for file in sources() {
        let Some(from) = module_of(&file.path) else { continue };
        for to in crate_paths(&file.code) {
            if let Some(complaint) = judge(&from, &to) {
                wrong.push(format!("{}: {complaint}", file.path));
            }
        }
        if file.code.contains("super::super") {
            wrong.push(format!("{}: super::super hides which module is meant; write crate::…", file.path));
        }
    }
    assert!(wrong.is_empty(), "arrows that are not allowed:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_layer() {
    let known: BTreeSet<_> =
        LAYERS.iter().flat_map(|line| line.iter().map(|name| (*name).to_owned())).collect();
    let found: BTreeSet<_> = sources().iter().filter_map(|file| module_of(&file.path)).collect();
    assert_eq!(found, known, "the table of layers and the modules under src/ differ");
}

#[test]
fn files_are_short_and_say_what_they_own() {
    let mut wrong = Vec::new();
    for file in sources() {
        if !file.text.starts_with("//!") {
            wrong.push(format!("{}: does not begin with //!", file.path));
        }
        let lines = code_lines(&file.code);
        let is_test = file.path.ends_with("/tests.rs") || file.path.contains("/tests/");
        if lines > LINES_AT_MOST && !is_test && !TABLES.contains(&file.path.as_str()) {
            wrong.push(format!("{}: {lines} lines of code, {LINES_AT_MOST} are allowed", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stays_in_sys() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|file| module_of(&file.path).as_deref() != Some("sys"))
        .filter(|file| words(&file.code).any(|word| word == "unsafe"))
        .map(|file| file.path.clone())
        .collect();
    assert!(wrong.is_empty(), "unsafe outside src/sys: {wrong:?}");
}

#[test]
fn the_environment_is_read_in_config_alone() {
    let reads = ["env::var(", "env::var_os(", "env::vars(", "env::vars_os("];
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|file| module_of(&file.path).as_deref() != Some("config"))
        .filter(|file| reads.iter().any(|read| without_tests(&file.code).contains(read)))
        .map(|file| file.path.clone())
        .collect();
    assert!(wrong.is_empty(), "the environment is read outside src/config: {wrong:?}");
}

#[test]
fn modules_have_telling_names() {
    let banned = ["utils", "util", "common", "helpers", "misc", "manager"];
    for file in sources() {
        let parts: Vec<_> = file.path.trim_end_matches(".rs").split('/').collect();
        for pair in parts.windows(2) {
            assert!(pair[0] != pair[1], "{}: a module inside a module of the same name", file.path);
        }
        assert!(
            !parts.iter().any(|part| banned.contains(part)),
            "{}: says nothing about what it owns",
            file.path
        );
    }
}

#[test]
fn the_lock_file_has_a_ceiling() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is committed");
    let packages = lock.lines().filter(|line| *line == "[[package]]").count();
    assert!(packages > 0, "no package found in Cargo.lock: has its format changed?");
    assert!(
        packages <= PACKAGES_AT_MOST,
        "{packages} packages in Cargo.lock, the ceiling is {PACKAGES_AT_MOST}"
    );
}

#[test]
fn the_judge_knows_right_from_wrong() {
    assert!(judge("cli", "error").is_none());
    assert!(judge("image", "userns").is_none());
    assert!(judge("runtime", "runtime").is_none());
    assert!(judge("runtime", "image").is_some());
    assert!(judge("sys", "config").is_some());
    assert!(judge("error", "cli").is_some());
    assert!(judge("ops", "nowhere").is_some());
    let code = strip(
        "use crate::{error::{Error, Result}, sys, oci::Digest};\n// use crate::cli::x;\nlet s = \"crate::ops\"; crate::spec::build()",
    );
    assert_eq!(crate_paths(&code), ["error", "sys", "oci", "spec"]);
    assert_eq!(strip("a /* b /* c */ d */ e"), "a  e");
    assert_eq!(strip("f('\"'); g(r#\"unsafe \"x\" \"#); 'a: loop {}"), "f(); g(); 'a: loop {}");
    assert_eq!(code_lines("a\n\n b\n#[cfg(test)]\nmod tests {\n}\n"), 2);
}

struct Source {
    path: String,
    text: String,
    code: String,
}

/// Where the sources lie: a runner that builds in one place and tests in another says so.
fn root() -> PathBuf {
    std::env::var_os("RCON_TEST_SOURCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    collect(&src, &src, &mut files);
    assert!(files.len() > 10, "only {} source files below {}", files.len(), src.display());
    files
}

fn collect(base: &Path, dir: &Path, files: &mut Vec<Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(base, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = strip(&text);
            let path = path.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
            files.push(Source { path, text, code });
        }
    }
}

/// The top-level module of a path below src/; none for main.rs and lib.rs.
fn module_of(path: &str) -> Option<String> {
    let first = path.split('/').next().unwrap().trim_end_matches(".rs");
    (first != "main" && first != "lib").then(|| first.to_owned())
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|line| line.contains(&module))
}

fn judge(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    match (layer(from), layer(to)) {
        (Some(above), Some(below)) if above < below => None,
        (Some(above), Some(below)) if above == below => Some(format!("{from} and {to} are on one level")),
        (Some(_), Some(_)) => Some(format!("{to} lies above {from}")),
        _ => Some(format!("{from} uses {to}, which is not in the table of layers")),
    }
}

/// The modules named right after `crate::`, in order.
fn crate_paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group)),
            None => found.extend(first_word(rest)),
        }
    }
    found.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

/// The first word of every item of a `{…}` group whose opening brace is behind us.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            heads.extend(first_word(group[start..at].trim_start()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn first_word(text: &str) -> Option<String> {
    words(text).next().filter(|word| text.starts_with(word)).map(str::to_owned)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]").next().unwrap_or(code)
}

fn code_lines(code: &str) -> usize {
    without_tests(code).lines().filter(|line| !line.trim().is_empty()).count()
}

/// Rust without its comments, strings and character literals.
fn strip(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skip = if rest.starts_with(b"//") {
            rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest, out.last().copied()) {
            length
        } else if rest[0] == b'"' {
            quoted(rest, b'"')
        } else if rest[0] == b'\'' && is_char_literal(text, at) {
            quoted(rest, b'\'')
        } else {
            out.push(rest[0]);
            at += 1;
            continue;
        };
        // A literal's line breaks count for nothing: it is one line of code, however long its text.
        at += skip;
    }
    String::from_utf8(out).unwrap()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn raw_string(rest: &[u8], before: Option<u8>) -> Option<usize> {
    if before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') || rest[0] != b'r' {
        return None;
    }
    let hashes = rest[1..].iter().take_while(|b| **b == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &rest[2 + hashes..];
    let length = body.windows(end.len()).position(|window| window == end)?;
    Some(2 + hashes + length + end.len())
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Whether the quote at `at` opens a character and not a lifetime.
fn is_char_literal(text: &str, at: usize) -> bool {
    let mut after = text[at + 1..].chars();
    match after.next() {
        Some('\\') => true,
        Some(_) => after.next() == Some('\''),
        None => false,
    }
}
