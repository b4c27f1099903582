package capi

// #include "callbacks.h"
import "C"

import (
	"runtime/cgo"
	"runtime/debug"
	"sync"
	"unsafe"
)

// A Callback is what C knows of a Callbacks: a number. 0 is no callback.
type Callback uintptr

// Callbacks are the functions that a call may call back. A call uses those that its C function has; the others stay
// nil. Slices that they are given are lent for the length of the call. Each returns whether to go on.
type Callbacks struct {
	Progress func(done, total uint64) bool
	Frame    func(step uint64, field, activator, inhibitor FieldView) bool
	Rates    func(u, v, du, dv []float64) bool
	ODE      func(time float64, state, slope []float64) bool
	Map      func(state, next []float64) bool
	Jacobian func(state, matrix []float64) bool
	Ensemble func(index uint64, features *Features, statistics *Statistics, failure *Error) bool
	Sweep    func(done, runs, failed uint64) bool
	Log      func(record LogRecord)

	mu    sync.Mutex
	panic *Panic
}

// A Panic is what a callback of the program panicked with.
type Panic struct {
	Value any
	Stack []byte
}

// Register makes c known to C until Release. The Handle is passed by value: it is a number, so that nothing of Go's
// memory is kept by C.
func (c *Callbacks) Register() Callback {
	return Callback(cgo.NewHandle(c))
}

// Release ends what Register began.
func (h Callback) Release() {
	cgo.Handle(h).Delete()
}

// TakePanic gives the first panic of a callback since the last time, or nil.
func (c *Callbacks) TakePanic() *Panic {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.panic
	c.panic = nil
	return p
}

// guard runs a callback. A panic must not unwind through C: it is kept for the Go function that called C, and C is
// told to stop.
func guard(handle C.uintptr_t, call func(c *Callbacks) bool) (answer C.int32_t) {
	answer = 1
	var c *Callbacks
	defer func() {
		if value := recover(); value != nil && c != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.panic == nil {
				c.panic = &Panic{value, debug.Stack()}
			}
		}
	}()
	c = cgo.Handle(handle).Value().(*Callbacks)
	if call(c) {
		answer = 0
	}
	return answer
}

func floats(data *C.double, count C.size_t) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(data)), int(count))
}

//export mfnGoProgress
func mfnGoProgress(handle C.uintptr_t, done, total C.uint64_t) C.int32_t {
	return guard(handle, func(c *Callbacks) bool { return c.Progress(uint64(done), uint64(total)) })
}

//export mfnGoFrame
func mfnGoFrame(handle C.uintptr_t, step C.uint64_t, field, activator, inhibitor *C.mfn_field_view) C.int32_t {
	return guard(handle, func(c *Callbacks) bool {
		return c.Frame(uint64(step), viewOf(field), viewOf(activator), viewOf(inhibitor))
	})
}

//export mfnGoRates
func mfnGoRates(handle C.uintptr_t, u, v, du, dv *C.double, count C.size_t) C.int32_t {
	return guard(handle, func(c *Callbacks) bool {
		return c.Rates(floats(u, count), floats(v, count), floats(du, count), floats(dv, count))
	})
}

//export mfnGoODE
func mfnGoODE(handle C.uintptr_t, time C.double, state, slope *C.double, length C.size_t) C.int32_t {
	return guard(handle, func(c *Callbacks) bool {
		return c.ODE(float64(time), floats(state, length), floats(slope, length))
	})
}

//export mfnGoMap
func mfnGoMap(handle C.uintptr_t, state, next *C.double, length C.size_t) C.int32_t {
	return guard(handle, func(c *Callbacks) bool { return c.Map(floats(state, length), floats(next, length)) })
}

//export mfnGoJacobian
func mfnGoJacobian(handle C.uintptr_t, state, matrix *C.double, length C.size_t) C.int32_t {
	return guard(handle, func(c *Callbacks) bool {
		return c.Jacobian(floats(state, length), floats(matrix, length*length))
	})
}

//export mfnGoEnsemble
func mfnGoEnsemble(handle C.uintptr_t, index C.uint64_t, features *C.mfn_features, statistics *C.mfn_statistics,
	failure *C.mfn_error) C.int32_t {
	return guard(handle, func(c *Callbacks) bool {
		return c.Ensemble(uint64(index), (*Features)(unsafe.Pointer(features)),
			(*Statistics)(unsafe.Pointer(statistics)), failure)
	})
}

//export mfnGoSweepProgress
func mfnGoSweepProgress(handle C.uintptr_t, done, runs, failed C.uint64_t) C.int32_t {
	return guard(handle, func(c *Callbacks) bool { return c.Sweep(uint64(done), uint64(runs), uint64(failed)) })
}

//export mfnGoLog
func mfnGoLog(handle C.uintptr_t, record *C.mfn_log_record) {
	guard(handle, func(c *Callbacks) bool {
		c.Log(logRecordOf(record))
		return true
	})
}

//export mfnGoDestroy
func mfnGoDestroy(handle C.uintptr_t) {
	defer func() { _ = recover() }() // of a handle that is none: a defect, which must not unwind through C
	Callback(handle).Release()
}
