package mfn

import (
	"context"

	"mfn/internal/capi"
)

// Probe is Check until the deadline of ctx (without one: 30 s): a check that does not answer by then is an error. It
// goes on in the background and holds up later calls of this component.
func (c Component) Probe(ctx context.Context) error {
	return c.with(func(p *capi.Component) (int32, *capi.Error) {
		return capi.ComponentProbe(p, timeoutMS(ctx, patience))
	})
}

// Health tells whether the pipeline lives and can do its work, with the reasons in JSON. It does no I/O and waits for
// nothing: send work while it is [ReadinessReady] or [ReadinessDegraded].
func (p *Pipeline) Health() (state Readiness, report string, err error) {
	var raw int32
	report, err = take(p.h, func(pointer *capi.Pipeline) (string, int32, *capi.Error) {
		return capi.PipelineHealth(pointer, &raw)
	})
	return Readiness(raw), report, err
}

// Probe lets every component try the real thing while the work goes on, each until the deadline of ctx (without one:
// 30 s). The report says in JSON what each component found.
func (p *Pipeline) Probe(ctx context.Context) (passed bool, report string, err error) {
	var raw int32
	report, err = take(p.h, func(pointer *capi.Pipeline) (string, int32, *capi.Error) {
		return capi.PipelineProbe(pointer, timeoutMS(ctx, patience), &raw)
	})
	return raw == 1, report, err
}

// ProbePipeline is CheckPipeline and lets every component try the real thing, each until the deadline of ctx (without
// one: 30 s). Nothing is opened or consumed. The report says in JSON what each component found.
func (r *Runtime) ProbePipeline(ctx context.Context, config *Config) (passed bool, report string, err error) {
	var raw int32
	report, err = withConfig(r, config, func(runtime *capi.Runtime, c *capi.Config) (string, int32, *capi.Error) {
		return capi.ConfigProbe(runtime, c, timeoutMS(ctx, patience), &raw)
	})
	return raw == 1, report, err
}
