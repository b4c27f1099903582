//! Cells in order, in linear time: a radix sort from the lowest digit up (Knuth, 1998, section 5.2.5).

/// Bits of a digit.
const DIGIT: u32 = 11;
/// Fewer cells are sorted by comparison, whose logarithm is then bounded.
const RADIX_FROM: usize = 2048;

/// Sorts cells by key; those of one key stay as they are. `spare` is room that is used again.
pub(super) fn sort_by_key(cells: &mut Vec<u32>, spare: &mut Vec<u32>, key: impl Fn(u32) -> u32) {
    if cells.len() < RADIX_FROM {
        cells.sort_by_key(|&cell| key(cell));
        return;
    }
    let highest = cells.iter().map(|&cell| key(cell)).max().unwrap_or(0);
    spare.resize(cells.len(), 0);
    for shift in (0..u32::BITS).step_by(DIGIT as usize) {
        if highest >> shift == 0 {
            break;
        }
        let digit = |cell: u32| (key(cell) >> shift) as usize & ((1 << DIGIT) - 1);
        let mut places = [0_u32; 1 << DIGIT];
        for &cell in &*cells {
            places[digit(cell)] += 1;
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for &cell in &*cells {
            let place = &mut places[digit(cell)];
            spare[*place as usize] = cell;
            *place += 1;
        }
        std::mem::swap(cells, spare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards order and stability on both sides of the bound, for keys of one to three digits.
    #[test]
    fn cells_are_sorted_and_stay_in_order() {
        for length in [0, 1, RADIX_FROM - 1, RADIX_FROM, 20_000] {
            for keys in [1, 7, 3000, 1 << 28, u32::MAX] {
                let key = |cell: u32| cell.wrapping_mul(2_654_435_761) % keys;
                let mut cells: Vec<u32> = (0..length as u32).rev().collect();
                let mut expected = cells.clone();
                expected.sort_by_key(|&cell| key(cell));
                sort_by_key(&mut cells, &mut Vec::new(), key);
                assert_eq!(cells, expected, "{length} cells, keys below {keys}");
            }
        }
    }
}
