// Package mfn is the Go face of libmfn: it grows patterns with the MyceliumFractalNet simulation, measures them, and
// runs pipelines whose ends are plugins.
//
// A first program:
//
//	sim, err := mfn.NewSimJSON(`{"random_seed": 7}`)
//	if err != nil {
//		return err
//	}
//	defer sim.Close()
//	if err := sim.Run(ctx, 1000); err != nil {
//		return err
//	}
//	features, err := sim.Features()
//
// # Errors
//
// What fails returns an error that unwraps to *[Error], with a code, a message, causes, the plugin where it arose and
// whether trying again can help. errors.Is compares with the codes, such as [Invalid] and [Cancelled], and with
// context.Canceled and context.DeadlineExceeded where a context ended the work.
//
// # Contexts
//
// What may take long takes a context.Context. When it ends, the library stops at its next opportunity, within
// milliseconds, and the object stays usable: a simulation goes on from its last complete step.
//
// # Ownership
//
// What holds a resource of the library has a Close method, which may be called at any time, from any goroutine and
// more than once: calls under way are stopped where they can be, later ones answer [Closed], and the memory goes when
// the last call has returned. What is never closed is freed some time after the garbage collector found it.
//
// Fields come as copies, or lent without a copy to a function (WithField and its siblings). What is lent ends when that
// function returns.
//
// # Callbacks
//
// Functions that are handed to the library run on the goroutine of the call unless their documentation says more. A
// panic in one does not cross C: the call ends and returns an error that unwraps to *[PanicError]. They must not end
// their goroutine (runtime.Goexit, and so testing.T's FailNow).
//
// # Goroutines
//
// Methods may be called from any goroutine. Two calls that change one object do not wait for each other: the second
// answers [Invalid], as the library does, unless a method says that it waits.
package mfn

//go:generate go run ./internal/gen
