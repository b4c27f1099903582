//! Robust aggregation: one gradient out of many, although some clients lie.
//!
//! Gradients are a view with one row per client and one column per coordinate, read where they lie. A
//! coordinate that is NaN, infinite or beyond 1e140 is refused with the index of its client. The functions
//! with v4_1 in their name give the results of MyceliumFractalNet 4.1 in single precision, faults included.
//! The work is done on the calling thread.

use std::ffi::c_double;

use ::mfn_sim::aggregation::{
    Aggregation, AggregationError, GeometricMedian, HierarchicalKrum, Method, aggregate, hierarchical_krum,
    v4_1,
};
use ::mfn_sim::rng::Generator;

use crate::argument::{SizedSlot, Slot, read_sized, sized32, slots};
use crate::error::{Failure, mfn_error};
use crate::field::{self, mfn_field_view};
use crate::guard;
use crate::status::{MFN_INVALID, mfn_status};

/// The gradient with the lowest Krum score. Needs n >= 2 f + 3.
pub const MFN_METHOD_KRUM: i32 = 0;
/// The mean of the gradients with the lowest Krum scores. Needs n >= 2 f + 3.
pub const MFN_METHOD_MULTI_KRUM: i32 = 1;
/// In each coordinate the mean without the f lowest and f highest values. Needs n >= 2 f + 1.
pub const MFN_METHOD_TRIMMED_MEAN: i32 = 2;
/// The median of each coordinate. Needs n >= 2 f + 1.
pub const MFN_METHOD_MEDIAN: i32 = 3;
/// The point with the smallest sum of distances. Needs n >= 2 f + 1.
pub const MFN_METHOD_GEOMETRIC_MEDIAN: i32 = 4;

/// How gradients are aggregated. Fill it with mfn_aggregation_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_aggregation_options {
    /// sizeof(mfn_aggregation_options).
    pub struct_size: u32,
    /// One of the MFN_METHOD_* constants.
    pub method: i32,
    /// Attackers to be survived: f above.
    pub byzantine: u64,
    /// Gradients that Multi-Krum averages, at most n - f - 2; 0: so many.
    pub selected: u64,
    /// Most iterations of the geometric median, 1 to 100000.
    pub iterations_max: u64,
    /// Its radius of smoothing as a part of the median distance, 1e-12 to 0.1.
    pub smoothing: c_double,
    /// Its relative bound on the sum of distances that ends the iteration, 1e-14 to 1.
    pub tolerance: c_double,
}

/// What an aggregation did. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_aggregation {
    /// sizeof(mfn_aggregation).
    pub struct_size: u32,
    /// 1 when the geometric median is within its tolerance, and for all other methods; else 0.
    pub converged: i32,
    /// Gradients that were averaged; 0 for methods that select none.
    pub selected_count: u64,
    /// The first of them; 0 when there is none.
    pub selected_index: u64,
    /// Iterations of the geometric median.
    pub iterations: u64,
    /// Its sum of distances exceeds the smallest possible one by at most this part.
    pub relative_gap_max: c_double,
}

/// How hierarchical Krum works. Fill it with mfn_hierarchical_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_hierarchical_options {
    /// sizeof(mfn_hierarchical_options).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The most clusters, 1 to 65536.
    pub num_clusters: u64,
    /// Above this number of clients a sample is used; 0: all always are.
    pub sample_above: u64,
    /// Seed of the random dealing into clusters. An attacker must not know it.
    pub seed: u64,
    /// Fraction of attackers to be survived, 0 to below 0.5.
    pub byzantine_fraction: c_double,
    /// Fraction of the clients in the sample, above 0 to 1.
    pub sample_fraction: c_double,
    /// Weight of Krum beside the median of the winners, 0 to 1.
    pub krum_weight: c_double,
}

sized32! {
    mfn_aggregation_options = 48;
    mfn_aggregation = 40;
    mfn_hierarchical_options = 56;
}

impl From<AggregationError> for Failure {
    fn from(error: AggregationError) -> Self {
        match error {
            AggregationError::Settings(error) => error.into(),
            other => Failure::from_error(MFN_INVALID, &other),
        }
    }
}

/// A count from C. One that does not fit this machine is beyond every limit anyway.
pub(crate) fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Places for exactly `expected` numbers.
pub(crate) fn outputs<T>(
    name: &str,
    pointer: *mut T,
    given: usize,
    expected: usize,
) -> Result<impl Iterator<Item = Slot<T>>, Failure> {
    if given != expected {
        return Err(Failure::invalid(format!("{name} has room for {given} numbers: give {expected}")));
    }
    slots(name, pointer, given)
}

/// Fills options with the defaults: Krum for no attackers. struct_size is sizeof(mfn_aggregation_options).
/// options belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_aggregation_options_init(
    options: *mut mfn_aggregation_options,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let median = GeometricMedian::default();
        SizedSlot::of_size("options", options, struct_size)?.write(&mfn_aggregation_options {
            struct_size: 0,
            method: MFN_METHOD_KRUM,
            byzantine: 0,
            selected: 0,
            iterations_max: median.iterations_max as u64,
            smoothing: median.smoothing,
            tolerance: median.tolerance,
        });
        Ok(())
    })
}

/// Aggregates gradients. value has value_count places, one per coordinate. scores (may be NULL) has one place
/// per client for the Krum scores, with a relative error of at most 2.5e-4 and only that of rounding where more
/// might decide; 0 for methods without. selected (may be NULL) has one place per client: 1 for those whose mean
/// the result is, else 0. report may be NULL. The gradients are read during the call only; the outputs belong to
/// the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_aggregate(
    gradients: *const mfn_field_view,
    options: *const mfn_aggregation_options,
    value: *mut c_double,
    value_count: usize,
    scores: *mut c_double,
    selected: *mut i32,
    report: *mut mfn_aggregation,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let gradients = field::borrow("gradients", gradients)?;
        let (clients, coordinates) = gradients.dim();
        let options = read_sized("options", options)?;
        let value = outputs("value", value, value_count, coordinates)?;
        let scores = optional_slots("scores", scores, clients)?;
        let selected = optional_slots("selected", selected, clients)?;
        let report = if report.is_null() { None } else { Some(SizedSlot::new("report", report)?) };
        let result = aggregate(gradients, &method(&options)?, count(options.byzantine))?;
        if let Some(report) = report {
            report.write(&mfn_aggregation::from(&result));
        }
        for (slot, number) in value.zip(result.value) {
            slot.write(number);
        }
        for (client, slot) in scores.into_iter().flatten().enumerate() {
            slot.write(result.scores.get(client).copied().unwrap_or(0.0));
        }
        for (client, slot) in selected.into_iter().flatten().enumerate() {
            slot.write(i32::from(result.selected.binary_search(&client).is_ok()));
        }
        Ok(())
    })
}

fn optional_slots<T>(
    name: &str,
    pointer: *mut T,
    count: usize,
) -> Result<Option<impl Iterator<Item = Slot<T>>>, Failure> {
    if pointer.is_null() { Ok(None) } else { slots(name, pointer, count).map(Some) }
}

fn method(options: &mfn_aggregation_options) -> Result<Method, Failure> {
    Ok(match options.method {
        MFN_METHOD_KRUM => Method::Krum,
        MFN_METHOD_MULTI_KRUM => Method::MultiKrum {
            selected: match options.selected {
                0 => None,
                given => Some(count(given)),
            },
        },
        MFN_METHOD_TRIMMED_MEAN => Method::TrimmedMean,
        MFN_METHOD_MEDIAN => Method::Median,
        MFN_METHOD_GEOMETRIC_MEDIAN => Method::GeometricMedian(GeometricMedian {
            smoothing: options.smoothing,
            tolerance: options.tolerance,
            iterations_max: count(options.iterations_max),
        }),
        other => {
            return Err(Failure::invalid(format!(
                "options.method = {other}: give one of the MFN_METHOD_* constants"
            )));
        }
    })
}

impl From<&Aggregation> for mfn_aggregation {
    fn from(result: &Aggregation) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            converged: i32::from(result.convergence.is_none_or(|end| end.converged)),
            selected_count: result.selected.len() as u64,
            selected_index: result.selected.first().copied().unwrap_or(0) as u64,
            iterations: result.convergence.map_or(0, |end| end.iterations as u64),
            relative_gap_max: result.convergence.map_or(0.0, |end| end.relative_gap_max),
        }
    }
}

/// Fills options with the defaults. struct_size is sizeof(mfn_hierarchical_options). options belongs to the
/// host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_hierarchical_options_init(
    options: *mut mfn_hierarchical_options,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let defaults = HierarchicalKrum::default();
        SizedSlot::of_size("options", options, struct_size)?.write(&mfn_hierarchical_options {
            struct_size: 0,
            reserved: 0,
            num_clusters: defaults.num_clusters as u64,
            sample_above: defaults.sample_above.unwrap_or(0) as u64,
            seed: defaults.seed,
            byzantine_fraction: defaults.byzantine_fraction,
            sample_fraction: defaults.sample_fraction,
            krum_weight: defaults.krum_weight,
        });
        Ok(())
    })
}

/// Aggregates gradients in two levels, for more clients than Krum can take at once: Multi-Krum in balanced
/// clusters, then Krum and the median of the winners. value has value_count places, one per coordinate.
/// clusters (may be NULL) becomes the number of clusters. The gradients are read during the call only; the
/// outputs belong to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_aggregate_hierarchical(
    gradients: *const mfn_field_view,
    options: *const mfn_hierarchical_options,
    value: *mut c_double,
    value_count: usize,
    clusters: *mut u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let gradients = field::borrow("gradients", gradients)?;
        let options = read_sized("options", options)?;
        let value = outputs("value", value, value_count, gradients.ncols())?;
        let clusters = Slot::optional("clusters", clusters)?;
        if options.reserved != 0 {
            return Err(Failure::invalid(format!("options.reserved = {}: give 0", options.reserved)));
        }
        let settings = HierarchicalKrum {
            num_clusters: count(options.num_clusters),
            byzantine_fraction: options.byzantine_fraction,
            sample_above: (options.sample_above > 0).then(|| count(options.sample_above)),
            sample_fraction: options.sample_fraction,
            krum_weight: options.krum_weight,
            seed: options.seed,
        };
        let result = hierarchical_krum(gradients, &settings)?;
        for (slot, number) in value.zip(result.value) {
            slot.write(number);
        }
        if let Some(clusters) = clusters {
            clusters.write(result.clusters.len() as u64);
        }
        Ok(())
    })
}

/// The index that krum_select of MyceliumFractalNet 4.1 chooses, in single precision: a client with a NaN
/// wins, and the number of attackers is not checked. The gradients are read during the call only; index
/// belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_krum_select_v4_1(
    gradients: *const mfn_field_view,
    byzantine: u64,
    index: *mut u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let gradients = field::borrow("gradients", gradients)?;
        let slot = Slot::required("index", index)?;
        let single = gradients.mapv(|value| value as f32);
        slot.write(v4_1::krum_select(single.view(), count(byzantine))? as u64);
        Ok(())
    })
}

/// Aggregates as HierarchicalKrumAggregator of MyceliumFractalNet 4.1, in single precision. Of the options,
/// num_clusters, byzantine_fraction, sample_fraction and seed (42 there) are used; NULL: the defaults. value
/// has value_count places, one per coordinate. The gradients are read during the call only; value belongs to
/// the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_aggregate_hierarchical_v4_1(
    gradients: *const mfn_field_view,
    options: *const mfn_hierarchical_options,
    value: *mut c_double,
    value_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let gradients = field::borrow("gradients", gradients)?;
        let value = outputs("value", value, value_count, gradients.ncols())?;
        let (aggregator, seed) = if options.is_null() {
            (v4_1::HierarchicalKrumAggregator::default(), HierarchicalKrum::default().seed)
        } else {
            let options = read_sized("options", options)?;
            let aggregator = v4_1::HierarchicalKrumAggregator::new(
                count(options.num_clusters),
                options.byzantine_fraction,
                options.sample_fraction,
            )?;
            (aggregator, options.seed)
        };
        let single = gradients.mapv(|value| value as f32);
        let result = aggregator.aggregate(single.view(), &mut Generator::new(seed))?;
        for (slot, number) in value.zip(result.value) {
            slot.write(f64::from(number));
        }
        Ok(())
    })
}
