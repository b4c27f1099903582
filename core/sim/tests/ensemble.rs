//! Ensembles keep their promises: order, independence of threads, bounded work, failures by index.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use mfn_sim::ensemble::{
    Ensemble, EnsembleEnd, EnsembleError, RunFailure, RunRecord, THREADS_MAX, WINDOW_RUNS_MAX, Work,
    run_memory_bytes,
};
use mfn_sim::{CancelToken, SimError, Simulation, Spec};
use proptest::prelude::*;

fn spec(seed: u64, grid_size: usize, steps: u64) -> Spec {
    Spec { grid_size, steps, random_seed: seed, ..Spec::default() }
}

/// Runs of very different lengths, so that they end in another order than they begin.
fn mixed(count: u64) -> Vec<Spec> {
    (0..count).map(|seed| spec(seed, 8 + (seed * 7 % 3) as usize * 12, 1 + (seed * 31 % 60))).collect()
}

type Results = Vec<(u64, Result<RunRecord, RunFailure>)>;

fn collect(ensemble: &Ensemble, specs: &[Spec]) -> Results {
    let mut results = Vec::new();
    let end = ensemble.run_specs(specs, &mut |index, result| {
        results.push((index, result));
        ControlFlow::Continue(())
    });
    assert_eq!(end, Ok(EnsembleEnd::Completed));
    results
}

/// Guards the promise that threads and window change nothing: neither a bit nor the order.
#[test]
fn results_do_not_depend_on_threads_or_window() {
    let specs = mixed(40);
    let plain = collect(&Ensemble { threads: 1, window_runs: 1, ..Ensemble::default() }, &specs);
    assert_eq!(plain.iter().map(|(index, _)| *index).collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
    for (threads, window_runs) in [(0, 0), (2, 2), (3, 0), (8, 64)] {
        let ensemble = Ensemble { threads, window_runs, ..Ensemble::default() };
        assert_eq!(collect(&ensemble, &specs), plain, "{threads} threads, window {window_runs}");
    }
}

/// Guards against a run that differs from the one that the same specification gives alone.
#[test]
fn a_run_in_an_ensemble_is_the_run_alone() {
    let specs = mixed(5);
    for ((_, result), spec) in collect(&Ensemble::default(), &specs).into_iter().zip(&specs) {
        let mut alone = Simulation::new(spec.clone()).expect("accepted");
        alone.enable_temporal_features(&mfn_sim::FeatureConfig::of_mode(spec.compat)).expect("defaults");
        alone.run(spec.steps, &mut |_| ControlFlow::Continue(())).expect("stable");
        assert_eq!(result, Ok(RunRecord::of(&alone)));
    }
}

/// Guards against a deadlock when an ensemble is run by a thread of the very pool it uses, also if that pool has
/// no other thread.
#[test]
fn an_ensemble_runs_inside_its_own_pool() {
    let specs = mixed(12);
    let plain = collect(&Ensemble::default(), &specs);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| collect(&Ensemble::default(), &specs)), plain, "{threads} threads");
    }
}

/// Guards the isolation of failures: each is reported under its index with its kind, the others are complete.
#[test]
fn failures_are_reported_by_index() {
    struct Faulty;
    impl Work for Faulty {
        type Output = u64;
        fn spec(&self, index: u64) -> Result<Spec, RunFailure> {
            match index {
                2 => Ok(Spec { alpha: f64::NAN, ..Spec::default() }),
                4 => Err(RunFailure::NoSpec { reason: "left out".to_owned() }),
                5 => panic!("no specification for you"),
                6 => Ok(spec(6, 512, 1)),
                _ => Ok(spec(index, 8, 3)),
            }
        }
        fn reduce(&self, index: u64, simulation: &Simulation) -> u64 {
            assert_ne!(index, 7, "the reduction of run 7 is broken");
            simulation.step_count()
        }
    }
    let memory_bytes_max = run_memory_bytes(&spec(0, 256, 1));
    for threads in [1, 4] {
        let mut kinds = Vec::new();
        let ensemble = Ensemble { threads, memory_bytes_max, ..Ensemble::default() };
        let end = ensemble.run(&Faulty, 0..9, &mut |_, result| {
            kinds.push(match &result {
                Ok(steps) => steps.to_string(),
                Err(failure) => failure.kind().to_owned(),
            });
            if let Err(RunFailure::Defect { message }) = &result {
                assert!(message.contains("for you") || message.contains("run 7"), "{message}");
            }
            ControlFlow::Continue(())
        });
        assert_eq!(end, Ok(EnsembleEnd::Completed));
        assert_eq!(kinds, ["3", "3", "refused", "3", "no-spec", "defect", "memory", "defect", "3"]);
    }
}

/// Guards the bounds: no more specifications are taken than the window allows, and no more runs are reduced
/// at once than there are threads.
#[test]
fn work_in_flight_is_bounded() {
    #[derive(Default)]
    struct Counting {
        taken: AtomicU64,
        reducing: AtomicI64,
        reducing_max: AtomicI64,
    }
    impl Work for Counting {
        type Output = ();
        fn spec(&self, index: u64) -> Result<Spec, RunFailure> {
            self.taken.fetch_add(1, Ordering::SeqCst);
            Ok(spec(index, 8, 1))
        }
        fn reduce(&self, _index: u64, _simulation: &Simulation) {
            let now = self.reducing.fetch_add(1, Ordering::SeqCst) + 1;
            self.reducing_max.fetch_max(now, Ordering::SeqCst);
            std::thread::yield_now();
            self.reducing.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let work = Counting::default();
    let ensemble = Ensemble { threads: 3, window_runs: 5, ..Ensemble::default() };
    let mut handed_over = 0;
    let end = ensemble.run(&work, 0..200, &mut |_, _| {
        handed_over += 1;
        let ahead = work.taken.load(Ordering::SeqCst) - handed_over;
        assert!(ahead < 5, "{ahead} runs ahead of the sink");
        ControlFlow::Continue(())
    });
    assert_eq!((end, handed_over), (Ok(EnsembleEnd::Completed), 200));
    assert!(work.reducing_max.load(Ordering::SeqCst) <= 3);
}

/// Guards the bound of memory: runs that do not fit beside each other are computed one after the other.
#[test]
fn runs_that_do_not_fit_together_take_turns() {
    struct Alone(AtomicI64);
    impl Work for Alone {
        type Output = i64;
        fn spec(&self, index: u64) -> Result<Spec, RunFailure> {
            Ok(spec(index, 64, 4))
        }
        fn reduce(&self, _index: u64, _simulation: &Simulation) -> i64 {
            let beside = self.0.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2));
            self.0.fetch_sub(1, Ordering::SeqCst);
            beside
        }
    }
    // Room for one run and a half.
    let memory_bytes_max = run_memory_bytes(&spec(0, 64, 4)) * 3 / 2;
    let ensemble = Ensemble { threads: 4, memory_bytes_max, ..Ensemble::default() };
    let mut together = Vec::new();
    let end = ensemble.run(&Alone(AtomicI64::new(0)), 0..12, &mut |_, result| {
        together.push(result.expect("a stable run"));
        ControlFlow::Continue(())
    });
    assert_eq!(end, Ok(EnsembleEnd::Completed));
    assert!(together.iter().all(|&beside| beside == 0), "{together:?}");
}

/// Guards cancellation: by the sink after a row without a gap, by the token during a run that would take years.
#[test]
fn an_ensemble_stops_when_asked() {
    let specs = mixed(30);
    let mut seen = Vec::new();
    let end = Ensemble { threads: 2, ..Ensemble::default() }.run_specs(&specs, &mut |index, _| {
        seen.push(index);
        if index == 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((end, seen), (Ok(EnsembleEnd::Cancelled), (0..7).collect()));

    let cancel = CancelToken::new();
    let ensemble = Ensemble { threads: 2, cancel: cancel.clone(), ..Ensemble::default() };
    let endless = [spec(1, 16, 2), spec(2, 64, 1_000_000_000)];
    let end = ensemble.run_specs(&endless, &mut |index, _| {
        assert_eq!(index, 0);
        cancel.cancel();
        ControlFlow::Continue(())
    });
    assert_eq!(end, Ok(EnsembleEnd::Cancelled));
}

/// Guards the empty ensemble, which is complete at once.
#[test]
fn no_runs_are_complete() {
    assert_eq!(collect(&Ensemble::default(), &[]), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Guards the options over their whole range: an ensemble or a typed error that names the option.
    #[test]
    fn options_are_taken_or_refused(threads in prop_oneof![0_usize..5, any::<usize>()], window_runs: usize) {
        // No more than a few threads are really started.
        let threads = if threads <= THREADS_MAX { threads % 5 } else { threads };
        let ensemble = Ensemble { threads, window_runs, ..Ensemble::default() };
        let end = ensemble.run_specs(&mixed(2), &mut |_, _| ControlFlow::Continue(()));
        if threads <= THREADS_MAX && window_runs <= WINDOW_RUNS_MAX {
            prop_assert_eq!(end, Ok(EnsembleEnd::Completed));
        } else {
            let is_refused = matches!(end, Err(EnsembleError::Option { .. }));
            prop_assert!(is_refused);
        }
    }

    /// Guards against a fault of one specification that ends the ensemble, whatever its numbers.
    #[test]
    fn any_specification_gives_a_result_or_a_failure(
        grid_size in prop_oneof![0_usize..40, any::<usize>()], alpha: f64, jitter_var: f64, random_seed: u64,
    ) {
        let grid_size = if grid_size > 40 && grid_size <= 65_536 { 40 } else { grid_size };
        let any = Spec { grid_size, alpha, jitter_var, random_seed, steps: 2, ..Spec::default() };
        let valid = any.validate().is_ok();
        let results = collect(&Ensemble::default(), &[any, spec(1, 8, 2)]);
        prop_assert_eq!(results[0].1.is_ok(), valid);
        if let Err(failure) = &results[0].1 {
            let is_refusal = matches!(failure, RunFailure::Simulation(SimError::Spec(_)));
            prop_assert!(is_refusal, "{failure}");
        }
        prop_assert!(results[1].1.is_ok());
    }
}
