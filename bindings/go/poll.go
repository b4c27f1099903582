package mfn

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"mfn/internal/capi"
)

// pollMS is how long one call to the library waits at most. A context that ends is noticed within it.
const pollMS = 50

// poll asks a queue of the library until something comes, there is no more (io.EOF), or ctx ends.
func poll[P, R any](ctx context.Context, h *handle[P], next func(P, uint64) (R, int32, *capi.Error)) (R, error) {
	for {
		var nothing R
		if ctx.Err() != nil {
			return nothing, ended(ctx)
		}
		result, err := take(h, func(p P) (R, int32, *capi.Error) { return next(p, waitMS(ctx)) })
		switch {
		case err == nil:
			return result, nil
		case errors.Is(err, End):
			return nothing, io.EOF
		case !errors.Is(err, WouldBlock):
			return nothing, err
		}
	}
}

// waitMS is how long the next call may wait.
func waitMS(ctx context.Context) uint64 {
	if deadline, ok := ctx.Deadline(); ok {
		// Rounded up, so that the last wait ends behind the deadline and not before it.
		left := (time.Until(deadline) + time.Millisecond - 1) / time.Millisecond
		return uint64(min(max(left, 0), pollMS))
	}
	return pollMS
}

// timeoutMS is the time that a call may take as a whole: what is left to ctx, or patience when ctx has no deadline.
func timeoutMS(ctx context.Context, patience time.Duration) uint64 {
	left := patience
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	return uint64(max(left, 0) / time.Millisecond)
}

// each makes an iterator of a queue. It ends with the queue and after the first error.
func each[R any](ctx context.Context, next func(context.Context) (R, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for {
			result, err := next(ctx)
			if err == io.EOF || !yield(result, err) || err != nil {
				return
			}
		}
	}
}

// feed makes a channel of a queue, which is closed with the queue, after an error, and when ctx ends.
func feed[R any](ctx context.Context, next func(context.Context) (R, error)) <-chan R {
	results := make(chan R)
	go func() {
		defer close(results)
		for result, err := range each(ctx, next) {
			if err != nil {
				return
			}
			select {
			case results <- result:
			case <-ctx.Done():
				return
			}
		}
	}()
	return results
}
