package mfn

import (
	"context"
	"iter"

	"mfn/internal/capi"
)

// An Ensemble runs many specifications over one pool of threads, with the results in order.
type Ensemble struct {
	h      *handle[*capi.Ensemble]
	cancel *canceller
	turns  gate
}

// NewEnsemble creates an ensemble. No option changes a result; the zero value is one thread for each core.
func NewEnsemble(options EnsembleOptions) (*Ensemble, error) {
	pointer, status, failure := capi.EnsembleCreate(options.rawOrNil())
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	e := &Ensemble{cancel: &canceller{}, turns: newGate()}
	e.h = own(e, pointer, capi.EnsembleFree)
	return e, nil
}

// A RunResult is what became of one run of an ensemble.
type RunResult struct {
	Index      uint64
	Features   Features
	Statistics Statistics
}

// Run computes specifications and gives the results in their order. A run that fails yields its error with its index,
// and does not end the others. When the whole ends early, by ctx, Cancel or Close, the last element says so. Runs of one
// ensemble take turns. The body of the loop runs on the goroutine that computes, and must not use the ensemble.
func (e *Ensemble) Run(ctx context.Context, specs []Spec) iter.Seq2[RunResult, error] {
	array := raws(specs, (*Spec).raw)
	return e.results(ctx, func(p *capi.Ensemble, h capi.Callback) (int32, *capi.Error) {
		return capi.EnsembleRun(p, first(array), uint(len(array)), h)
	})
}

// RunJSON is Run, from JSON objects. One that can not be read is a failed run.
func (e *Ensemble) RunJSON(ctx context.Context, specs []string) iter.Seq2[RunResult, error] {
	return e.results(ctx, func(p *capi.Ensemble, h capi.Callback) (int32, *capi.Error) {
		return capi.EnsembleRunJSON(p, specs, h)
	})
}

func (e *Ensemble) results(ctx context.Context, do func(*capi.Ensemble, capi.Callback) (int32, *capi.Error)) iter.Seq2[
	RunResult, error] {
	return func(yield func(RunResult, error) bool) {
		stopped := false // by the loop: nothing may be yielded any more
		callbacks := &capi.Callbacks{Ensemble: func(index uint64, features *capi.Features, statistics *capi.Statistics,
			failure *capi.Error) bool {
			result := RunResult{Index: index}
			var err error
			if failure != nil {
				err = copyError(failure)
			} else {
				result.Features.set(features)
				result.Statistics.set(statistics)
			}
			stopped = true // should yield panic
			stopped = !yield(result, err)
			return !stopped
		}}
		err := e.turns.enter(ctx)
		if err == nil {
			defer e.turns.leave()
			var panicIn *capi.Panic
			err = call(e.h, func(p *capi.Ensemble) (int32, *capi.Error) {
				defer e.cancel.during(ctx, func() { capi.EnsembleCancel(p) }, func() { capi.EnsembleCancelReset(p) })()
				registered := callbacks.Register()
				defer registered.Release()
				status, failure := do(p, registered)
				panicIn = callbacks.TakePanic()
				return status, failure
			})
			if panicIn != nil {
				panic(panicIn.Value) // the loop's own: it goes on where the loop stands
			}
		}
		if err != nil && !stopped {
			yield(RunResult{}, explain(ctx, err))
		}
	}
}

// Cancel stops a run that is under way, or the next one. It stays in force until [Ensemble.CancelReset].
func (e *Ensemble) Cancel() error {
	return e.cancel.ask(func() error { return call(e.h, capi.EnsembleCancel) })
}

// CancelReset withdraws Cancel.
func (e *Ensemble) CancelReset() error {
	return e.cancel.withdraw(func() error { return call(e.h, capi.EnsembleCancelReset) })
}

// LastError gives the last failure of a call with this ensemble; nil when there was none.
func (e *Ensemble) LastError() error { return lastError(get(e.h, capi.EnsembleLastError)) }

// Close stops what is under way and frees the ensemble.
func (e *Ensemble) Close() error {
	_ = e.Cancel() // an ensemble that is closed already answers so
	e.h.close()
	return nil
}

// A Sweep is a checked plan of runs over a range of parameters, which are written as a dataset.
type Sweep struct {
	h      *handle[*capi.Sweep]
	cancel *canceller
	turns  gate
}

// NewSweep checks a plan in JSON. The error lists every fault.
func NewSweep(plan string) (*Sweep, error) { return newSweep(capi.SweepCreate(plan)) }

// NewSweepPreset makes the plan of a dataset of MyceliumFractalNet 4.1: "small", "medium", "large" or "benchmark".
func NewSweepPreset(name string) (*Sweep, error) { return newSweep(capi.SweepCreatePreset(name)) }

func newSweep(pointer *capi.Sweep, status int32, failure *capi.Error) (*Sweep, error) {
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	s := &Sweep{cancel: &canceller{}, turns: newGate()}
	s.h = own(s, pointer, capi.SweepFree)
	return s, nil
}

// Runs counts the runs.
func (s *Sweep) Runs() uint64 { return get(s.h, capi.SweepRuns) }

// SpecJSON gives the specification of a run.
func (s *Sweep) SpecJSON(index uint64) (string, error) {
	return take(s.h, func(p *capi.Sweep) (string, int32, *capi.Error) { return capi.SweepSpecJSON(p, index) })
}

// Write computes every run and writes the dataset to path, a name that ends in .parquet or .csv. progress, which may be
// nil, hears of the runs done, those taken over included, of all runs, and of those that failed, and returns whether to
// go on. What was done before it stopped is kept, and [SweepResume] goes on with it. Calls take turns.
func (s *Sweep) Write(ctx context.Context, path string, options SweepOptions,
	progress func(done, runs, failed uint64) bool) (report SweepReport, err error) {
	if err := s.turns.enter(ctx); err != nil {
		return report, err
	}
	defer s.turns.leave()
	pointer, err := s.h.enter()
	if err != nil {
		return report, err
	}
	defer s.h.leave()
	defer s.cancel.during(ctx, func() { capi.SweepCancel(pointer) }, func() { capi.SweepCancelReset(pointer) })()
	callbacks := &capi.Callbacks{Sweep: func(done, runs, failed uint64) bool {
		return progress == nil || progress(done, runs, failed)
	}}
	var c capi.SweepReport
	err = calling(callbacks, func(h capi.Callback) (int32, *capi.Error) {
		return capi.SweepWrite(pointer, path, options.rawOrNil(), h, &c)
	})
	if err == nil {
		report.set(&c)
	}
	return report, explain(ctx, err)
}

// Cancel stops a Write that is under way, or the next one. It stays in force until [Sweep.CancelReset].
func (s *Sweep) Cancel() error {
	return s.cancel.ask(func() error { return call(s.h, capi.SweepCancel) })
}

// CancelReset withdraws Cancel.
func (s *Sweep) CancelReset() error {
	return s.cancel.withdraw(func() error { return call(s.h, capi.SweepCancelReset) })
}

// LastError gives the last failure of a call with this sweep; nil when there was none.
func (s *Sweep) LastError() error { return lastError(get(s.h, capi.SweepLastError)) }

// Close stops what is under way and frees the sweep.
func (s *Sweep) Close() error {
	_ = s.Cancel() // a sweep that is closed already answers so
	s.h.close()
	return nil
}
