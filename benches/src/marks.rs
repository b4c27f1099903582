//! Figures that must hold, each printed with what was measured, what is required, and a verdict.
//!
//! A line says what is so and fails nothing: a time belongs to one machine at one moment, and what a busy machine
//! shows is no reason to refuse a change.

/// What is required of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Required {
    /// It has to be as large, or larger.
    AtLeast(f64),
    /// It has to be as small, or smaller.
    AtMost(f64),
}

impl Required {
    /// Whether a figure is as required; a figure that is no number never is.
    #[must_use]
    pub fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(bound) => measured >= bound,
            Self::AtMost(bound) => measured <= bound,
        }
    }

    /// The line of a figure.
    #[must_use]
    pub fn line(self, figure: &str, measured: f64, unit: &str) -> String {
        let (sign, bound) = match self {
            Self::AtLeast(bound) => (">=", bound),
            Self::AtMost(bound) => ("<=", bound),
        };
        let verdict = if self.holds(measured) { "pass" } else { "FAIL" };
        format!(
            "must hold: {figure}: measured {measured:.2} {unit}, required {sign} {bound} {unit}: {verdict}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the verdict: bounds belong to what passes, and what could not be measured fails both ways.
    #[test]
    fn a_bound_decides() {
        assert!(Required::AtLeast(5.0).holds(5.0) && !Required::AtLeast(5.0).holds(4.9));
        assert!(Required::AtMost(2.0).holds(2.0) && !Required::AtMost(2.0).holds(2.1));
        assert!(!Required::AtLeast(0.0).holds(f64::NAN) && !Required::AtMost(9.0).holds(f64::NAN));
        assert_eq!(
            Required::AtMost(2.0).line("cost", 2.5, "us"),
            "must hold: cost: measured 2.50 us, required <= 2 us: FAIL"
        );
    }
}
