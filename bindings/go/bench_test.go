package mfn

import (
	"context"
	"testing"

	"mfn/internal/capi"
)

// BenchmarkCall compares a method with the plain cgo call of the same C function, in one run.
func BenchmarkCall(b *testing.B) {
	sim := small(b)
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			capi.SimStepCount(sim.h.pointer)
		}
	})
	b.Run("go", func(b *testing.B) {
		for b.Loop() {
			sim.StepCount()
		}
	})
}

// BenchmarkCallWithError is a call that can fail and fills a struct; the plain one has neither error nor copy.
func BenchmarkCallWithError(b *testing.B) {
	sim := small(b)
	b.Run("plain", func(b *testing.B) {
		var c capi.Spec
		for b.Loop() {
			capi.SimSpec(sim.h.pointer, &c)
		}
	})
	b.Run("go", func(b *testing.B) {
		for b.Loop() {
			_, _ = sim.Spec()
		}
	})
}

// Guards the price of a call: one that can not fail makes no garbage, and one that can has a place for its error. What it
// costs next to a plain cgo call is measured by `cargo xtask bench --crossing`.
func TestCallAllocatesLittle(t *testing.T) {
	sim := small(t)
	for _, call := range []struct {
		name string
		most float64
		make func()
	}{
		{"StepCount", 0, func() { sim.StepCount() }},
		{"Step", 1, func() { check(t, sim.Step()) }},
	} {
		if allocations := testing.AllocsPerRun(1000, call.make); allocations > call.most {
			t.Errorf("%s: %v allocations a call, at most %v", call.name, allocations, call.most)
		}
	}
}

// BenchmarkCallback is a derivative of the program: one call from Go to C to Go and back, seen from C.
func BenchmarkCallback(b *testing.B) {
	options := DefaultODEOptions()
	options.Method, options.TimeStep, options.Steps = ODEEuler, 1, uint64(b.N)
	_, err := IntegrateODE(context.Background(), func(_ float64, _, slope []float64) bool {
		slope[0] = 0
		return true
	}, []float64{1}, options)
	check(b, err)
}

// BenchmarkField borrows the field of a large grid; the time and the allocations do not depend on its size.
func BenchmarkField(b *testing.B) {
	for _, size := range []string{"64", "1024"} {
		sim, err := NewSimJSON(`{"grid_size": ` + size + `}`)
		check(b, err)
		defer sim.Close()
		use := func(f Field) error { return nil }
		b.Run("lent/"+size, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = sim.WithField(use)
			}
		})
		b.Run("copied/"+size, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = sim.Field()
			}
		})
	}
}

// Guards zero copies: borrowing a field of 8 MiB allocates as little as one of 32 KiB.
func TestBorrowingCopiesNothing(t *testing.T) {
	bytes := func(size string) int64 {
		sim, err := NewSimJSON(`{"grid_size": ` + size + `}`)
		check(t, err)
		defer sim.Close()
		return testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				_ = sim.WithField(func(Field) error { return nil })
			}
		}).AllocedBytesPerOp()
	}
	if small, large := bytes("64"), bytes("1024"); large > small+64 || large > 4096 {
		t.Errorf("%d bytes to borrow 64 x 64 cells, %d to borrow 1024 x 1024", small, large)
	}
}

// BenchmarkRecord sends one record to the stream plugin, which keeps a bounded number: the boundary is most of it.
func BenchmarkRecord(b *testing.B) {
	transport := stream(b)
	record := numbered(1)
	b.ReportAllocs()
	for b.Loop() {
		_, err := transport.Publish("topic", record)
		check(b, err)
	}
}

// BenchmarkBatch publishes 1 MiB as 256 records of 4 KiB to the file plugin.
func BenchmarkBatch(b *testing.B) {
	publisher, _ := filePublisher(b)
	payload := make([]byte, 4096)
	for i := range payload {
		payload[i] = 'x'
	}
	payload[0], payload[4095] = '"', '"'
	records := make([]Record, 256)
	for i := range records {
		records[i] = numbered(i)
		records[i].Payload = payload
	}
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		results, err := publisher.Publish(context.Background(), 1, records...)
		check(b, err)
		check(b, results[255])
	}
}

func stream(b *testing.B) *Transport {
	runtime := newRuntime(b, DefaultRuntimeOptions(), "sse")
	transport, err := runtime.OpenTransport(ComponentSpec{Plugin: "sse", Name: "live", Config: `{"bind": "127.0.0.1:0"}`})
	check(b, err)
	b.Cleanup(func() { transport.Close() })
	return transport
}
