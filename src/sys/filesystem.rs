//! Which file system a path lies on.

use std::path::Path;

use rustix::fs::StatVfsMountFlags;

/// The kernel's name for the file system at `path`, or its magic number where the name is not known here.
pub fn name_of(path: &Path) -> String {
    let Ok(stat) = rustix::fs::statfs(path) else { return "unknown".to_owned() };
    let magic = stat.f_type as u64 & 0xffff_ffff;
    let name = match magic {
        // ext2 and ext3 have the same number, and podman's name for all three.
        0xef53 => "extfs",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlayfs",
        0x6969 => "nfs",
        0x6573_5546 => "fuse",
        0x2fc1_2fc1 => "zfs",
        0xf2f5_2010 => "f2fs",
        0xca45_1a4e => "bcachefs",
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => "cifs",
        0x0102_1997 => "v9fs",
        0x0bd0_0bd0 => "lustre",
        0x4750_4653 => "gpfs",
        0x00c3_6400 => "ceph",
        0x858458f6 => "ramfs",
        other => return format!("0x{other:x}"),
    };
    name.to_owned()
}

/// The mount options of the file system at `path` that take something away: `noexec`, `nodev`, `nosuid`, `ro`.
pub fn restrictions_of(path: &Path) -> Vec<&'static str> {
    let Ok(stat) = rustix::fs::statvfs(path) else { return Vec::new() };
    [
        (StatVfsMountFlags::NOEXEC, "noexec"),
        (StatVfsMountFlags::NODEV, "nodev"),
        (StatVfsMountFlags::NOSUID, "nosuid"),
        (StatVfsMountFlags::RDONLY, "ro"),
    ]
    .into_iter()
    .filter(|(flag, _)| stat.f_flag.contains(*flag))
    .map(|(_, name)| name)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_have_names() {
        assert_eq!(name_of(Path::new("/no/such/path")), "unknown");
        assert_eq!(name_of(Path::new("/proc")), "0x9fa0");
        assert!(restrictions_of(Path::new("/no/such/path")).is_empty());
    }
}
