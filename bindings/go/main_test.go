package mfn

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mfn/internal/testkit"
)

// TestMain guards all tests against leaks: at the end nothing of the library's is left, not even what a test forgot.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := settled(); code == 0 && left != 0 {
		fmt.Fprintln(os.Stderr, "leak: handles of the library that nothing freed:", left)
		code = 1
	}
	os.Exit(code)
}

// settled collects what nobody holds and counts what the library still has out.
func settled() uint64 {
	for range 200 {
		if LiveHandles() == 0 {
			return 0
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return LiveHandles()
}

// small makes a simulation of a few cells.
func small(t testing.TB) *Sim {
	t.Helper()
	sim, err := NewSimJSON(`{"grid_size": 16, "random_seed": 3}`)
	check(t, err)
	t.Cleanup(func() { sim.Close() })
	return sim
}

func check(t testing.TB, err error) {
	t.Helper()
	testkit.Check(t, err)
}

// wants fails unless err unwraps to an *Error of a code whose message has a text.
func wants(t testing.TB, err error, code Code, text string) *Error {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) || failure.Code != code || !errors.Is(err, code) {
		t.Fatalf("%v (%T) is no %v", err, err, code)
	}
	if !strings.Contains(failure.Message, text) {
		t.Fatalf("%q does not say %q", failure.Message, text)
	}
	return failure
}

// Guards that Go changes no bit: the field is the one that a C program gets.
func TestFieldHasTheBitsOfC(t *testing.T) {
	want, err := exec.Command(testkit.CompileC(t, "testdata/field.c")).Output()
	check(t, err)
	spec := DefaultSpec()
	spec.GridSize, spec.RandomSeed, spec.QuantumJitter = 48, 7, true
	sim, err := NewSim(spec)
	check(t, err)
	defer sim.Close()
	check(t, sim.Run(context.Background(), 200))
	cells, err := sim.Field()
	check(t, err)
	var got bytes.Buffer
	check(t, binary.Write(&got, binary.NativeEndian, cells))
	if !bytes.Equal(got.Bytes(), want) || len(want) != 8*48*48 {
		t.Fatalf("%d bytes in Go differ from %d in C", got.Len(), len(want))
	}
}

// Guards zero copies: a lent field is the library's memory, twice the same, and what is lent can not be pulled away.
func TestLentFieldsAreNotCopiedAndStay(t *testing.T) {
	sim := small(t)
	var place *float64
	check(t, sim.WithField(func(f Field) error {
		place = &f.Data[0]
		return nil
	}))
	check(t, sim.WithField(func(f Field) error {
		if place != &f.Data[0] {
			t.Error("the field was copied")
		}
		if f.Rows != 16 || f.Cols != 16 || f.At(3, 4) != f.Copy()[3*16+4] {
			t.Error("another field", f.Rows, f.Cols)
		}
		wants(t, sim.Step(), Invalid, "lent")
		check(t, sim.Close()) // frees it when the view is given back
		if f.At(0, 0) != *place {
			t.Error("the field changed")
		}
		return nil
	}))
	wants(t, sim.Step(), Closed, "closed")
	other := small(t)
	check(t, other.WithField(func(Field) error { return other.WithActivator(func(Field) error { return nil }) }))
	if n := testing.AllocsPerRun(20, func() { _ = other.WithField(func(Field) error { return nil }) }); n > 4 {
		t.Errorf("lending a field of 16 x 16 cells allocates %v times", n)
	}
}

// Guards errors: code, faults and remedies of a specification arrive, and what the binding refuses is typed as well.
func TestErrorsAreTyped(t *testing.T) {
	_, err := NewSimJSON(`{"alpha": 9, "grid_size": 0}`)
	failure := wants(t, err, Invalid, "alpha")
	if len(failure.Faults) < 2 || failure.Faults[0].Path == "" || failure.Faults[0].Fix == "" || failure.Retriable {
		t.Errorf("%+v", failure)
	}
	_, err = NewSimJSON("{\"grid_size\": 16}\x00")
	wants(t, err, Invalid, "NUL")
	_, err = RestoreSim(filepath.Join(t.TempDir(), "none"))
	wants(t, err, IO, "none")
	for _, f := range []Field{{}, {Data: make([]float64, 8), Rows: 3, Cols: 3, RowStride: 3, ColStride: 1},
		{Data: make([]float64, 9), Rows: 3, Cols: 3, RowStride: -3, ColStride: 1},
		{Data: make([]float64, 9), Rows: 3, Cols: 3, RowStride: math.MaxInt, ColStride: 1}} {
		_, err = ComputeFeatures(f, nil)
		wants(t, err, Invalid, "")
	}
	sim := small(t)
	wants(t, sim.SetKinetics(nil), Invalid, "nil")
	wants(t, sim.SetMap(99, NewField(make([]float64, 256), 16, 16)), Invalid, "")
	if err := sim.LastError(); !errors.Is(err, Invalid) {
		t.Error("the simulation forgot its last failure:", err)
	}
	wants(t, sim.WithFieldF32(func(FieldF32) error { return nil }), Invalid, "")
	if text := Invalid.Error(); text != "MFN_INVALID" {
		t.Error(text)
	}
	if text := Cancelled.String() + " " + Code(77).String() + " " + KineticsGrayScott.String(); text !=
		"cancelled Code(77) gray-scott" {
		t.Error(text)
	}
}

// Guards contexts: each work that takes one ends soon after it, with both errors, and the object goes on.
func TestContextsEndRuns(t *testing.T) {
	sim, err := NewSimJSON(`{"grid_size": 128}`)
	check(t, err)
	defer sim.Close()
	for _, how := range []func() (context.Context, context.CancelFunc){
		func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 30*time.Millisecond)
		},
		func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(30*time.Millisecond, func() { cancel(errors.New("the user left")) })
			return ctx, func() { cancel(nil) }
		},
	} {
		ctx, cancel := how()
		begun := time.Now()
		err = sim.Run(ctx, 1<<40)
		wants(t, err, Cancelled, "stopped")
		if !errors.Is(err, ctx.Err()) || !errors.Is(err, context.Cause(ctx)) {
			t.Error(err, "does not unwrap to", ctx.Err())
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Error("it took", took)
		}
		before := sim.StepCount()
		if before == 0 {
			t.Error("the run was stopped before it began: the test shows nothing")
		}
		wants(t, sim.Run(ctx, 5), Cancelled, "")
		check(t, sim.Run(context.Background(), 5))
		if sim.StepCount() != before+5 {
			t.Error("the run did not go on")
		}
		cancel()
	}
	// What the program itself asked for stays in force, whatever contexts do.
	check(t, sim.Cancel())
	wants(t, sim.Run(context.Background(), 5), Cancelled, "")
	check(t, sim.CancelReset())
	err = sim.RunProgress(context.Background(), 1<<40, func(step, total uint64) bool { return step < 3 })
	wants(t, err, Cancelled, "")
	check(t, sim.Run(context.Background(), 1))
}

// Guards two requests to stop against each other: whoever withdraws Cancel must not withdraw the end of a context.
func TestWithdrawingCancelDoesNotWithdrawAContext(t *testing.T) {
	sim := small(t)
	stop := make(chan struct{})
	var withdrawing sync.WaitGroup
	withdrawing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = sim.CancelReset()
			}
		}
	})
	for range 20 {
		short, done := context.WithTimeout(context.Background(), 5*time.Millisecond)
		wants(t, sim.Run(short, 1<<30), Cancelled, "")
		done()
	}
	close(stop)
	withdrawing.Wait()
	check(t, sim.Run(context.Background(), 1))
}

// Guards Close while a run is under way: the run ends, soon, and says why.
func TestCloseEndsRuns(t *testing.T) {
	sim := small(t)
	running, done := make(chan struct{}), make(chan error)
	go func() {
		first := true
		done <- sim.RunProgress(context.Background(), 1<<40, func(uint64, uint64) bool {
			if first {
				close(running)
			}
			first = false
			return true
		})
	}()
	<-running
	wants(t, sim.Step(), Invalid, "in use")
	check(t, sim.Close())
	check(t, sim.Close())
	wants(t, <-done, Closed, "")
	wants(t, sim.Run(context.Background(), 1), Closed, "")
	if sim.StepCount() != 0 || sim.LastError() != nil {
		t.Error("a closed simulation answers")
	}
}

// Guards the backstop: what is never closed is freed when nobody holds it, callbacks included.
func TestForgottenObjectsAreFreed(t *testing.T) {
	before := LiveHandles()
	for range 20 {
		sim, err := NewSimJSON(`{"grid_size": 16, "record_every": 1}`)
		check(t, err)
		check(t, sim.RecordFunc(func(uint64, Field, Field, Field) bool { return true }))
		check(t, sim.Run(context.Background(), 3))
	}
	if now := LiveHandles(); now < before+1 {
		t.Fatal("nothing was held: the test shows nothing")
	}
	for range 200 {
		if LiveHandles() <= before {
			return
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d handles, %d before", LiveHandles(), before)
}
