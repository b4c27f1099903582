//! What the 256 neighbourhoods of a cell say: whether it may go, and to whom it is linked.
//!
//! A cell is *simple* when removing it changes neither the number of pieces of the pattern nor that of its holes.
//! For a pattern joined over corners and a background joined over edges this is so exactly when the crossing
//! number of Yokoi, Toriwaki and Fukumura (1975) is 1; it depends on the eight neighbours alone.

/// For each code of [`Grid::code`](super::grid::Grid::code): whether the cell is simple.
pub(super) static SIMPLE: [bool; 256] = {
    let mut table = [false; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = crossing_number(code as u8) == 1;
        code += 1;
    }
    table
};

/// For each code: the directions in which the cell is linked to its neighbours; see [`links`].
pub(super) static LINKS: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = links(code as u8);
        code += 1;
    }
    table
};

const fn is_set(code: u8, direction: usize) -> bool {
    code >> (direction % 8) & 1 == 1
}

/// The number of times that the background, walked around the cell, meets it over an edge anew.
const fn crossing_number(code: u8) -> u32 {
    let mut count = 0;
    let mut direction = 0;
    while direction < 8 {
        let closed = !is_set(code, direction + 1) && !is_set(code, direction + 2);
        if !is_set(code, direction) && !closed {
            count += 1;
        }
        direction += 2;
    }
    count
}

/// The neighbours that a cell is linked to in the graph of cells.
///
/// Any three cells that touch one another lie in a square of 2 x 2. Taking away the diagonal of three such cells, and of
/// four such cells both diagonals and the upper edge, leaves a graph whose loops are the holes of the pattern: each
/// removal is an elementary collapse of the complex of all squares, and these keep its shape (Whitehead, 1939).
const fn links(code: u8) -> u8 {
    const RIGHT: usize = 2;
    const BELOW: usize = 4;
    const LEFT: usize = 6;
    let mut links = code & 0b0101_0101;
    let mut direction = 1;
    while direction < 8 {
        if is_set(code, direction) && !is_set(code, direction - 1) && !is_set(code, direction + 1) {
            links |= 1 << direction;
        }
        direction += 2;
    }
    // The upper edge of a full square: the cell is its upper left or its upper right corner.
    if is_set(code, RIGHT) && is_set(code, RIGHT + 1) && is_set(code, BELOW) {
        links &= !(1 << RIGHT);
    }
    if is_set(code, LEFT) && is_set(code, BELOW + 1) && is_set(code, BELOW) {
        links &= !(1 << LEFT);
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of the cells of a 3 x 3 square without its middle that `keep` and `touch` define.
    fn pieces(keep: impl Fn(usize) -> bool, touch: impl Fn((isize, isize)) -> bool) -> Vec<Vec<usize>> {
        let mut left: Vec<usize> = (0..8).filter(|&direction| keep(direction)).collect();
        let mut pieces = Vec::new();
        while let Some(first) = left.pop() {
            let mut piece = vec![first];
            let mut at = 0;
            while at < piece.len() {
                let here = super::super::grid::STEPS[piece[at]];
                left.retain(|&other| {
                    let there = super::super::grid::STEPS[other];
                    let near = touch(((here.0 - there.0).abs(), (here.1 - there.1).abs()));
                    if near {
                        piece.push(other);
                    }
                    !near
                });
                at += 1;
            }
            pieces.push(piece);
        }
        pieces
    }

    /// Guards the crossing number against the definition: one piece of the pattern around the cell, and one
    /// piece of the background that touches it over an edge.
    #[test]
    fn simple_cells_are_those_of_the_definition() {
        for code in 0..=255_u8 {
            let pattern = pieces(|direction| is_set(code, direction), |(down, right)| down.max(right) == 1);
            let background = pieces(|direction| !is_set(code, direction), |(down, right)| down + right == 1);
            let touching = background.iter().filter(|piece| piece.iter().any(|cell| cell % 2 == 0)).count();
            assert_eq!(SIMPLE[usize::from(code)], pattern.len() == 1 && touching == 1, "{code:08b}");
        }
    }

    /// Guards that links are mutual: both cells of a link see it, whatever surrounds them. The 12 cells around two
    /// cells side by side and the 12 around two cells on a diagonal decide it.
    #[test]
    fn links_are_mutual() {
        for (step, reverse) in [((0, 1), 6), ((1, 0), 0), ((1, 1), 7), ((1, -1), 1)] {
            for pattern in 0..1_u32 << 16 {
                let set = |row: isize, col: isize| {
                    let first = (row, col) == (1, 1) || (row, col) == (1 + step.0, 1 + step.1);
                    first
                        || (0..4).contains(&row)
                            && (0..4).contains(&col)
                            && pattern >> (row * 4 + col) & 1 == 1
                };
                let code = |row: isize, col: isize| {
                    super::super::grid::STEPS.iter().enumerate().fold(0_usize, |code, (bit, near)| {
                        code | usize::from(set(row + near.0, col + near.1)) << bit
                    })
                };
                let there = LINKS[code(1, 1)] >> ((reverse + 4) % 8) & 1;
                let back = LINKS[code(1 + step.0, 1 + step.1)] >> reverse & 1;
                assert_eq!(there, back, "{pattern:016b}, step {step:?}");
            }
        }
    }
}
