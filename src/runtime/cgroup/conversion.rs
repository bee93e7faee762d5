//! Version 1's numbers, in which the OCI specification speaks, as version 2's.

/// `cpu.shares` (2 to 262144, 1024 is usual) as `cpu.weight` (1 to 10000, 100 is usual).
///
/// The quadratic formula of crun 1.23 and runc 1.4: the least, the usual and the greatest shares become the least, the
/// usual and the greatest weight. The older linear one turned the usual 1024 into 39, less than every other process's
/// 100.
pub(super) fn cpu_weight(shares: u64) -> u64 {
    match shares {
        0 => 0,
        1..=2 => 1,
        262_144.. => 10_000,
        _ => {
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            10f64.powf(exponent).ceil() as u64
        }
    }
}

/// `blkio.weight` (10 to 1000) as `io.weight` (1 to 10000): linear, as runc and crun have it.
pub(super) fn io_weight(weight: u16) -> u64 {
    1 + (u64::from(weight).max(10) - 10) * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_meet() {
        for (shares, weight) in
            [(0, 0), (1, 1), (2, 1), (3, 2), (512, 59), (1024, 100), (262_144, 10_000), (1 << 40, 10_000)]
        {
            assert_eq!(cpu_weight(shares), weight, "{shares}");
        }
        for (blkio, io) in [(0, 1), (10, 1), (200, 1920), (1000, 10_000)] {
            assert_eq!(io_weight(blkio), io, "{blkio}");
        }
    }

    #[test]
    fn more_shares_never_weigh_less() {
        assert!((1..20_000).all(|shares| cpu_weight(shares) <= cpu_weight(shares + 1)));
    }
}
