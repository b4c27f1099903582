//! From potentials to colours and to the numbers beside the colour bar.

use super::canvas::Colour;

/// Colours are looked up in this many steps, so that equal values look equal.
const STEPS: usize = 256;

/// A range of potentials in mV and its colour map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low_mv: f64,
    high_mv: f64,
}

/// A number beside the colour bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value_mv: f64,
    pub(super) label: String,
}

impl Scale {
    /// A scale over a range; `None` when it is empty, not finite or too wide to be counted.
    pub(super) fn new(low_mv: f64, high_mv: f64) -> Option<Self> {
        (low_mv < high_mv && (high_mv - low_mv).is_finite()).then_some(Self { low_mv, high_mv })
    }

    /// Where a value lies in the range: 0 at the lower end, 1 at the upper.
    pub(super) fn fraction(&self, value_mv: f64) -> f64 {
        ((value_mv - self.low_mv) / (self.high_mv - self.low_mv)).clamp(0.0, 1.0)
    }

    pub(super) fn colour(&self, value_mv: f64) -> Colour {
        self.colour_at(self.fraction(value_mv))
    }

    pub(super) fn colour_at(&self, fraction: f64) -> Colour {
        let step = (fraction * (STEPS - 1) as f64).round() as usize;
        colorous::VIRIDIS.eval_rational(step.min(STEPS - 1), STEPS).as_array()
    }

    /// About `wanted` round numbers within the range: multiples of 1, 2 or 5 times a power of
    /// ten.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        let range = self.high_mv - self.low_mv;
        let power = 10f64.powf((range / wanted.max(1) as f64).log10().floor());
        let distance = |step: f64| (range / step - wanted as f64).abs();
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .filter(|step| step.is_normal())
            .min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        let ends = || vec![self.tick(self.low_mv, None), self.tick(self.high_mv, None)];
        // Beyond the numbers that can be counted, the ends say enough.
        let Some(step) = step else { return ends() };
        let (first, last) = ((self.low_mv / step).ceil(), (self.high_mv / step).floor());
        if !(first.abs() < 1e15 && last.abs() < 1e15 && last - first < 2.0 * wanted as f64) {
            return ends();
        }
        let count = (last - first) as usize;
        let ticks: Vec<Tick> =
            (0..=count).map(|index| self.tick((first + index as f64) * step, Some(step))).collect();
        // Numbers that read alike say nothing.
        if ticks.windows(2).any(|pair| matches!(pair, [a, b] if a.label == b.label)) { ends() } else { ticks }
    }

    fn tick(&self, value_mv: f64, step: Option<f64>) -> Tick {
        let decimals = step.map(|step| (-step.log10().floor()).max(0.0) as usize);
        // Adding zero turns -0 into 0.
        let label = match decimals {
            Some(decimals) if decimals <= 4 && value_mv.abs() < 1e6 => {
                format!("{:.decimals$}", value_mv + 0.0)
            }
            _ => format!("{value_mv:.3e}"),
        };
        Tick { value_mv, label }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        Scale::new(low, high).unwrap().ticks(6).into_iter().map(|tick| tick.label).collect()
    }

    // Guards what a reader reads: round numbers inside the range, with as many decimals as they need.
    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(-95.0, 40.0), ["-80", "-60", "-40", "-20", "0", "20", "40"]);
        assert_eq!(labels(-80.3, -59.1), ["-80", "-75", "-70", "-65", "-60"]);
        assert_eq!(labels(-0.51, 0.49), ["-0.4", "-0.2", "0.0", "0.2", "0.4"]);
        assert_eq!(labels(1e9, 1e9 + 1e-3).len(), 2);
        assert_eq!(labels(0.0, 5e-324).len(), 2);
    }
}
