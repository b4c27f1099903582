//go:build ignore

// The demonstration: a pipeline that a configuration file describes, shown while it works. Which plugins take part,
// where requests come from and where results go is all in the configuration: the same program publishes elsewhere with
// another file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"mfn"
)

const usage = `Usage: pipeline CONFIG.toml [--serve] [--plain] [--picture PATH]

Runs the pipeline of a configuration file and shows a table of its results.
  --serve         stay up when the work is done, until Ctrl-C
  --plain         plain lines instead of a progress bar
  --picture PATH  where to write the last field (default: pipeline.png)

Example: pipeline examples/demo.toml --serve
Exit status: 0 done (dead letters are no failure), 1 failed, 2 usage or configuration.
`

const (
	drainTime = 10 * time.Second
	pollTime  = 100 * time.Millisecond
	lineTime  = time.Second
	barCells  = 32
	rowsMax   = 1000
	clearLine = "\r\033[K"
)

type options struct {
	config, picture string
	serve, plain    bool
}

func readOptions(arguments []string) (o options, ok bool) {
	o.picture = "pipeline.png"
	for i := 0; i < len(arguments); i++ {
		switch a := arguments[i]; {
		case a == "--serve":
			o.serve = true
		case a == "--plain":
			o.plain = true
		case a == "--picture" && i+1 < len(arguments):
			i++
			o.picture = arguments[i]
		case !strings.HasPrefix(a, "-") && o.config == "":
			o.config = a
		default:
			return o, false
		}
	}
	return o, o.config != ""
}

// printError prints an error, each fault of a configuration on a line of its own.
func printError(what string, err error) {
	var failure *mfn.Error
	if !errors.As(err, &failure) || len(failure.Faults) == 0 {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		return
	}
	fmt.Fprintf(os.Stderr, "%s:\n", what)
	for _, f := range failure.Faults {
		colon := ": "
		if f.Path == "" {
			colon = ""
		}
		fmt.Fprintf(os.Stderr, "  %s%s%s; %s\n", f.Path, colon, f.Message, f.Fix)
	}
}

// A display shows progress. Log records come on threads of the library.
type display struct {
	mu          sync.Mutex
	bar, shown  bool
	lastPercent int
	lastLine    time.Time
}

func (d *display) log(r mfn.LogRecord) {
	d.mu.Lock()
	defer d.mu.Unlock()
	level, component := "warning", r.Component
	if r.Level == mfn.LogError {
		level = "error"
	}
	if component != "" {
		component += ": "
	}
	d.clear()
	fmt.Fprintf(os.Stderr, "%s: %s%s\n", level, component, r.Message)
}

func (d *display) clear() {
	if d.shown {
		fmt.Fprint(os.Stderr, clearLine)
	}
	d.shown = false
}

// progress returns whether there is nothing to do for now.
func (d *display) progress(pipeline *mfn.Pipeline) bool {
	s, err := pipeline.Status()
	if err != nil {
		return false
	}
	done := s.Delivered + s.DeadLettered + s.Rejected
	total := done + s.InFlight + uint64(max(s.Backlog, 0))
	part := 0.0 // the requests being computed count by their steps
	if s.ActiveStepsTotal > 0 {
		part = float64(s.ActiveStep) / float64(s.ActiveStepsTotal) * float64(s.ActiveCount)
	}
	percent := 0
	if total > 0 {
		percent = int(100 * (float64(done) + part) / float64(total))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bar {
		cells := min(percent*barCells/100, barCells)
		fmt.Fprintf(os.Stderr, "\r[%s%s] %3d %%, %d of %d requests\033[K", strings.Repeat("#", cells),
			strings.Repeat(".", barCells-cells), percent, done, total)
		d.shown = true
	} else if percent != d.lastPercent && time.Since(d.lastLine) >= lineTime {
		fmt.Fprintf(os.Stderr, "%3d %%, %d of %d requests\n", percent, done, total)
		d.lastPercent, d.lastLine = percent, time.Now()
	}
	return done == total
}

// clean makes a name or a reason fit for a terminal: they come from outside.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}

func printOutcome(o *mfn.Outcome) {
	status := "rejected"
	switch o.Status {
	case mfn.OutcomeOK:
		status = "ok"
	case mfn.OutcomeDeadLettered:
		status = "dead letter"
	}
	fmt.Printf("%-32s %-11s ", clean(o.Request), status)
	if o.Features == nil {
		fmt.Println(clean(o.Reason))
		return
	}
	fmt.Printf("%7.3f %9.2f ", o.Features.DBox, o.Features.VMean)
	if o.Statistics != nil {
		fmt.Printf("%7d %11d ", o.Statistics.GrowthEvents, o.Statistics.TuringActivations)
	} else {
		fmt.Printf("%7s %11s ", "-", "-")
	}
	fmt.Printf("%9.1f\n", o.Compute.Seconds()*1000)
}

// A table holds results back while there is work, so that the progress does not cut it up.
type table struct {
	held    []*mfn.Outcome
	printed int
}

func (t *table) print(d *display) {
	d.mu.Lock()
	d.clear()
	d.mu.Unlock()
	if len(t.held) > 0 && t.printed == 0 {
		fmt.Printf("%-32s %-11s %7s %9s %7s %11s %9s\n", "request", "status", "D_box", "V_mean mV", "growth",
			"activations", "ms")
	}
	for _, outcome := range t.held {
		printOutcome(outcome)
	}
	t.printed += len(t.held)
	t.held = nil
}

// take takes one outcome, if one comes in time.
func (t *table) take(d *display, pipeline *mfn.Pipeline, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	outcome, err := pipeline.NextOutcome(ctx)
	if err != nil {
		return err
	}
	if t.held = append(t.held, outcome); len(t.held) == rowsMax {
		t.print(d)
	}
	return nil
}

// follow takes outcomes until there are no more or a signal comes.
func (t *table) follow(interrupted context.Context, d *display, pipeline *mfn.Pipeline) {
	for err := error(nil); interrupted.Err() == nil && err != io.EOF; {
		err = t.take(d, pipeline, pollTime)
		if d.progress(pipeline) && err != nil {
			t.print(d)
		}
	}
	t.print(d)
}

func printEndpoints(pipeline *mfn.Pipeline) {
	endpoints, err := pipeline.Endpoints()
	if err != nil {
		return
	}
	for _, e := range endpoints {
		flag := "-N " // a metrics page ends; a stream goes on, and curl must not hold its lines back
		if e.Name == "metrics" {
			flag = ""
		}
		fmt.Printf("%-8s %-8s curl %s%s\n", e.Component, e.Name, flag, e.URL)
	}
}

// writePicture writes the field of the last result.
func writePicture(pipeline *mfn.Pipeline, path string) error {
	snapshot, err := pipeline.LastSnapshot()
	if err != nil {
		return nil // nothing was computed
	}
	defer snapshot.Close()
	options := mfn.DefaultPictureOptions()
	options.Title = snapshot.Request()
	err = snapshot.WithField(func(f mfn.Field) error { return mfn.WritePicture(path, f, options) })
	if err == nil {
		fmt.Printf("picture of %s: %s\n", snapshot.Request(), path)
	}
	return err
}

// finish drains and tells what became of the records.
func finish(t *table, d *display, pipeline *mfn.Pipeline) error {
	before, err := pipeline.Status()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	report, err := pipeline.Drain(ctx)
	if err != nil {
		return err
	}
	for t.take(d, pipeline, pollTime) == nil {
	}
	t.print(d)
	s, err := pipeline.Status()
	if err != nil {
		return err
	}
	fmt.Printf("%d received, %d delivered, %d dead letters, %d rejected, %d given back\n", s.Received, s.Delivered,
		s.DeadLettered, s.Rejected, s.Nacked)
	if !report.Complete {
		fmt.Fprintf(os.Stderr, "not everything was finished: %d records were given back, %d come again\n",
			report.Returned, report.Left)
	}
	if before.State != mfn.PipelineFailed {
		return nil
	}
	trouble, _ := pipeline.Trouble()
	return fmt.Errorf("the pipeline failed: %s", trouble)
}

// run returns the exit status.
func run(o options) int {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(interrupted, stop) // a second signal ends the process
	terminal, _ := os.Stderr.Stat()
	d := &display{bar: !o.plain && terminal != nil && terminal.Mode()&os.ModeCharDevice != 0, lastPercent: -1}
	config, err := mfn.ReadConfig(o.config)
	if err != nil {
		printError(o.config, err)
		return 2
	}
	defer config.Close()
	settings := mfn.DefaultRuntimeOptions()
	settings.Log = d.log
	runtime, err := mfn.NewRuntime(settings)
	if err != nil {
		printError("runtime", err)
		return 1
	}
	defer runtime.Close()
	pipeline, err := runtime.StartPipeline(config)
	if err != nil {
		printError(o.config, err)
		if errors.Is(err, mfn.Invalid) {
			return 2
		}
		return 1
	}
	defer pipeline.Close()
	printEndpoints(pipeline)
	t := &table{}
	t.follow(interrupted, d, pipeline)
	if t.printed == 0 && interrupted.Err() == nil {
		fmt.Println("no new requests")
	}
	status := 0
	if err := writePicture(pipeline, o.picture); err != nil {
		printError("picture", err)
		status = 1
	}
	if o.serve && interrupted.Err() == nil {
		printEndpoints(pipeline)
		fmt.Println("serving until Ctrl-C")
		<-interrupted.Done()
	}
	if err := finish(t, d, pipeline); err != nil {
		printError("drain", err)
		status = 1
	}
	return status
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--help" {
		fmt.Print(usage)
		return
	}
	o, ok := readOptions(os.Args[1:])
	if !ok {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	os.Exit(run(o))
}
