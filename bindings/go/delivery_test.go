package mfn

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mfn/internal/testkit"
)

func newRuntime(t testing.TB, options RuntimeOptions, plugins ...string) *Runtime {
	t.Helper()
	runtime, err := NewRuntime(options)
	check(t, err)
	t.Cleanup(func() { runtime.Close() })
	for _, name := range plugins {
		loaded, err := runtime.LoadPlugin(testkit.Plugin(t, name))
		check(t, err)
		if loaded != name {
			t.Error(loaded)
		}
	}
	return runtime
}

// filePublisher opens a publisher that writes into a folder.
func filePublisher(t testing.TB) (publisher *Publisher, folder string) {
	t.Helper()
	folder = t.TempDir()
	runtime := newRuntime(t, DefaultRuntimeOptions(), "file")
	publisher, err := runtime.OpenPublisher(ComponentSpec{Plugin: "file", Name: "out",
		Config: fmt.Sprintf(`{"directory": %q, "include_headers": true}`, folder)})
	check(t, err)
	t.Cleanup(func() { publisher.Close() })
	return publisher, folder
}

func numbered(i int) Record {
	return Record{ID: fmt.Sprint("record-", i), ContentType: "application/json", Key: []byte{byte(i), 0},
		Payload: fmt.Appendf(nil, `{"i": %d}`, i), Headers: []Header{{"x-number", []byte(fmt.Sprint(i))}, {"x-empty", nil}},
		Time: time.UnixMilli(1_700_000_000_000)}
}

// published reads the lines that a file publisher wrote.
func published(t testing.TB, folder string) (lines []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	check(t, err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		check(t, err)
		lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	return lines
}

// Guards records across the boundary in both directions, by the real file plugin: bytes, key, headers, verdicts.
func TestRecordsMoveBetweenComponents(t *testing.T) {
	ctx := context.Background()
	publisher, folder := filePublisher(t)
	results, err := publisher.Publish(ctx, 1, numbered(1), numbered(2))
	check(t, err)
	if len(results) != 2 || results[0] != nil || results[1] != nil {
		t.Fatal(results)
	}
	check(t, publisher.Flush(ctx))
	traits, err := publisher.Traits()
	check(t, err)
	if lines := published(t, folder); len(lines) != 2 || !strings.Contains(lines[1], "x-number") || traits.RecordsMax == 0 {
		t.Error(lines, traits)
	}
	_, err = publisher.Publish(ctx, 1, Record{ID: "a\x00b"})
	wants(t, err, Invalid, "NUL")
	_, err = publisher.Publish(ctx, 1, Record{})
	wants(t, err, Invalid, "id")
	health, _, err := publisher.Health()
	check(t, err)
	check(t, publisher.Check())
	check(t, publisher.Probe(ctx))
	if publisher.Name() != "out" || publisher.Plugin() != "file" || health != HealthReady {
		t.Error(publisher.Name(), publisher.Plugin(), health)
	}
	if left, err := publisher.Drain(ctx); left != 0 || err != nil {
		t.Error(left, err)
	}

	in := t.TempDir()
	for i := range 3 {
		check(t, os.WriteFile(filepath.Join(in, fmt.Sprintf("%d.json", i)), numbered(i).Payload, 0o600))
	}
	runtime := newRuntime(t, DefaultRuntimeOptions(), "file")
	connector, err := runtime.OpenConnector(ComponentSpec{Plugin: "file", Name: "in",
		Config: fmt.Sprintf(`{"directory": %q, "state_file": "journal"}`, in), BaseDir: t.TempDir()})
	check(t, err)
	defer connector.Close()
	var payloads []string
	for batch, err := range connector.Batches(ctx, 2, 1<<20) {
		check(t, err)
		copies, err := batch.Records()
		check(t, err)
		i := 0
		for record, err := range batch.WithRecords() {
			check(t, err)
			if record.ID != copies[i].ID || !bytes.Equal(record.Payload, copies[i].Payload) {
				t.Error(record.ID)
			}
			payloads = append(payloads, string(record.Payload))
			i++
		}
		wants(t, connector.Settle(batch), Invalid, "")
		verdicts := slices.Repeat([]Verdict{Ack()}, batch.Len())
		check(t, connector.Settle(batch, verdicts...))
		_, err = connector.Position(batch.Partition())
		check(t, err)
		if batch.Epoch() == 0 && batch.Len() == 0 {
			t.Error("an empty batch")
		}
	}
	if strings.Join(payloads, "") != `{"i": 0}{"i": 1}{"i": 2}` {
		t.Error(payloads)
	}
	if _, err := connector.Fetch(ctx, 1, 1); err != io.EOF {
		t.Error(err)
	}
	check(t, connector.Pause())
	check(t, connector.Resume())
	_, err = connector.Backlog()
	check(t, err)
	check(t, connector.Close())
	_, err = connector.Fetch(ctx, 1, 1)
	wants(t, err, Closed, "")
	wants(t, connector.Check(), Closed, "")
}

// Guards a whole pipeline: outcomes, snapshot, live events, counters, expvar, drain, and the log in slog.
func TestPipelineEndToEnd(t *testing.T) {
	ctx := context.Background()
	text, folder := testkit.PipelineConfig(t, 20)
	config, err := ParseConfigTOML(text, folder)
	check(t, err)
	defer config.Close()
	var log bytes.Buffer
	options := DefaultRuntimeOptions()
	options.Log, options.LogQueueMax = LogTo(slog.NewTextHandler(&log, nil)), 100
	runtime := newRuntime(t, options)
	report, err := runtime.CheckPipeline(config)
	check(t, err)
	if !json.Valid([]byte(report)) {
		t.Error(report)
	}
	passed, report, err := runtime.ProbePipeline(ctx, config)
	check(t, err)
	if !passed || !json.Valid([]byte(report)) {
		t.Error(report)
	}
	pipeline, err := runtime.StartPipeline(config)
	check(t, err)
	defer pipeline.Close()
	passed, report, err = pipeline.Probe(ctx)
	check(t, err)
	if !passed || !json.Valid([]byte(report)) {
		t.Error(report)
	}
	if state, report, err := pipeline.Health(); err != nil || state == 0 || state == ReadinessDead {
		t.Error(state, report, err)
	}
	counts := map[OutcomeStatus]int{}
	for outcome, err := range pipeline.Outcomes(ctx) {
		check(t, err)
		counts[outcome.Status]++
		if good := outcome.Status == OutcomeOK; good != (outcome.Features != nil) || good != (outcome.Reason == "") ||
			good && outcome.Statistics.StepsComputed != 20 || outcome.Route != "simulate" || good != (outcome.SnapshotID != "") {
			t.Errorf("%+v", outcome)
		}
	}
	if counts[OutcomeOK] != 3 || counts[OutcomeDeadLettered] != 1 {
		t.Error(counts)
	}
	state, err := pipeline.Wait(ctx)
	check(t, err)
	if state != PipelineFinished {
		t.Error(state)
	}
	snapshot, err := pipeline.LastSnapshot()
	check(t, err)
	defer snapshot.Close()
	follow(t, pipeline, 3)
	check(t, expvar.Var(pipeline.Var()).(fmt.Stringer).(Var).valid(3))
	drained, err := pipeline.Drain(ctx)
	check(t, err)
	status, err := pipeline.Status()
	check(t, err)
	if !drained.Complete || status.Delivered != 3 || status.DeadLettered != 1 || status.Received != 4 || status.InFlight != 0 {
		t.Errorf("%+v %+v", drained, status)
	}
	check(t, pipeline.Close())
	lines := published(t, filepath.Join(folder, "out"))
	if len(lines) != 4 {
		t.Error(lines)
	}
	// The snapshot outlives its pipeline.
	cells, err := snapshot.Field()
	check(t, err)
	line, err := snapshot.JSON(false)
	check(t, err)
	if len(cells) != 256 || snapshot.Route() != "simulate" || !strings.Contains(line, snapshot.ID()) ||
		!strings.HasSuffix(snapshot.Request(), ".json") {
		t.Error(len(cells), line)
	}
	check(t, runtime.Close()) // waits for the log
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "target=") {
		t.Errorf("the log says %q", log.String())
	}
}

// valid checks what expvar would show.
func (v Var) valid(delivered int) error {
	var shown struct {
		Delivered int `json:"delivered"`
	}
	if err := json.Unmarshal([]byte(v.String()), &shown); err != nil || shown.Delivered != delivered {
		return fmt.Errorf("%v: %s", err, v.String())
	}
	return nil
}

// follow reads the live events of a pipeline until so many have come.
func follow(t *testing.T, pipeline *Pipeline, events int) {
	t.Helper()
	endpoints, err := pipeline.Endpoints()
	check(t, err)
	if len(endpoints) != 1 || endpoints[0].Component != "live" {
		t.Fatal(endpoints)
	}
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(endpoints[0].URL)
	check(t, err)
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); events > 0 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") {
			events--
		}
	}
	if events != 0 {
		t.Errorf("%d events did not come", events)
	}
}

// Guards channels and contexts of a pipeline: a wait ends with its context, a channel is closed, and closing a
// pipeline that works gives its requests back.
func TestPipelineIsLeftInTheMiddle(t *testing.T) {
	text, folder := testkit.PipelineConfig(t, 10_000_000)
	config, err := ParseConfigTOML(text, folder)
	check(t, err)
	defer config.Close()
	runtime := newRuntime(t, DefaultRuntimeOptions())
	pipeline, err := runtime.StartPipeline(config)
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	outcomes := pipeline.OutcomeChan(ctx)
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		status, err := pipeline.Status()
		check(t, err)
		if status.ActiveCount > 0 {
			break
		}
		if time.Since(begun) > 20*time.Second {
			t.Fatal("no request is computed")
		}
	}
	_, err = pipeline.LastSnapshot()
	wants(t, err, WouldBlock, "")
	short, done := context.WithTimeout(ctx, 20*time.Millisecond)
	defer done()
	_, err = pipeline.NextOutcome(short)
	wants(t, err, Cancelled, "deadline")
	_, err = pipeline.Wait(short)
	wants(t, err, Cancelled, "deadline")
	time.AfterFunc(20*time.Millisecond, cancel)
	begun := time.Now()
	_, err = pipeline.Drain(ctx)
	if took := time.Since(begun); took > 5*time.Second {
		t.Error("a cancelled drain took", took, err)
	}
	for range outcomes {
	}
	status, err := pipeline.Status()
	check(t, err)
	if status.Nacked == 0 || status.State != PipelineStopped {
		t.Errorf("%+v", status)
	}
	if text, err := pipeline.Trouble(); err != nil {
		t.Error(text, err)
	}
	check(t, pipeline.Close())
	_, err = pipeline.Stop()
	wants(t, err, Closed, "")
	if pipeline.Var().String() != "null" || pipeline.LastError() != nil {
		t.Error("a closed pipeline answers")
	}
}

// Guards what a runtime says: reports, descriptions, typed refusals, both ways of logging, and a log function that panics.
func TestRuntimeSpeaks(t *testing.T) {
	options := DefaultRuntimeOptions()
	options.LogLevel, options.LogQueueMax = LogTrace, 1
	panics := 0
	options.Log = func(LogRecord) { panics++; panic(boom) }
	runtime := newRuntime(t, options, "file", "sse")
	check(t, runtime.SetLogLevel(LogDebug))
	if panics == 0 || !errors.Is(runtime.LastError(), boom) {
		t.Error("the log function did not panic: ", panics)
	}
	_, err := runtime.LoadPlugin(filepath.Join(t.TempDir(), "none.so"))
	failure := wants(t, err, Plugin, "none.so")
	if failure.Class == 0 {
		t.Errorf("%+v", failure)
	}
	_ = runtime.LastError() // the log function again
	wants(t, runtime.LastError(), Plugin, "none.so")
	for _, ask := range []func() (string, error){runtime.PluginsJSON, runtime.LoadReportJSON,
		func() (string, error) { return runtime.PluginJSON("file") }} {
		text, err := ask()
		check(t, err)
		if !json.Valid([]byte(text)) {
			t.Error(text)
		}
	}
	text, err := runtime.LoadReport()
	check(t, err)
	if !strings.Contains(text, "none.so") {
		t.Error(text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if record := <-runtime.Logs(ctx); record.Message == "" || record.Level == LogOff {
		t.Errorf("%+v", record)
	}
	if runtime.LogDropped() == 0 {
		t.Error("a queue of one record was never full")
	}
	if n, err := runtime.ScanDirectory(t.TempDir()); n != 0 || err != nil {
		t.Error(n, err)
	}
	transport, err := runtime.OpenTransport(ComponentSpec{Plugin: "sse", Name: "live", Config: `{"bind": "127.0.0.1:0"}`})
	check(t, err)
	cursor, err := transport.Publish("topic", numbered(1))
	check(t, err)
	endpoints, err := transport.Endpoints()
	check(t, err)
	if cursor == "" || len(endpoints) != 1 || !strings.HasPrefix(endpoints[0].URL, "http://127.0.0.1") {
		t.Error(cursor, endpoints)
	}
	check(t, transport.Component.Close())
	_, err = transport.Publish("topic", numbered(2))
	wants(t, err, Closed, "")
	if !errors.Is(transport.LastError(), Closed) || transport.Component.LastError() == nil && transport.LastError() == nil {
		t.Error(transport.LastError())
	}
	check(t, transport.Close())
	_, err = runtime.OpenExporter(ComponentSpec{Plugin: "sse", Name: "metrics"})
	wants(t, err, Invalid, "no exporter")
	_, err = runtime.LoadPlugin(testkit.Plugin(t, "prometheus"))
	check(t, err)
	exporter, err := runtime.OpenExporter(ComponentSpec{Plugin: "prometheus", Name: "metrics",
		Config: `{"bind": "127.0.0.1:0"}`})
	check(t, err)
	check(t, exporter.Flush(context.Background()))
	check(t, exporter.Close())
	if exporter.LastError() != nil || exporter.Name() != "" {
		t.Error("a closed exporter answers")
	}
	if LibraryVersion() == "" || LibraryABIVersion() != ABIVersion {
		t.Error(LibraryVersion(), LibraryABIVersion())
	}
	check(t, runtime.SetLogLevel(LogOff))
	check(t, runtime.Close())
	wants(t, runtime.SetLogLevel(LogOff), Closed, "")
}
