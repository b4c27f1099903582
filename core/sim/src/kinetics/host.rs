//! Rates that the host computes: any kinetics without a change of the library.

/// The rates of a kinetics that the host provides, for whole rows at a time.
///
/// A call costs a function pointer and two more rows of memory traffic, and the compiler cannot
/// fuse it with the diffusion: slower than a kinetics of the library.
pub trait HostReaction: Send + Sync {
    /// Writes the rates f into `du` and g into `dv` for the cells with activator `u` and
    /// inhibitor `v`. All four slices have one length. May be called from several threads at
    /// once, for any part of a row, in any order: it must give each cell the same bits whatever
    /// the part.
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]);
}
