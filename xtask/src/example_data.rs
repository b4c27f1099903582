//! `cargo xtask example-data`: writes examples/data/fields, the fields of a host's own that the
//! demo analyses. They are committed; a test compares them with what this module makes.
//!
//! Only `+ - * /` on f64 are used, so every machine makes the same bytes.

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Where the fields lie.
pub(crate) const DIRECTORY: &str = "examples/data/fields";

/// Potential of the background, V.
const LOW_V: f64 = -0.070;
/// Potential of a raised cell, V.
const HIGH_V: f64 = -0.040;

/// A field to be written: volts, row by row.
struct Field {
    name: &'static str,
    cols: usize,
    volts: Vec<f64>,
}

/// Makes every field and writes those that differ.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    for (name, bytes) in all()? {
        let path = workspace.join(DIRECTORY).join(&name);
        std::fs::write(&path, bytes).with_context(|| format!("can not write {}", path.display()))?;
        println!("wrote {DIRECTORY}/{name}");
    }
    Ok(())
}

/// The file names and contents of all fields.
pub(crate) fn all() -> Result<Vec<(String, Vec<u8>)>> {
    let fields = [gasket(), patches(), spots()];
    fields.iter().map(|field| Ok((format!("{}.npy", field.name), npy(field)?))).collect()
}

/// A field in NumPy's format, version 1.0, as little-endian float32: `numpy.load` reads it.
fn npy(field: &Field) -> Result<Vec<u8>> {
    const ALIGNMENT: usize = 64;
    const PREFIX: usize = 10;
    let rows = field.volts.len() / field.cols;
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {}), }}", field.cols);
    while !(PREFIX + header.len() + 1).is_multiple_of(ALIGNMENT) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).context("the header is too long")?.to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(field.volts.iter().flat_map(|volts| (*volts as f32).to_le_bytes()));
    Ok(bytes)
}

/// The Sierpinski gasket as Pascal's triangle modulo 2: 64 x 64 cells, box-counting dimension
/// log 3 / log 2 = 1.585 (Sierpinski, 1915; Wolfram, 1984).
fn gasket() -> Field {
    const COLS: usize = 64;
    let volts = (0..COLS * COLS)
        .map(|cell| if (cell / COLS) & (cell % COLS) == 0 { HIGH_V } else { LOW_V })
        .collect();
    Field { name: "gasket", cols: COLS, volts }
}

/// Smooth bumps of different widths: 112 x 112 cells.
fn patches() -> Field {
    const COLS: usize = 112;
    let mut stream = Stream(7);
    let bumps: Vec<[f64; 4]> = (0..24)
        .map(|_| {
            let row = stream.uniform() * COLS as f64;
            let col = stream.uniform() * COLS as f64;
            [row, col, 4.0 + 12.0 * stream.uniform(), 0.3 + stream.uniform()]
        })
        .collect();
    let height = |row: usize, col: usize| -> f64 {
        bumps
            .iter()
            .map(|[center_row, center_col, radius, height]| {
                let (dr, dc) = (row as f64 - center_row, col as f64 - center_col);
                let inside = 1.0 - (dr * dr + dc * dc) / (radius * radius);
                if inside > 0.0 { height * inside * inside } else { 0.0 }
            })
            .sum()
    };
    let volts =
        (0..COLS * COLS).map(|cell| LOW_V + (HIGH_V - LOW_V) * height(cell / COLS, cell % COLS)).collect();
    Field { name: "patches", cols: COLS, volts }
}

/// Spots of the Gray-Scott system (Gray and Scott, 1984; Pearson, 1993) on a torus of 128 x 128
/// cells: a pattern that another program might bring along.
fn spots() -> Field {
    const COLS: usize = 128;
    const STEPS: usize = 3000;
    const FEED: f64 = 0.037;
    const KILL: f64 = 0.060;
    let mut u = vec![1.0_f64; COLS * COLS];
    let mut v = vec![0.0_f64; COLS * COLS];
    let mut stream = Stream(11);
    for _ in 0..20 {
        let (row, col) = (stream.below(COLS), stream.below(COLS));
        for cell in (0..25).map(|i| (row + i / 5) % COLS * COLS + (col + i % 5) % COLS) {
            u[cell] = 0.5;
            v[cell] = 0.25;
        }
    }
    let laplacian = |field: &[f64], row: usize, col: usize| {
        let (up, down) = ((row + COLS - 1) % COLS, (row + 1) % COLS);
        let (left, right) = ((col + COLS - 1) % COLS, (col + 1) % COLS);
        field[up * COLS + col]
            + field[down * COLS + col]
            + field[row * COLS + left]
            + field[row * COLS + right]
            - 4.0 * field[row * COLS + col]
    };
    for _ in 0..STEPS {
        let (mut next_u, mut next_v) = (u.clone(), v.clone());
        for cell in 0..COLS * COLS {
            let (row, col) = (cell / COLS, cell % COLS);
            let reaction = u[cell] * v[cell] * v[cell];
            next_u[cell] += 0.16 * laplacian(&u, row, col) - reaction + FEED * (1.0 - u[cell]);
            next_v[cell] += 0.08 * laplacian(&v, row, col) + reaction - (FEED + KILL) * v[cell];
        }
        (u, v) = (next_u, next_v);
    }
    // v lies between 0 and about 0.4.
    let volts = v.iter().map(|v| LOW_V + (HIGH_V - LOW_V) * v * 2.5).collect();
    Field { name: "spots", cols: COLS, volts }
}

/// A linear congruential stream with Knuth's MMIX constants (1997): enough to scatter things.
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// A number in [0, 1).
    fn uniform(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 31) as f64
    }

    /// A whole number in [0, end).
    fn below(&mut self, end: usize) -> usize {
        (self.uniform() * end as f64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that the committed fields are the ones this module makes.
    #[test]
    fn committed_fields_are_current() {
        let workspace = Workspace::find().unwrap();
        for (name, bytes) in all().unwrap() {
            let present = std::fs::read(workspace.join(DIRECTORY).join(&name)).unwrap();
            assert!(present == bytes, "{name} differs; run `cargo xtask example-data`");
        }
    }
}
