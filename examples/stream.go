//go:build ignore

// A pipeline as a stream: results and log records are taken from channels as they come. Who connects to the endpoints
// that are listed sees the same results live.
// Usage: go run stream.go CONFIG.toml
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"mfn"
)

// clean makes a name or a reason fit for a terminal: they come from outside.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}

func print(outcome *mfn.Outcome) {
	if outcome.Features == nil {
		fmt.Printf("%s: refused: %s\n", clean(outcome.Request), clean(outcome.Reason))
		return
	}
	fmt.Printf("%s: D_box %.3f, mean %.2f mV\n", clean(outcome.Request), outcome.Features.DBox, outcome.Features.VMean)
}

func run(path string) error {
	options := mfn.DefaultRuntimeOptions()
	options.LogQueueMax = 256
	runtime, err := mfn.NewRuntime(options)
	if err != nil {
		return err
	}
	defer runtime.Close()
	config, err := mfn.ReadConfig(path)
	if err != nil {
		return err
	}
	defer config.Close()
	pipeline, err := runtime.StartPipeline(config)
	if err != nil {
		return err
	}
	defer pipeline.Close()
	endpoints, err := pipeline.Endpoints()
	if err != nil {
		return err
	}
	for _, e := range endpoints {
		fmt.Fprintf(os.Stderr, "%s %s: %s\n", e.Component, e.Name, e.URL)
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	outcomes, logs := pipeline.OutcomeChan(ctx), runtime.Logs(ctx)
	for outcomes != nil {
		select {
		case outcome, more := <-outcomes:
			if !more {
				outcomes = nil
				break
			}
			print(outcome)
		case record := <-logs:
			fmt.Fprintln(os.Stderr, "log:", record.Message)
		}
	}
	state, err := pipeline.Wait(ctx) // how it ended; draining makes it stopped
	if err != nil {
		return err
	}
	drain, done := context.WithTimeout(ctx, 10*time.Second)
	defer done()
	if _, err := pipeline.Drain(drain); err != nil {
		return err
	}
	status, err := pipeline.Status()
	if err != nil {
		return err
	}
	fmt.Printf("%d received, %d delivered, %d dead letters\n", status.Received, status.Delivered, status.DeadLettered)
	if state == mfn.PipelineFailed {
		return errors.New("the pipeline failed")
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: stream CONFIG.toml")
		os.Exit(2)
	}
	err := run(os.Args[1])
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
	var failure *mfn.Error
	if errors.As(err, &failure) {
		for _, f := range failure.Faults {
			fmt.Fprintf(os.Stderr, "  %s: %s; %s\n", f.Path, f.Message, f.Fix)
		}
	}
	os.Exit(1)
}
