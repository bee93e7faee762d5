//! What of /proc and /sys is hidden or read-only.

use std::path::Path;

use crate::spec::value::MaskChange;

/// Hidden: podman's list.
pub(super) const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
];

/// Read-only: podman's list.
pub(super) const READ_ONLY: [&str; 6] =
    ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The hidden and the read-only paths after `changes`.
pub(super) fn paths(changes: &[&MaskChange]) -> (Vec<String>, Vec<String>) {
    let kept = |path: &&str| {
        !changes.iter().any(|change| match *change {
            MaskChange::UnmaskAll => true,
            MaskChange::Unmask(patterns) => patterns.iter().any(|pattern| matches(pattern, path)),
            MaskChange::Mask(_) => false,
        })
    };
    let mut masked: Vec<String> =
        MASKED.iter().filter(|path| kept(path)).map(|path| (*path).to_owned()).collect();
    for change in changes {
        if let MaskChange::Mask(more) = change {
            masked.extend(more.iter().map(|path| path.display().to_string()));
        }
    }
    (masked, READ_ONLY.iter().filter(|path| kept(path)).map(|path| (*path).to_owned()).collect())
}

/// Whether `pattern` names `path`: part by part, `*` and `?` within a part.
fn matches(pattern: &str, path: &str) -> bool {
    let parts = |text| Path::new(text).components().map(|part| part.as_os_str().as_encoded_bytes().to_vec());
    let (pattern, path): (Vec<_>, Vec<_>) = (parts(pattern).collect(), parts(path).collect());
    pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(pattern, part)| part_matches(pattern, part))
}

fn part_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where to go on when the text after the last star does not fit.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at + 1, read));
                at += 1;
            }
            (Some(byte), _) if *byte == b'?' || *byte == text[read] => {
                at += 1;
                read += 1;
            }
            (_, Some((after, from))) => {
                star = Some((after, from + 1));
                at = after;
                read = from + 1;
            }
            _ => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_within_a_part() {
        for (pattern, path, fits) in [
            ("/proc/acpi", "/proc/acpi", true),
            ("/proc/acpi/", "/proc/acpi", true),
            ("/proc/*", "/proc/acpi", true),
            ("/proc/*", "/proc/a/b", false),
            ("/proc", "/proc/acpi", false),
            ("/proc/s*d*g", "/proc/sched_debug", true),
            ("/proc/timer_????", "/proc/timer_list", true),
            ("/proc/timer_????", "/proc/timer_stats", false),
            ("/*/*", "/proc/acpi", true),
            ("*", "/proc", false),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn changes_hide_and_show() {
        assert_eq!(paths(&[]), (MASKED.map(str::to_owned).to_vec(), READ_ONLY.map(str::to_owned).to_vec()));
        assert_eq!(paths(&[&MaskChange::UnmaskAll]), (vec![], vec![]));
        let (masked, read_only) = paths(&[
            &MaskChange::Unmask(vec!["/proc/*".into()]),
            &MaskChange::Mask(vec!["/proc/acpi".into(), "/x".into()]),
        ]);
        assert_eq!(
            masked,
            ["/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/selinux", "/proc/acpi", "/x"]
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert!(read_only.is_empty());
    }
}
