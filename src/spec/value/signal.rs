//! Signals and the time that a container has to obey one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A signal: `TERM`, `SIGTERM`, `15`, `SIGRTMIN+3`, `RTMAX-1`. Numbers are those of the generic Linux ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal(u8);

impl Signal {
    /// SIGTERM, which ends a container that asks for no other.
    pub const TERM: Self = Self(15);

    /// SIGRTMIN+3, on which systemd halts.
    pub const RTMIN_3: Self = Self(RTMIN + 3);

    /// The number, 1 to 64.
    pub fn number(self) -> i32 {
        i32::from(self.0)
    }
}

/// signal(7), x86 and ARM; the index is the number minus one.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The kernel's first real-time signal is 32; the C libraries keep two or three, so that theirs begins at 34.
const RTMIN: u8 = 34;
const RTMAX: u8 = 64;

fn number_of(name: &str) -> Option<u8> {
    if let Some(index) = NAMES.iter().position(|known| *known == name) {
        return u8::try_from(index + 1).ok();
    }
    let offset = |rest: &str, sign: char| match rest {
        "" => Some(0),
        _ => rest.strip_prefix(sign)?.parse::<u8>().ok(),
    };
    match name {
        "IOT" => Some(6),
        "CLD" => Some(17),
        "POLL" => Some(29),
        _ => match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
            (Some(rest), _) => RTMIN.checked_add(offset(rest, '+')?).filter(|number| *number <= RTMAX),
            (_, Some(rest)) => RTMAX.checked_sub(offset(rest, '-')?).filter(|number| *number >= RTMIN),
            _ => None,
        },
    }
}

impl FromStr for Signal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let upper = text.to_ascii_uppercase();
        let number = match upper.parse::<u8>() {
            Ok(number) => Some(number).filter(|number| (1..=64).contains(number)),
            Err(_) => number_of(upper.strip_prefix("SIG").unwrap_or(&upper)),
        };
        number.map(Self).ok_or_else(|| Error::usage(format!("{text:?} is not a signal")))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number < 32 => write!(f, "SIG{}", NAMES[usize::from(number) - 1]),
            number if number < RTMIN => write!(f, "{number}"),
            RTMIN => f.write_str("SIGRTMIN"),
            number => write!(f, "SIGRTMIN+{}", number - RTMIN),
        }
    }
}

/// How long `stop` waits before it kills: seconds, or `-1` for as long as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopTimeout(Option<u32>);

impl StopTimeout {
    /// The time of a container that asks for none.
    pub const DEFAULT: Self = Self(Some(10));

    /// The seconds; `None`: for ever.
    pub fn seconds(self) -> Option<u32> {
        self.0
    }
}

impl FromStr for StopTimeout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.parse::<i64>() {
            Ok(-1) => Ok(Self(None)),
            Ok(seconds) => u32::try_from(seconds).map(|seconds| Self(Some(seconds))).map_err(|_| ()),
            Err(_) => Err(()),
        }
        .map_err(|()| Error::usage(format!("timeout {text:?}: expected seconds, or -1 for no limit")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_name_and_number() {
        for (text, number, name) in [
            ("TERM", 15, "SIGTERM"),
            ("sigkill", 9, "SIGKILL"),
            ("15", 15, "SIGTERM"),
            ("SIGRTMIN+3", 37, "SIGRTMIN+3"),
            ("rtmin", 34, "SIGRTMIN"),
            ("RTMAX", 64, "SIGRTMIN+30"),
            ("SIGRTMAX-1", 63, "SIGRTMIN+29"),
            ("32", 32, "32"),
            ("SIGPOLL", 29, "SIGIO"),
        ] {
            let signal: Signal = text.parse().unwrap();
            assert_eq!((signal.number(), signal.to_string().as_str()), (number, name), "{text}");
        }
        for bad in ["", "0", "65", "-9", "SIG", "SIGFOO", "RTMIN+31", "RTMAX-31", "RTMIN-1", "RTMIN+", "999"]
        {
            assert!(bad.parse::<Signal>().is_err(), "{bad}");
        }
        for number in 1..=64 {
            let signal: Signal = number.to_string().parse().unwrap();
            assert_eq!(signal.to_string().parse::<Signal>().unwrap(), signal);
        }
    }

    #[test]
    fn timeouts_are_seconds_or_for_ever() {
        assert_eq!("0".parse::<StopTimeout>().unwrap().seconds(), Some(0));
        assert_eq!("-1".parse::<StopTimeout>().unwrap().seconds(), None);
        for bad in ["", "-2", "1.5", "10s", "99999999999"] {
            assert!(bad.parse::<StopTimeout>().is_err(), "{bad}");
        }
    }
}
