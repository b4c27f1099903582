//! `mfn turing`: whether a specification can form patterns, and which.

use std::path::PathBuf;

use clap::Args;
use mfn_sim::{
    Spec,
    kinetics::{GridModes, SteadyState, TuringAnalysis, parameter_name, turing_analysis_of},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    failure::Failure,
    output::Output,
    specification::{self, Warning},
    table::{self, Align, number},
};

/// Analyse the linear stability of a specification: can it form patterns, how long are the waves.
///
/// Finds the homogeneous steady states of the kinetics, says which small perturbations grow there
/// (stable, turing, hopf, unstable, marginal), and which waves fit the grid. Nothing is simulated.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn turing --spec spec.json\n  \
    echo '{\"preset\": \"brusselator-stripes\"}' | mfn turing --spec - --json")]
pub(crate) struct Arguments {
    /// The specification as JSON; - reads standard input.
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,

    /// Write the analysis as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// The analysis for scripts.
#[derive(Serialize)]
struct Report {
    kinetics: &'static str,
    parameters: Map<String, Value>,
    turing_unstable: bool,
    steady_states: Vec<State>,
    warnings: Vec<Warning>,
}

/// One steady state. Wavelengths in cells, rates in 1 per unit of time.
#[derive(Serialize)]
struct State {
    activator: f64,
    inhibitor: f64,
    stability: &'static str,
    jacobian: [[f64; 2]; 2],
    trace: f64,
    determinant: f64,
    critical_ratio: Option<f64>,
    fastest_growth_rate: f64,
    wavelength_cells: Option<f64>,
    unstable_wavelengths_cells: Option<[Option<f64>; 2]>,
    grid_modes: u64,
    fastest_grid_mode: Option<Mode>,
}

/// The fastest wave that fits the grid.
#[derive(Serialize)]
struct Mode {
    row_index: usize,
    column_index: usize,
    wavelength_cells: Option<f64>,
    growth_per_step: f64,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let spec = specification::read(&arguments.spec)?;
    let analysis = turing_analysis_of(&spec)
        .map_err(|error| Failure::usage(error.to_string(), "change the kinetics or its parameters"))?;
    let report = report(&spec, &analysis);
    let mut output = Output::stdout();
    if arguments.json {
        return output.json(&report);
    }
    specification::report(&report.warnings);
    output.text(&text_of(&spec, &report))
}

fn report(spec: &Spec, analysis: &TuringAnalysis) -> Report {
    let parameters = spec
        .kinetics
        .bounds()
        .iter()
        .zip(spec.kinetics.values())
        .map(|(bound, value)| (parameter_name(bound).to_owned(), value.into()))
        .collect();
    Report {
        kinetics: spec.kinetics.name(),
        parameters,
        turing_unstable: analysis.is_turing_unstable(),
        steady_states: analysis.states().iter().map(|state| state_of(state, spec)).collect(),
        warnings: specification::warnings(spec),
    }
}

fn state_of(state: &SteadyState, spec: &Spec) -> State {
    let finite = |value: f64| value.is_finite().then_some(value);
    let wavelength = |q: f64| finite(std::f64::consts::TAU / q.sqrt());
    let GridModes { unstable_count, fastest } =
        state.grid_modes(spec.rows(), spec.cols(), spec.boundary_condition);
    State {
        activator: state.activator,
        inhibitor: state.inhibitor,
        stability: state.stability.name(),
        jacobian: state.linear.jacobian,
        trace: state.linear.trace(),
        determinant: state.linear.determinant(),
        critical_ratio: state.linear.critical_ratio(),
        fastest_growth_rate: state.fastest_growth_rate(),
        wavelength_cells: state.wavelength_cells(),
        unstable_wavelengths_cells: state
            .band
            .map(|band| [Some(wavelength(band.q_max).unwrap_or(0.0)), wavelength(band.q_min)]),
        grid_modes: unstable_count,
        fastest_grid_mode: fastest.map(|mode| Mode {
            row_index: mode.row_index,
            column_index: mode.column_index,
            wavelength_cells: finite(mode.wavelength_cells),
            growth_per_step: mode.growth_per_step,
        }),
    }
}

fn text_of(spec: &Spec, report: &Report) -> String {
    let columns = [
        ("activator", Align::Right, 0),
        ("inhibitor", Align::Right, 0),
        ("trace", Align::Right, 0),
        ("determinant", Align::Right, 0),
        ("stability", Align::Left, 0),
        ("wavelength/cells", Align::Right, 0),
        ("unstable band/cells", Align::Right, 0),
        ("rate", Align::Right, 0),
        ("waves that fit", Align::Right, 0),
    ];
    let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let rows: Vec<_> = report
        .steady_states
        .iter()
        .map(|state| {
            let band = state.unstable_wavelengths_cells.map_or("-".to_owned(), |[short, long]| {
                format!("{} to {}", or_dash(short), long.map_or("inf".to_owned(), number))
            });
            [
                number(state.activator),
                number(state.inhibitor),
                number(state.trace),
                number(state.determinant),
                state.stability.to_owned(),
                or_dash(state.wavelength_cells),
                band,
                number(state.fastest_growth_rate),
                state.grid_modes.to_string(),
            ]
        })
        .collect();
    let verdict = if report.turing_unstable { "unstable" } else { "not unstable" };
    format!(
        "{}\nd_inhibitor / d_activator = {}, grid {} x {} {}: {verdict} in Turing's sense\n\n{}",
        spec.kinetics.described(),
        number(spec.d_inhibitor / spec.d_activator),
        spec.rows(),
        spec.cols(),
        spec.boundary_condition.name(),
        table::layout(columns, &rows)
    )
}
