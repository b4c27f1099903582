//! What stands in each section of a checkpoint.
//!
//! Specification and feature settings are JSON, which a later version with more fields still reads;
//! everything else is numbers.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::container::{Fields, Piece, Section, Sections};
use super::error::CheckpointError;
use crate::engine::{COUNT_MAX, Coefficient, FieldPlanes, RunCounters, SimulationState};
use crate::error::SimError;
use crate::features::{FeatureConfig, RunningSlope, TemporalState};
use crate::rng::GeneratorPosition;
use crate::spec::{Precision, Spec};

const SPEC: &str = "SPEC";
const COUNTERS: &str = "RUN ";
const RANDOM: &str = "RAND";
/// Potential, activator, inhibitor.
const FIELDS: [&str; 3] = ["FILD", "ACTV", "INHB"];
/// In the order of [`Coefficient::ALL`].
const MAPS: [&str; 5] = ["ALPH", "DACT", "DINH", "RACT", "RINH"];
const FEATURES: &str = "FEAT";
const TEMPORAL: &str = "TEMP";

/// The longest text of a section, bytes.
const TEXT_BYTES_MAX: usize = 1 << 16;

/// The sections of a state, in their order.
pub(super) fn of(state: &SimulationState) -> Vec<Section<'_>> {
    let SimulationState { spec, fields, maps, counters, pcg64, temporal } = state;
    let shape = (spec.rows(), spec.cols());
    let mut sections = vec![
        Section { tag: SPEC, pieces: vec![json(spec)] },
        Section { tag: COUNTERS, pieces: vec![numbers(&counters_of(counters))] },
    ];
    if let Some(GeneratorPosition { drawn, kept_half }) = *pcg64 {
        let [has_half, half] = optional(kept_half.map(u64::from));
        sections.push(Section { tag: RANDOM, pieces: vec![numbers(&[drawn, has_half, half])] });
    }
    let pieces: [Piece<'_>; 3] = match fields {
        FieldPlanes::F64(planes) => planes.each_ref().map(|cells| Piece::F64(cells)),
        FieldPlanes::F32(planes) => planes.each_ref().map(|cells| Piece::F32(cells)),
    };
    sections.extend(FIELDS.into_iter().zip(pieces).map(|(tag, piece)| plane(tag, shape, piece)));
    for (tag, map) in MAPS.into_iter().zip(maps) {
        sections.extend(map.as_ref().map(|cells| plane(tag, shape, Piece::F64(cells))));
    }
    if let Some(temporal) = temporal {
        sections.push(Section { tag: FEATURES, pieces: vec![json(&temporal.config)] });
        let pieces = vec![numbers(&temporal_numbers(temporal)), Piece::F64(&temporal.last_mv)];
        sections.push(Section { tag: TEMPORAL, pieces });
    }
    sections
}

/// The state in the bytes.
pub(super) fn read(bytes: &[u8]) -> Result<SimulationState, CheckpointError> {
    let mut sections = Sections::new(bytes)?;
    let spec: Spec = from_json(sections.required(SPEC)?)?;
    // Its sizes are counted with from here on.
    spec.validate()?;
    let counters = read_counters(sections.required(COUNTERS)?)?;
    let pcg64 = sections.optional(RANDOM)?.map(read_random).transpose()?;
    let fields = match spec.precision {
        Precision::F64 => FieldPlanes::F64(read_fields(&mut sections, &spec, f64::from_le_bytes)?),
        Precision::F32 => FieldPlanes::F32(read_fields(&mut sections, &spec, f32::from_le_bytes)?),
    };
    let mut maps = [const { None }; Coefficient::ALL.len()];
    for (tag, map) in MAPS.into_iter().zip(&mut maps) {
        let found = sections.optional(tag)?;
        *map = found.map(|content| read_plane(content, &spec, f64::from_le_bytes)).transpose()?;
    }
    let temporal = match sections.optional(FEATURES)? {
        Some(config) => {
            let state =
                read_temporal(from_json(config)?, sections.required(TEMPORAL)?, &spec, counters.steps)?;
            state.check().map_err(SimError::from)?;
            Some(state)
        }
        None => None,
    };
    sections.end()?;
    Ok(SimulationState { spec, fields, maps, counters, pcg64, temporal })
}

fn json(value: &impl Serialize) -> Piece<'static> {
    // Only a map with keys that are not text or a failing writer makes this fail; these are structs.
    Piece::Bytes(serde_json::to_vec(value).unwrap_or_default())
}

fn from_json<T: DeserializeOwned>(mut content: Fields<'_>) -> Result<T, CheckpointError> {
    let text = content.remaining();
    if text.len() > TEXT_BYTES_MAX {
        return Err(content.wrong(format!("{} bytes of text, at most {TEXT_BYTES_MAX} are read", text.len())));
    }
    serde_json::from_slice(text).map_err(|error| content.wrong(error.to_string()))
}

fn numbers(values: &[u64]) -> Piece<'static> {
    Piece::Bytes(values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// A flag and the number, or 0.
fn optional(value: Option<u64>) -> [u64; 2] {
    [u64::from(value.is_some()), value.unwrap_or(0)]
}

fn counters_of(counters: &RunCounters) -> [u64; 8] {
    let RunCounters { steps, growth_events, activations, clamps, nan_detected, inf_detected, unstable_step } =
        *counters;
    let [has_unstable, unstable] = optional(unstable_step);
    let (nan, inf) = (u64::from(nan_detected), u64::from(inf_detected));
    [steps, growth_events, activations, clamps, nan, inf, has_unstable, unstable]
}

fn read_counters(mut content: Fields<'_>) -> Result<RunCounters, CheckpointError> {
    let counters = RunCounters {
        steps: content.u64()?,
        growth_events: content.u64()?,
        activations: content.u64()?,
        clamps: content.u64()?,
        nan_detected: content.flag()?,
        inf_detected: content.flag()?,
        unstable_step: content.optional_u64()?,
    };
    counters.check().map_err(|error| content.wrong(error.to_string()))?;
    content.end()?;
    Ok(counters)
}

fn read_random(mut content: Fields<'_>) -> Result<GeneratorPosition, CheckpointError> {
    let drawn = content.u64()?;
    let kept_half = content.optional_u64()?.map(u32::try_from).transpose();
    let kept_half = kept_half.map_err(|_| content.wrong("a kept half word has more than 32 bits"))?;
    if drawn > COUNT_MAX {
        return Err(content.wrong(format!("{drawn} random numbers, more than any run draws")));
    }
    content.end()?;
    Ok(GeneratorPosition { drawn, kept_half })
}

/// A plane: rows, columns, bytes of a cell, 0, cells row by row.
fn plane<'a>(tag: &'static str, (rows, columns): (usize, usize), cells: Piece<'a>) -> Section<'a> {
    let cell_bytes = if matches!(cells, Piece::F32(_)) { 4 } else { 8 };
    Section { tag, pieces: vec![numbers(&[rows as u64, columns as u64, cell_bytes, 0]), cells] }
}

fn read_plane<T, const N: usize>(
    mut content: Fields<'_>,
    spec: &Spec,
    of: fn([u8; N]) -> T,
) -> Result<Vec<T>, CheckpointError> {
    let head = [content.u64()?, content.u64()?, content.u64()?, content.u64()?];
    let expected = [spec.rows() as u64, spec.cols() as u64, N as u64, 0];
    if head != expected {
        return Err(
            content.wrong(format!("rows, columns, bytes of a cell, 0 are {head:?}, not {expected:?}"))
        );
    }
    content.cells(spec.rows() * spec.cols(), of)
}

fn read_fields<T, const N: usize>(
    sections: &mut Sections<'_>,
    spec: &Spec,
    of: fn([u8; N]) -> T,
) -> Result<[Vec<T>; 3], CheckpointError> {
    let mut read = |tag| read_plane(sections.required(tag)?, spec, of);
    let [potential, activator, inhibitor] = FIELDS;
    Ok([read(potential)?, read(activator)?, read(inhibitor)?])
}

fn temporal_numbers(state: &TemporalState) -> [u64; 12] {
    let RunningSlope { count, offset, mean, covariance } = state.energy;
    let [is_stable, stable_at] = optional(state.stable_at);
    [
        state.frames,
        state.rows as u64,
        state.cols as u64,
        state.change_mean_mv.to_bits(),
        state.change_max_mv.to_bits(),
        state.quiet_steps,
        is_stable,
        stable_at,
        count,
        offset.to_bits(),
        mean.to_bits(),
        covariance.to_bits(),
    ]
}

fn read_temporal(
    config: FeatureConfig,
    mut content: Fields<'_>,
    spec: &Spec,
    steps: u64,
) -> Result<TemporalState, CheckpointError> {
    let frames = content.u64()?;
    let (rows, cols) = (content.u64()?, content.u64()?);
    let expected = if frames == 0 { (0, 0) } else { (spec.rows(), spec.cols()) };
    if (rows, cols) != (expected.0 as u64, expected.1 as u64) {
        return Err(content.wrong(format!("frames of {rows} x {cols} cells are not those of the grid")));
    }
    if frames > steps {
        return Err(content.wrong(format!("{frames} frames of {steps} steps")));
    }
    let (rows, cols) = expected;
    let mut state = TemporalState {
        config,
        frames,
        rows,
        cols,
        change_mean_mv: content.f64()?,
        change_max_mv: content.f64()?,
        quiet_steps: content.u64()?,
        stable_at: content.optional_u64()?,
        energy: RunningSlope {
            count: content.u64()?,
            offset: content.f64()?,
            mean: content.f64()?,
            covariance: content.f64()?,
        },
        last_mv: Vec::new(),
    };
    state.last_mv = content.cells(rows * cols, f64::from_le_bytes)?;
    Ok(state)
}
