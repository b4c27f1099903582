//! Logarithm, sine and cosine with the same bits everywhere.
//!
//! The polynomials and their constants are those of FDLIBM (Sun Microsystems, 1993: `e_log.c`,
//! `k_sin.c`, `k_cos.c`), below one unit in the last place of error on the ranges used here. No
//! branch depends on the argument, so that loops over them can be vectorised.
#![allow(clippy::excessive_precision, reason = "the constants are written as their source has them")]

use std::f64::consts::FRAC_PI_2;

const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-01;
const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
const LG: [f64; 7] = [
    6.666_666_666_666_735_130e-01,
    3.999_999_999_940_941_908e-01,
    2.857_142_874_366_239_149e-01,
    2.222_219_843_214_978_396e-01,
    1.818_357_216_161_805_012e-01,
    1.531_383_769_920_937_332e-01,
    1.479_819_860_511_658_591e-01,
];

const S: [f64; 6] = [
    -1.666_666_666_666_663_243_48e-01,
    8.333_333_333_322_489_461_24e-03,
    -1.984_126_982_985_794_931_34e-04,
    2.755_731_370_707_006_767_89e-06,
    -2.505_076_025_340_686_341_95e-08,
    1.589_690_995_211_550_102_21e-10,
];

const C: [f64; 6] = [
    4.166_666_666_666_660_190_37e-02,
    -1.388_888_888_887_410_957_49e-03,
    2.480_158_728_947_672_941_78e-05,
    -2.755_731_435_139_066_330_35e-07,
    2.087_572_321_298_174_827_90e-09,
    -1.135_964_755_778_819_482_65e-11,
];

/// A quarter of a turn of 2^53 is 2 to this.
const QUARTER_BITS: u32 = 51;
const QUARTER: u64 = 1 << QUARTER_BITS;
/// 1.5 * 2^52, where neighbouring numbers are 1 apart, up to 2^51 to either side.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// Upper halves of 1 and of sqrt(1/2).
const ONE_HIGH: u64 = 0x3ff0_0000;
const SQRT_HALF_HIGH: u64 = 0x3fe6_a09e;

/// The natural logarithm of a positive normal number.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    // x = 2^exponent * (1 + f) with sqrt(1/2) < 1 + f < sqrt(2).
    let bits = x.to_bits();
    let high = (bits >> 32) + (ONE_HIGH - SQRT_HALF_HIGH);
    // Through 32 bits: such integers become floats in vector registers of any width.
    let exponent = f64::from((high >> 20) as i32 - 0x3ff);
    let mantissa = (high & 0x000f_ffff) + SQRT_HALF_HIGH;
    let f = f64::from_bits((mantissa << 32) | (bits & 0xffff_ffff)) - 1.0;
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let odd = z * (LG[0] + w * (LG[2] + w * (LG[4] + w * LG[6])));
    let even = w * (LG[1] + w * (LG[3] + w * LG[5]));
    let rest = odd + even;
    exponent * LN2_HIGH - ((half_square - (s * (half_square + rest) + exponent * LN2_LOW)) - f)
}

/// Sine and cosine of 2 pi `turn` / 2^53, for `turn` below 2^53.
#[inline(always)]
pub(super) fn sin_cos_turn(turn: u64) -> (f64, f64) {
    // In whole numbers: a conversion of floats that saturates would keep loops from being vectorised.
    let quadrant = (turn + QUARTER / 2) >> QUARTER_BITS;
    // At most 2^50 in magnitude: added to the bits of `WHOLE` it is added to the number.
    let beyond = turn.wrapping_sub(quadrant << QUARTER_BITS);
    let x = f64::from_bits(WHOLE.to_bits().wrapping_add(beyond)) - WHOLE;
    // In [-pi/4, pi/4].
    let x = x * (FRAC_PI_2 / QUARTER as f64);
    let z = x * x;
    let w = z * z;
    let sine = {
        let r = S[1] + z * (S[2] + z * S[3]) + z * w * (S[4] + z * S[5]);
        x + z * x * (S[0] + z * r)
    };
    let cosine = {
        let r = z * (C[0] + z * (C[1] + z * C[2])) + w * w * (C[3] + z * (C[4] + z * C[5]));
        let half = 0.5 * z;
        let high = 1.0 - half;
        high + (((1.0 - high) - half) + z * r)
    };
    // An odd quadrant swaps the two; the signs are bits, so that -0 is one as well.
    let (sine, cosine) = (sine.to_bits(), cosine.to_bits());
    let swap = (sine ^ cosine) & (quadrant & 1).wrapping_neg();
    let sine_sign = (quadrant & 2) << 62;
    let cosine_sign = ((quadrant + 1) & 2) << 62;
    (f64::from_bits(sine ^ swap ^ sine_sign), f64::from_bits(cosine ^ swap ^ cosine_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards accuracy against the C library: a relative error of 2^-51 or 2^-52 absolute.
    #[test]
    fn accurate_to_the_last_bits() {
        let close = |got: f64, wanted: f64| {
            assert!((got - wanted).abs() <= wanted.abs() * 4.5e-16 + 2.3e-16, "{got} for {wanted}");
        };
        for index in 0..200_000_u64 {
            let turn = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
            let unit = turn as f64 / 2.0_f64.powi(53);
            let (sine, cosine) = sin_cos_turn(turn);
            let angle = std::f64::consts::TAU * unit;
            // The argument of the C library is itself rounded: up to half a unit of the angle.
            assert!((sine - angle.sin()).abs() < 1e-15 && (cosine - angle.cos()).abs() < 1e-15);
            for x in [unit + 2.0_f64.powi(-53), (1.0 - unit) * 2.0_f64.powi(-(index as i32 % 53))] {
                close(ln(x), x.ln());
            }
        }
        assert_eq!(ln(1.0), 0.0);
        close(ln(2.0_f64.powi(-53)), 2.0_f64.powi(-53).ln());
        assert_eq!(
            [0, 1, 2, 3].map(|quarters| sin_cos_turn(quarters * QUARTER)),
            [(0.0, 1.0), (1.0, -0.0), (-0.0, -1.0), (-1.0, 0.0)]
        );
    }
}
