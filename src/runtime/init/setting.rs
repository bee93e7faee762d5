//! How the kernel treats this process, and its own files in proc.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, openat};

use super::{Init, errno};
use crate::runtime::op::{Setting, Slot, Target};
use crate::sys::scheduling;

/// Carries out a setting.
pub(super) fn carry_out(setting: &Setting) -> Result<(), Errno> {
    match setting {
        Setting::Scheduler(attributes) => scheduling::set(attributes),
        Setting::IoPriority { class, level } => scheduling::set_io_priority(*class, *level),
        Setting::Personality(domain) => scheduling::set_personality(*domain),
        Setting::Affinity(processors) => scheduling::set_affinity(processors.words()),
        Setting::MemoryPolicy { mode, nodes } => scheduling::set_memory_policy(*mode, nodes.words()),
    }
}

impl Init<'_> {
    /// Writes a file below the /proc that the parent saw. That it is one of procfs is checked: what somebody
    /// laid over it is not written to.
    pub(super) fn write_host_proc(&self, proc: Slot, file: &CStr, value: &[u8]) -> Result<(), Errno> {
        write_proc(self.open_slot(proc)?, file, value)
    }

    /// Which namespaces' parameter it is depends on the process and not on the mount. The container's own /proc comes
    /// first: the host's may be read-only here.
    pub(super) fn set_kernel_parameter(
        &self,
        target: &Target,
        value: &[u8],
        proc: Slot,
    ) -> Result<(), Errno> {
        match self.write_proc(target, value) {
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EXDEV) => {
                // Below /proc: `proc/sys/…`.
                let path = target.path.to_bytes_with_nul().strip_prefix(b"proc/").unwrap_or_default();
                let path = CStr::from_bytes_with_nul(path).map_err(|_| Errno::EINVAL)?;
                write_proc(self.open_slot(proc)?, path, value)
            }
            other => other,
        }
    }

    /// The namespace's offsets can be set until the first process is in it.
    pub(super) fn make_time_namespace(&self, proc: Slot, offsets: &[u8]) -> Result<(), Errno> {
        scheduling::new_time_namespace()?;
        if offsets.is_empty() {
            return Ok(());
        }
        self.write_host_proc(proc, c"self/timens_offsets", offsets)
    }
}

fn write_proc(proc: BorrowedFd<'_>, file: &CStr, value: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = openat(proc, file, flags, Mode::empty()).map_err(errno)?;
    if fstatfs(&file).map_err(errno)?.f_type != PROC_SUPER_MAGIC {
        return Err(Errno::ELOOP);
    }
    rustix::io::write(&file, value).map_err(errno).map(drop)
}
