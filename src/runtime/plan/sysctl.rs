//! Kernel parameters: names, files, and which namespace keeps a parameter to the container.

use oci_spec::runtime::LinuxNamespaceType as Namespace;

/// The file of a kernel parameter below /proc/sys; `None` for what is no name. As for sysctl(8), the first
/// separator tells which of the two is meant: `net.ipv4.conf.eth0/100.forwarding` and
/// `net/ipv4/conf/eth0.100/forwarding` are the same.
pub(crate) fn file_of(name: &str) -> Option<String> {
    let dotted = name.find(['.', '/']).is_some_and(|at| name.as_bytes()[at] == b'.');
    let swapped = |letter| match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path: String = if dotted { name.chars().map(swapped).collect() } else { name.to_owned() };
    let harmless = |part: &str| !part.is_empty() && part != "." && part != "..";
    (path.contains('/') && !path.contains('\0') && path.split('/').all(harmless)).then_some(path)
}

/// System V shared memory, semaphores and message queues.
const IPC: &[&str] =
    &["auto_msgmni", "msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"];

/// The namespace that a parameter belongs to, by its file; `None` for one that the whole machine has.
pub(crate) fn namespace_of(file: &str) -> Option<Namespace> {
    let (top, rest) = file.split_once('/')?;
    match top {
        "net" => Some(Namespace::Network),
        "fs" if rest.starts_with("mqueue/") => Some(Namespace::Ipc),
        "user" => Some(Namespace::User),
        "kernel" if IPC.contains(&rest) => Some(Namespace::Ipc),
        "kernel" if rest == "domainname" || rest == "hostname" => Some(Namespace::Uts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_a_file() {
        let file = |name| file_of(name).unwrap_or_default();
        assert_eq!(file("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
        assert_eq!(file("net/ipv4/conf/eth0.100/forwarding"), "net/ipv4/conf/eth0.100/forwarding");
        assert_eq!(file("net.ipv4.conf.eth0/100.forwarding"), "net/ipv4/conf/eth0.100/forwarding");
        for wrong in ["", "net", "net..x", "net/../kernel/x", "./net/x", ".net", "net/./x", "a.b\0"] {
            assert_eq!(file_of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn parameters_belong_to_namespaces() {
        assert_eq!(namespace_of("kernel/msgmax"), Some(Namespace::Ipc));
        assert_eq!(namespace_of("fs/mqueue/msg_max"), Some(Namespace::Ipc));
        assert_eq!(namespace_of("net/core/somaxconn"), Some(Namespace::Network));
        assert_eq!(namespace_of("kernel/panic"), None);
        assert_eq!(namespace_of("vm/swappiness"), None);
    }
}
