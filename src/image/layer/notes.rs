//! What an unpacking left out, counted, so that a layer of a million oddities says so in a few sentences.

use super::archive::shown;

/// A sort of thing that was left out or could not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    Device,
    Owner,
    Capability,
    Xattr,
    ReservedXattr,
    Aufs,
    OpaqueRoot,
    XattrWhiteout,
}

impl Note {
    fn sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::Device => ("device node", "left out: a user namespace may not make them"),
            Self::Owner => ("owner", "outside this user namespace's map, recorded instead"),
            Self::Capability => ("file capability", "refused by the kernel"),
            Self::Xattr => ("extended attribute", "refused by the kernel"),
            Self::ReservedXattr => ("extended attribute", "left out: overlayfs or the host would act on it"),
            Self::Aufs => ("AUFS housekeeping file", "left out"),
            Self::OpaqueRoot => {
                ("opaque mark", "on the root directory itself, which overlayfs does not heed")
            }
            Self::XattrWhiteout => ("whiteout", "written as an attribute, since no device could be made"),
        }
    }
}

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<(Note, u64, String)>);

impl Notes {
    /// Counts one more; the first of a sort becomes its example.
    pub(super) fn add(&mut self, note: Note, example: &[u8]) {
        match self.0.iter_mut().find(|(other, ..)| *other == note) {
            Some((_, count, _)) => *count += 1,
            None => self.0.push((note, 1, shown(example))),
        }
    }

    /// Whether any of this sort was counted.
    pub(super) fn has(&self, note: Note) -> bool {
        self.0.iter().any(|(other, ..)| *other == note)
    }

    /// One sentence a sort.
    pub(super) fn sentences(&self) -> Vec<String> {
        let sentence = |(note, count, example): &(Note, u64, String)| {
            let (what, why) = note.sentence();
            match count {
                1 => format!("1 {what} {why} ({example:?})"),
                count => format!("{count} {what}s {why} (first {example:?})"),
            }
        };
        self.0.iter().map(sentence).collect()
    }
}
