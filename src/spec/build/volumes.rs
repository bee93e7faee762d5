//! The mounts that are asked for: by flags, by the image's VOLUMEs, by containers.conf.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Settings;
use crate::error::{Error, Result};
use crate::oci::ImageConfig;
use crate::spec::request::{ImageVolumes, Request};
use crate::spec::value::{Mount, MountOptions, Source, TmpfsOptions, clean_destination};

/// The mounts as they will be made, in the order in which they were asked for: flags first; then the image's
/// volumes and containers.conf's where no flag mounts something at their place. The caller makes those that are
/// volumes and hands their directories to [`build`](super::build).
pub fn mounts(request: &Request, image: Option<&ImageConfig>, settings: &Settings) -> Result<Vec<Mount>> {
    let mut mounts = request.filesystem.mounts.clone();
    let mut taken = BTreeSet::new();
    for mount in &mounts {
        check_proc(mount)?;
        if !taken.insert(mount.destination.clone()) {
            return Err(Error::usage(format!("duplicate mount destination {}", mount.destination.display())));
        }
    }
    let from_image = match request.filesystem.image_volumes {
        ImageVolumes::Ignore => Vec::new(),
        ImageVolumes::Anonymous => image_volumes(image, &Source::AnonymousVolume)?,
        ImageVolumes::Tmpfs => image_volumes(image, &Source::Tmpfs(TmpfsOptions::default()))?,
    };
    for mount in &settings.mounts {
        check_proc(mount).map_err(|error| Error::wrap("containers.conf", error))?;
    }
    for mount in from_image.into_iter().chain(settings.mounts.iter().cloned()) {
        if taken.insert(mount.destination.clone()) {
            mounts.push(mount);
        }
    }
    Ok(mounts)
}

/// Files of procfs that tell of the machine, and that may be replaced: lxcfs gives a container its own. What else
/// is below /proc is hidden, protects what is hidden, or is relied upon by rcon itself.
const REPLACEABLE: [&str; 10] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// A mount on /proc would take the procfs away, and with it the masks: refused, but for the host's procfs.
fn check_proc(mount: &Mount) -> Result<()> {
    let place = mount.destination.as_path();
    let host = matches!(&mount.source, Source::Bind(path) if path == Path::new("/proc"));
    let fine = !place.starts_with("/proc")
        || (place == Path::new("/proc") && host)
        || REPLACEABLE.iter().any(|path| place == Path::new(path));
    if fine {
        return Ok(());
    }
    Err(Error::usage(format!("cannot mount on {}: the container's /proc must be a procfs", place.display()))
        .hint("-v /proc:/proc mounts the host's"))
}

/// An image cannot take away what the container's isolation rests on.
fn check_of_image(destination: &Path) -> Result<()> {
    let standard = ["/dev", "/sys"].iter().any(|path| destination == Path::new(path));
    if !standard && !destination.starts_with("/proc") {
        return Ok(());
    }
    Err(Error::invalid(format!("the image's Volumes: {} cannot be a volume", destination.display()))
        .hint("--image-volume ignore leaves the image's volumes out"))
}

/// The image's VOLUMEs, each from `source`.
fn image_volumes(image: Option<&ImageConfig>, source: &Source) -> Result<Vec<Mount>> {
    let volumes = image.into_iter().flat_map(|image| &image.config.volumes);
    volumes
        .map(|text| {
            let destination: PathBuf = clean_destination(text).map_err(|error| {
                Error::wrap("the image's Volumes", error).with_kind(crate::error::Kind::Invalid)
            })?;
            check_of_image(&destination)?;
            Ok(Mount { source: source.clone(), destination, options: MountOptions::default() })
        })
        .collect()
}

/// `--publish` and, with `--publish-all`, every port that the image and `--expose` name, for `network::Request`.
pub fn published(request: &Request, image: Option<&ImageConfig>) -> Vec<String> {
    let network = &request.network;
    let mut published = network.publish.clone();
    if network.publish_all {
        let exposed = image.into_iter().flat_map(|image| &image.config.exposed_ports);
        for port in exposed.chain(&network.expose) {
            if !published.contains(port) {
                published.push(port.clone());
            }
        }
    }
    published
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::request::Base;

    fn image(volumes: &[&str], ports: &[&str]) -> ImageConfig {
        let mut image = ImageConfig::default();
        image.config.volumes = volumes.iter().map(|text| (*text).to_owned()).collect();
        image.config.exposed_ports = ports.iter().map(|text| (*text).to_owned()).collect();
        image
    }

    fn places(request: &Request, image: &ImageConfig) -> Vec<String> {
        let pki = Mount::from_volume("/etc/pki:/pki:ro").unwrap();
        let settings = Settings { mounts: vec![pki], ..Settings::default() };
        let mounts = mounts(request, Some(image), &settings).unwrap();
        mounts.iter().map(|mount| format!("{:?} {}", mount.source, mount.destination.display())).collect()
    }

    #[test]
    fn flags_replace_the_image_and_the_settings() {
        let mut request = Request::new(Base::Image("x".into()));
        let image = image(&["/data", "/var/lib/db/"], &[]);
        assert_eq!(
            places(&request, &image),
            ["AnonymousVolume /data", "AnonymousVolume /var/lib/db", r#"Bind("/etc/pki") /pki"#]
        );
        request.filesystem.mounts =
            vec![Mount::from_volume("/a:/data").unwrap(), Mount::from_tmpfs("/pki").unwrap()];
        assert_eq!(places(&request, &image).len(), 3);
        request.filesystem.image_volumes = ImageVolumes::Ignore;
        assert_eq!(places(&request, &image).len(), 2);
        request.filesystem.mounts.push(Mount::from_volume("/b:/data/").unwrap());
        assert!(mounts(&request, None, &Settings::default()).is_err());
    }

    #[test]
    fn an_image_cannot_mount_over_the_root() {
        let request = Request::new(Base::Image("x".into()));
        for bad in ["/", "", "x", "/..", "/\0"] {
            assert!(mounts(&request, Some(&image(&[bad], &[])), &Settings::default()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn exposed_ports_are_published_on_request() {
        let mut request = Request::new(Base::Image("x".into()));
        request.network.publish = vec!["8080:80".into()];
        request.network.expose = vec!["90".into()];
        assert_eq!(published(&request, Some(&image(&[], &["80/tcp"]))), ["8080:80"]);
        request.network.publish_all = true;
        assert_eq!(published(&request, Some(&image(&[], &["80/tcp"]))), ["8080:80", "80/tcp", "90"]);
    }
}
