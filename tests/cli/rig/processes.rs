//! What runs on this machine for this user, whatever id it has taken on.

use std::collections::BTreeMap;
use std::fs;

/// pid -> command line of every process of this user and of the user's subordinate ids.
pub(crate) fn all() -> BTreeMap<u32, String> {
    let mine = owners();
    let pids =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, describe(pid, &mine)?))).collect()
}

/// The processes whose command line contains `mark`.
pub(crate) fn with_mark(mark: &str) -> BTreeMap<u32, String> {
    all().into_iter().filter(|(_, line)| line.contains(mark)).collect()
}

fn describe(pid: u32, mine: &[std::ops::Range<u32>]) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let uid: u32 = field("Uid:")?.split_whitespace().next()?.parse().ok()?;
    let dead = field("State:")?.trim_start().starts_with(['Z', 'X']);
    if dead || !mine.iter().any(|range| range.contains(&uid)) {
        return None;
    }
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    Some(format!("{} [{}]", line.trim(), field("Name:")?.trim()))
}

fn owners() -> Vec<std::ops::Range<u32>> {
    let uid = nix::unistd::getuid().as_raw();
    let name = super::machine::user_name();
    let granted = fs::read_to_string("/etc/subuid").unwrap_or_default();
    let ranges = granted.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let who = fields.next()?;
        let (start, count): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (who == name || who == uid.to_string()).then(|| start..start.saturating_add(count))
    });
    std::iter::once(uid..uid + 1).chain(ranges).collect()
}
