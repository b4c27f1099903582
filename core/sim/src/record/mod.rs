//! Recording a run every k steps in bounded memory.
//!
//! MFN 4.1 kept every field of a run in one list, whose memory grew without end. Here a run hands each
//! frame to whoever records it and keeps none. A [`FrameRing`] keeps the newest frames, as many as it was
//! made for; a callback does what it likes; `mfn-runtime` writes them to a file.

mod error;
mod plane;
mod ring;

pub use error::RecordError;
pub use plane::{Plane, PlaneSet};
pub use ring::{FrameRing, RingFrame};
