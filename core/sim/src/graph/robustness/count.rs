//! Numbers of shortest paths, which double with every choice and so outgrow a float in a long ladder.

/// A positive number with an exponent of its own: mantissa * 2^exponent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Count {
    mantissa: f64,
    exponent: i32,
}

/// Above this a mantissa gives some of its size to the exponent.
const MANTISSA_MAX: f64 = 1.157_920_892_373_162e77; // 2^256
const SHIFT: i32 = 256;

impl Count {
    pub(super) const ZERO: Self = Self { mantissa: 0.0, exponent: 0 };
    pub(super) const ONE: Self = Self { mantissa: 1.0, exponent: 0 };

    pub(super) fn add(&mut self, other: Self) {
        if self.mantissa == 0.0 {
            *self = other;
            return;
        }
        let exponent = self.exponent.max(other.exponent);
        self.mantissa = scaled(self.mantissa, self.exponent - exponent)
            + scaled(other.mantissa, other.exponent - exponent);
        self.exponent = exponent;
        if self.mantissa > MANTISSA_MAX {
            self.mantissa /= MANTISSA_MAX;
            self.exponent += SHIFT;
        }
    }

    /// This as a fraction of a number that is not smaller.
    pub(super) fn fraction_of(self, whole: Self) -> f64 {
        scaled(self.mantissa / whole.mantissa, self.exponent - whole.exponent)
    }
}

/// Exponents differ by multiples of the shift; more than four of them are nothing to a float.
fn scaled(value: f64, exponent: i32) -> f64 {
    match exponent / SHIFT {
        0 => value,
        shifts if shifts < -4 => 0.0,
        shifts => value * MANTISSA_MAX.powi(shifts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards fractions of numbers far beyond the largest float.
    #[test]
    fn doubling_does_not_overflow() {
        let mut count = Count::ONE;
        let mut half = Count::ZERO;
        for _ in 0..5000 {
            half = count;
            count.add(half);
        }
        assert_eq!(half.fraction_of(count), 0.5);
        assert_eq!(Count::ONE.fraction_of(count), 0.0);
        let mut three = Count::ONE;
        three.add(Count::ONE);
        three.add(Count::ONE);
        assert_eq!(Count::ONE.fraction_of(three), 1.0 / 3.0);
    }
}
