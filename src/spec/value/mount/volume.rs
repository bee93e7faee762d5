//! `--volume` and `--tmpfs`: parts between colons, options between commas.

use super::options::{self, MountOptions, TmpfsOptions};
use super::{Mount, Source, clean_destination, source};
use crate::error::{Error, Result};

pub(super) fn parse(text: &str) -> Result<Mount> {
    parts(text).map_err(|error| Error::wrap(format!("--volume {text:?}"), error))
}

fn parts(text: &str) -> Result<Mount> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, place, words) = match parts[..] {
        [place] => (Source::AnonymousVolume, place, ""),
        [from, place] => (source(from)?, place, ""),
        [from, place, words] => (source(from)?, place, words),
        _ => return Err(Error::usage("expected [SOURCE:]DESTINATION[:OPTIONS]")),
    };
    let mut options = MountOptions::default();
    for word in words.split(',').filter(|word| !word.is_empty()) {
        if !options.take_bind(word)? {
            return Err(options::unknown(word, "bind"));
        }
    }
    Ok(Mount { source, destination: clean_destination(place)?, options })
}

pub(super) fn parse_tmpfs(text: &str) -> Result<Mount> {
    tmpfs_parts(text).map_err(|error| Error::wrap(format!("--tmpfs {text:?}"), error))
}

fn tmpfs_parts(text: &str) -> Result<Mount> {
    let (place, words) = text.split_once(':').unwrap_or((text, ""));
    let mut options = MountOptions::default();
    let mut tmpfs = TmpfsOptions::default();
    for word in words.split(',').filter(|word| !word.is_empty()) {
        match word {
            "tmpcopyup" => options.copy_up = Some(true),
            "notmpcopyup" => options.copy_up = Some(false),
            _ if options.take(word)? || tmpfs.take(word)? => {}
            _ => return Err(options::unknown(word, "tmpfs")),
        }
    }
    Ok(Mount { source: Source::Tmpfs(tmpfs), destination: clean_destination(place)?, options })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::spec::value::mount::Propagation;

    #[test]
    fn a_source_is_a_path_a_name_or_nothing() {
        let source = |text: &str| Mount::from_volume(text).unwrap().source;
        assert_eq!(source("/x"), Source::AnonymousVolume);
        assert_eq!(source("/a:/x"), Source::Bind("/a".into()));
        assert_eq!(source("./a:/x"), Source::Bind("./a".into()));
        assert_eq!(source("..:/x"), Source::Bind("..".into()));
        assert_eq!(source("data:/x"), Source::Volume("data".parse().unwrap()));
    }

    #[test]
    fn a_destination_is_cleaned_and_never_the_root() {
        let place = |text: &str| Mount::from_volume(text).map(|mount| mount.destination);
        assert_eq!(place("/a:/x//y/./../z/").unwrap(), Path::new("/x/z"));
        assert_eq!(place("/a:/../../x").unwrap(), Path::new("/x"));
        for bad in [
            "",
            "x",
            "/a:x",
            "/a:",
            "/a:/",
            "/a:/x/..",
            ":/x",
            "/a:/x:ro:rw",
            "/a:/x:",
            "/a\0:/x",
            "/a:/\0",
            "a b:/x",
        ] {
            // A trailing colon is an empty list of options, which podman takes too.
            assert_eq!(place(bad).is_ok(), bad == "/a:/x:", "{bad:?}");
        }
        let hint = Mount::from_volume("a/b:/x").unwrap_err();
        assert!(hint.hints()[0].contains("./a/b"), "{hint:?}");
    }

    #[test]
    fn options_are_words_that_do_not_contradict() {
        let options = |text: &str| Mount::from_volume(&format!("/a:/x:{text}")).map(|mount| mount.options);
        let all = options("ro,z,nosuid,nodev,noexec,rbind,rslave,nocopy").unwrap();
        assert_eq!(
            (all.read_only, all.suid, all.dev, all.exec),
            (Some(true), Some(false), Some(false), Some(false))
        );
        assert_eq!((all.recursive, all.copy_up), (Some(true), Some(false)));
        assert_eq!(all.propagation, Some(Propagation::RecursiveSlave));
        assert_eq!(options("exec,dev,suid,rw").unwrap().exec, Some(true));
        for bad in [
            "ro,rw",
            "ro,ro",
            "shared,private",
            "bind,rbind",
            "x",
            "size=1m",
            "O",
            "U",
            "idmap",
            "upperdir=/x",
        ] {
            assert!(options(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tmpfs_has_a_size_and_a_mode() {
        let mount = Mount::from_tmpfs("/x:ro,size=64m,mode=1777,uid=1,gid=2,nr_inodes=5k").unwrap_err();
        assert!(mount.chain().join(": ").contains("nr_inodes=5k"));
        let mount = Mount::from_tmpfs("/x:ro,exec,size=50%,mode=1777,uid=1,gid=2,notmpcopyup").unwrap();
        let Source::Tmpfs(tmpfs) = &mount.source else { panic!("{mount:?}") };
        assert_eq!((tmpfs.mode, tmpfs.uid, tmpfs.gid), (Some(0o1777), Some(1), Some(2)));
        assert_eq!(tmpfs.size.unwrap().to_string(), "50%");
        assert_eq!((mount.options.exec, mount.options.copy_up), (Some(true), Some(false)));
        for bad in
            ["", "x", "/", "/x:size=0%", "/x:size=101%", "/x:mode=9", "/x:mode=77777", "/x:bind", "/x:shared"]
        {
            assert!(Mount::from_tmpfs(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_destinations_are_clean(text in "[a-z/.:,=\\PC]{0,24}") {
            let mounts = [Mount::from_volume(&text), Mount::from_tmpfs(&text), Mount::from_mount(&text)];
            for mount in mounts.into_iter().flatten() {
                prop_assert!(mount.destination.is_absolute());
                prop_assert!(mount.destination.components().skip(1).all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
