package mfn

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Guards everything about ownership at once: 1,000 goroutines on one runtime create, run, look at, cancel and close
// simulations that they share, at random, and forget some. Nothing crashes, no call gives an error that it must not
// give, and all that was handed out is freed. MFN_STRESS_SECONDS sets how long; the race detector and cgocheck2 make
// it hard.
func TestThousandGoroutines(t *testing.T) {
	seconds, _ := strconv.ParseFloat(os.Getenv("MFN_STRESS_SECONDS"), 64)
	if seconds <= 0 {
		seconds = 2
	}
	before := settled()
	options := DefaultRuntimeOptions()
	options.LogQueueMax, options.Threads = 16, 2
	runtime, err := NewRuntime(options)
	check(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds*float64(time.Second)))
	defer cancel()
	s := &stress{runtime: runtime}
	for i := range s.slots {
		s.slots[i].Store(s.create(t))
	}
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() { s.work(ctx, t, rand.New(rand.NewPCG(uint64(i), 7))) })
	}
	all.Wait()
	for i := range s.slots {
		check(t, s.slots[i].Load().Close())
	}
	check(t, runtime.Close())
	t.Logf("%d simulations, %d steps, %d runs cancelled, %d calls refused", s.created.Load(), s.steps.Load(),
		s.cancelled.Load(), s.refused.Load())
	if s.steps.Load() == 0 || s.cancelled.Load() == 0 || s.refused.Load() == 0 || s.created.Load() <= int64(len(s.slots)) {
		t.Error("the goroutines did not meet: the test shows nothing")
	}
	if after := settled(); after != before {
		t.Errorf("%d handles of the library are left, %d before", after, before)
	}
}

// A stress is what the goroutines share.
type stress struct {
	runtime                            *Runtime
	slots                              [64]atomic.Pointer[Sim]
	created, steps, cancelled, refused atomic.Int64
}

func (s *stress) create(t *testing.T) *Sim {
	sim, err := NewSimJSON(`{"grid_size": 24, "record_every": 3}`)
	if err != nil {
		t.Error(err)
		return nil
	}
	s.created.Add(1)
	return sim
}

func (s *stress) work(ctx context.Context, t *testing.T, random *rand.Rand) {
	for ctx.Err() == nil && !t.Failed() {
		sim := s.slots[random.IntN(len(s.slots))].Load()
		var err error
		switch random.IntN(12) {
		case 0:
			short, done := context.WithTimeout(ctx, time.Duration(random.IntN(3000))*time.Microsecond)
			err = sim.Run(short, 1<<30)
			done()
		case 1:
			stop := uint64(random.IntN(50))
			err = sim.RunProgress(ctx, 100, func(step, _ uint64) bool {
				s.steps.Add(1)
				return step < stop
			})
		case 2:
			err = sim.Step()
		case 3:
			err = sim.Cancel()
			_ = sim.CancelReset()
		case 4:
			err = sim.WithField(func(f Field) error {
				_, err := ComputeFeatures(f, nil)
				return err
			})
		case 5:
			_, err = sim.Statistics()
		case 6:
			s.steps.Add(int64(sim.StepCount()))
			err = sim.LastError()
		case 7:
			err = sim.RecordFunc(func(uint64, Field, Field, Field) bool { return true })
		case 8: // closed, or only forgotten
			old := s.slots[random.IntN(len(s.slots))].Swap(s.create(t))
			if random.IntN(2) == 0 {
				err = old.Close()
			}
		case 9:
			var state []byte
			if state, err = sim.Checkpoint(); err == nil {
				var again *Sim
				if again, err = RestoreSimBytes(state); err == nil {
					s.created.Add(1)
					err = again.Close()
				}
			}
		case 10:
			_, err = s.runtime.LoadReport()
		case 11:
			_, err = NewSimJSON(`{"grid_size": 0}`)
		}
		s.judge(t, err)
	}
}

// judge lets the answers pass that simulations in use, cancelled or closed give.
func (s *stress) judge(t *testing.T, err error) {
	switch {
	case err == nil:
	case errors.Is(err, Cancelled):
		s.cancelled.Add(1)
	case errors.Is(err, Closed), errors.Is(err, Invalid):
		s.refused.Add(1)
	default:
		t.Errorf("%v (%T)", err, err)
	}
}

// Guards against memory that C still uses when Go moves or frees it: everything that crosses with pointers is done
// while the collector runs all the time.
func TestCollectorUnderPressure(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	litter := make(chan struct{})
	var littering sync.WaitGroup
	littering.Go(func() {
		for held := make([][]byte, 64); ; {
			select {
			case <-litter:
				return
			default:
				held[rand.IntN(len(held))] = make([]byte, 1<<12)
			}
		}
	})
	defer littering.Wait()
	defer close(litter)
	publisher, folder := filePublisher(t)
	for i := range 30 {
		sim, err := NewSimJSON(`{"grid_size": 16, "record_every": 1}`)
		check(t, err)
		var sum float64
		check(t, sim.RecordFunc(func(_ uint64, f, a, _ Field) bool {
			sum += f.At(0, 0) + a.At(15, 15)
			_ = make([]byte, 1<<10)
			return true
		}))
		check(t, sim.SetInitialField(NewField(append([]float64(nil), make([]float64, 256)...), 16, 16)))
		check(t, sim.Run(context.Background(), 10))
		if i%3 == 0 { // the others are forgotten
			check(t, sim.Close())
		}
		results, err := publisher.Publish(context.Background(), 1, numbered(i))
		check(t, err)
		check(t, results[0])
	}
	check(t, publisher.Flush(context.Background()))
	check(t, publisher.Close())
	if records := published(t, folder); len(records) != 30 {
		t.Errorf("%d records of 30", len(records))
	}
}
