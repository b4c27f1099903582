//! How large the second-level cache is, which decides how much is computed at once.

/// Where the machine does not tell: what most have at least.
const USUAL_BYTES: usize = 1 << 20;
/// What is believed. Five eighths of it are used for the buffers of each thread.
const BELIEVED_BYTES: std::ops::RangeInclusive<usize> = 1 << 17..=1 << 22;

/// Bytes of the second-level cache of a core.
pub(crate) fn cache_bytes() -> usize {
    static BYTES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *BYTES.get_or_init(|| {
        second_level()
            .map_or(USUAL_BYTES, |bytes| bytes.clamp(*BELIEVED_BYTES.start(), *BELIEVED_BYTES.end()))
    })
}

/// From the processor's list of its caches, which Intel and AMD have in one form under two
/// numbers.
#[cfg(target_arch = "x86_64")]
fn second_level() -> Option<usize> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    [(0, 4), (0x8000_0000, 0x8000_001d)].into_iter().find_map(|(base, leaf)| {
        if __cpuid(base).eax < leaf {
            return None;
        }
        // A leaf that a processor does not have lists no cache of the second level.
        (0..16).map(|index| __cpuid_count(leaf, index)).find_map(|cache| {
            let (kind, level) = (cache.eax & 0x1f, (cache.eax >> 5) & 0x7);
            // A kind of 2 holds instructions only.
            let wanted = level == 2 && (kind == 1 || kind == 3);
            let part = |word: u32, shift: u32, bits: u32| ((word >> shift) & ((1 << bits) - 1)) as usize + 1;
            let line_bytes = part(cache.ebx, 0, 12) * part(cache.ebx, 12, 10);
            wanted.then(|| line_bytes * part(cache.ebx, 22, 10) * (cache.ecx as usize + 1))
        })
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn second_level() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the reading: a believable size, a multiple of a line.
    #[test]
    fn a_cache_has_a_size() {
        assert!(BELIEVED_BYTES.contains(&cache_bytes()));
        if let Some(bytes) = second_level() {
            assert!(bytes > 0 && bytes % 64 == 0, "{bytes}");
        }
    }
}
