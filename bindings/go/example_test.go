package mfn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"mfn"
)

// Grow a pattern and measure it.
func Example() {
	sim, err := mfn.NewSimJSON(`{"random_seed": 7}`)
	if err != nil {
		log.Fatal(err)
	}
	defer sim.Close()
	if err := sim.Run(context.Background(), 1000); err != nil {
		log.Fatal(err)
	}
	f, err := sim.Features()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("D_box %.3f, active %.1f %%, mean %.2f mV\n", f.DBox, 100*f.FActive, f.VMean)
	// Output: D_box 1.754, active 32.9 %, mean -61.78 mV
}

// A run with a time limit ends soon after it, between two steps, and can go on.
func ExampleSim_Run() {
	sim, err := mfn.NewSimJSON(`{"grid_size": 64}`)
	if err != nil {
		log.Fatal(err)
	}
	defer sim.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err = sim.Run(ctx, 1_000_000_000)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, mfn.Cancelled))
	fmt.Println(sim.Run(context.Background(), 1))
	// Output:
	// true true
	// <nil>
}

// What is wrong with a specification comes as a list, with remedies.
func ExampleError() {
	_, err := mfn.NewSimJSON(`{"grid_size": 0}`)
	var failure *mfn.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Code)
		for _, fault := range failure.Faults {
			fmt.Println(fault.Path)
		}
	}
	// Output:
	// MFN_INVALID
	// grid_size
}

// A field is looked at where it lies, without a copy.
func ExampleSim_WithField() {
	sim, err := mfn.NewSimJSON(`{"grid_size": 32, "random_seed": 7}`)
	if err != nil {
		log.Fatal(err)
	}
	defer sim.Close()
	err = sim.WithField(func(f mfn.Field) error {
		fmt.Printf("%d x %d cells, the first %.1f mV\n", f.Rows, f.Cols, 1000*f.At(0, 0))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: 32 x 32 cells, the first -66.7 mV
}

// A window of the program's own array is measured in place.
func ExampleComputeFeatures() {
	image := make([]float64, 100*100) // volts
	for i := range image {
		image[i] = -0.07
	}
	image[20*100+30] = -0.03
	window := mfn.Field{Data: image, Offset: 16*100 + 16, Rows: 32, Cols: 32, RowStride: 100, ColStride: 1}
	f, err := mfn.ComputeFeatures(window, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f cluster, %.0f mV to %.0f mV\n", f.NClustersLow, f.VMin, f.VMax)
	// Output: 1 cluster, -70 mV to -30 mV
}

// Equations of the program's own: y' = -y from 1, for one unit of time.
func ExampleIntegrateODE() {
	state := []float64{1}
	decay := func(time float64, state, slope []float64) bool {
		slope[0] = -state[0]
		return true
	}
	if _, err := mfn.IntegrateODE(context.Background(), decay, state, mfn.DefaultODEOptions()); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", state[0])
	// Output: 0.3679
}

// Many runs at once, with the results in order. One that fails does not end the others.
func ExampleEnsemble_RunJSON() {
	ensemble, err := mfn.NewEnsemble(mfn.EnsembleOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer ensemble.Close()
	specs := []string{`{"grid_size": 16, "steps": 10}`, `{"grid_size": 0}`, `{"grid_size": 16, "steps": 20}`}
	for run, err := range ensemble.RunJSON(context.Background(), specs) {
		if err != nil {
			fmt.Println(run.Index, "failed")
			continue
		}
		fmt.Println(run.Index, run.Statistics.StepsComputed, "steps")
	}
	// Output:
	// 0 10 steps
	// 1 failed
	// 2 20 steps
}

// A pipeline reads requests from files and writes results to files; outcomes are taken as they come.
func ExampleRuntime_StartPipeline() {
	folder, err := os.MkdirTemp("", "mfn")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	requests := filepath.Join(folder, "requests.jsonl")
	if err := os.WriteFile(requests, []byte(`{"grid_size": 16, "steps": 10}`+"\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	config, err := mfn.ParseConfigTOML(fmt.Sprintf(`
name = "example"
plugins.directories = [%q]
[connectors.in]
plugin = "file"
config = { files = ["requests.jsonl"], state_file = "journal" }
[publishers.out]
plugin = "file"
config = { directory = "results" }
[[routes]]
name = "simulate"
connectors = ["in"]
publishers = ["out"]
`, os.Getenv("MFN_PLUGIN_DIR")), folder)
	if err != nil {
		log.Fatal(err)
	}
	defer config.Close()
	options := mfn.DefaultRuntimeOptions()
	options.Log = mfn.LogTo(slog.Default().Handler())
	runtime, err := mfn.NewRuntime(options)
	if err != nil {
		log.Fatal(err)
	}
	defer runtime.Close()
	pipeline, err := runtime.StartPipeline(config)
	if err != nil {
		log.Fatal(err)
	}
	defer pipeline.Close()
	for outcome, err := range pipeline.Outcomes(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(outcome.Request, outcome.Status, outcome.Statistics.StepsComputed)
	}
	// Output: requests.jsonl#1 ok 10
}
