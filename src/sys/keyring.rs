//! keyctl(2): the session keyring, which a process inherits and by which it possesses the keys of its caller.

use nix::errno::Errno;

/// How often a new keyring is asked for while the kernel still counts dead ones (their collection takes an RCU
/// grace period), and the pause between two attempts.
const ATTEMPTS: usize = 100;
static PAUSE: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// Replaces the session keyring by an empty one. Where keyctl is not to be had, for a kernel without keys or
/// for a filter, the children of this process cannot read a key either. Allocates nothing.
pub fn start_session() -> Result<(), Errno> {
    const JOIN_SESSION_KEYRING: libc::c_ulong = 1;
    for _ in 0..ATTEMPTS {
        let name = std::ptr::null::<libc::c_char>();
        // SAFETY: a null name asks for an anonymous keyring; nothing is read or written.
        let result = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, name) };
        match Errno::result(result) {
            Ok(_) | Err(Errno::ENOSYS | Errno::EPERM) => return Ok(()),
            // SAFETY: the structure is a static, and nothing is written for a null second argument.
            Err(Errno::EDQUOT) => unsafe {
                libc::nanosleep(&raw const PAUSE, std::ptr::null_mut());
            },
            Err(error) => return Err(error),
        }
    }
    Err(Errno::EDQUOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gets_a_keyring_of_its_own() {
        const GET_KEYRING_ID: libc::c_ulong = 0;
        const SESSION: libc::c_long = -3;
        // SAFETY: takes numbers.
        let id = || unsafe { libc::syscall(libc::SYS_keyctl, GET_KEYRING_ID, SESSION, 0) };
        std::thread::spawn(move || {
            start_session().unwrap();
            let first = id();
            start_session().unwrap();
            assert!(first < 0 || first != id());
        })
        .join()
        .unwrap();
    }
}
