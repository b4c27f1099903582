//! Everything that is timed, by name: libmfn's step in its ways, its features piece by piece, the plain loop, and the
//! bounds of the machine.

use std::hint::black_box;
use std::ops::ControlFlow;

use mfn_sim::aggregation::krum;
use mfn_sim::ensemble::Ensemble;
use mfn_sim::features::{BoxScales, Connectivity, box_fit, clusters};
use mfn_sim::rng::Generator;
use mfn_sim::{
    BoundaryCondition, Coefficient, Execution, FeatureConfig, KernelProbe, Precision, RngKind, SimdLevel,
    Simulation, Spec,
};
use ndarray::Array2;

use crate::fields::patchy;
use crate::plain::PlainLoop;

/// The field between active and not, V.
const THRESHOLD_V: f64 = -0.060;
/// Steps that a run does at least: fewer are no run as users have them.
const STEPS_MIN: u64 = 16;
/// Rows of the grids whose fields stay in the first-level cache.
const L1_ROWS: usize = 4;
/// Cells on a side of the runs of an ensemble, and their steps.
const ENSEMBLE: (usize, u64) = (64, 256);

/// A program that can be timed.
pub struct Subject {
    /// Does so many units of work.
    pub run: Box<dyn FnMut(u64)>,
    /// Units that are done at once at least.
    pub units_min: u64,
    /// What a unit is, in cells (of a step or a field), bytes or runs.
    pub work_per_unit: f64,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("work_per_unit", &self.work_per_unit).finish_non_exhaustive()
    }
}

impl Subject {
    fn new(work_per_unit: f64, mut once: impl FnMut() + 'static) -> Self {
        Self { run: Box::new(move |units| (0..units).for_each(|_| once())), units_min: 1, work_per_unit }
    }
}

/// The specification whose step is measured: that of MyceliumFractalNet 4.1, on grids of any size.
#[must_use]
pub fn spec(side: usize) -> Spec {
    Spec { grid_size: side, compat: None, ..Spec::v4_1() }
}

/// Changes a specification.
type Change = fn(&mut Spec);

/// The ways of a run that are measured beside [`spec`], each with what it changes.
pub const VARIANTS: [(&str, Change); 8] = [
    ("neumann", |spec| spec.boundary_condition = BoundaryCondition::Neumann),
    ("dirichlet", |spec| spec.boundary_condition = BoundaryCondition::Dirichlet),
    ("diffusion-only", |spec| spec.turing_enabled = false),
    ("gray-scott", |spec| *spec = preset("gray-scott-spots", spec)),
    ("schnakenberg", |spec| *spec = preset("schnakenberg-spots", spec)),
    ("gierer-meinhardt", |spec| *spec = preset("gierer-meinhardt-spots", spec)),
    ("fitzhugh-nagumo", |spec| *spec = preset("fitzhugh-nagumo-labyrinth", spec)),
    ("brusselator", |spec| *spec = preset("brusselator-stripes", spec)),
];

fn preset(name: &str, like: &Spec) -> Spec {
    Spec { grid_size: like.grid_size, ..Spec::preset(name).unwrap_or_default() }
}

/// The columns of the two grids of `row`, whose three fields, old and new, take 12 and 36 KiB. What the wider one
/// takes longer is what its further cells cost, without what a call or a row costs beside its cells: the bound.
pub const L1_COLS: [usize; 2] = [64, 192];

/// The program of a name for a square of `side` cells, such as `step avx2` or `components`; `None` for a name that
/// is unknown or that this machine can not run. `row` and its levels run on four rows of `side` cells, see [`L1_COLS`].
#[must_use]
pub fn subject(name: &str, side: usize) -> Option<Subject> {
    let (what, way) = name.split_once(' ').unwrap_or((name, ""));
    match (what, way) {
        ("plain", "") => {
            let mut plain = PlainLoop::new(&spec(side));
            Some(Subject::new((side * side) as f64, move || plain.step()))
        }
        ("step", way) => step(spec(side), way),
        ("row", way) => row(side, way),
        ("copy", "") => Some(copy(side)),
        ("update", "") => Some(update(side)),
        ("krum", "") => Some(aggregation(side)),
        ("checkpoint", "") => checkpoint(side),
        ("ensemble", threads) => Some(ensemble(threads.parse().ok()?)),
        (_, "") => of_field(what, side),
        _ => None,
    }
}

/// A run; `way` is made of levels of vector registers, a precision, numbers of threads and variants.
fn step(mut spec: Spec, way: &str) -> Option<Subject> {
    let mut execution = Execution::default();
    let mut has_map = false;
    for part in way.split_whitespace() {
        let level = SimdLevel::available().into_iter().find(|level| level.name() == part);
        let variant = VARIANTS.iter().find(|(name, _)| *name == part);
        match (part, level, variant) {
            (_, Some(level), _) => execution.simd = level,
            (_, _, Some((_, change))) => change(&mut spec),
            ("f32", ..) => spec.precision = Precision::F32,
            ("map", ..) => has_map = true,
            ("jitter", ..) => {
                // Philox: the normals that the default mode draws.
                (spec.quantum_jitter, spec.jitter_var, spec.rng) = (true, 1e-8, RngKind::Philox);
            }
            _ => execution.threads = part.strip_suffix("-threads")?.parse().ok()?,
        }
    }
    let (rows, cols) = (spec.rows(), spec.cols());
    let mut simulation = Simulation::new(spec).ok()?;
    simulation.set_execution(execution).ok()?;
    if has_map {
        let map = Array2::from_shape_fn((rows, cols), |(row, col)| 0.1 + 0.001 * ((row + col) % 64) as f64);
        simulation.set_map(Coefficient::Alpha, Some(map.view())).ok()?;
    }
    Some(Subject {
        run: Box::new(move |steps| {
            let end = simulation.run(steps, &mut |_| ControlFlow::Continue(()));
            assert!(end.is_ok(), "the run failed: {end:?}");
        }),
        units_min: STEPS_MIN,
        work_per_unit: (rows * cols) as f64,
    })
}

/// The row kernel alone on four rows of `cols` cells; `way` is made of a level and a precision.
fn row(cols: usize, way: &str) -> Option<Subject> {
    let spec = Spec { rows: Some(L1_ROWS), cols: Some(cols), ..spec(cols) };
    let (name, is_single) = way.strip_prefix("f32 ").map_or((way, false), |level| (level, true));
    let level = SimdLevel::available().into_iter().find(|level| level.name() == name);
    let level = if name.is_empty() { SimdLevel::Auto } else { level? };
    let run: Box<dyn FnMut(u64)> = if is_single {
        let mut kernel = KernelProbe::<f32>::new(spec, level).ok()?;
        Box::new(move |times| kernel.run(times))
    } else {
        let mut kernel = KernelProbe::<f64>::new(spec, level).ok()?;
        Box::new(move |times| kernel.run(times))
    };
    Some(Subject { run, units_min: STEPS_MIN, work_per_unit: (L1_ROWS * cols) as f64 })
}

/// STREAM copy (McCalpin, 1995) of as many doubles as three grids have: 16 bytes each.
fn copy(side: usize) -> Subject {
    let count = 3 * side * side;
    let from = vec![1.0_f64; count];
    let mut to = vec![0.0; count];
    Subject::new(16.0 * count as f64, move || {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
    })
}

/// A scaling in place of as many doubles as three grids have: 16 bytes each.
fn update(side: usize) -> Subject {
    let mut cells = vec![1.0_f64; 3 * side * side];
    Subject::new(16.0 * cells.len() as f64, move || {
        let factor = black_box(1.0);
        cells.iter_mut().for_each(|cell| *cell *= factor);
        black_box(&mut cells);
    })
}

/// A piece of the features of the patchy field.
fn of_field(what: &str, side: usize) -> Option<Subject> {
    let cells = (side * side) as f64;
    let field = patchy(side);
    let config = FeatureConfig::default();
    Some(match what {
        "features" => Subject::new(cells, move || {
            black_box(mfn_sim::features::compute(field.view(), &config).is_ok());
        }),
        "components" => Subject::new(cells, move || {
            black_box(clusters(field.view(), THRESHOLD_V, Connectivity::Four, false));
        }),
        "moments" => Subject::new(cells, move || {
            black_box(mfn_sim::operators::statistics(field.view()));
        }),
        "boxes" => {
            let mask = field.mapv(|value| value > THRESHOLD_V);
            let scales = BoxScales::default();
            Subject::new(cells, move || {
                black_box(box_fit(mask.view(), &scales).is_ok());
            })
        }
        _ => return None,
    })
}

/// Krum among `clients` normal gradients of ten times as many coordinates.
fn aggregation(clients: usize) -> Subject {
    let mut gradients = Array2::zeros((clients, 10 * clients));
    let mut generator = Generator::new(1);
    gradients.mapv_inplace(|_: f64| generator.normal(0.0, 1.0));
    Subject::new(gradients.len() as f64, move || {
        black_box(krum(gradients.view(), clients / 5).is_ok());
    })
}

/// The state of a run as bytes.
fn checkpoint(side: usize) -> Option<Subject> {
    let simulation = Simulation::new(spec(side)).ok()?;
    Some(Subject::new((side * side) as f64, move || {
        black_box(mfn_sim::checkpoint::encode(&simulation));
    }))
}

/// Runs over a pool of threads, each reduced to its features.
fn ensemble(threads: usize) -> Subject {
    let (side, steps) = ENSEMBLE;
    Subject {
        run: Box::new(move |runs| {
            let specs: Vec<Spec> =
                (0..runs).map(|seed| Spec { random_seed: seed, steps, ..spec(side) }).collect();
            let mut done = 0;
            let end = Ensemble { threads, ..Ensemble::default() }.run_specs(&specs, &mut |_, result| {
                done += u64::from(result.is_ok());
                ControlFlow::Continue(())
            });
            assert!(end.is_ok() && done == runs, "{done} of {runs} runs succeeded");
        }),
        units_min: 4 * threads as u64,
        work_per_unit: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the names that the measuring script asks for: each is there and does its work.
    #[test]
    fn every_subject_runs() {
        let steps = ["", "baseline", "f32", "2-threads", "map", "jitter"].map(str::to_owned);
        let variants = VARIANTS.map(|(name, _)| name.to_owned());
        let others = [
            "plain",
            "copy",
            "update",
            "features",
            "components",
            "moments",
            "boxes",
            "ensemble 2",
            "checkpoint",
            "krum",
            "row baseline",
        ];
        let steps = steps.iter().chain(&variants).map(|way| format!("step {way}"));
        for name in steps.chain(others.map(str::to_owned)) {
            let mut subject = subject(name.trim_end(), 16).unwrap_or_else(|| panic!("no subject {name}"));
            (subject.run)(subject.units_min);
            assert!(subject.work_per_unit >= 1.0, "{name}");
        }
        assert!(subject("step avx3", 16).is_none() && subject("feature", 16).is_none());
    }
}
