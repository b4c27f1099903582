//! Features: a field reduced to the 18 numbers of MyceliumFractalNet.
//!
//! mfn_features_compute() reads a field in volts where it lies, for example an array of the host's
//! own. The four features dv_mean, dv_max, t_stable and e_trend describe a run: for one field
//! t_stable is NaN and the others are 0; a
//! simulation has them after mfn_sim_follow_features().

use std::ffi::{c_char, c_double};

use ::mfn_sim::features::{Connectivity, NAMES, UNITS, compute};
use ::mfn_sim::{Compat, FeatureConfig, Features};

use crate::argument::{SizedSlot, flag, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::field::{self, mfn_field_view};
use crate::guard;
use crate::status::mfn_status;

/// What the features depend on beside the field. Fill it with mfn_feature_config_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_feature_config {
    /// sizeof(mfn_feature_config).
    pub struct_size: u32,
    /// Which cells are neighbours in a cluster: 4 or 8.
    pub connectivity: i32,
    /// Smallest box of the box counting, cells.
    pub min_box_size: u64,
    /// Largest box of the box counting, cells; 0: derived from the field.
    pub max_box_size: u64,
    /// Number of box sizes before duplicates are dropped.
    pub num_scales: u64,
    /// Consecutive quiet steps that count as stable.
    pub stability_window: u64,
    /// A cell above it is active, mV.
    pub threshold_low_mv: c_double,
    /// Threshold of n_clusters_med, mV.
    pub threshold_med_mv: c_double,
    /// Threshold of n_clusters_high, mV.
    pub threshold_high_mv: c_double,
    /// A step is quiet when the root mean square of the change is below it, mV.
    pub stability_threshold_mv: c_double,
    /// 1: the definitions of MyceliumFractalNet 4.1 with their faults, square fields only; 0: the right ones.
    pub compat_v4_1: i32,
    /// Whether clusters go on across the edges of the grid: 0 as the grid does (a simulation with the
    /// periodic boundary), 1 yes, 2 no.
    pub wrap: i32,
}

/// The 18 features. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_features {
    /// sizeof(mfn_features).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Box-counting dimension of the active cells.
    pub d_box: c_double,
    /// Coefficient of determination of its fit.
    pub d_r2: c_double,
    /// Lowest potential, mV.
    pub v_min: c_double,
    /// Highest potential, mV.
    pub v_max: c_double,
    /// Mean potential, mV.
    pub v_mean: c_double,
    /// Standard deviation of the potential, mV.
    pub v_std: c_double,
    /// Skewness of the potential.
    pub v_skew: c_double,
    /// Excess kurtosis of the potential.
    pub v_kurt: c_double,
    /// Mean absolute change of a cell from step to step, mV.
    pub dv_mean: c_double,
    /// Largest absolute change of a cell from step to step, mV.
    pub dv_max: c_double,
    /// Step at which the run became quiet; NaN if it did not, and for one field.
    pub t_stable: c_double,
    /// Slope of the sum of squared potentials, mV^2 per step.
    pub e_trend: c_double,
    /// Fraction of active cells.
    pub f_active: c_double,
    /// Clusters above the low threshold.
    pub n_clusters_low: c_double,
    /// Clusters above the medium threshold.
    pub n_clusters_med: c_double,
    /// Clusters above the high threshold.
    pub n_clusters_high: c_double,
    /// Cells of the largest cluster above the low threshold.
    pub max_cluster_size: c_double,
    /// Standard deviation of the sizes of those clusters, cells.
    pub cluster_size_std: c_double,
}

sized32! {
    mfn_feature_config = 80;
    mfn_features = 152;
}

/// Number of features.
pub const MFN_FEATURE_COUNT: usize = 18;
const _: () = assert!(MFN_FEATURE_COUNT == NAMES.len());

impl From<&Features> for mfn_features {
    fn from(features: &Features) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            reserved: 0,
            d_box: features.d_box,
            d_r2: features.d_r2,
            v_min: features.v_min,
            v_max: features.v_max,
            v_mean: features.v_mean,
            v_std: features.v_std,
            v_skew: features.v_skew,
            v_kurt: features.v_kurt,
            dv_mean: features.dv_mean,
            dv_max: features.dv_max,
            t_stable: features.t_stable.unwrap_or(f64::NAN),
            e_trend: features.e_trend,
            f_active: features.f_active,
            n_clusters_low: features.n_clusters_low,
            n_clusters_med: features.n_clusters_med,
            n_clusters_high: features.n_clusters_high,
            max_cluster_size: features.max_cluster_size,
            cluster_size_std: features.cluster_size_std,
        }
    }
}

/// Reads a configuration from C; NULL means the defaults.
pub(crate) fn config(name: &str, config: *const mfn_feature_config) -> Result<FeatureConfig, Failure> {
    if config.is_null() {
        return Ok(FeatureConfig::default());
    }
    let given = read_sized(name, config)?;
    let count = |field: &str, value: u64| {
        usize::try_from(value)
            .map_err(|_| Failure::invalid(format!("{name}.{field} = {value} does not fit this machine")))
    };
    Ok(FeatureConfig {
        compat: flag(&format!("{name}.compat_v4_1"), given.compat_v4_1)?.then_some(Compat::V4_1),
        wrap: match given.wrap {
            0 => None,
            1 => Some(true),
            2 => Some(false),
            other => return Err(Failure::invalid(format!("{name}.wrap = {other}: give 0, 1 or 2"))),
        },
        min_box_size: count("min_box_size", given.min_box_size)?,
        max_box_size: match given.max_box_size {
            0 => None,
            cells => Some(count("max_box_size", cells)?),
        },
        num_scales: count("num_scales", given.num_scales)?,
        threshold_low_mv: given.threshold_low_mv,
        threshold_med_mv: given.threshold_med_mv,
        threshold_high_mv: given.threshold_high_mv,
        stability_threshold_mv: given.stability_threshold_mv,
        stability_window: given.stability_window,
        connectivity: connectivity(name, given.connectivity)?,
    })
}

/// Reads the field `connectivity` of a configuration.
pub(crate) fn connectivity(config: &str, value: i32) -> Result<Connectivity, Failure> {
    match value {
        4 => Ok(Connectivity::Four),
        8 => Ok(Connectivity::Eight),
        other => Err(Failure::invalid(format!("{config}.connectivity = {other}: give 4 or 8"))),
    }
}

/// A connectivity as C has it.
pub(crate) fn connectivity_number(connectivity: Connectivity) -> i32 {
    match connectivity {
        Connectivity::Four => 4,
        Connectivity::Eight => 8,
    }
}

/// Fills a configuration with the defaults. struct_size is sizeof(mfn_feature_config).
/// config belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_feature_config_init(
    config: *mut mfn_feature_config,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::of_size("config", config, struct_size)?;
        let defaults = FeatureConfig::default();
        slot.write(&mfn_feature_config {
            struct_size: 0,
            connectivity: connectivity_number(defaults.connectivity),
            min_box_size: defaults.min_box_size as u64,
            max_box_size: defaults.max_box_size.unwrap_or(0) as u64,
            num_scales: defaults.num_scales as u64,
            stability_window: defaults.stability_window,
            threshold_low_mv: defaults.threshold_low_mv,
            threshold_med_mv: defaults.threshold_med_mv,
            threshold_high_mv: defaults.threshold_high_mv,
            stability_threshold_mv: defaults.stability_threshold_mv,
            compat_v4_1: 0,
            wrap: 0,
        });
        Ok(())
    })
}

/// Computes the features of a field in volts, in place. config may be NULL for the defaults. A cell that is not
/// finite is refused by its place; with compat_v4_1 NaN cells are not active and make v_min to v_kurt NaN. The field is read during the call only; features belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_features_compute(
    field: *const mfn_field_view,
    config: *const mfn_feature_config,
    features: *mut mfn_features,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("features", features)?;
        let field = field::borrow("field", field)?;
        let computed = compute(field, &self::config("config", config)?)?;
        slot.write(&mfn_features::from(&computed));
        Ok(())
    })
}

/// The name of a feature, such as "D_box", in the order of the fields of mfn_features; NULL beyond the
/// last. The text is static. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_feature_name(index: usize) -> *const c_char {
    static TEXTS: StaticTexts<MFN_FEATURE_COUNT> = static_texts(&NAMES);
    TEXTS.get(index).map_or(std::ptr::null(), |text| text.as_ptr().cast())
}

/// The unit of a feature, such as "mV"; "1" for a pure number; NULL beyond the last. The text is static.
/// [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_feature_unit(index: usize) -> *const c_char {
    static TEXTS: StaticTexts<MFN_FEATURE_COUNT> = static_texts(&UNITS);
    TEXTS.get(index).map_or(std::ptr::null(), |text| text.as_ptr().cast())
}

/// Short texts for C, each ended by a NUL.
pub(crate) type StaticTexts<const COUNT: usize> = [[u8; 24]; COUNT];

/// The texts with their NUL, made at compile time so that they are static in C as well.
pub(crate) const fn static_texts<const COUNT: usize>(texts: &[&str; COUNT]) -> StaticTexts<COUNT> {
    let mut table = [[0; 24]; COUNT];
    let mut index = 0;
    while index < texts.len() {
        let bytes = texts[index].as_bytes();
        assert!(bytes.len() < 24, "a name is too long for the table");
        let mut position = 0;
        while position < bytes.len() {
            table[index][position] = bytes[position];
            position += 1;
        }
        index += 1;
    }
    table
}
