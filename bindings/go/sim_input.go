package mfn

import (
	"context"

	"mfn/internal/capi"
)

// Rates computes the rates of the activator into du and of the inhibitor into dv, for cells with activator u and
// inhibitor v, and returns whether that could be done. It is called for parts of rows in any order, and from several
// threads at once when the [Execution] has more than one.
type Rates func(u, v, du, dv []float64) bool

// panicked takes the panic of a callback that stays with the simulation.
func (g *given) panicked() *capi.Panic {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, callbacks := range []*capi.Callbacks{g.rates, g.frames} {
		if callbacks != nil {
			if p := callbacks.TakePanic(); p != nil {
				return p
			}
		}
	}
	return g.kept.take()
}

// keepPanic keeps the panic of a callback of one call until that call looks for it.
func (g *given) keepPanic(callbacks *capi.Callbacks) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kept.panic = callbacks.TakePanic()
}

// A kept panic is taken once.
type kept struct{ panic *capi.Panic }

func (k *kept) take() *capi.Panic {
	p := k.panic
	k.panic = nil
	return p
}

// replace gives the library a callback that stays, and releases the one before.
func (g *given) replace(callbacks **capi.Callbacks, registered *capi.Callback, fresh *capi.Callbacks,
	set func(capi.Callback) (int32, *capi.Error)) (int32, *capi.Error) {
	var handle capi.Callback
	if fresh != nil {
		handle = fresh.Register()
	}
	status, failure := set(handle)
	g.mu.Lock()
	defer g.mu.Unlock()
	old := handle // refused: the library never learnt of it
	if status == int32(OK) {
		old, *registered, *callbacks = *registered, handle, fresh
	}
	if old != 0 {
		old.Release()
	}
	return status, failure
}

// release ends the callbacks of a simulation that was freed.
func (g *given) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, registered := range []*capi.Callback{&g.ratesC, &g.framesC} {
		if *registered != 0 {
			registered.Release()
			*registered = 0
		}
	}
}

// input makes a call that gives the simulation a field, which is copied.
func (s *Sim) input(field Field, do func(*capi.Sim, capi.FieldView) (int32, *capi.Error)) error {
	v, err := rawField(field)
	if err != nil {
		return err
	}
	return s.change(func(p *capi.Sim) (int32, *capi.Error) { return do(p, v) })
}

// SetInitialField replaces the initial potential, in volts, before the first step.
func (s *Sim) SetInitialField(field Field) error { return s.input(field, capi.SimSetInitialField) }

// SetInitialActivator replaces the initial activator before the first step.
func (s *Sim) SetInitialActivator(field Field) error {
	return s.input(field, capi.SimSetInitialActivator)
}

// SetInitialInhibitor replaces the initial inhibitor before the first step.
func (s *Sim) SetInitialInhibitor(field Field) error {
	return s.input(field, capi.SimSetInitialInhibitor)
}

// SetMap gives each cell a coefficient of its own from the next step on.
func (s *Sim) SetMap(coefficient Coefficient, field Field) error {
	return s.input(field, func(p *capi.Sim, v capi.FieldView) (int32, *capi.Error) {
		return capi.SimSetMap(p, int32(coefficient), v)
	})
}

// RemoveMap takes back what SetMap gave.
func (s *Sim) RemoveMap(coefficient Coefficient) error {
	return s.change(func(p *capi.Sim) (int32, *capi.Error) {
		return capi.SimSetMap(p, int32(coefficient), capi.FieldView{})
	})
}

// SetKinetics gives the rates of a run whose specification says [KineticsHost]. The simulation keeps them until Close.
func (s *Sim) SetKinetics(rates Rates) error {
	if rates == nil {
		return invalid("rates is nil: give a function")
	}
	return s.change(func(p *capi.Sim) (int32, *capi.Error) {
		return s.given.replace(&s.given.rates, &s.given.ratesC, &capi.Callbacks{Rates: rates},
			func(h capi.Callback) (int32, *capi.Error) { return capi.SimSetKinetics(p, h) })
	})
}

// SetExecution says how steps are carried out from the next one on. It changes no bit of the result.
func (s *Sim) SetExecution(execution Execution) error {
	c := execution.raw()
	return s.change(func(p *capi.Sim) (int32, *capi.Error) { return capi.SimSetExecution(p, &c) })
}

// Execution tells how steps are carried out.
func (s *Sim) Execution() (Execution, error) {
	return read(s.h, capi.SimExecution, (*Execution).set)
}

// Lyapunov measures the largest Lyapunov exponent from the current state on, 1 per unit of time; the simulation is not
// changed. options may be nil for the defaults; progress, which may be nil, hears of intervals and returns whether to
// go on.
func (s *Sim) Lyapunov(ctx context.Context, options *LyapunovOptions, progress func(done, total uint64) bool) (
	LyapunovEstimate, error) {
	var c capi.LyapunovEstimate
	var estimate LyapunovEstimate
	pointer, err := s.h.enter()
	if err != nil {
		return estimate, err
	}
	defer s.h.leave()
	err = calling(watching(ctx, progress), func(h capi.Callback) (int32, *capi.Error) {
		return capi.SimLyapunov(pointer, options.rawOrNil(), h, &c)
	})
	if err == nil {
		estimate.set(&c)
	}
	return estimate, explain(ctx, err)
}
