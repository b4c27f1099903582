//! Descriptors: what else tells the pattern of a field from another, beside the features.
//!
//! mfn_descriptors_compute() reads a field of 1 to 65,536 cells on a side in volts where it lies: dimensions of its mass,
//! lacunarity, area, perimeter and Euler number of the pattern, which are the cells above a threshold, and wavelength and
//! entropy of the field.

use std::ffi::{c_char, c_double};

use ::mfn_sim::descriptors::{DescriptorConfig, DescriptorError, Descriptors, NAMES, UNITS, compute};

use crate::argument::{self, SizedSlot, read_sized, sized32};
use crate::error::{self, Failure, mfn_error};
use crate::features::{StaticTexts, connectivity, connectivity_number, static_texts};
use crate::field::{self, mfn_field_view};
use crate::guard;
use crate::status::{MFN_INVALID, mfn_status};

/// What the descriptors depend on beside the field. Fill it with mfn_descriptor_config_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_descriptor_config {
    /// sizeof(mfn_descriptor_config).
    pub struct_size: u32,
    /// 1: opposite edges of the grid touch, for lacunarity, perimeter and Euler number; 0: they do not.
    pub wrap: i32,
    /// A cell above it is part of the pattern, mV.
    pub threshold_mv: c_double,
    /// Smallest box of the dimensions, cells.
    pub min_box_size: u64,
    /// Largest box of the dimensions, cells; 0: half the shorter side.
    pub max_box_size: u64,
    /// Ratio of a box to the next smaller one.
    pub box_ratio: u64,
    /// Bins of the histogram between the lowest and the highest value.
    pub histogram_bins: u64,
    /// Which cells of the pattern hang together, for the Euler number: 4 or 8.
    pub connectivity: i32,
    /// 0.
    pub reserved: u32,
}

/// The descriptors. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_descriptors {
    /// sizeof(mfn_descriptors).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Information dimension of the pattern; NaN without a pattern or with fewer than two boxes.
    pub d_information: c_double,
    /// Coefficient of determination of its fit.
    pub d_information_r2: c_double,
    /// Correlation dimension of the pattern; NaN without a pattern or with fewer than two boxes.
    pub d_correlation: c_double,
    /// Coefficient of determination of its fit.
    pub d_correlation_r2: c_double,
    /// Lacunarity for boxes of 2 x 2 cells; NaN without a pattern or room for a box, as the next three.
    pub lacunarity_2: c_double,
    /// Lacunarity for boxes of 4 x 4 cells.
    pub lacunarity_4: c_double,
    /// Lacunarity for boxes of 8 x 8 cells.
    pub lacunarity_8: c_double,
    /// Lacunarity for boxes of 16 x 16 cells.
    pub lacunarity_16: c_double,
    /// Cells of the pattern.
    pub area: c_double,
    /// Edges between the pattern and its background, cells.
    pub perimeter: c_double,
    /// Pieces of the pattern less its holes.
    pub euler: c_double,
    /// Wavelength at the peak of the power spectrum, cells; NaN for a flat field.
    pub wavelength: c_double,
    /// Entropy of the histogram, bit.
    pub entropy: c_double,
}

sized32! {
    mfn_descriptor_config = 56;
    mfn_descriptors = 112;
}

/// Number of descriptors.
pub const MFN_DESCRIPTOR_COUNT: usize = 13;
const _: () = assert!(MFN_DESCRIPTOR_COUNT == NAMES.len());

impl From<DescriptorError> for Failure {
    fn from(error: DescriptorError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        match &error {
            DescriptorError::Config(faults) => failure.with_faults(error::spec_faults(faults)),
            _ => failure,
        }
    }
}

impl From<&Descriptors> for mfn_descriptors {
    fn from(descriptors: &Descriptors) -> Self {
        let [lacunarity_2, lacunarity_4, lacunarity_8, lacunarity_16] = descriptors.lacunarity;
        Self {
            struct_size: size_of::<Self>() as u32,
            reserved: 0,
            d_information: descriptors.d_information,
            d_information_r2: descriptors.d_information_r2,
            d_correlation: descriptors.d_correlation,
            d_correlation_r2: descriptors.d_correlation_r2,
            lacunarity_2,
            lacunarity_4,
            lacunarity_8,
            lacunarity_16,
            area: descriptors.area,
            perimeter: descriptors.perimeter,
            euler: descriptors.euler,
            wavelength: descriptors.wavelength,
            entropy: descriptors.entropy,
        }
    }
}

/// Reads a configuration from C; NULL means the defaults.
fn config(name: &str, config: *const mfn_descriptor_config) -> Result<DescriptorConfig, Failure> {
    if config.is_null() {
        return Ok(DescriptorConfig::default());
    }
    let given = read_sized(name, config)?;
    if given.reserved != 0 {
        return Err(Failure::invalid(format!("{name}.reserved = {}: give 0", given.reserved)));
    }
    let count = |field: &str, value: u64| {
        usize::try_from(value)
            .map_err(|_| Failure::invalid(format!("{name}.{field} = {value} does not fit this machine")))
    };
    Ok(DescriptorConfig {
        threshold_mv: given.threshold_mv,
        wrap: argument::flag(&format!("{name}.wrap"), given.wrap)?,
        connectivity: connectivity(name, given.connectivity)?,
        min_box_size: count("min_box_size", given.min_box_size)?,
        max_box_size: match given.max_box_size {
            0 => None,
            cells => Some(count("max_box_size", cells)?),
        },
        box_ratio: count("box_ratio", given.box_ratio)?,
        histogram_bins: count("histogram_bins", given.histogram_bins)?,
    })
}

/// Fills a configuration with the defaults. struct_size is sizeof(mfn_descriptor_config).
/// config belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_descriptor_config_init(
    config: *mut mfn_descriptor_config,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::of_size("config", config, struct_size)?;
        let defaults = DescriptorConfig::default();
        slot.write(&mfn_descriptor_config {
            struct_size: 0,
            wrap: i32::from(defaults.wrap),
            threshold_mv: defaults.threshold_mv,
            min_box_size: defaults.min_box_size as u64,
            max_box_size: defaults.max_box_size.unwrap_or(0) as u64,
            box_ratio: defaults.box_ratio as u64,
            histogram_bins: defaults.histogram_bins as u64,
            connectivity: connectivity_number(defaults.connectivity),
            reserved: 0,
        });
        Ok(())
    })
}

/// Computes the descriptors of a field in volts, in place. config may be NULL for the defaults. MFN_INVALID names the
/// first cell that is NaN or infinite. Takes 8 bytes of memory per cell, 16 per row and 250 per cell of the longer side.
/// The field is read during the call only; descriptors belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_descriptors_compute(
    field: *const mfn_field_view,
    config: *const mfn_descriptor_config,
    descriptors: *mut mfn_descriptors,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("descriptors", descriptors)?;
        let field = field::borrow("field", field)?;
        let computed = compute(field, &self::config("config", config)?)?;
        slot.write(&mfn_descriptors::from(&computed));
        Ok(())
    })
}

/// The name of a descriptor, such as "area", in the order of the fields of mfn_descriptors; NULL beyond the
/// last. The text is static. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_descriptor_name(index: usize) -> *const c_char {
    static TEXTS: StaticTexts<MFN_DESCRIPTOR_COUNT> = static_texts(&NAMES);
    TEXTS.get(index).map_or(std::ptr::null(), |text| text.as_ptr().cast())
}

/// The unit of a descriptor, such as "cells"; "1" for a pure number; NULL beyond the last. The text is static.
/// [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_descriptor_unit(index: usize) -> *const c_char {
    static TEXTS: StaticTexts<MFN_DESCRIPTOR_COUNT> = static_texts(&UNITS);
    TEXTS.get(index).map_or(std::ptr::null(), |text| text.as_ptr().cast())
}
