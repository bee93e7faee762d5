//! The operations for the mounts of config.json, the standard devices, masks and read-only paths.

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

use oci_spec::runtime::Mount;

use super::mount_options::Options;
use super::{Builder, Phase, c_path, c_text};
use crate::error::{Context, Error, Result};
use crate::runtime::op::{Fallback, Kind, Op, Slot, Target};
use crate::sys::mount::Attributes;

/// Devices that every container has. Source: runtime-spec config-linux.md, "Default Devices".
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// Links that every container has. Source: runtime-spec runtime-linux.md, "Dev symbolic links".
const LINKS: &[(&CStr, &CStr)] = &[
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
    (c"ptmx", c"pts/ptmx"),
];

impl Builder<'_> {
    /// All mounts in the order of config.json, then the devices, then what is masked and read-only.
    pub(super) fn mounts(&mut self, terminal: bool) -> Result<()> {
        let mounts = self.input.spec.mounts().as_deref().unwrap_or_default();
        let mut devpts = None;
        for mount in mounts {
            let slot = self.mount(mount)?;
            if mount.typ().as_deref() == Some("devpts") {
                devpts = Some(slot);
            }
        }
        if mounts.iter().any(|mount| mount.destination() == Path::new("/dev") && !is_bind(mount)) {
            self.devices()?;
        }
        if terminal {
            let devpts = devpts.ok_or_else(|| {
                Error::invalid("config.json asks for a terminal but mounts no devpts at /dev/pts")
            })?;
            self.push(
                Phase::Mapped,
                Op::Terminal { devpts, console: Target::new(Path::new("/dev/console"))? },
            );
        }
        self.push(Phase::Mapped, Op::Pivot);
        self.sysctls()?;
        for path in self.linux.readonly_paths().iter().flatten() {
            self.push(Phase::Mapped, Op::ReadOnly { target: Target::new(Path::new(path))? });
        }
        for path in self.linux.masked_paths().iter().flatten() {
            self.push(Phase::Mapped, Op::Mask { target: Target::new(Path::new(path))? });
        }
        if let Some(root) = self.input.spec.root()
            && root.readonly().unwrap_or(false)
        {
            self.push(Phase::Mapped, Op::ReadOnlyRoot);
        }
        Ok(())
    }

    fn mount(&mut self, mount: &Mount) -> Result<Slot> {
        let destination = mount.destination();
        let options = Options::parse(mount.options().as_deref().unwrap_or_default())
            .context(|| format!("mount onto {}", destination.display()))?;
        let (slot, kind) = if is_bind(mount) {
            self.bind(mount, &options)?
        } else {
            (self.new_filesystem(mount, &options)?, Kind::Directory)
        };
        if options.copy_up {
            self.push(Phase::Mapped, Op::CopyUp { slot, target: Target::new(destination)? });
        }
        let target = Target::new(destination)?;
        self.push(Phase::Mapped, Op::Attach { slot, target, kind, attributes: options.propagation });
        Ok(slot)
    }

    fn bind(&mut self, mount: &Mount, options: &Options) -> Result<(Slot, Kind)> {
        let destination = mount.destination().display();
        let source = mount
            .source()
            .as_ref()
            .ok_or_else(|| Error::invalid(format!("the bind onto {destination} names no source")))?;
        let metadata = std::fs::metadata(source).context(|| format!("statfs {}", source.display()))?;
        let kind = if metadata.is_dir() { Kind::Directory } else { Kind::File };
        let slot = self.slot();
        let attributes = if options.recursive.is_empty() { options.attributes } else { options.recursive };
        let op =
            Op::Tree { source: c_path(source)?, recursive: options.bind.unwrap_or(true), attributes, slot };
        self.push(Phase::Open, op);
        Ok((slot, kind))
    }

    fn new_filesystem(&mut self, mount: &Mount, options: &Options) -> Result<Slot> {
        let typ = mount.typ().as_deref().unwrap_or("none");
        let (fstype, or): (CString, _) = match typ {
            // A new procfs or sysfs is refused where the caller's own is covered in part, as in a container.
            "proc" => (c"proc".to_owned(), Fallback::Host(c"/proc")),
            "sysfs" => (c"sysfs".to_owned(), Fallback::Host(c"/sys")),
            // Absent from a kernel or hidden by a hybrid hierarchy: the directory stays empty.
            "cgroup" | "cgroup2" => (c"cgroup2".to_owned(), Fallback::Omit),
            other => (c_text(other, "file system type")?, Fallback::Fail),
        };
        let mut data = options.data.clone();
        if typ == "tmpfs"
            && !data.iter().any(|(key, _)| key.as_c_str() == c"mode")
            && mount.destination() == Path::new("/dev")
        {
            data.push((c"mode".to_owned(), Some(c"0755".to_owned())));
        }
        let flags = options.attributes.set;
        let slot = self.slot();
        // An owner can be named only once ids are mapped.
        let names_owner = data.iter().any(|(key, _)| key.as_c_str() == c"uid" || key.as_c_str() == c"gid");
        let phase = if names_owner { Phase::Mapped } else { Phase::Early };
        self.push(phase, Op::Filesystem { fstype, options: data, flags, slot, or });
        Ok(slot)
    }

    /// The standard devices are binds of the host's: a user namespace cannot make device nodes that work.
    fn devices(&mut self) -> Result<()> {
        for name in DEVICES {
            let path = PathBuf::from("/dev").join(name);
            let slot = self.slot();
            let attributes = Attributes::default();
            self.push(Phase::Open, Op::Tree { source: c_path(&path)?, recursive: false, attributes, slot });
            let target = Target::new(&path)?;
            self.push(Phase::Mapped, Op::Attach { slot, target, kind: Kind::File, attributes });
        }
        for (name, to) in LINKS {
            let directory = Target::new(Path::new("/dev"))?;
            let op = Op::Symlink { to: (*to).to_owned(), directory, name: (*name).to_owned() };
            self.push(Phase::Mapped, op);
        }
        Ok(())
    }

    fn sysctls(&mut self) -> Result<()> {
        let sysctls = self.linux.sysctl().iter().flatten();
        for (name, value) in sysctls {
            if name.split('.').any(|part| part.is_empty() || part.contains('/')) {
                return Err(Error::invalid(format!("{name:?} is not the name of a kernel parameter")));
            }
            let path = c_text(&format!("/proc/sys/{}", name.replace('.', "/")), "kernel parameter")?;
            self.push(Phase::Mapped, Op::Sysctl { path, value: value.clone().into_bytes() });
        }
        Ok(())
    }
}

fn is_bind(mount: &Mount) -> bool {
    mount.typ().as_deref() == Some("bind")
        || mount.options().iter().flatten().any(|option| option == "bind" || option == "rbind")
}
