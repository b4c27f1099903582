//! Recording a run every k steps in bounded memory.
//!
//! MFN 4.1 kept every field of a run in one list, whose memory grew without end. Here a run hands each
//! frame to whoever records it and keeps none. A [`FrameRing`] keeps the newest frames, as many as it was
//! made for; a callback does what it likes; `mfn-runtime` writes them to a file.
//!
//! ```
//! use std::ops::ControlFlow::Continue;
//! use mfn_sim::record::{self, FrameRing, Plane, PlaneSet};
//! use mfn_sim::{SimError, Simulation, Spec};
//!
//! let mut simulation = Simulation::new(Spec { grid_size: 16, record_every: 5, ..Spec::default() })?;
//! let mut ring = FrameRing::new(3, 16, 16, PlaneSet::from(Plane::Activator))?;
//! let mut on_frame = |frame: mfn_sim::Frame<'_>| -> Result<_, Box<dyn std::error::Error>> {
//!     ring.record(&frame)?;
//!     Ok(Continue(()))
//! };
//! record::run(&mut simulation, 22, &mut on_frame, &mut |_| Continue(()))?;
//! let steps: Vec<u64> = ring.frames().map(|frame| frame.step()).collect();
//! assert_eq!((steps, ring.dropped()), (vec![10, 15, 20], 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod plane;
mod ring;
mod run;

pub use error::RecordError;
pub use plane::{Plane, PlaneSet};
pub use ring::{FrameRing, RingFrame};
pub use run::{OnFrame, run};
