package mfn

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// boom is what callbacks of these tests panic with.
var boom = errors.New("boom")

// Guards the boundary: a panic in any callback becomes a typed error, the process lives, and the next call works.
func TestPanicsBecomeErrors(t *testing.T) {
	ctx := context.Background()
	host := DefaultSpec()
	host.GridSize, host.Kinetics, host.RecordEvery = 16, KineticsHost, 1
	host.KineticsParameters, host.InitialCondition = [4]float64{}, InitialRandom
	fails := func(uint64, uint64) bool { panic(boom) }
	decay := func(u, v, du, dv []float64) bool {
		for i := range u {
			du[i], dv[i] = -u[i], -v[i]
		}
		return true
	}
	hosted := func(t *testing.T) *Sim {
		sim, err := NewSim(host)
		check(t, err)
		t.Cleanup(func() { sim.Close() })
		return sim
	}
	for name, run := range map[string]func(t *testing.T) (first, next error){
		"progress": func(t *testing.T) (error, error) {
			sim := small(t)
			return sim.RunProgress(ctx, 10, fails), sim.Run(ctx, 10)
		},
		"frames": func(t *testing.T) (error, error) {
			sim := hosted(t)
			check(t, sim.SetKinetics(decay))
			check(t, sim.RecordFunc(func(uint64, Field, Field, Field) bool { panic(boom) }))
			first := sim.Run(ctx, 10)
			check(t, sim.RecordFunc(nil))
			return first, sim.Run(ctx, 10)
		},
		"rates on several threads": func(t *testing.T) (error, error) {
			sim := hosted(t)
			check(t, sim.SetExecution(Execution{Threads: 2}))
			check(t, sim.SetKinetics(func(u, v, du, dv []float64) bool { panic(boom) }))
			first := sim.Step()
			check(t, sim.SetKinetics(decay))
			return first, sim.Run(ctx, 10)
		},
		"rates of an analysis": func(t *testing.T) (error, error) {
			_, first := AnalyseTuringRates(host, func(u, v, du, dv []float64) bool { panic(boom) }, 0.1, 0.1)
			_, next := AnalyseTuringRates(host, decay, 0.1, 0.1)
			return first, next
		},
		"derivative": func(t *testing.T) (error, error) {
			state := []float64{1}
			_, first := IntegrateODE(ctx, func(float64, []float64, []float64) bool { panic(boom) }, state, DefaultODEOptions())
			_, next := IntegrateODE(ctx, func(_ float64, y, s []float64) bool { s[0] = -y[0]; return true }, state,
				DefaultODEOptions())
			return first, next
		},
		"map": func(t *testing.T) (error, error) {
			options := DefaultLyapunovOptions()
			_, first := LyapunovMap(ctx, func([]float64, []float64) bool { panic(boom) }, []float64{0.3}, options)
			_, next := LyapunovMap(ctx, logistic, []float64{0.3}, options)
			return first, next
		},
		"jacobian": func(t *testing.T) (error, error) {
			_, _, first := LyapunovSpectrum(ctx, logistic, func([]float64, []float64) bool { panic(boom) }, []float64{0.3}, 10, 50)
			_, _, next := LyapunovSpectrum(ctx, logistic, slope, []float64{0.3}, 10, 50)
			return first, next
		},
		"intervals": func(t *testing.T) (error, error) {
			sim := small(t)
			options := DefaultLyapunovOptions()
			options.Intervals, options.Transient = 5, 1
			_, first := sim.Lyapunov(ctx, &options, fails)
			_, next := sim.Lyapunov(ctx, &options, nil)
			return first, next
		},
		"validation": func(t *testing.T) (error, error) {
			config := DefaultValidationConfig(true)
			config.Epochs, config.GridSize, config.Steps = 1, 8, 4
			_, first := Validate(ctx, config, fails)
			_, next := Validate(ctx, config, nil)
			return first, next
		},
		"sweep": func(t *testing.T) (error, error) {
			sweep, err := NewSweep(plan)
			check(t, err)
			defer sweep.Close()
			path := filepath.Join(t.TempDir(), "out.csv")
			_, first := sweep.Write(ctx, path, SweepOptions{}, func(uint64, uint64, uint64) bool { panic(boom) })
			_, next := sweep.Write(ctx, path, SweepOptions{Existing: SweepResume}, nil)
			return first, next
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, next := run(t)
			failure := wants(t, first, Fatal, "boom")
			var panicked *PanicError
			if !errors.As(first, &panicked) || panicked.Value != boom || !errors.Is(first, boom) ||
				!strings.Contains(string(panicked.Stack), "callbacks_test.go") {
				t.Errorf("%+v", failure)
			}
			check(t, next)
		})
	}
}

const plan = `{"base": {"steps": 5, "grid_size": 16}, "axes": [{"field": "alpha", "min": 0.05, "max": 0.15, "points": 3}],
	"seeds_per_config": 2}`

func logistic(x, next []float64) bool {
	next[0] = 4 * x[0] * (1 - x[0])
	return true
}

func slope(x, matrix []float64) bool {
	matrix[0] = 4 - 8*x[0]
	return true
}

// Guards a panic in the loop over an ensemble: it is the loop's own, and the ensemble works on.
func TestPanicInALoopOverAnEnsemble(t *testing.T) {
	ensemble, err := NewEnsemble(EnsembleOptions{Threads: 2})
	check(t, err)
	defer ensemble.Close()
	specs := []string{`{"grid_size": 16, "steps": 5}`, `{"alpha": 9}`, `{"grid_size": 16, "steps": 5, "random_seed": 1}`}
	func() {
		defer func() {
			if recover() != boom {
				t.Error("the panic was lost")
			}
		}()
		for range ensemble.RunJSON(context.Background(), specs) {
			panic(boom)
		}
	}()
	for result, err := range ensemble.RunJSON(context.Background(), specs) {
		if result.Index == 1 {
			wants(t, err, Invalid, "alpha")
		} else if err != nil || result.Statistics.StepsComputed != 5 {
			t.Error(result, err)
		}
	}
	count := 0
	for range ensemble.RunJSON(context.Background(), specs) {
		count++
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range ensemble.RunJSON(ctx, specs) {
		wants(t, err, Cancelled, "canceled")
		count++
	}
	check(t, ensemble.Cancel())
	for _, err := range ensemble.Run(context.Background(), []Spec{DefaultSpec()}) {
		wants(t, err, Cancelled, "")
		count++
	}
	check(t, ensemble.CancelReset())
	if count != 3 || ensemble.LastError() != nil && !errors.Is(ensemble.LastError(), Cancelled) {
		t.Error(count, ensemble.LastError())
	}
}

// Guards contexts of everything but runs: each work ends soon after its context.
func TestContextsEndOtherWork(t *testing.T) {
	sim, err := NewSimJSON(`{"grid_size": 64}`)
	check(t, err)
	defer sim.Close()
	rotate := func(_ float64, y, s []float64) bool { s[0], s[1] = y[1], -y[0]; return true }
	ring := make([]Edge, 3000)
	for i := range ring {
		ring[i] = Edge{uint32(i), uint32((i*7 + 1) % len(ring))}
	}
	graph, err := NewGraphFromEdges(len(ring), ring, nil)
	check(t, err)
	defer graph.Close()
	sweep, err := NewSweep(`{"base": {"steps": 100000}, "axes": [{"field": "alpha", "min": 0.05, "max": 0.15, "points": 50}]}`)
	check(t, err)
	defer sweep.Close()
	ensemble, err := NewEnsemble(EnsembleOptions{})
	check(t, err)
	defer ensemble.Close()
	long := DefaultLyapunovOptions()
	long.Intervals, long.TimeStep = 1e9, 0.01
	maps := &IFS{Maps: []AffineMap{{A: 0.5, D: 0.5}, {A: 0.5, D: 0.5, E: 0.5}}}
	for name, work := range map[string]func(context.Context) error{
		"equations": func(ctx context.Context) error {
			options := DefaultODEOptions()
			options.Method, options.Steps, options.TimeStep = ODERK4, 1e12, 1e-3
			_, err := IntegrateODE(ctx, rotate, []float64{1, 0}, options)
			return err
		},
		"map": func(ctx context.Context) error {
			_, err := LyapunovMap(ctx, logistic, []float64{0.3}, long)
			return err
		},
		"flow": func(ctx context.Context) error {
			_, err := LyapunovFlow(ctx, rotate, []float64{1, 0}, long)
			return err
		},
		"spectrum": func(ctx context.Context) error {
			_, _, err := LyapunovSpectrum(ctx, logistic, slope, []float64{0.3}, 10, 1e9)
			return err
		},
		"exponent of a run": func(ctx context.Context) error { _, err := sim.Lyapunov(ctx, &long, nil); return err },
		"percolation": func(ctx context.Context) error {
			_, _, err := graph.Percolate(ctx, AttackBetweennessAdaptive, &GraphRobustness{SourcesMax: 3000,
				Trials: 1, RecomputationsMax: 3000})
			return err
		},
		"raster": func(ctx context.Context) error {
			_, _, err := maps.Raster(ctx, 1, 1<<28, IFSWindow{XMax: 1, YMax: 1}, 8, 8)
			return err
		},
		"second simulator": func(ctx context.Context) error {
			model := DefaultModelV41()
			model.Steps = 1e9
			_, _, err := model.Run(ctx)
			return err
		},
		"validation": func(ctx context.Context) error {
			config := DefaultValidationConfig(false)
			config.Epochs, config.Steps = 100, 1000
			_, err := Validate(ctx, config, nil)
			return err
		},
		"sweep": func(ctx context.Context) error {
			_, err := sweep.Write(ctx, filepath.Join(t.TempDir(), "o.csv"), SweepOptions{}, nil)
			return err
		},
		"ensemble": func(ctx context.Context) error {
			spec := DefaultSpec()
			spec.Steps = 1 << 20
			for _, err := range ensemble.Run(ctx, []Spec{spec, spec}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
			defer cancel()
			begun := time.Now()
			err := work(ctx)
			wants(t, err, Cancelled, "deadline")
			if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
	// The requests of those contexts are gone.
	_, err = graph.Betweenness(context.Background(), &GraphRobustness{SourcesMax: 2, Trials: 1, RecomputationsMax: 1})
	check(t, err)
	check(t, graph.Cancel())
	_, err = graph.Betweenness(context.Background(), nil)
	wants(t, err, Cancelled, "")
	check(t, graph.CancelReset())
}

// Guards callbacks that work: what they are given and what they give arrives.
func TestCallbacksGiveAndTake(t *testing.T) {
	ctx := context.Background()
	state := []float64{1, 0}
	report, err := IntegrateODE(ctx, func(_ float64, y, s []float64) bool { s[0], s[1] = -y[0], y[0]; return true }, state,
		DefaultODEOptions())
	check(t, err)
	if math.Abs(state[0]-math.Exp(-1)) > 1e-5 || report.Time != 1 || report.Accepted == 0 {
		t.Error(state, report)
	}
	exponents, dimension, err := LyapunovSpectrum(ctx, logistic, slope, []float64{0.3}, 100, 20000)
	check(t, err)
	if math.Abs(exponents[0]-math.Ln2) > 0.02 || dimension != 1 {
		t.Error(exponents, dimension)
	}
	sim, err := NewSimJSON(`{"grid_size": 16, "record_every": 2}`)
	check(t, err)
	defer sim.Close()
	var steps []uint64
	var last float64
	check(t, sim.RecordFunc(func(step uint64, field, activator, inhibitor Field) bool {
		steps, last = append(steps, step), field.At(2, 3)
		return len(activator.Data) == 256 && inhibitor.Rows == 16
	}))
	check(t, sim.RecordRing(2, PlaneField|PlaneActivator))
	check(t, sim.Run(ctx, 8))
	cells, err := sim.Field()
	check(t, err)
	if len(steps) != 4 || steps[3] != 8 || last != cells[2*16+3] || sim.RecordDropped() != 2 {
		t.Error(steps, last, sim.RecordDropped())
	}
	count := 0
	for frame, err := range sim.Frames(PlaneField) {
		check(t, err)
		count++
		if frame.Step != uint64(4+2*count) || count == 2 && frame.Cells[2*16+3] != last {
			t.Error(frame.Step)
		}
	}
	for _, err := range sim.Frames(PlaneInhibitor) {
		wants(t, err, Invalid, "")
		count++
	}
	if count != 3 {
		t.Error(count)
	}
}
