package mfn

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"mfn/internal/capi"
)

// A handle is an object of the library. Closing it while calls are under way is safe: the last of them frees it.
type handle[P any] struct {
	pointer P
	free    func(P)
	calls   atomic.Int64 // calls under way, and closing
	freed   atomic.Bool
}

// closing is added to the calls of a handle that was closed.
const closing = 1 << 62

// own makes a handle that is closed when owner is collected, if not before. The handle must not lead to owner.
func own[O, P any](owner *O, pointer P, free func(P)) *handle[P] {
	h := &handle[P]{pointer: pointer, free: free}
	runtime.AddCleanup(owner, func(h *handle[P]) { h.close() }, h)
	return h
}

// enter begins a call. Without an error, leave must follow.
func (h *handle[P]) enter() (pointer P, err error) {
	if h.calls.Add(1)&closing != 0 {
		h.leave()
		return pointer, closed()
	}
	return h.pointer, nil
}

func (h *handle[P]) leave() {
	if h.calls.Add(-1) == closing {
		h.end()
	}
}

// close lets no further call begin, and frees the object now or after the calls that are under way.
func (h *handle[P]) close() {
	for {
		calls := h.calls.Load()
		if calls&closing != 0 {
			return
		}
		if h.calls.CompareAndSwap(calls, calls|closing) {
			if calls == 0 {
				h.end()
			}
			return
		}
	}
}

func (h *handle[P]) closed() bool {
	return h.calls.Load()&closing != 0
}

func (h *handle[P]) end() {
	if h.freed.CompareAndSwap(false, true) {
		h.free(h.pointer)
	}
}

// call makes one call with a handle.
func call[P any](h *handle[P], do func(P) (int32, *capi.Error)) error {
	pointer, err := h.enter()
	if err != nil {
		return err
	}
	defer h.leave()
	return failed(do(pointer))
}

// read makes one call with a handle that fills a struct.
func read[P, C, G any](h *handle[P], do func(P, *C) (int32, *capi.Error), set func(*G, *C)) (G, error) {
	var goes G
	var c C
	err := call(h, func(pointer P) (int32, *capi.Error) { return do(pointer, &c) })
	if err == nil {
		set(&goes, &c)
	}
	return goes, err
}

// get asks a handle for something that can not fail; what a closed one answers is the zero value.
func get[P, R any](h *handle[P], ask func(P) R) (answer R) {
	pointer, err := h.enter()
	if err != nil {
		return answer
	}
	defer h.leave()
	return ask(pointer)
}

// take makes a call that hands over one thing beside its status.
func take[P, R any](h *handle[P], do func(P) (R, int32, *capi.Error)) (result R, err error) {
	err = call(h, func(pointer P) (status int32, failure *capi.Error) {
		result, status, failure = do(pointer)
		return status, failure
	})
	return result, err
}

// A gate lets one call at a time through and makes the others wait, at most until their contexts end.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func (g gate) leave() { <-g }

// A canceller joins the two ways to stop a call: a context, whose end concerns one call, and a Cancel method, which
// stays in force. The library knows one request only, so neither may withdraw the other's.
type canceller struct {
	mu    sync.Mutex
	asked bool
	ended int // calls whose contexts have ended and that have not returned
}

// during calls cancel when ctx ends before the function that it returns is called, and reset after that.
func (c *canceller) during(ctx context.Context, cancel, reset func()) func() {
	if ctx.Done() == nil {
		return func() {}
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended++
		cancel()
	})
	return func() {
		if stop() {
			return
		}
		<-fired
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.ended--; c.ended == 0 && !c.asked {
			reset()
		}
	}
}

// ask makes the request that stays in force.
func (c *canceller) ask(cancel func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := cancel()
	c.asked = c.asked || err == nil
	return err
}

// withdraw takes it back. While a context has ended that the library has not yet answered, that request stays.
func (c *canceller) withdraw(reset func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = false
	if c.ended > 0 {
		return nil
	}
	return reset()
}

// calling makes a call that may call back.
func calling(callbacks *capi.Callbacks, do func(capi.Callback) (int32, *capi.Error)) error {
	registered := callbacks.Register()
	defer registered.Release()
	err := failed(do(registered))
	if p := callbacks.TakePanic(); p != nil {
		return panicked(p)
	}
	return err
}

// watching makes a progress callback that stops when ctx ends. progress may be nil.
func watching(ctx context.Context, progress func(done, total uint64) bool) *capi.Callbacks {
	return &capi.Callbacks{Progress: func(done, total uint64) bool {
		return ctx.Err() == nil && (progress == nil || progress(done, total))
	}}
}

// defaults asks the library for the defaults of a struct.
func defaults[C, G any](init func(*C) (int32, *capi.Error), set func(*G, *C)) (goes G) {
	var c C
	if err := failed(init(&c)); err != nil {
		// The size is that of the header, so only a defect can lead here.
		panic("libmfn refused to give its own defaults: " + err.Error())
	}
	set(&goes, &c)
	return goes
}

// list makes Go structs of an array of C's.
func list[C, G any](array []C, set func(*G, *C)) []G {
	goes := make([]G, len(array))
	for i := range array {
		set(&goes[i], &array[i])
	}
	return goes
}

// raws makes an array for C.
func raws[G, C any](goes []G, raw func(*G) C) []C {
	array := make([]C, len(goes))
	for i := range goes {
		array[i] = raw(&goes[i])
	}
	return array
}

// first points to the first element of a slice; NULL when there is none.
func first[E any](slice []E) *E {
	if len(slice) == 0 {
		return nil
	}
	return &slice[0]
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
