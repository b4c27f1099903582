//! A reaction-diffusion system linearised at a steady state: what grows, and how fast.
//!
//! A perturbation that is an eigenfunction of the Laplacian with eigenvalue -q evolves by the
//! matrix `J - q diag(D_u, D_v)` alone. Everything here is therefore a function of q, whatever
//! the space: q = k^2 for a wave of wavenumber k in the plane, [`grid_symbol`] for a wave on the
//! grid with the five-point Laplacian.

use crate::kinetics::local::Matrix2;

/// The largest q of the five-point Laplacian: the checkerboard.
pub const GRID_SYMBOL_MAX: f64 = 8.0;

/// q of the five-point Laplacian for a wave with wavenumbers `k_rows` (from row to row) and
/// `k_columns`, radians per cell: `4 sin^2(k_rows / 2) + 4 sin^2(k_columns / 2)`, in [0, 8].
#[must_use]
pub fn grid_symbol(k_rows: f64, k_columns: f64) -> f64 {
    let (row, column) = ((k_rows / 2.0).sin(), (k_columns / 2.0).sin());
    4.0 * row * row + 4.0 * column * column
}

/// An eigenvalue of the linearised system, 1 per unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eigenvalue {
    /// Growth rate.
    pub real: f64,
    /// Angular frequency; 0 for a mode that does not oscillate.
    pub imaginary: f64,
}

impl Eigenvalue {
    /// Logarithm of the factor by which an explicit Euler step of `time_step` multiplies the
    /// mode: `ln |1 + dt lambda|`.
    #[must_use]
    pub fn euler_growth(&self, time_step: f64) -> f64 {
        (1.0 + time_step * self.real).hypot(time_step * self.imaginary).ln()
    }
}

/// The modes that grow without oscillating, as a range of q.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Lower end; 0 when the homogeneous mode grows as well.
    pub q_min: f64,
    /// Upper end; infinite when the activator does not diffuse.
    pub q_max: f64,
}

impl Band {
    /// Whether a mode lies inside.
    #[must_use]
    pub fn contains(&self, q: f64) -> bool {
        q > self.q_min && q < self.q_max
    }
}

/// A reaction-diffusion system linearised at a steady state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linearization {
    /// `[[f_u, f_v], [g_u, g_v]]` of the scaled rates, 1 per unit of time.
    pub jacobian: Matrix2,
    /// Diffusion coefficient of the activator, cells^2 per unit of time.
    pub d_activator: f64,
    /// Diffusion coefficient of the inhibitor, cells^2 per unit of time.
    pub d_inhibitor: f64,
    /// Length of an Euler step, units of time.
    pub time_step: f64,
}

impl Linearization {
    /// Trace of the Jacobian: the sum of the eigenvalues at q = 0.
    #[must_use]
    pub fn trace(&self) -> f64 {
        self.jacobian[0][0] + self.jacobian[1][1]
    }

    /// Determinant of the Jacobian: the product of the eigenvalues at q = 0.
    #[must_use]
    pub fn determinant(&self) -> f64 {
        let [[f_u, f_v], [g_u, g_v]] = self.jacobian;
        f_u * g_v - f_v * g_u
    }

    /// Both eigenvalues of a mode, the faster growing first.
    #[must_use]
    pub fn eigenvalues(&self, q: f64) -> [Eigenvalue; 2] {
        let [[f_u, f_v], [g_u, g_v]] = self.jacobian;
        let (first, second) = (f_u - q * self.d_activator, g_v - q * self.d_inhibitor);
        let middle = (first + second) / 2.0;
        // (first - second)^2 + 4 f_v g_u is trace^2 - 4 determinant without its cancellation.
        let half = (first - second) / 2.0;
        let discriminant = half * half + f_v * g_u;
        if discriminant < 0.0 {
            let imaginary = (-discriminant).sqrt();
            return [
                Eigenvalue { real: middle, imaginary },
                Eigenvalue { real: middle, imaginary: -imaginary },
            ];
        }
        let root = discriminant.sqrt();
        // The eigenvalue of larger size is a sum; the other follows from the determinant.
        let determinant = first * second - f_v * g_u;
        let (leading, trailing) = if middle >= 0.0 {
            let leading = middle + root;
            (leading, if leading > 0.0 { determinant / leading } else { middle - root })
        } else {
            let trailing = middle - root;
            (determinant / trailing, trailing)
        };
        [leading, trailing].map(|real| Eigenvalue { real, imaginary: 0.0 })
    }

    /// The dispersion relation of the plane: growth rate of the fastest mode with wavenumber
    /// `k` in radians per cell, 1 per unit of time.
    #[must_use]
    pub fn growth_rate(&self, k: f64) -> f64 {
        self.eigenvalues(k * k)[0].real
    }

    /// The dispersion relation of the scheme: the larger of the two logarithmic growths per
    /// Euler step of a mode of the grid, see [`grid_symbol`].
    #[must_use]
    pub fn growth_per_step(&self, q: f64) -> f64 {
        let [leading, trailing] = self.eigenvalues(q).map(|value| value.euler_growth(self.time_step));
        leading.max(trailing)
    }

    /// The modes that grow without oscillating: those for which the determinant
    /// `D_u D_v q^2 - (D_v f_u + D_u g_v) q + det J` is negative.
    #[must_use]
    pub fn band(&self) -> Option<Band> {
        let [[f_u, _], [_, g_v]] = self.jacobian;
        let square = self.d_activator * self.d_inhibitor;
        let slope = self.d_inhibitor * f_u + self.d_activator * g_v;
        let constant = self.determinant();
        let discriminant = slope * slope - 4.0 * square * constant;
        if square == 0.0 {
            // Falls (or rises) along a line.
            return match (slope > 0.0, constant < 0.0) {
                (true, _) => Some(Band { q_min: (constant / slope).max(0.0), q_max: f64::INFINITY }),
                (false, true) if slope < 0.0 => Some(Band { q_min: 0.0, q_max: constant / slope }),
                (false, true) => Some(Band { q_min: 0.0, q_max: f64::INFINITY }),
                (false, false) => None,
            };
        }
        if discriminant <= 0.0 {
            return None;
        }
        let root = discriminant.sqrt();
        let (q_min, q_max) = if slope >= 0.0 {
            let larger = (slope + root) / (2.0 * square);
            (constant / (square * larger), larger)
        } else {
            let smaller = (slope - root) / (2.0 * square);
            (smaller, constant / (square * smaller))
        };
        (q_max > 0.0).then_some(Band { q_min: q_min.max(0.0), q_max })
    }

    /// The mode of the grid that grows fastest (or decays most slowly) without regard to which
    /// modes fit: the maximum of the leading eigenvalue over 0 <= q <= 8.
    #[must_use]
    pub fn fastest_q(&self) -> f64 {
        let inside = self.stationary_q().filter(|q| (0.0..=GRID_SYMBOL_MAX).contains(q));
        let mut best = 0.0;
        for q in [Some(GRID_SYMBOL_MAX), inside].into_iter().flatten() {
            if self.growth(q) > self.growth(best) {
                best = q;
            }
        }
        best
    }

    /// Where the derivative of the growth rate with respect to q vanishes, which is at most one
    /// point, and a maximum: where s = (D_v - D_u) q + f_u - g_v satisfies
    /// `s / sqrt(s^2 + 4 f_v g_u) = (D_v + D_u) / (D_v - D_u)`. May be negative.
    pub(super) fn stationary_q(&self) -> Option<f64> {
        let [[f_u, f_v], [g_u, g_v]] = self.jacobian;
        let (sum, difference) = (self.d_inhibitor + self.d_activator, self.d_inhibitor - self.d_activator);
        let product = f_v * g_u;
        if product >= 0.0 || difference == 0.0 {
            return None;
        }
        let size = sum * (-product / (self.d_activator * self.d_inhibitor)).sqrt();
        let q = (size.copysign(difference) - (f_u - g_v)) / difference;
        q.is_finite().then_some(q)
    }

    /// Real part of the leading eigenvalue.
    pub(super) fn growth(&self, q: f64) -> f64 {
        self.eigenvalues(q)[0].real
    }

    /// The ratio D_v / D_u above which a band exists (Murray, Mathematical Biology II, 2003,
    /// section 2.3): `((sqrt(det J) + sqrt(-f_v g_u)) / f_u)^2`. `None` when no ratio gives one:
    /// the activator does not enhance itself, the cross terms have one sign, or the homogeneous
    /// state is unstable.
    #[must_use]
    pub fn critical_ratio(&self) -> Option<f64> {
        let [[f_u, f_v], [g_u, _]] = self.jacobian;
        let (determinant, cross) = (self.determinant(), -f_v * g_u);
        if f_u <= 0.0 || cross <= 0.0 || determinant < 0.0 || self.trace() > 0.0 {
            return None;
        }
        let root = (determinant.sqrt() + cross.sqrt()) / f_u;
        Some(root * root)
    }

    /// The largest logarithmic growth per step among modes whose exact solution decays: positive
    /// when the step is too long for the reaction or the diffusion, so that the scheme diverges
    /// where the equations do not.
    #[must_use]
    pub fn spurious_growth_per_step(&self) -> f64 {
        const SAMPLES: u32 = 256;
        (0..=SAMPLES)
            .flat_map(|sample| self.eigenvalues(GRID_SYMBOL_MAX * f64::from(sample) / f64::from(SAMPLES)))
            .filter(|value| value.real < 0.0)
            .map(|value| value.euler_growth(self.time_step))
            .fold(f64::NEG_INFINITY, f64::max)
    }
}
