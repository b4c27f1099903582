//! How large the caches are, which decides how much is computed at once.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// Bytes of the caches that a core has or shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CacheBytes {
    /// Of the first level, for data.
    pub(crate) first: usize,
    /// Of the second level.
    pub(crate) second: usize,
    /// Of the third level, which cores share.
    pub(crate) third: usize,
}

/// Where the machine does not tell: what most have at least.
const USUAL: CacheBytes = CacheBytes { first: 1 << 15, second: 1 << 20, third: 1 << 25 };
/// What is believed of a first level.
const BELIEVED_FIRST: RangeInclusive<usize> = 1 << 14..=1 << 18;
/// What is believed of a second level.
const BELIEVED_SECOND: RangeInclusive<usize> = 1 << 17..=1 << 22;

/// What is believed of a third level.
const BELIEVED_THIRD: RangeInclusive<usize> = 1 << 20..=1 << 30;

/// What this machine has.
pub(crate) fn cache_bytes() -> CacheBytes {
    static BYTES: OnceLock<CacheBytes> = OnceLock::new();
    *BYTES.get_or_init(|| {
        let believed = |level, usual, range: RangeInclusive<usize>| {
            listed(level).map_or(usual, |bytes| bytes.clamp(*range.start(), *range.end()))
        };
        CacheBytes {
            first: believed(1, USUAL.first, BELIEVED_FIRST),
            second: believed(2, USUAL.second, BELIEVED_SECOND),
            third: believed(3, USUAL.third, BELIEVED_THIRD),
        }
    })
}

/// From the processor's list of its caches, which Intel and AMD have in one form under two
/// numbers.
#[cfg(target_arch = "x86_64")]
fn listed(level: u32) -> Option<usize> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    [(0, 4), (0x8000_0000, 0x8000_001d)].into_iter().find_map(|(base, leaf)| {
        if __cpuid(base).eax < leaf {
            return None;
        }
        // A leaf that a processor does not have lists no cache.
        (0..16).map(|index| __cpuid_count(leaf, index)).find_map(|cache| {
            let (kind, its_level) = (cache.eax & 0x1f, (cache.eax >> 5) & 0x7);
            // A kind of 2 holds instructions only.
            let wanted = its_level == level && (kind == 1 || kind == 3);
            let part = |word: u32, shift: u32, bits: u32| ((word >> shift) & ((1 << bits) - 1)) as usize + 1;
            let line_bytes = part(cache.ebx, 0, 12) * part(cache.ebx, 12, 10);
            wanted.then(|| line_bytes * part(cache.ebx, 22, 10) * (cache.ecx as usize + 1))
        })
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn listed(_: u32) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the reading: believable sizes, multiples of a line.
    #[test]
    fn caches_have_sizes() {
        let CacheBytes { first, second, third } = cache_bytes();
        assert!(BELIEVED_FIRST.contains(&first) && BELIEVED_SECOND.contains(&second));
        assert!(BELIEVED_THIRD.contains(&third));
        for level in [1, 2, 3] {
            if let Some(bytes) = listed(level) {
                assert!(bytes > 0 && bytes % 64 == 0, "{bytes}");
            }
        }
    }
}
