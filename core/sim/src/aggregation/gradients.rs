//! Checked gradients: one finite row per client, contiguous in memory.

use ndarray::{ArrayView2, CowArray, Ix2};

use super::AggregationError;

/// Largest magnitude of a coordinate. Squares of differences stay below 4e280, so that sums over
/// any number of coordinates and clients that fits into memory stay finite.
pub const MAGNITUDE_MAX: f64 = 1e140;

/// Gradients of which every coordinate is a usable number.
pub(crate) struct Gradients<'a> {
    rows: CowArray<'a, f64, Ix2>,
}

impl<'a> Gradients<'a> {
    /// Checks the gradients; copies them only when the rows are not contiguous.
    pub(crate) fn check(gradients: ArrayView2<'a, f64>) -> Result<Self, AggregationError> {
        let (clients, coordinates) = gradients.dim();
        if clients == 0 {
            return Err(AggregationError::NoGradients);
        }
        if coordinates == 0 {
            return Err(AggregationError::NoCoordinates { clients });
        }
        for (client, row) in gradients.outer_iter().enumerate() {
            let unusable = |value: &f64| value.is_nan() || value.abs() > MAGNITUDE_MAX;
            // Without a way out of the loop it is done on whole registers.
            if row.iter().fold(true, |usable, value| usable & !unusable(value)) {
                continue;
            }
            if let Some((coordinate, &value)) = row.iter().enumerate().find(|(_, value)| unusable(value)) {
                return Err(if value.is_finite() {
                    AggregationError::TooLarge { client, coordinate, value, limit: MAGNITUDE_MAX }
                } else {
                    AggregationError::NotFinite { client, coordinate, value }
                });
            }
        }
        let rows = if gradients.is_standard_layout() {
            CowArray::from(gradients)
        } else {
            CowArray::from(gradients.as_standard_layout().into_owned())
        };
        Ok(Self { rows })
    }

    /// Number of clients, at least 1.
    pub(crate) fn clients(&self) -> usize {
        self.rows.nrows()
    }

    /// Number of coordinates, at least 1.
    pub(crate) fn coordinates(&self) -> usize {
        self.rows.ncols()
    }

    /// All coordinates, client by client.
    pub(crate) fn flat(&self) -> &[f64] {
        // Standard layout by construction.
        self.rows.as_slice().unwrap_or_default()
    }

    /// The gradient of a client.
    pub(crate) fn row(&self, client: usize) -> &[f64] {
        let width = self.coordinates();
        &self.flat()[client * width..(client + 1) * width]
    }

    /// The mean of the gradients of some clients, added up in the order given.
    pub(crate) fn mean_of(&self, clients: &[usize]) -> Vec<f64> {
        let mut mean = vec![0.0; self.coordinates()];
        for &client in clients {
            for (sum, value) in mean.iter_mut().zip(self.row(client)) {
                *sum += value;
            }
        }
        for sum in &mut mean {
            *sum /= clients.len() as f64;
        }
        mean
    }

    /// Refuses fewer clients than a method needs.
    pub(crate) fn require(
        &self,
        byzantine: usize,
        extra: usize,
        method: &'static str,
        rule: &'static str,
    ) -> Result<(), AggregationError> {
        let clients = self.clients();
        let needed = byzantine.saturating_mul(2).saturating_add(extra);
        if clients < needed {
            return Err(AggregationError::TooFewClients { clients, byzantine, needed, method, rule });
        }
        Ok(())
    }
}
