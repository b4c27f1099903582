//! Tests of pipelines over scripted components: real threads, real simulations, and components that
//! fail, hang and refuse as told.

mod delivery;
mod malformed;
mod scripted;
mod shutdown;
mod transports;
