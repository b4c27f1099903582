package mfn

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"mfn/internal/capi"
)

// A Config is the configuration of a pipeline that was read and holds together.
type Config struct{ h *handle[*capi.Config] }

// ReadConfig reads a file: JSON when its name ends in .json, TOML otherwise. The error lists every fault.
func ReadConfig(path string) (*Config, error) { return newConfig(capi.ConfigFromFile(path)) }

// ParseConfigTOML reads a TOML text. Relative paths in it begin at baseDir; "": at the working directory.
func ParseConfigTOML(text, baseDir string) (*Config, error) {
	return newConfig(capi.ConfigFromTOML(text, baseDir))
}

// ParseConfigJSON reads the same document as JSON.
func ParseConfigJSON(text, baseDir string) (*Config, error) {
	return newConfig(capi.ConfigFromJSON(text, baseDir))
}

func newConfig(pointer *capi.Config, status int32, failure *capi.Error) (*Config, error) {
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	c := &Config{}
	c.h = own(c, pointer, capi.ConfigFree)
	return c, nil
}

// Close frees the configuration.
func (c *Config) Close() error {
	c.h.close()
	return nil
}

// A Pipeline takes requests in through connectors, computes them, and hands the results to publishers and transports,
// on threads of the library's own.
type Pipeline struct{ h *handle[*capi.Pipeline] }

// withConfig makes a call with a runtime and a configuration.
func withConfig[R any](r *Runtime, config *Config, do func(*capi.Runtime, *capi.Config) (R, int32, *capi.Error)) (R, error) {
	return take(config.h, func(c *capi.Config) (result R, status int32, failure *capi.Error) {
		pointer, err := r.h.enter()
		if err != nil {
			return result, int32(Closed), nil
		}
		defer r.h.leave()
		return do(pointer, c)
	})
}

// CheckPipeline checks a configuration as far as that goes without work: loads its plugins and lets each component
// check its part. The report says in JSON what was found in order; the error lists every fault.
func (r *Runtime) CheckPipeline(config *Config) (report string, err error) {
	return withConfig(r, config, capi.PipelineCheck)
}

// StartPipeline loads the plugins of a configuration, opens its components and begins to work.
func (r *Runtime) StartPipeline(config *Config) (*Pipeline, error) {
	pointer, err := withConfig(r, config, capi.PipelineStart)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{}
	p.h = own(p, pointer, capi.PipelineFree)
	return p, nil
}

// Status reads the counters; it does no I/O and waits for nothing.
func (p *Pipeline) Status() (PipelineStatus, error) {
	return read(p.h, capi.PipelineGetStatus, (*PipelineStatus).set)
}

// StatusJSON is the whole status as a JSON object, with components, endpoints and the last error.
func (p *Pipeline) StatusJSON() (string, error) { return take(p.h, capi.PipelineStatusJSON) }

// Var shows the whole status to package expvar: expvar.Publish("pipeline", p.Var()). After Close it shows null.
func (p *Pipeline) Var() Var {
	return func() any {
		text, err := p.StatusJSON()
		if err != nil {
			return nil
		}
		return json.RawMessage(text)
	}
}

// A Var is an expvar.Var that is worked out when it is read.
type Var func() any

// String gives the value as JSON.
func (v Var) String() string {
	text, err := json.Marshal(v())
	if err != nil {
		return "null"
	}
	return string(text)
}

// Trouble is the last error that a component reported; "" when there was none.
func (p *Pipeline) Trouble() (string, error) {
	text, err := take(p.h, capi.PipelineTrouble)
	if errors.Is(err, WouldBlock) {
		return "", nil
	}
	return text, err
}

// Endpoints tells where the components can be reached.
func (p *Pipeline) Endpoints() ([]Endpoint, error) {
	endpoints, err := take(p.h, capi.PipelineEndpoints)
	if err != nil {
		return nil, err
	}
	return endpointsOf(endpoints), nil
}

// NextOutcome takes the next outcome and waits for one until ctx ends. io.EOF: the work is finished, stopped or failed,
// and all outcomes were taken. The last 4096 outcomes are kept.
func (p *Pipeline) NextOutcome(ctx context.Context) (*Outcome, error) {
	pointer, err := poll(ctx, p.h, capi.PipelineNextOutcome)
	if err != nil {
		return nil, err
	}
	return outcomeOf(pointer), nil
}

// Outcomes takes outcomes until the work is finished, stopped or failed.
func (p *Pipeline) Outcomes(ctx context.Context) iter.Seq2[*Outcome, error] {
	return each(ctx, p.NextOutcome)
}

// OutcomeChan feeds a channel with the outcomes; it is closed at their end, and when ctx ends.
func (p *Pipeline) OutcomeChan(ctx context.Context) <-chan *Outcome {
	return feed(ctx, p.NextOutcome)
}

// LastSnapshot is the result of the latest request that was computed. [WouldBlock]: there is none yet.
func (p *Pipeline) LastSnapshot() (*Snapshot, error) {
	pointer, err := take(p.h, capi.PipelineLastSnapshot)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{}
	s.h = own(s, pointer, capi.SnapshotFree)
	return s, nil
}

// Wait waits until the pipeline is finished, stopped or failed, or ctx ends.
func (p *Pipeline) Wait(ctx context.Context) (PipelineState, error) {
	for {
		var state int32
		err := call(p.h, func(pointer *capi.Pipeline) (int32, *capi.Error) {
			return capi.PipelineWait(pointer, waitMS(ctx), &state)
		})
		switch {
		case err == nil && PipelineState(state) >= PipelineFinished:
			return PipelineState(state), nil
		case err != nil && !errors.Is(err, WouldBlock):
			return PipelineState(state), err
		case ctx.Err() != nil:
			return PipelineState(state), ended(ctx)
		}
	}
}

// Drain ends the pipeline in order: it fetches no more, finishes and settles what is in flight, and closes the
// components. Near the deadline of ctx (without one: 30 s), what is not done is given back to its connector. When ctx is
// cancelled, the pipeline is stopped at once.
func (p *Pipeline) Drain(ctx context.Context) (report DrainReport, err error) {
	pointer, err := p.h.enter()
	if err != nil {
		return report, err
	}
	defer p.h.leave()
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			_, _ = p.Stop() // cuts the drain short, whose report is the one that counts
		}
	})
	defer stop()
	var c capi.DrainReport
	if err = failed(capi.PipelineDrain(pointer, timeoutMS(ctx, patience), &c)); err == nil {
		report.set(&c)
	}
	return report, err
}

// Stop ends the pipeline at once, within two seconds: it gives back what is in flight and closes the components.
func (p *Pipeline) Stop() (DrainReport, error) {
	return read(p.h, capi.PipelineStop, (*DrainReport).set)
}

// LastError gives the last failure of a call with this pipeline; nil when there was none.
func (p *Pipeline) LastError() error { return lastError(get(p.h, capi.PipelineLastError)) }

// Close stops and frees the pipeline. Snapshots taken from it live on.
func (p *Pipeline) Close() error {
	_, _ = p.Stop() // one that is closed or stopped already answers so
	p.h.close()
	return nil
}

// An Outcome is what became of one request.
type Outcome struct {
	Status     OutcomeStatus
	Request    string // its id
	Route      string // the route it took
	Reason     string // why it could not be done; "" when it was
	SnapshotID string // the id of the result; "" when there is none
	Compute    time.Duration
	Features   *Features   // nil when nothing was computed
	Statistics *Statistics // nil when nothing was simulated
}

// outcomeOf copies an outcome and frees it.
func outcomeOf(o *capi.Outcome) *Outcome {
	defer capi.OutcomeFree(o)
	outcome := &Outcome{
		Status:     OutcomeStatus(capi.OutcomeStatus(o)),
		Request:    capi.OutcomeRequest(o),
		Route:      capi.OutcomeRoute(o),
		Reason:     capi.OutcomeReason(o),
		SnapshotID: capi.OutcomeSnapshotID(o),
		Compute:    time.Duration(capi.OutcomeComputeMS(o) * float64(time.Millisecond)),
	}
	var features capi.Features
	if failed(capi.OutcomeFeatures(o, &features)) == nil {
		outcome.Features = new(Features)
		outcome.Features.set(&features)
	}
	var statistics capi.Statistics
	if failed(capi.OutcomeStatistics(o, &statistics)) == nil {
		outcome.Statistics = new(Statistics)
		outcome.Statistics.set(&statistics)
	}
	return outcome
}

// A Snapshot is the immutable result of one request.
type Snapshot struct{ h *handle[*capi.Snapshot] }

// ID is the id of the result, the same whenever the same request is computed; "" after Close.
func (s *Snapshot) ID() string { return get(s.h, capi.SnapshotID) }

// Request is the request's id; "" after Close.
func (s *Snapshot) Request() string { return get(s.h, capi.SnapshotRequest) }

// Route is the route that computed it; "" after Close.
func (s *Snapshot) Route() string { return get(s.h, capi.SnapshotRoute) }

// Features gives the features.
func (s *Snapshot) Features() (Features, error) {
	return read(s.h, capi.SnapshotFeatures, (*Features).set)
}

// Statistics gives the statistics of the run. [Invalid]: nothing was simulated.
func (s *Snapshot) Statistics() (Statistics, error) {
	return read(s.h, capi.SnapshotStatistics, (*Statistics).set)
}

func (s *Snapshot) lend(view func(*capi.Snapshot, *capi.FieldView) (int32, *capi.Error), use func(Field) error) error {
	pointer, err := s.h.enter()
	if err != nil {
		return err
	}
	defer s.h.leave()
	var v capi.FieldView
	if err := failed(view(pointer, &v)); err != nil {
		return err
	}
	return use(lent(v))
}

// WithField lends the final potential in volts to use, without a copy.
func (s *Snapshot) WithField(use func(Field) error) error { return s.lend(capi.SnapshotField, use) }

// WithActivator lends the final activator; see [Snapshot.WithField].
func (s *Snapshot) WithActivator(use func(Field) error) error {
	return s.lend(capi.SnapshotActivator, use)
}

// WithInhibitor lends the final inhibitor; see [Snapshot.WithField].
func (s *Snapshot) WithInhibitor(use func(Field) error) error {
	return s.lend(capi.SnapshotInhibitor, use)
}

// Field copies the final potential in volts, row by row.
func (s *Snapshot) Field() ([]float64, error) { return copied(s.WithField) }

// JSON is the snapshot as one line of JSON, as publishers get it; includeField adds the final field.
func (s *Snapshot) JSON(includeField bool) (string, error) {
	return take(s.h, func(p *capi.Snapshot) (string, int32, *capi.Error) {
		return capi.SnapshotJSON(p, flag(includeField))
	})
}

// Close frees the snapshot and what it lent.
func (s *Snapshot) Close() error {
	s.h.close()
	return nil
}
