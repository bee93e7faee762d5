//! The specification as a whole, against what podman writes for the same request.

use super::*;
use crate::spec::request::Base;
use crate::spec::value::Mount;
use crate::userns::IdMap;

fn facts() -> HostFacts {
    HostFacts {
        hostname: "laptop".into(),
        working_dir: "/home/dev".into(),
        nofile_hard: 20000,
        nproc_hard: 96365,
        oom_score_adj: 0,
        last_capability: 40,
        kernel: seccomp::Kernel { major: 6, minor: 12 },
        arch: oci_spec::runtime::Arch::ScmpArchX86_64,
        mqueue: true,
        apparmor: false,
        selinux: false,
    }
}

fn maps() -> IdMaps {
    let map = vec![IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65536)];
    IdMaps { uid: map.clone(), gid: map }
}

fn alpine() -> ImageConfig {
    let mut image = ImageConfig::default();
    image.config.env = vec!["PATH=/usr/bin:/bin".into()];
    image.config.cmd = vec!["/bin/sh".into()];
    image
}

fn request() -> Request {
    Request::new(Base::Image("alpine".into()))
}

/// Builds with what a test changes.
fn spec_of(request: &Request, change: impl FnOnce(&mut Inputs<'_>)) -> Result<serde_json::Value> {
    let (maps, image, settings) = (maps(), alpine(), Settings::default());
    let caller = |name: &str| (name == "http_proxy").then(|| "http://p".to_owned());
    let file = |name: &str| Some(PathBuf::from(format!("/run/c/{name}")));
    let mut inputs = Inputs {
        image: Some(&image),
        id: "233c2eef9f4b57f311cb29df489496a396cf8db4208b0baceb60aa6221a88a64",
        root: Path::new("rootfs"),
        user: ResolvedUser::root(),
        files: Files {
            hosts: file("hosts"),
            resolv_conf: file("resolv.conf"),
            hostname: file("hostname"),
            containerenv: file(".containerenv"),
            ..Files::default()
        },
        volumes: BTreeMap::new(),
        maps: Some(&maps),
        network: NetworkNamespace::Private,
        placement: Placement::default(),
        devices: Vec::new(),
        seccomp_profile: None,
        host: facts(),
        cgroups: CgroupFacts::default(),
        settings: &settings,
        caller_env: &caller,
    };
    change(&mut inputs);
    let spec = build(request, &inputs)?;
    let mut json = serde_json::to_value(spec).unwrap();
    // Sets of capabilities are hash sets: their order means nothing.
    for (_, set) in json["process"]["capabilities"].as_object_mut().unwrap() {
        set.as_array_mut().unwrap().sort_by_key(|name| name.as_str().unwrap().to_owned());
    }
    Ok(json)
}

fn spec(request: &Request) -> serde_json::Value {
    spec_of(request, |_| {}).unwrap()
}

fn options(spec: &serde_json::Value, place: &str) -> String {
    let mounts = spec["mounts"].as_array().unwrap();
    let mut found = mounts.iter().filter(|mount| mount["destination"] == place);
    let mount = found.next().unwrap_or_else(|| panic!("nothing at {place}"));
    assert!(found.next().is_none(), "two mounts at {place}");
    let options: Vec<&str> =
        mount["options"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    format!("{} {} {}", mount["type"].as_str().unwrap(), mount["source"].as_str().unwrap(), options.join(","))
}

#[test]
fn the_default_specification() {
    let mut spec = spec(&request());
    spec["linux"]["seccomp"] = serde_json::Value::Null;
    let golden: serde_json::Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    if spec != golden {
        panic!("the default specification is now\n{}", serde_json::to_string_pretty(&spec).unwrap());
    }
}

#[test]
fn another_user_has_what_was_added_and_no_more() {
    let user = |inputs: &mut Inputs<'_>| {
        inputs.user = ResolvedUser { uid: 1234, gid: 5, groups: vec![5, 10], home: "/".into() };
    };
    let mut request = request();
    let plain = &spec_of(&request, user).unwrap()["process"]["capabilities"];
    assert_eq!(plain["bounding"].as_array().unwrap().len(), 11);
    for set in ["effective", "permitted", "inheritable", "ambient"] {
        assert!(plain[set].is_null(), "{set}");
    }
    request.security.cap_add = vec!["net_raw".parse().unwrap()];
    let added = &spec_of(&request, user).unwrap()["process"]["capabilities"];
    assert_eq!(added["bounding"].as_array().unwrap().len(), 12);
    for set in ["effective", "permitted", "inheritable", "ambient"] {
        assert_eq!(added[set], serde_json::json!(["CAP_NET_RAW"]), "{set}");
    }
}

#[test]
fn the_environment_is_the_containers_alone() {
    let env = |request: &Request| {
        let spec = spec(request);
        let env: Vec<String> = serde_json::from_value(spec["process"]["env"].clone()).unwrap();
        env
    };
    let mut request = request();
    request.process.tty = true;
    assert_eq!(
        env(&request),
        [
            "PATH=/usr/bin:/bin",
            "container=rcon",
            "TERM=xterm",
            "http_proxy=http://p",
            "HOME=/root",
            "HOSTNAME=233c2eef9f4b"
        ]
    );
    request.process.http_proxy = Some(false);
    let set = |name: &str, value: &str| crate::spec::value::EnvVar { name: name.into(), value: value.into() };
    request.process.env = vec![set("HOME", "/y"), set("A", "1"), set("A", "2"), set("TERM", "foo")];
    request.process.unset_env = vec!["container".into(), "A".into()];
    assert_eq!(env(&request), ["PATH=/usr/bin:/bin", "TERM=foo", "HOME=/y", "A=2", "HOSTNAME=233c2eef9f4b"]);
    request.process.unset_all_env = true;
    assert_eq!(env(&request), ["HOME=/y", "A=2", "TERM=foo", "HOSTNAME=233c2eef9f4b"]);
}

#[test]
fn mounts_are_as_podman_makes_them() {
    let mut request = request();
    request.filesystem.mounts =
        ["./a:/x", "/b:/y:ro,noexec,z", "/c:/v:rslave,exec,dev,suid,bind", "/u", "vol:/z"]
            .iter()
            .map(|text| Mount::from_volume(text).unwrap())
            .chain([
                Mount::from_tmpfs("/t:size=64m,mode=700,exec").unwrap(),
                Mount::from_tmpfs("/x/below").unwrap(),
                Mount::from_volume("/h:/etc/hosts").unwrap(),
            ])
            .collect();
    request.filesystem.shm_size = Some("1g".parse().unwrap());
    let spec = spec_of(&request, |inputs| {
        inputs.devices = vec!["/dev/net/tun:/dev/foo:r".parse().unwrap()];
        inputs.volumes = [("/u", "/volumes/1"), ("/z", "/volumes/vol")]
            .map(|(place, dir)| (place.into(), dir.into()))
            .into();
    })
    .unwrap();
    assert_eq!(options(&spec, "/x"), "bind /home/dev/a rw,rprivate,rbind");
    assert_eq!(options(&spec, "/y"), "bind /b ro,noexec,rprivate,rbind");
    assert_eq!(options(&spec, "/v"), "bind /c rw,suid,dev,exec,rslave,bind");
    assert_eq!(options(&spec, "/u"), "bind /volumes/1 rw,nosuid,nodev,rprivate,rbind");
    assert_eq!(options(&spec, "/z"), "bind /volumes/vol rw,nosuid,nodev,rprivate,rbind");
    assert_eq!(
        options(&spec, "/t"),
        "tmpfs tmpfs rw,nosuid,nodev,exec,rprivate,size=67108864,mode=700,tmpcopyup"
    );
    assert_eq!(options(&spec, "/dev/foo"), "bind /dev/net/tun slave,nosuid,noexec,ro,rbind");
    assert_eq!(options(&spec, "/etc/hosts"), "bind /h rw,rprivate,rbind");
    assert!(options(&spec, "/dev/shm").ends_with("size=1073741824"));
    let places: Vec<&str> = spec["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mount| mount["destination"].as_str().unwrap())
        .collect();
    let place = |name| places.iter().position(|place| *place == name).unwrap();
    assert!(place("/x") < place("/x/below") && place("/dev") < place("/dev/foo"));
    let error = spec_of(&request, |_| {}).unwrap_err();
    assert!(error.to_string().contains("/u"), "{error}");
}

#[test]
fn a_mount_on_dev_takes_the_standard_ones_away() {
    let mut request = request();
    request.filesystem.mounts = vec![Mount::from_volume("/dev:/dev").unwrap()];
    let spec = spec(&request);
    let mounts = spec["mounts"].as_array().unwrap();
    let below: Vec<_> =
        mounts.iter().filter(|mount| mount["destination"].as_str().unwrap().starts_with("/dev/")).collect();
    assert!(below.is_empty(), "{below:?}");
}

#[test]
fn read_only_leaves_temporary_directories() {
    let mut request = request();
    request.filesystem.read_only = Some(true);
    let read_only = spec(&request);
    assert_eq!(read_only["root"]["readonly"], true);
    for place in ["/run", "/tmp", "/var/tmp"] {
        assert_eq!(options(&read_only, place), "tmpfs tmpfs rw,rprivate,nosuid,nodev,tmpcopyup");
    }
    assert_eq!(options(&read_only, "/etc/hosts"), "bind /run/c/hosts bind,rprivate,ro,nosuid,noexec,nodev");
    request.filesystem.read_only_tmpfs = false;
    let strict = spec(&request);
    assert!(strict["mounts"].as_array().unwrap().iter().all(|mount| mount["destination"] != "/tmp"));
    assert!(options(&strict, "/dev/shm").ends_with(",ro"));
}

#[test]
fn the_hosts_network_shows_in_namespaces_sys_and_name() {
    let host = |inputs: &mut Inputs<'_>| inputs.network = NetworkNamespace::Host;
    let mut request = request();
    let spec = spec_of(&request, host).unwrap();
    assert_eq!(spec["hostname"], "laptop");
    assert!(
        spec["linux"]["namespaces"]
            .as_array()
            .unwrap()
            .iter()
            .all(|namespace| namespace["type"] != "network")
    );
    assert_eq!(spec["linux"]["sysctl"], serde_json::json!({}));
    assert_eq!(options(&spec, "/sys"), "bind /sys rprivate,nosuid,noexec,nodev,ro,rbind");
    request.sysctls = vec!["net.core.somaxconn=1".parse().unwrap()];
    assert!(spec_of(&request, host).is_err());
}

#[test]
fn what_is_not_mapped_is_not_asked_of_the_kernel() {
    let single = IdMaps::single((500, 500), (1000, 1000));
    let json = {
        let request = request();
        let (image, settings) = (alpine(), Settings::default());
        let inputs = Inputs {
            image: Some(&image),
            id: "233c2eef9f4b",
            root: Path::new("rootfs"),
            user: ResolvedUser::root(),
            files: Files::default(),
            volumes: BTreeMap::new(),
            maps: Some(&single),
            network: NetworkNamespace::Private,
            placement: Placement::default(),
            devices: Vec::new(),
            seccomp_profile: None,
            host: facts(),
            cgroups: CgroupFacts::default(),
            settings: &settings,
            caller_env: &|_| None,
        };
        serde_json::to_value(build(&request, &inputs).unwrap()).unwrap()
    };
    assert!(!options(&json, "/dev/pts").contains("gid="));
    assert_eq!(json["linux"]["sysctl"], serde_json::json!({}));
}

#[test]
fn limits_are_the_callers_at_most() {
    let mut request = request();
    let limits = |request: &Request| spec(request)["process"]["rlimits"].to_string();
    assert!(limits(&request).contains(r#""hard":20000,"soft":20000"#), "{}", limits(&request));
    request.process.ulimits = vec!["host".parse().unwrap(), "core=0".parse().unwrap()];
    assert_eq!(limits(&request), r#"[{"hard":0,"soft":0,"type":"RLIMIT_CORE"}]"#);
    request.process.oom_score_adj = Some(-500);
    assert_eq!(spec(&request)["process"]["oomScoreAdj"], 0);
    request.process.oom_score_adj = Some(100);
    assert_eq!(spec(&request)["process"]["oomScoreAdj"], 100);
}

#[test]
fn security_options_reach_the_specification() {
    let mut request = request();
    for text in ["no-new-privileges", "seccomp=unconfined", "unmask=ALL", "proc-opts=hidepid=2"] {
        request.security.options.add(text.parse().unwrap());
    }
    let spec = spec(&request);
    assert_eq!(spec["process"]["noNewPrivileges"], true);
    assert!(spec["linux"]["seccomp"].is_null());
    assert_eq!(spec["linux"]["maskedPaths"], serde_json::json!([]));
    assert!(options(&spec, "/proc").ends_with("hidepid=2"));
}

#[test]
fn labels_become_annotations_below_the_explicit_ones() {
    let mut request = request();
    request.labels =
        vec!["a=1".parse().unwrap(), "b=1".parse().unwrap(), "io.rcon.init=true".parse().unwrap()];
    request.annotations = vec!["b=2".parse().unwrap()];
    request.lifecycle.stop_signal = Some("USR1".parse().unwrap());
    let plain = spec(&request)["annotations"].clone();
    assert_eq!(plain, serde_json::json!({"a": "1", "b": "2", "org.opencontainers.image.stopSignal": "10"}));
    request.lifecycle.init = Some(true);
    assert_eq!(spec(&request)["annotations"]["io.rcon.init"], "true");
}

#[test]
fn a_bad_stop_signal_of_the_image_is_named() {
    let mut image = alpine();
    image.config.stop_signal = "SIGNONSENSE".into();
    assert!(stop_signal(&request(), Some(&image)).unwrap_err().hints()[0].contains("--stop-signal"));
    image.config.stop_signal = "SIGQUIT".into();
    assert_eq!(stop_signal(&request(), Some(&image)).unwrap().number(), 3);
}

fn namespaces(spec: &serde_json::Value) -> Vec<String> {
    let list = spec["linux"]["namespaces"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    list.iter()
        .map(|one| format!("{} {}", text(&one["type"]), text(&one["path"])).trim().to_owned())
        .collect()
}

#[test]
fn privileged_lifts_what_rcon_has_put_up() {
    let mut request = request();
    request.security.privileged = true;
    request.security.cap_drop = vec!["all".parse().unwrap()];
    let spec = spec(&request);
    assert_eq!(spec["process"]["capabilities"]["effective"].as_array().unwrap().len(), 41);
    assert!(spec["linux"]["seccomp"].is_null());
    for paths in ["maskedPaths", "readonlyPaths"] {
        assert_eq!(spec["linux"][paths], serde_json::json!([]), "{paths}");
    }
    assert!(options(&spec, "/sys").ends_with("rw") && options(&spec, "/sys/fs/cgroup").ends_with("rw"));
    request.security.options.add("seccomp=/profile".parse().unwrap());
    let own =
        spec_of(&request, |inputs| inputs.seccomp_profile = Some(br#"{"defaultAction":"SCMP_ACT_ALLOW"}"#));
    assert!(!own.unwrap()["linux"]["seccomp"].is_null(), "a filter that is asked for by name");
}

#[test]
fn namespaces_are_made_left_out_or_joined() {
    let host = |inputs: &mut Inputs<'_>| {
        let (pid, ipc, uts) = (NamespacePlace::Host, NamespacePlace::Host, NamespacePlace::Host);
        inputs.placement = Placement { pid, ipc, uts, ..Placement::default() };
    };
    let mut request = request();
    let shared = spec_of(&request, host).unwrap();
    assert_eq!(namespaces(&shared), ["user", "network", "mount", "cgroup"]);
    assert!(options(&shared, "/proc").starts_with("bind /proc rbind,nosuid"));
    assert!(options(&shared, "/dev/shm").starts_with("bind /dev/shm bind"));
    assert!(shared["hostname"].is_null());
    assert_eq!(shared["linux"]["maskedPaths"].as_array().unwrap().len(), 12, "the masks stay");
    let joined = spec_of(&request, |inputs| {
        let existing = |name: &str| NamespacePlace::Existing(format!("/proc/7/ns/{name}").into());
        inputs.placement = Placement {
            user: Some("/proc/7/ns/user".into()),
            pid: existing("pid"),
            network: existing("net"),
            ..Placement::default()
        };
    });
    let joined = joined.unwrap();
    let expected = [
        "user /proc/7/ns/user",
        "pid /proc/7/ns/pid",
        "network /proc/7/ns/net",
        "ipc",
        "uts",
        "mount",
        "cgroup",
    ];
    assert_eq!(namespaces(&joined), expected);
    assert!(joined["linux"]["uidMappings"].is_null(), "the namespace has its maps");
    assert_eq!(joined["linux"]["sysctl"], serde_json::json!({}));
    request.sysctls = vec!["kernel.msgmax=1".parse().unwrap()];
    assert!(spec_of(&request, host).is_err());
    request.sysctls.clear();
    request.lifecycle.init = Some(true);
    assert!(spec_of(&request, host).is_err());
}

#[test]
fn systemd_is_seen_from_the_command() {
    let mut request = request();
    request.command = vec!["/usr/sbin/init".into()];
    let detected = spec(&request);
    assert!(options(&detected, "/run/lock").starts_with("tmpfs tmpfs rw"));
    assert_eq!(options(&detected, "/sys/fs/cgroup"), "cgroup cgroup private,rw");
    assert_eq!(detected["annotations"]["org.opencontainers.image.stopSignal"], "37");
    request.process.systemd = "false".parse().unwrap();
    assert_eq!(spec(&request)["annotations"]["org.opencontainers.image.stopSignal"], "15");
}
