//! config.md, "Root", "Hostname", "Domainname", "Specification version" and "Annotations".

use serde_json::json;

use crate::rig::{Bundle, deviates, needs};

#[test]
fn the_root_is_the_directory_of_the_bundle() {
    needs!(bundles);
    let bundle = Bundle::sh("cat /mark; ls / | tr '\\n' ' '; echo more >>/mark");
    bundle.write("rootfs/mark", "here\n");
    assert_eq!(bundle.says(), "here\nbin dev etc mark proc root run sys tmp usr var ");
    assert_eq!(bundle.read("rootfs/mark"), "here\nmore\n");
}

/// "either an absolute path or a relative path to the bundle"
#[test]
fn an_absolute_path_and_one_with_a_symlink() {
    needs!(bundles);
    let bundle = Bundle::sh("cat /mark");
    bundle.write("rootfs/mark", "here\n");
    let absolute = bundle.text("rootfs");
    let mut bundle = bundle.with(|config| config["root"]["path"] = json!(absolute));
    assert_eq!(bundle.says(), "here\n");
    bundle.config["root"]["path"] = json!("./rootfs/");
    assert_eq!(bundle.says(), "here\n");
}

/// "A directory MUST exist at the path declared by the field."
#[test]
fn a_root_that_is_no_directory_is_refused() {
    needs!(bundles);
    for path in ["no-such-root", "config.json", "/no/such/root"] {
        Bundle::new().with(|config| config["root"]["path"] = json!(path)).is_refused();
    }
}

/// "If true then the root filesystem MUST be read-only inside the container, defaults to false."
#[test]
fn a_read_only_root() {
    needs!(bundles);
    let script = "touch /file 2>&1; touch /dev/shm/file && echo the rest is writable";
    let bundle = Bundle::sh(script).with(|config| config["root"]["readonly"] = json!(true));
    let printed = bundle.says();
    assert!(printed.contains("Read-only file system"), "{printed}");
    assert!(printed.contains("the rest is writable"), "{printed}");
    assert!(!bundle.exists("rootfs/file"));
    let bundle = Bundle::sh("touch /file").with(|config| config["root"]["readonly"] = json!(false));
    bundle.says();
    assert!(bundle.exists("rootfs/file"));
}

/// Mount points are made in a read-only root before it becomes that.
#[test]
fn a_read_only_root_gets_its_mount_points() {
    needs!(bundles);
    let bundle = Bundle::sh("echo content >/made/here/file; cat /made/here/file")
        .with(|config| config["root"]["readonly"] = json!(true))
        .mount(json!({ "destination": "/made/here", "type": "tmpfs", "source": "tmpfs" }));
    assert_eq!(bundle.says(), "content\n");
}

#[test]
fn the_root_cannot_be_left() {
    needs!(bundles);
    let bundle = Bundle::sh(
        "cd /; cd ../../../..; ls | tr '\\n' ' '; ls -d /old* /.old* /.pivot* 2>/dev/null; \
                             grep -c . /proc/self/mountinfo >/dev/null; grep -E ' / / ' /proc/self/mountinfo | wc -l",
    );
    let printed = bundle.says();
    assert!(printed.starts_with("bin dev etc proc root run sys tmp usr var "), "{printed}");
    let roots = Bundle::sh("grep -cE '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / ' /proc/self/mountinfo").says();
    assert_eq!(roots, "1\n");
}

#[test]
fn a_hostname() {
    needs!(bundles);
    let bundle = Bundle::sh("hostname; cat /proc/sys/kernel/hostname")
        .with(|config| config["hostname"] = json!("mrsdalloway"));
    assert_eq!(bundle.says(), "mrsdalloway\nmrsdalloway\n");
    assert_ne!(nix::unistd::gethostname().unwrap(), "mrsdalloway");
}

#[test]
fn a_domainname() {
    needs!(bundles);
    let bundle = Bundle::sh("cat /proc/sys/kernel/domainname")
        .with(|config| config["domainname"] = json!("foobarbaz.test"));
    assert_eq!(bundle.says(), "foobarbaz.test\n");
}

/// Names of the host are not the container's to change: an error, or for a user the kernel's.
#[test]
fn a_name_without_a_uts_namespace_of_its_own_is_refused() {
    needs!(bundles);
    for name in ["hostname", "domainname"] {
        let bundle = Bundle::new().without_namespace("uts").with(|config| {
            config.as_object_mut().unwrap().remove("hostname");
            config[name] = json!("conformance-must-not-be-seen");
        });
        bundle.is_refused();
        assert_ne!(nix::unistd::gethostname().unwrap(), "conformance-must-not-be-seen");
    }
}

/// "MUST be in SemVer v2.0.0 format"; "compatible with all runtimes that support any 1.1 or later release".
#[test]
fn versions_of_the_specification() {
    needs!(bundles);
    for version in ["1.0.0", "1.0.2-dev", "1.1.0", "1.2.1"] {
        Bundle::new().with(|config| config["ociVersion"] = json!(version)).says();
    }
}

#[test]
fn versions_that_are_none_are_refused() {
    needs!(bundles);
    deviates!("crun", "looks at no version");
    for version in [json!("nonsense"), json!("2.0.0"), json!(""), json!("1")] {
        Bundle::new().with(|config| config["ociVersion"] = version).is_refused();
    }
}

/// "ociVersion (string, REQUIRED)"
#[test]
fn no_version_is_refused() {
    needs!(bundles);
    Bundle::new().with(|config| drop(config.as_object_mut().unwrap().remove("ociVersion"))).is_refused();
}

/// "Runtimes MAY log unknown properties but MUST otherwise ignore them."
#[test]
fn unknown_properties_are_no_error() {
    needs!(bundles);
    let bundle = Bundle::sh("echo ran").with(|config| {
        config["unknown"] = json!({ "a": 1 });
        config["process"]["unknown"] = json!("b");
        config["linux"]["unknown"] = json!([1, 2]);
        config["root"]["unknown"] = json!(null);
        config["mounts"][0]["unknown"] = json!(true);
        config["annotations"] = json!({ "org.opencontainers.unknown": "", "com.example": "x" });
    });
    assert_eq!(bundle.says(), "ran\n");
}

/// "Values MUST be strings."
#[test]
fn annotations_that_are_no_strings_are_refused() {
    needs!(bundles);
    for value in [json!(1), json!({ "a": "b" }), json!(["a"])] {
        Bundle::new().with(|config| config["annotations"] = json!({ "com.example.key": value })).is_refused();
    }
}
