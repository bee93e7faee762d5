//! The stream around the archive: compression, digest, what follows, what is missing.

use std::io::{Cursor, Read};

use super::*;
use crate::oci::Digest;

fn sample() -> Vec<u8> {
    let noise: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    Tar::default().dir("d").file("d/noise", &noise).file("d/small", b"small").end()
}

#[test]
fn every_compression_gives_the_same_files_and_digest() {
    let plain = sample();
    let half = plain.len() / 2;
    let mut skippable = b"\x50\x2a\x4d\x18\x04\0\0\0skip".to_vec();
    skippable.extend(corpus::zstd(&plain));
    for (what, blob) in [
        ("plain", plain.clone()),
        ("gzip", corpus::gzip(&plain)),
        ("two members", [corpus::gzip(&plain[..half]), corpus::gzip(&plain[half..])].concat()),
        ("zstd", corpus::zstd(&plain)),
        ("two frames", [corpus::zstd(&plain[..half]), corpus::zstd(&plain[half..])].concat()),
        ("skippable frame", skippable),
    ] {
        let ground = Ground::new();
        let unpacked = ground.unpack_bytes(&blob).unwrap();
        assert_eq!(unpacked.diff_id, Digest::of(&plain), "{what}");
        assert_eq!(ground.read("d/small"), "small", "{what}");
        assert_eq!(ground.stat("d/noise").len(), 3_000_000, "{what}");
    }
}

#[test]
fn the_first_bytes_overrule_the_media_type() {
    let ground = Ground::new();
    let blob = corpus::gzip(&sample());
    let unpacked = unpack_blob(&blob[..], Compression::None, &ground.root, &options()).unwrap();
    assert!(unpacked.notes[0].contains("gzip"), "{:?}", unpacked.notes);
    let types = [
        ("application/vnd.oci.image.layer.v1.tar", Some(Compression::None)),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Some(Compression::Gzip)),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Some(Compression::Zstd)),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", Some(Compression::Gzip)),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Some(Compression::Gzip)),
        ("application/vnd.docker.image.rootfs.diff.tar", Some(Compression::None)),
        ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", None),
        ("application/vnd.oci.image.layer.v1.tar+lzma", None),
    ];
    for (text, want) in types {
        assert_eq!(Compression::of_media_type(text), want, "{text}");
    }
}

#[test]
fn what_follows_the_archive_is_hashed_and_ignored() {
    let ground = Ground::new();
    let mut bytes = sample();
    bytes.extend(vec![0; 8 << 10]);
    bytes.extend(Tar::default().file("smuggled", b"").end());
    bytes.extend(vec![b'!'; 700_000]);
    let unpacked = ground.unpack_bytes(&bytes).unwrap();
    assert_eq!(unpacked.diff_id, Digest::of(&bytes));
    assert!(!ground.exists("smuggled"));
}

#[test]
fn entries_after_half_an_end_mark_are_refused() {
    let tar = Tar::default().file("a", b"").raw(&[0; 512]).file("b", b"");
    assert_refused(tar, "end mark");
}

#[test]
fn a_missing_end_mark_is_no_fault() {
    let ground = Ground::new();
    ground.unpack_bytes(&Tar::default().file("a", b"x").0).unwrap();
    assert_eq!(ground.read("a"), "x");
    assert_eq!(Ground::new().unpack_bytes(b"").unwrap().entries, 0);
}

#[test]
fn a_stream_that_breaks_off_is_refused_wherever_it_does() {
    let small = Tar::default().dir("d").pax(b'x', &[("path", b"d/f")]).file("f", &[7; 1500]).end();
    for blob in [small.clone(), corpus::gzip(&small), corpus::zstd(&small)] {
        let plain = blob == small;
        for cut in (1..blob.len()).step_by(if plain { 41 } else { 3 }).chain((512..blob.len()).step_by(512)) {
            // Whole blocks of a plain archive may be all there is, and an end mark may be cut.
            if plain && (cut == 512 || cut >= small.len() - 1024 && cut % 512 == 0) {
                continue;
            }
            let result = Ground::new().unpack_bytes(&blob[..cut]);
            let error = result.err().unwrap_or_else(|| panic!("cut at {cut} of {}", blob.len()));
            assert_eq!(error.kind(), Kind::Invalid, "cut at {cut}: {error:?}");
        }
    }
}

#[test]
fn garbage_is_refused() {
    let noise: Vec<u8> = (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8 | 1).collect();
    assert_eq!(Ground::new().unpack_bytes(&noise).unwrap_err().kind(), Kind::Invalid);
    let mut blob = corpus::gzip(&sample());
    let middle = blob.len() / 2;
    blob[middle] ^= 0x55;
    assert_eq!(Ground::new().unpack_bytes(&blob).unwrap_err().kind(), Kind::Invalid);
    let mut blob = corpus::gzip(&sample());
    blob.extend(b"garbage after the last member");
    assert_eq!(Ground::new().unpack_bytes(&blob).unwrap_err().kind(), Kind::Invalid);
}

#[test]
fn a_failing_source_keeps_its_own_kind() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other(Error::new(Kind::Network, "connection reset")))
        }
    }
    for blob in [sample(), corpus::gzip(&sample()), corpus::zstd(&sample())] {
        let ground = Ground::new();
        let half = blob.len() / 2;
        let source = Cursor::new(blob[..half].to_vec()).chain(Failing);
        let error = unpack_blob(source, Compression::None, &ground.root, &options()).unwrap_err();
        assert!(format!("{error:?}").contains("connection reset"), "{error:?}");
        assert_eq!(error.kind(), Kind::Network, "{error:?}");
    }
}

#[test]
fn a_bomb_is_stopped_by_its_ratio() {
    /// Frames of zeros without end, as a hostile registry would stream them.
    struct Bomb(Vec<u8>, usize);
    impl Read for Bomb {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = into.len().min(self.0.len() - self.1);
            into[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
            self.1 = (self.1 + count) % self.0.len();
            Ok(count)
        }
    }
    let ground = Ground::new();
    // What follows the archive is read for the digest only, so that the test fills no disk.
    let archive = corpus::zstd(&Tar::default().file("f", b"").end());
    let source = Cursor::new(archive).chain(Bomb(corpus::zstd(&vec![0; 64 << 20]), 0));
    let error = unpack_blob(source, Compression::Zstd, &ground.root, &options()).unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
    assert!(error.to_string().contains("500 times its size"), "{error:?}");
}
