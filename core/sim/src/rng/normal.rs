//! Normal numbers by the 256-layer ziggurat (Marsaglia and Tsang, 2000), as NumPy draws them.

use super::Generator;
use super::ziggurat_tables::{ACCEPT_BELOW, LAYER_DENSITY, LAYER_WIDTH, TAIL_START, TAIL_START_INVERSE};

impl Generator {
    /// A normal number with mean 0 and standard deviation 1.
    #[inline]
    pub fn standard_normal(&mut self) -> f64 {
        loop {
            let (layer, magnitude, x) = self.ziggurat_candidate();
            // Taken 99.3 % of the time.
            if magnitude < ACCEPT_BELOW[layer] {
                return x;
            }
            if layer == 0 {
                return self.normal_tail(magnitude);
            }
            if self.under_the_curve(layer, x) {
                return x;
            }
        }
    }

    /// One 64-bit draw cut into layer, magnitude and signed abscissa.
    #[inline]
    fn ziggurat_candidate(&mut self) -> (usize, u64, f64) {
        let bits = self.next_u64();
        let layer = (bits & 0xff) as usize;
        let negative = (bits >> 8) & 1 == 1;
        let magnitude = (bits >> 9) & 0x000f_ffff_ffff_ffff;
        let x = magnitude as f64 * LAYER_WIDTH[layer];
        (layer, magnitude, if negative { -x } else { x })
    }

    /// The wedge between a layer's rectangle and the density.
    #[cold]
    fn under_the_curve(&mut self, layer: usize, x: f64) -> bool {
        let inner = LAYER_DENSITY[layer - 1];
        let outer = LAYER_DENSITY[layer];
        (inner - outer) * self.random() + outer < (-0.5 * x * x).exp()
    }

    /// The tail beyond the lowest layer (Marsaglia, 1964).
    #[cold]
    fn normal_tail(&mut self, magnitude: u64) -> f64 {
        loop {
            // ln(1 - u) rather than ln(u): u can be 0.
            let x = -TAIL_START_INVERSE * (-self.random()).ln_1p();
            let y = -(-self.random()).ln_1p();
            if y + y > x * x {
                let far = TAIL_START + x;
                return if (magnitude >> 8) & 1 == 1 { -far } else { far };
            }
        }
    }
}
