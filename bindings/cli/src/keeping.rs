//! Keeping a run: its state, so that it can be continued, and its frames, in a file.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum, value_parser};
use mfn_runtime::{
    checkpoint,
    npy::stack::StackError,
    recording::{self, FileRecorder},
};
use mfn_sim::{
    RunEnd, SimError, Simulation, Spec,
    record::{self, Plane},
};

use crate::{failure::Failure, interrupt::Interrupt, progress::Progress};

/// What is kept of a run.
#[derive(Args)]
pub(crate) struct Keeping {
    /// Keep the state of the run in FILE: when a signal comes, at the end, and as --checkpoint-every says.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Also keep the state after every K steps of the run.
    #[arg(long, value_name = "K", requires = "checkpoint", value_parser = value_parser!(u64).range(1..))]
    checkpoint_every: Option<u64>,

    /// Continue the run whose state is in FILE, up to the steps of its specification. The result has the
    /// bits of a run without the interruption.
    #[arg(long, value_name = "FILE", conflicts_with = "spec")]
    pub(crate) resume: Option<PathBuf>,

    /// Record frames into FILE, an NPY array of shape (frames, rows, columns). Until the run is complete
    /// they are in FILE.partial, from where --resume continues them.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Record a frame after every K steps of the run; otherwise record_every of the specification says so.
    #[arg(long, value_name = "K", requires = "record", conflicts_with = "resume",
          value_parser = value_parser!(u64).range(1..))]
    record_every: Option<u64>,

    /// What is recorded.
    #[arg(long, value_name = "PLANE", requires = "record", default_value = "field")]
    record_plane: RecordedPlane,
}

/// A plane by its name on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RecordedPlane {
    /// The potential, volts.
    Field,
    /// The activator.
    Activator,
    /// The inhibitor.
    Inhibitor,
}

impl From<RecordedPlane> for Plane {
    fn from(plane: RecordedPlane) -> Self {
        match plane {
            RecordedPlane::Field => Self::Potential,
            RecordedPlane::Activator => Self::Activator,
            RecordedPlane::Inhibitor => Self::Inhibitor,
        }
    }
}

impl Keeping {
    /// Puts what the command line says into a specification.
    pub(crate) fn apply(&self, spec: &mut Spec) {
        spec.record_every = self.record_every.unwrap_or(spec.record_every);
    }

    /// The run of a checkpoint.
    pub(crate) fn load(path: &Path) -> Result<Simulation, Failure> {
        let simulation = checkpoint::load(path)
            .map_err(|error| Failure::usage(error.to_string(), "name a file of mfn simulate --checkpoint"))?;
        if simulation.lacks_host_reaction() {
            return Err(Failure::usage(
                format!("the kinetics of {} are those of another program", path.display()),
                "continue it with that program, which gives its kinetics again",
            ));
        }
        Ok(simulation)
    }

    /// Opens what is written while the run goes on, and proves that it can be written to before any work is
    /// done for it.
    pub(crate) fn begin(&self, simulation: &Simulation) -> Result<Keeper<'_>, Failure> {
        let recorder = self.record.as_deref().map(|place| self.recorder(place, simulation)).transpose()?;
        let mut keeper = Keeper { options: self, recorder };
        match keeper.save(simulation) {
            Ok(()) => Ok(keeper),
            Err(failure) => {
                keeper.abandon();
                Err(failure)
            }
        }
    }

    fn recorder(&self, place: &Path, simulation: &Simulation) -> Result<FileRecorder, Failure> {
        let spec = simulation.spec();
        if spec.record_every == 0 {
            return Err(Failure::usage(
                "--record, and the specification has record_every = 0",
                "say with --record-every K after how many steps a frame is recorded",
            ));
        }
        let frames = simulation.step_count() / spec.record_every;
        let plane = self.record_plane.into();
        if self.resume.is_some() && frames > 0 {
            let name = recording::partial_path(place);
            let fix = format!("{} must hold the first {frames} frames of this run", name.display());
            return FileRecorder::resume(place, spec, plane, frames)
                .map_err(|error| Failure::usage(error.to_string(), fix));
        }
        FileRecorder::create(place, spec, plane).map_err(|error| Failure::writing(place, error))
    }
}

/// What is written while a run goes on.
pub(crate) struct Keeper<'a> {
    options: &'a Keeping,
    recorder: Option<FileRecorder>,
}

/// Why a run did not go on.
#[derive(Debug)]
enum Stop {
    Simulation(SimError),
    Recording(StackError),
}

impl From<SimError> for Stop {
    fn from(error: SimError) -> Self {
        Self::Simulation(error)
    }
}

impl Keeper<'_> {
    /// Does the steps of the specification that are left, unless a signal comes.
    pub(crate) fn advance(
        &mut self,
        simulation: &mut Simulation,
        interrupt: &Interrupt,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let steps = simulation.spec().steps;
        while simulation.step_count() < steps {
            let from = simulation.step_count();
            let to_checkpoint = self.options.checkpoint_every.map_or(u64::MAX, |every| every - from % every);
            let recorder = &mut self.recorder;
            let end = record::run(
                simulation,
                to_checkpoint.min(steps - from),
                &mut |frame| match recorder {
                    Some(recorder) => {
                        recorder.record(&frame).map(ControlFlow::Continue).map_err(Stop::Recording)
                    }
                    None => Ok(ControlFlow::Continue(())),
                },
                &mut |at| {
                    progress.show(from + at.step, steps);
                    if interrupt.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                },
            );
            match end {
                Err(Stop::Simulation(error)) => {
                    return Err(Failure::work(
                        error.to_string(),
                        "change the parameters; nothing was written",
                    ));
                }
                Err(Stop::Recording(error)) => {
                    return Err(Failure::work(
                        format!("recording ended after step {}: {error}", simulation.step_count()),
                        "free space or name a file where you may write",
                    ));
                }
                Ok(RunEnd::Cancelled) => break,
                // A signal that came with the last step of a part.
                Ok(RunEnd::Completed) if interrupt.is_raised() => break,
                Ok(RunEnd::Completed) if self.options.checkpoint_every.is_some() => self.save(simulation)?,
                Ok(RunEnd::Completed) => {}
            }
        }
        self.save(simulation)?;
        if interrupt.is_raised() { Err(self.cancelled(simulation)) } else { Ok(()) }
    }

    /// Writes the checkpoint, if one was asked for.
    fn save(&mut self, simulation: &Simulation) -> Result<(), Failure> {
        let Some(path) = &self.options.checkpoint else { return Ok(()) };
        if let Some(recorder) = &mut self.recorder {
            // A checkpoint counts on the frames before it.
            recorder.sync().map_err(|error| Failure::work(error.to_string(), "free space"))?;
        }
        checkpoint::save(path, simulation).map_err(|error| Failure::writing(path, error))
    }

    /// The run was stopped by a signal.
    pub(crate) fn cancelled(&self, simulation: &Simulation) -> Failure {
        let (done, steps) = (simulation.step_count(), simulation.spec().steps);
        match &self.options.checkpoint {
            Some(path) => Failure::work(
                format!("cancelled after {done} of {steps} steps; the state is in {}", path.display()),
                format!("continue with --resume {}", path.display()),
            ),
            None => {
                Failure::cancelled(format!("cancelled after {done} of {steps} steps; nothing was written"))
            }
        }
    }

    /// Completes the recording; its place, if there is one.
    pub(crate) fn finish(self) -> Result<Option<PathBuf>, Failure> {
        let failed = |error: StackError| Failure::work(error.to_string(), "free space");
        self.recorder.map(|recorder| recorder.finish().map_err(failed)).transpose()
    }

    /// Ends the recording of a run that failed. Its partial file is left where a checkpoint can continue it.
    pub(crate) fn abandon(self) {
        if let Some(recorder) = self.recorder
            && self.options.checkpoint.is_none()
        {
            // The failure of the run is what matters.
            let _ = recorder.discard();
        }
    }
}
