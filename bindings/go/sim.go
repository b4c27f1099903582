package mfn

import (
	"context"
	"sync"

	"mfn/internal/capi"
)

// A Sim is one run of the model.
type Sim struct {
	h      *handle[*capi.Sim]
	cancel *canceller
	// Held for writing by what changes the simulation, for reading while a field is lent. Never waited for.
	views *sync.RWMutex
	given *given
}

// given are callbacks that stay with a simulation: its kinetics and its recorder.
type given struct {
	mu              sync.Mutex
	rates, frames   *capi.Callbacks
	ratesC, framesC capi.Callback // what C knows of them
	kept            kept
}

// DefaultSpec gives the preset "mycelium".
func DefaultSpec() Spec {
	return defaults(capi.SpecInit, (*Spec).set)
}

// PresetSpec gives a preset, such as "mycelium" or "v4.1"; [PresetNames] lists them.
func PresetSpec(name string) (spec Spec, err error) {
	var c capi.Spec
	if err = failed(capi.SpecInitPreset(name, &c)); err == nil {
		spec.set(&c)
	}
	return spec, err
}

// PresetNames lists the presets.
func PresetNames() []string { return names(capi.PresetName) }

// names asks for names by index until there are no more.
func names(name func(uint) string) (all []string) {
	for i := uint(0); name(i) != ""; i++ {
		all = append(all, name(i))
	}
	return all
}

// NewSim creates a simulation and draws its initial fields from the seed. The error lists every fault of the
// specification.
func NewSim(spec Spec) (*Sim, error) {
	c := spec.raw()
	return newSim(capi.SimCreate(&c))
}

// NewSimJSON creates a simulation from a JSON object such as {"grid_size": 128}. What it leaves out has a default.
func NewSimJSON(spec string) (*Sim, error) {
	return newSim(capi.SimCreateJSON(spec))
}

// RestoreSim makes the simulation whose state [Sim.WriteCheckpoint] wrote. Kinetics of the program must be given
// again.
func RestoreSim(path string) (*Sim, error) {
	return newSim(capi.SimRestore(path))
}

// RestoreSimBytes is RestoreSim, from what [Sim.Checkpoint] gave.
func RestoreSimBytes(data []byte) (*Sim, error) {
	return newSim(capi.SimRestoreBytes(first(data), uint(len(data))))
}

func newSim(pointer *capi.Sim, status int32, failure *capi.Error) (*Sim, error) {
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	s := &Sim{cancel: &canceller{}, views: &sync.RWMutex{}, given: &given{}}
	callbacks := s.given
	s.h = own(s, pointer, func(p *capi.Sim) {
		capi.SimFree(p)
		callbacks.release()
	})
	return s, nil
}

// Close stops a run that is under way and frees the simulation.
func (s *Sim) Close() error {
	if pointer, err := s.h.enter(); err == nil {
		s.cancel.ask(func() error { return failed(capi.SimCancel(pointer)) })
		s.h.leave()
	}
	s.h.close()
	return nil
}

// change makes a call that changes the simulation. While a field is lent, or another change is under way, it is
// refused.
func (s *Sim) change(do func(*capi.Sim) (int32, *capi.Error)) error {
	pointer, err := s.h.enter()
	if err != nil {
		return err
	}
	defer s.h.leave()
	if !s.views.TryLock() {
		return invalid("the simulation is in use by another call, or one of its fields is lent: wait for its end")
	}
	defer s.views.Unlock()
	err = failed(do(pointer))
	if p := s.given.panicked(); p != nil {
		return panicked(p)
	}
	return err
}

// Step does one step. With [Unstable] the step was discarded and the state is the one before it.
func (s *Sim) Step() error {
	return s.change(capi.SimStep)
}

// Run does steps more steps. When ctx ends, or by [Sim.Cancel], it stops between two steps and the simulation can go
// on.
func (s *Sim) Run(ctx context.Context, steps uint64) error {
	return s.RunProgress(ctx, steps, nil)
}

// RunProgress is Run with progress, which hears of the steps done in this call every few milliseconds and after the
// last, and returns whether to go on. It must not use the simulation.
func (s *Sim) RunProgress(ctx context.Context, steps uint64, progress func(step, total uint64) bool) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	err := s.change(func(p *capi.Sim) (int32, *capi.Error) {
		defer s.cancel.during(ctx, func() { capi.SimCancel(p) }, func() { capi.SimCancelReset(p) })()
		if progress == nil {
			return capi.SimRun(p, steps, 0)
		}
		callbacks := &capi.Callbacks{Progress: progress}
		registered := callbacks.Register()
		defer registered.Release()
		status, failure := capi.SimRun(p, steps, registered)
		s.given.keepPanic(callbacks)
		return status, failure
	})
	if s.h.closed() && err != nil {
		return closed()
	}
	return explain(ctx, err)
}

// Cancel stops a Run that is under way, or the next one, before its next step. It stays in force until
// [Sim.CancelReset].
func (s *Sim) Cancel() error {
	return s.cancel.ask(func() error { return call(s.h, capi.SimCancel) })
}

// CancelReset withdraws Cancel.
func (s *Sim) CancelReset() error {
	return s.cancel.withdraw(func() error { return call(s.h, capi.SimCancelReset) })
}

// StepCount counts the steps done and kept; 0 while another call changes the simulation and after Close.
func (s *Sim) StepCount() uint64 {
	// This is enter and leave, spelt out: for so short a call they would be a tenth of its time.
	h := s.h
	if h.calls.Add(1) >= closing {
		h.leave()
		return 0
	}
	count := capi.SimStepCount(h.pointer)
	if h.calls.Add(-1) == closing {
		h.end()
	}
	return count
}

// Spec reads back the specification.
func (s *Sim) Spec() (Spec, error) {
	return read(s.h, capi.SimSpec, (*Spec).set)
}

// Statistics computes the statistics of the run so far.
func (s *Sim) Statistics() (Statistics, error) {
	return read(s.h, capi.SimStatistics, (*Statistics).set)
}

// Features computes the features of the current field and, after [Sim.FollowFeatures], of the run.
func (s *Sim) Features() (Features, error) {
	return read(s.h, capi.SimFeatures, (*Features).set)
}

// FollowFeatures follows the run from here on, so that Features also gives those that describe a run. config may be
// nil for the defaults.
func (s *Sim) FollowFeatures(config *FeatureConfig) error {
	return s.change(func(p *capi.Sim) (int32, *capi.Error) { return capi.SimFollowFeatures(p, config.rawOrNil()) })
}

// LastError gives the last failure of a call with this simulation; nil when there was none.
func (s *Sim) LastError() error {
	return lastError(get(s.h, capi.SimLastError))
}

// lend lends a view for the length of a call. Meanwhile nothing can change what is behind it.
func lend[V, G any](s *Sim, view func(*capi.Sim, *V) (int32, *capi.Error), grid func(V) G, use func(G) error) error {
	pointer, err := s.h.enter()
	if err != nil {
		return err
	}
	defer s.h.leave()
	if !s.views.TryRLock() {
		return invalid("the simulation is in use by another call: wait for its end")
	}
	defer s.views.RUnlock()
	var v V
	if err := failed(view(pointer, &v)); err != nil {
		return err
	}
	return use(grid(v))
}

// WithField lends the potential in volts to use, without a copy. Until use returns, what would change the simulation is
// refused; afterwards the field must not be looked at any more.
func (s *Sim) WithField(use func(Field) error) error { return lend(s, capi.SimField, lent, use) }

// WithActivator lends the activator, 0 to 1; see [Sim.WithField].
func (s *Sim) WithActivator(use func(Field) error) error {
	return lend(s, capi.SimActivator, lent, use)
}

// WithInhibitor lends the inhibitor, 0 to 1; see [Sim.WithField].
func (s *Sim) WithInhibitor(use func(Field) error) error {
	return lend(s, capi.SimInhibitor, lent, use)
}

// WithFieldF32 lends the potential of a run in single precision; see [Sim.WithField].
func (s *Sim) WithFieldF32(use func(FieldF32) error) error {
	return lend(s, capi.SimFieldF32, lentF32, use)
}

// WithActivatorF32 lends the activator of a run in single precision; see [Sim.WithField].
func (s *Sim) WithActivatorF32(use func(FieldF32) error) error {
	return lend(s, capi.SimActivatorF32, lentF32, use)
}

// WithInhibitorF32 lends the inhibitor of a run in single precision; see [Sim.WithField].
func (s *Sim) WithInhibitorF32(use func(FieldF32) error) error {
	return lend(s, capi.SimInhibitorF32, lentF32, use)
}

// copied collects what is lent into a copy.
func copied[E float32 | float64](with func(func(Grid[E]) error) error) (cells []E, err error) {
	err = with(func(g Grid[E]) error {
		cells = g.Copy()
		return nil
	})
	return cells, err
}

// Field copies the potential in volts, row by row.
func (s *Sim) Field() ([]float64, error) { return copied(s.WithField) }

// Activator copies the activator, row by row.
func (s *Sim) Activator() ([]float64, error) { return copied(s.WithActivator) }

// Inhibitor copies the inhibitor, row by row.
func (s *Sim) Inhibitor() ([]float64, error) { return copied(s.WithInhibitor) }

// WriteCheckpoint writes the state of the run into a file, whole and durably, replacing what is there.
func (s *Sim) WriteCheckpoint(path string) error {
	return call(s.h, func(p *capi.Sim) (int32, *capi.Error) { return capi.SimCheckpointWrite(p, path) })
}

// Checkpoint gives the state of the run; the same state gives the same bytes.
func (s *Sim) Checkpoint() ([]byte, error) {
	return take(s.h, capi.SimCheckpointBytes)
}
