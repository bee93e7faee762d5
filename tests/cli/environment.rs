//! What the command finds: variables, working directory, entry point, host name, limits, accounts' files.

use std::collections::BTreeMap;

use crate::rig::{Home, needs};

fn variables(text: &str) -> BTreeMap<String, String> {
    text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
}

#[test]
fn the_environment_is_the_containers_alone() {
    needs!(containers, registry);
    let mut home = Home::with_busybox();
    home.set("SECRET_OF_THE_HOST", "1");
    home.set("LANG", "C.UTF-8");
    let found = variables(&home.sh(&[], "env"));
    let mut names: Vec<_> = found.keys().map(String::as_str).collect();
    // What a shell adds for itself.
    names.retain(|name| !["PWD", "SHLVL", "OLDPWD", "_"].contains(name));
    assert_eq!(names, ["HOME", "HOSTNAME", "PATH", "container"]);
    assert_eq!(found["HOME"], "/root");
    assert_eq!(found["PATH"], "/bin:/usr/bin:/sbin", "the image's");
    assert_eq!(found["HOSTNAME"].len(), 12, "the short id");
}

#[test]
fn variables_come_from_flags_files_and_the_host_by_name() {
    needs!(containers, registry);
    let mut home = Home::with_busybox();
    home.set("FROM_HOST", "host value");
    home.write("file", "# a comment\n\nIN_FILE=a b  c\nFROM_HOST\nABSENT\nOVER=file\nQUOTED=\"as is\"\n");
    let file = home.text("file");
    let found = variables(&home.sh(
        &["--env-file", &file, "-e", "OVER=flag", "-e", "EMPTY=", "-e", "NOT_SET_ANYWHERE", "--env=EQ=a=b"],
        "env",
    ));
    assert_eq!(found["IN_FILE"], "a b  c");
    assert_eq!(found["FROM_HOST"], "host value");
    assert_eq!(found["OVER"], "flag");
    assert_eq!(found["EMPTY"], "");
    assert_eq!(found["EQ"], "a=b");
    assert_eq!(found["QUOTED"], "\"as is\"", "the file is no shell script");
    assert!(!found.contains_key("NOT_SET_ANYWHERE") && !found.contains_key("ABSENT"));
}

#[test]
fn the_images_configuration_is_honoured() {
    needs!(containers, registry);
    let home = Home::new();
    let run = |args: &[&str]| {
        let mut all = vec!["run", "--rm", "-q", "--network", "none"];
        all.extend_from_slice(args);
        home.ok(&all)
    };
    assert_eq!(run(&["settings"]), "entry fixed default\n");
    assert_eq!(run(&["settings", "other", "words"]), "entry fixed other words\n");
    let script =
        "echo $FROM_IMAGE; echo \"$SPACED\"; pwd; id -un; echo $HOME; test -d /volume && echo volume";
    let found = run(&["--entrypoint", "sh", "settings", "-c", script]);
    assert_eq!(found, "yes\na b  c\n/work\napp\n/home/app\nvolume\n");
    assert_eq!(
        run(&["-e", "FROM_IMAGE=no", "--entrypoint", "sh", "settings", "-c", "echo $FROM_IMAGE"]),
        "no\n"
    );
}

#[test]
fn the_entry_point_can_be_replaced_and_removed() {
    needs!(containers, registry);
    let home = Home::new();
    home.ok(&["pull", "-q", "settings"]);
    let run = |args: &[&str]| {
        let mut all = vec!["run", "--rm", "--network", "none"];
        all.extend_from_slice(args);
        home.ok(&all)
    };
    assert_eq!(run(&["--entrypoint", "echo", "settings", "b"]), "b\n");
    assert_eq!(run(&["--entrypoint", "[\"echo\",\"a\"]", "settings", "b"]), "a b\n");
    assert_eq!(run(&["--entrypoint", "", "settings", "echo", "c"]), "c\n");
    // With its own entry point gone, the image's command has nothing to be an argument of.
    assert_eq!(run(&["--entrypoint", "echo", "settings"]), "\n");
}

#[test]
fn the_working_directory_is_the_one_asked_for_and_must_be_there() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&[], "pwd"), "/\n");
    assert_eq!(home.sh(&["-w", "/var/tmp"], "pwd"), "/var/tmp\n");
    let absent = home.try_sh(&["-w", "/not/there"], "pwd");
    absent.fails_saying(&["/not/there"]);
}

#[test]
fn the_host_name_is_the_short_id_or_what_was_asked_for() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let names = home.sh(&[], "hostname; cat /etc/hostname; echo $HOSTNAME");
    let names: Vec<_> = names.lines().collect();
    assert_eq!(names[0].len(), 12);
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert_eq!(
        home.sh(&["--hostname", "box.example"], "hostname; cat /etc/hostname"),
        "box.example\nbox.example\n"
    );
}

#[test]
fn limits_are_set_within_what_the_host_allows() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&["--ulimit", "nofile=100:200"], "ulimit -Sn; ulimit -Hn"), "100\n200\n");
    assert_eq!(home.sh(&["--ulimit", "core=0", "--ulimit", "fsize=1024"], "ulimit -c; ulimit -f"), "0\n2\n");
    assert_eq!(home.sh(&[], "umask"), "0022\n");
}

#[test]
fn shared_memory_has_the_size_asked_for() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let size =
        |options: &[&str]| home.sh(options, "df -k /dev/shm | awk 'NR==2{print $2}'").trim().to_owned();
    assert!(["64000", "65536"].contains(&&*size(&[])), "{}", size(&[]));
    assert_eq!(size(&["--shm-size", "1m"]), "1024");
}

#[test]
fn a_large_environment_and_many_arguments_arrive() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let value = "x".repeat(100_000);
    let length = home.sh(&["-e", &format!("LONG={value}")], "printf %s \"$LONG\" | wc -c");
    assert_eq!(length.trim(), "100000");
    let words: Vec<_> = (0..2000).map(|n| n.to_string()).collect();
    let mut args = vec!["run", "--rm", "--network", "none", "busybox", "sh", "-c", "echo $#", "sh"];
    args.extend(words.iter().map(String::as_str));
    assert_eq!(home.ok(&args), "2000\n");
}
