//! The operations for the mounts of config.json, the standard devices, masks and read-only paths.

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxIdMapping, Mount};

use super::mount_options::Options;
use super::settings::selinux;
use super::{Builder, Mounted, Phase, c_path, c_text, sysctl};
use crate::error::{Context, Error, Result};
use crate::runtime::idmap::MappedBind;
use crate::runtime::op::{Fallback, Kind, Op, Slot, Target};
use crate::sys::mount::Attributes;
use crate::userns::{IdMap, IdMaps, MapWriter, UserNamespace};

/// The options of a file system.
type MountData = Vec<(CString, Option<CString>)>;

impl Builder<'_> {
    /// All mounts in the order of config.json, then the devices, then what is masked and read-only.
    pub(super) fn mounts(&mut self, terminal: bool) -> Result<()> {
        let mounts = self.input.spec.mounts().as_deref().unwrap_or_default();
        let mut devpts = None;
        for (index, mount) in mounts.iter().enumerate() {
            let Some(slot) = self.mount(index, mount)? else { continue };
            if mount.typ().as_deref() == Some("devpts") {
                devpts = Some(slot);
            }
        }
        // A /dev of the host's is complete, and not ours to write into.
        if !mounts.iter().any(|mount| mount.destination() == Path::new("/dev") && is_bind(mount)) {
            self.default_devices()?;
        }
        self.devices()?;
        if terminal {
            let console = Some(self.target(Path::new("/dev/console"))?);
            self.push(Phase::Mapped, Op::Terminal { devpts, console });
            self.console_size();
        }
        self.working_directory()?;
        self.hooks_before_pivot()?;
        self.push(Phase::Mapped, Op::Pivot);
        self.sysctls()?;
        self.hidden()?;
        if let Some(root) = self.input.spec.root()
            && root.readonly().unwrap_or(false)
        {
            self.push(Phase::Mapped, Op::ReadOnlyRoot);
        }
        if let Some(propagation) = self.linux.rootfs_propagation().as_deref().filter(|word| !word.is_empty())
        {
            let options = Options::parse(&[propagation.to_owned()], true)?;
            if options.propagation.is_empty() {
                return Err(Error::invalid(format!(
                    "linux.rootfsPropagation: unknown propagation {propagation:?}"
                )));
            }
            self.push(Phase::Mapped, Op::RootPropagation(options.propagation));
        }
        Ok(())
    }

    /// A bundle's working directory is made where it is missing, as other runtimes do.
    fn working_directory(&mut self) -> Result<()> {
        if let Some(process) = self.input.spec.process()
            && self.input.bundle.is_some()
        {
            let target = self.target(process.cwd())?;
            self.push(Phase::Mapped, Op::Directory { target, owner: None });
        }
        Ok(())
    }

    /// Read-only paths, then masked ones.
    fn hidden(&mut self) -> Result<()> {
        for path in self.linux.readonly_paths().iter().flatten() {
            let target = self.mounted_target(Path::new(path))?;
            self.push(Phase::Mapped, Op::ReadOnly { target });
        }
        let masked = self.linux.masked_paths().as_deref().unwrap_or_default();
        if masked.is_empty() {
            return Ok(());
        }
        let null = self.slot();
        let (source, attributes) = (c"/dev/null".to_owned(), Attributes::default());
        self.push(Phase::Open, Op::Tree { source, recursive: false, attributes, slot: null });
        for path in masked {
            let target = self.mounted_target(Path::new(path))?;
            self.push(Phase::Mapped, Op::Mask { target, null });
        }
        Ok(())
    }

    pub(super) fn console_size(&mut self) {
        let size = self.input.spec.process().as_ref().and_then(oci_spec::runtime::Process::console_size);
        let Some(size) = size else { return };
        let number = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
        let (rows, columns) = (number(size.height()), number(size.width()));
        // What tools write that know no "absent".
        if rows != 0 || columns != 0 {
            self.push(Phase::Mapped, Op::ConsoleSize { rows, columns });
        }
    }

    fn mount(&mut self, index: usize, mount: &Mount) -> Result<Option<Slot>> {
        let destination = mount.destination();
        let options = Options::parse(mount.options().as_deref().unwrap_or_default(), is_bind(mount))
            .context(|| format!("mount onto {}", destination.display()))?;
        let target = self.target(destination)?;
        if options.remount {
            let attributes = options.changes().into_iter().chain([options.propagation]).collect();
            self.push(Phase::Mapped, Op::Remount { target, attributes, options: options.data });
            return Ok(None);
        }
        let maps = self.id_maps_of(index, mount, &options)?;
        let (slot, kind) = if is_bind(mount) {
            self.bind(&format!("mounts[{index}]"), mount, &options, maps)?
        } else {
            if maps.is_some() {
                return Err(Error::unsupported(format!("mounts[{index}]: only a bind can have mapped ids")));
            }
            (self.new_filesystem(mount, &options)?, Kind::Directory)
        };
        let fresh = !is_bind(mount) && !options.copy_up;
        if options.copy_up {
            let target = self.target(destination)?;
            self.push(Phase::Mapped, Op::CopyUp { slot, target });
        }
        let place = Target::new(destination)?;
        self.push(Phase::Mapped, Op::Attach { slot, target, kind, attributes: options.propagation });
        self.mounted.push(Mounted { place, slot, fresh });
        Ok(Some(slot))
    }

    fn bind(
        &mut self,
        field: &str,
        mount: &Mount,
        options: &Options,
        maps: Option<UserNamespace>,
    ) -> Result<(Slot, Kind)> {
        let destination = mount.destination().display();
        let source = mount
            .source()
            .as_ref()
            .ok_or_else(|| Error::invalid(format!("the bind onto {destination} names no source")))?;
        let source = self.of_bundle(source);
        let metadata = std::fs::metadata(&source)
            .context(|| format!("{field}.source: cannot find {}", source.display()))?;
        let kind = if metadata.is_dir() { Kind::Directory } else { Kind::File };
        let slot = self.slot();
        let (source, recursive) = (c_path(&source)?, options.bind.unwrap_or(true));
        let mut changes = options.changes().into_iter();
        if let Some(maps) = maps {
            self.mapped_binds.push(MappedBind {
                field: field.to_owned(),
                source,
                recursive,
                attributes: changes.collect(),
                map_all: options.idmap.unwrap_or(false),
                maps,
                slot,
            });
            return Ok((slot, kind));
        }
        let attributes = changes.next().unwrap_or_default();
        // As the caller; who is in no new user namespace is the caller still, and can keep the order.
        let phase = if self.input.userns.is_some() { Phase::Open } else { Phase::Mapped };
        self.push(phase, Op::Tree { source, recursive, attributes, slot });
        for attributes in changes {
            let field = field.to_owned();
            self.push(phase, Op::Change { slot, attributes, field });
        }
        Ok((slot, kind))
    }

    /// A path of the host as config.json means it.
    fn of_bundle(&self, path: &Path) -> PathBuf {
        self.input.bundle.map_or_else(|| path.to_owned(), |bundle| bundle.join(path))
    }

    /// The namespace whose maps the owners of a mount go through, if they do.
    fn id_maps_of(&self, index: usize, mount: &Mount, options: &Options) -> Result<Option<UserNamespace>> {
        let own = |maps: &Option<Vec<LinuxIdMapping>>| -> Vec<IdMap> {
            let maps = maps.iter().flatten();
            maps.map(|map| IdMap::new(map.container_id(), map.host_id(), map.size())).collect()
        };
        let maps = IdMaps { uid: own(mount.uid_mappings()), gid: own(mount.gid_mappings()) };
        match (maps.uid.is_empty() && maps.gid.is_empty(), options.idmap) {
            (true, None) => Ok(None),
            (true, Some(_)) => self.container_namespace().map(Some).ok_or_else(|| {
                Error::invalid(format!("mounts[{index}].options: idmap needs mappings, or a user namespace"))
            }),
            (false, _) => Ok(Some(UserNamespace {
                default_maps: maps.clone(),
                maps,
                writer: MapWriter::Direct { deny_setgroups: false },
                notes: Vec::new(),
                container_user: None,
            })),
        }
    }

    fn container_namespace(&self) -> Option<UserNamespace> {
        self.input.userns.cloned()
    }

    fn new_filesystem(&mut self, mount: &Mount, options: &Options) -> Result<Slot> {
        let typ = mount.typ().as_deref().unwrap_or("none");
        let (fstype, or): (CString, _) = match typ {
            // A new procfs or sysfs is refused where the caller's own is covered in part, as in a container.
            "proc" => (c"proc".to_owned(), Fallback::Host(c"/proc")),
            "sysfs" => (c"sysfs".to_owned(), Fallback::Host(c"/sys")),
            // Absent from a kernel, hidden by a hybrid hierarchy, or refused without a cgroup namespace.
            "cgroup" | "cgroup2" => (c"cgroup2".to_owned(), Fallback::HostOrOmit(c"/sys/fs/cgroup")),
            // Refused without an ipc namespace.
            "mqueue" => (c"mqueue".to_owned(), Fallback::Host(c"/dev/mqueue")),
            other => (c_text(other, "file system type")?, Fallback::Fail),
        };
        let mut data = options.data.clone();
        if typ == "tmpfs"
            && !data.iter().any(|(key, _)| key.as_c_str() == c"mode")
            && mount.destination() == Path::new("/dev")
        {
            data.push((c"mode".to_owned(), Some(c"0755".to_owned())));
        }
        if typ == "devpts" {
            // Where the group of terminals has no id, they belong to whoever opens them.
            data.retain(|(key, value)| key.as_c_str() != c"gid" || self.has_group(value.as_deref()));
        }
        self.name_source(mount, options, &mut data)?;
        let flags = options.attributes.set;
        let slot = self.slot();
        // These do not care who mounts them. What cgroup2 shows is the namespace of control groups, which is made
        // later; an overlay and the like write to inodes whose owner must have a number by then.
        let indifferent = ["proc", "sysfs", "tmpfs", "ramfs", "devpts", "mqueue"].contains(&typ);
        // An owner can be named only once ids are mapped.
        let names_owner = data.iter().any(|(key, _)| key.as_c_str() == c"uid" || key.as_c_str() == c"gid");
        // Mounts are listed in the order in which they were made, and a bundle says which that is.
        let late = names_owner || !indifferent || self.input.bundle.is_some();
        let phase = if late { Phase::Mapped } else { Phase::Early };
        self.push(phase, Op::Filesystem { fstype, options: data, flags, slot, or });
        Ok(slot)
    }

    fn has_group(&self, gid: Option<&CStr>) -> bool {
        let gid = gid.and_then(|text| text.to_str().ok()).and_then(|text| text.parse().ok());
        gid.is_none_or(|gid| self.maps.as_ref().is_none_or(|maps| maps.gid_outside(gid).is_some()))
    }

    /// What is mounted, for a file system that is on something; the SELinux label of its files.
    fn name_source(&self, mount: &Mount, options: &Options, data: &mut MountData) -> Result<()> {
        let typ = mount.typ().as_deref().unwrap_or_default();
        let kernel_own = ["proc", "sysfs", "cgroup", "cgroup2", "mqueue"].contains(&typ);
        if let Some(source) = mount.source().as_ref().filter(|source| !source.as_os_str().is_empty()) {
            data.push((c"source".to_owned(), Some(c_path(source)?)));
            // A read-only device cannot be had for writing.
            if source.is_absolute() && !kernel_own && options.attributes.set & Attributes::RDONLY != 0 {
                data.push((c"ro".to_owned(), None));
            }
        }
        // Without SELinux files have no labels, and nothing would look at them.
        if let Some(label) = self.linux.mount_label().as_deref().filter(|label| !label.is_empty())
            && !kernel_own
            && selinux()
        {
            data.push((c"context".to_owned(), Some(c_text(label, "mount label")?)));
        }
        Ok(())
    }

    fn sysctls(&mut self) -> Result<()> {
        let mut sysctls: Vec<_> = self.linux.sysctl().iter().flatten().collect();
        sysctls.sort();
        for (name, value) in sysctls {
            let file = sysctl::file_of(name)
                .ok_or_else(|| Error::invalid(format!("{name:?} is not the name of a kernel parameter")))?;
            // The file is only the first user namespace's to write; the call is not.
            if file == "kernel/domainname" {
                self.push(Phase::Mapped, Op::Domainname(value.clone().into_bytes()));
                continue;
            }
            let target = self.mounted_target(&Path::new("/proc/sys").join(file))?;
            let proc = self.host_proc();
            self.push(Phase::Mapped, Op::Sysctl { target, value: value.clone().into_bytes(), proc });
        }
        Ok(())
    }
}

fn is_bind(mount: &Mount) -> bool {
    mount.typ().as_deref() == Some("bind")
        || mount.options().iter().flatten().any(|option| option == "bind" || option == "rbind")
}
