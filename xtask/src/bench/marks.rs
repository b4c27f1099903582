//! What must hold: each required figure beside the measured one.

use std::borrow::Cow;

use super::results::{Results, Row};

/// A step reads and writes three doubles a cell.
pub(crate) const BYTES_PER_CELL_STEP: f64 = 48.0;

/// What is required of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One required figure. Nothing is left out: without a measurement `measured` is `None`, which is no pass.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) what: String,
    /// Cells on a side, or clients.
    pub(crate) size: u64,
    pub(crate) measured: Option<f64>,
    pub(crate) bound: Bound,
    pub(crate) unit: Cow<'static, str>,
}

impl Mark {
    /// `pass`, `FAIL`, or `not measured`.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.measured, self.bound) {
            (None, _) => "not measured",
            (Some(value), Bound::AtLeast(least)) if value >= least => "pass",
            (Some(value), Bound::AtMost(most)) if value <= most => "pass",
            _ => "FAIL",
        }
    }

    /// The bound as text, such as `>= 4.5 x`.
    pub(crate) fn required(&self) -> String {
        let (sign, value) = match self.bound {
            Bound::AtLeast(value) => (">=", value),
            Bound::AtMost(value) => ("<=", value),
        };
        format!(
            "{sign} {value:.*} {}",
            usize::from(value.fract() != 0.0) + usize::from(value < 2.0),
            self.unit
        )
    }

    /// The measured figure as text.
    pub(crate) fn shown(&self) -> String {
        self.measured.map_or_else(|| String::from("-"), |value| format!("{value:.2} {}", self.unit))
    }
}

/// All of them.
pub(crate) fn marks(results: &Results) -> Vec<Mark> {
    [steps(results), bounds(results), analyses(results), costs(results)].concat()
}

/// The step of libmfn against another program, for sizes with the least ratio of each.
fn against(results: &Results, program: &str, peer: &str, least: &[(u64, f64)]) -> Vec<Mark> {
    let mark = |&(size, least): &(u64, f64)| Mark {
        what: format!("{program} over {peer}"),
        size,
        measured: results.ratio("step", size, program, peer),
        bound: Bound::AtLeast(least),
        unit: "x".into(),
    };
    least.iter().map(mark).collect()
}

fn steps(results: &Results) -> Vec<Mark> {
    let everywhere = |least| [64, 256, 1024, 4096].map(|side| (side, least));
    let numpy = |program, least: [f64; 4]| {
        let sides = [64, 256, 1024, 4096];
        let least: Vec<(u64, f64)> = sides.into_iter().zip(least).collect();
        against(results, program, "NumPy", &least)
    };
    [
        numpy("libmfn avx512", [37.0, 26.0, 35.0, 60.0]),
        numpy("libmfn avx2", [25.0, 17.0, 24.0, 43.0]),
        against(results, "libmfn", "Numba", &everywhere(4.5)),
        against(results, "libmfn", "plain Rust loop", &everywhere(5.0)),
        against(results, "libmfn", "Devito", &[(64, 1.0), (256, 1.2), (1024, 2.0), (4096, 2.0)]),
        against(results, "libmfn f32 avx512", "libmfn avx512", &everywhere(1.7)),
        threads(results),
    ]
    .concat()
}

/// Two threads against one, in wall time.
fn threads(results: &Results) -> Vec<Mark> {
    let mark = |(size, least)| {
        let wall = |program| Some(results.row("step", size, program)?.wall_s);
        let measured = wall("libmfn").zip(wall("libmfn 2 threads")).map(|(one, two)| one / two);
        let what = String::from("two threads over one");
        Mark { what, size, measured, bound: Bound::AtLeast(least), unit: "x".into() }
    };
    [(64, 1.6), (256, 1.85), (1024, 1.85), (4096, 1.85)].map(mark).to_vec()
}

fn bounds(results: &Results) -> Vec<Mark> {
    let level = results.machine.levels.last().map_or("", String::as_str);
    let libmfn = format!("libmfn {level}");
    let rate = |size| results.row("step", size, &libmfn).map(Row::rate);
    let ceiling = |(size, least)| Mark {
        what: format!("{libmfn} over its row kernel in the first-level cache"),
        size,
        measured: rate(size).zip(results.ceiling(level)).map(|(rate, ceiling)| rate / ceiling),
        bound: Bound::AtLeast(least),
        unit: "x".into(),
    };
    let moved = rate(4096).map(|rate| rate * BYTES_PER_CELL_STEP);
    let mut marks = [(256, 0.95), (4096, 0.7)].map(ceiling).to_vec();
    marks.push(Mark {
        what: String::from("48 bytes a cell-step over STREAM copy"),
        size: 4096,
        measured: moved.zip(results.stream("copy")).map(|(moved, copy)| moved / copy),
        bound: Bound::AtLeast(2.0),
        unit: "x".into(),
    });
    marks
}

fn analyses(results: &Results) -> Vec<Mark> {
    let ratio = |what: &str, task, size, program, peer, least| Mark {
        what: what.to_owned(),
        size,
        measured: results.ratio(task, size, program, peer),
        bound: Bound::AtLeast(least),
        unit: "x".into(),
    };
    let mut marks = Vec::new();
    for side in [1024, 4096] {
        let components = |peer, least| {
            ratio(&format!("components over {peer}"), "features", side, "libmfn components", peer, least)
        };
        marks.extend([components("cc3d", 2.0), components("scipy.ndimage.label", 3.0)]);
    }
    marks.push(Mark {
        what: String::from("all 18 features, CPU time"),
        size: 1024,
        measured: results.row("features", 1024, "libmfn, 18 features").map(|row| row.cpu_s * 1e3),
        bound: Bound::AtMost(10.0),
        unit: "ms".into(),
    });
    marks.push(ratio("moments over NumPy", "features", 1024, "libmfn moments", "NumPy moments", 100.0));
    marks.push(ratio("Krum over NumPy's Gram matrix", "krum", 1000, "libmfn", "NumPy Gram", 1.2));
    marks
}

fn costs(results: &Results) -> Vec<Mark> {
    let noise = |(level, most): (&str, f64)| {
        let cost = |way: &str| {
            let row = results.row("variant", 1024, way)?;
            Some(row.cpu_s / row.work)
        };
        let what = format!("noise of a cell, {level}");
        let measured =
            cost(&format!("jitter {level}")).zip(cost(level)).map(|(with, without)| 1e9 * (with - without));
        Mark { what, size: 1024, measured, bound: Bound::AtMost(most), unit: "ns".into() }
    };
    let mut marks = [("avx512", 6.0), ("avx2", 10.0)].map(noise).to_vec();
    marks.push(Mark {
        what: String::from("a C program from start to end: 64 steps, wall time"),
        size: 64,
        measured: results.row("start", 64, "C host").map(|row| row.wall_s * 1e3),
        bound: Bound::AtMost(5.0),
        unit: "ms".into(),
    });
    for size in [1024, 4096] {
        let most = (6 * 8 * size * size) as f64 / MIB + 16.0;
        let peak = |row: &Row| row.peak_bytes.map(|bytes| bytes as f64 / MIB);
        marks.push(Mark {
            what: String::from("peak memory of `mfn simulate`"),
            size,
            measured: results.row("simulate", size, "mfn simulate").and_then(peak),
            bound: Bound::AtMost(most),
            unit: "MiB".into(),
        });
    }
    marks
}

/// Bytes of a mebibyte.
pub(crate) const MIB: f64 = 1048576.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the verdicts: a figure that was not measured is no pass, and both kinds of bounds can fail.
    #[test]
    fn verdicts_can_fail() {
        let mark = |measured, bound| Mark { what: String::new(), size: 1, measured, bound, unit: "x".into() };
        assert_eq!(mark(None, Bound::AtLeast(0.0)).verdict(), "not measured");
        assert_eq!(mark(Some(1.99), Bound::AtLeast(2.0)).verdict(), "FAIL");
        assert_eq!(mark(Some(2.0), Bound::AtLeast(2.0)).verdict(), "pass");
        assert_eq!(mark(Some(2.01), Bound::AtMost(2.0)).verdict(), "FAIL");
        assert_eq!(mark(Some(f64::NAN), Bound::AtMost(2.0)).verdict(), "FAIL");
        assert_eq!(mark(None, Bound::AtLeast(4.5)).required(), ">= 4.5 x");
        assert_eq!(mark(None, Bound::AtMost(10.0)).required(), "<= 10 x");
    }
}
