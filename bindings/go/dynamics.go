package mfn

import (
	"context"

	"mfn/internal/capi"
)

// Nernst gives the Nernst potential of an ion in volts, from concentrations in mol/L and a temperature in kelvin.
func Nernst(valence int, outsideMolar, insideMolar, temperatureK float64) (potentialV float64, err error) {
	err = failed(capi.Nernst(int32(valence), outsideMolar, insideMolar, temperatureK, &potentialV))
	return potentialV, err
}

// pairs refuses slices of different lengths.
func pairs(outside, inside []float64) error {
	if len(outside) != len(inside) {
		return invalid("%d concentrations outside and %d inside: give pairs", len(outside), len(inside))
	}
	return nil
}

// NernstAll gives the Nernst potentials of pairs of concentrations.
func NernstAll(valence int, outsideMolar, insideMolar []float64, temperatureK float64) ([]float64, error) {
	if err := pairs(outsideMolar, insideMolar); err != nil {
		return nil, err
	}
	out := make([]float64, len(outsideMolar))
	err := failed(capi.NernstArray(int32(valence), first(outsideMolar), first(insideMolar), uint(len(out)), temperatureK,
		first(out)))
	return out, err
}

// NernstAllV41 gives the Nernst potentials that MyceliumFractalNet 4.1 computes, and how many concentrations it raised
// to ionClampMin. The resting calcium of a cell comes out wrong by 31 mV: new work uses [NernstAll].
func NernstAllV41(valence int, outsideMolar, insideMolar []float64, temperatureK, ionClampMin float64) (
	potentialsV []float64, clampingEvents uint64, err error) {
	if err := pairs(outsideMolar, insideMolar); err != nil {
		return nil, 0, err
	}
	potentialsV = make([]float64, len(outsideMolar))
	err = failed(capi.NernstArrayV41(int32(valence), first(outsideMolar), first(insideMolar), uint(len(potentialsV)),
		temperatureK, ionClampMin, first(potentialsV), &clampingEvents))
	return potentialsV, clampingEvents, err
}

// GHK gives the potential in volts of a membrane that several kinds of monovalent ions can cross.
func GHK(ions []Permeation, temperatureK float64) (potentialV float64, err error) {
	array := raws(ions, (*Permeation).raw)
	err = failed(capi.GHK(first(array), uint(len(array)), temperatureK, &potentialV))
	return potentialV, err
}

// A Derivative writes the slope of each component of a state at a time, and returns whether to go on. Both slices are
// lent for the call.
type Derivative func(time float64, state, slope []float64) bool

func (d Derivative) callbacks(ctx context.Context) *capi.Callbacks {
	return &capi.Callbacks{ODE: func(time float64, state, slope []float64) bool {
		return ctx.Err() == nil && d(time, state, slope)
	}}
}

// DefaultODEOptions gives Dormand-Prince from 0 to 1.
func DefaultODEOptions() ODEOptions { return defaults(capi.ODEOptionsInit, (*ODEOptions).set) }

// IntegrateODE integrates equations from state to the end of the options and replaces state. When it fails, state is as
// before.
func IntegrateODE(ctx context.Context, derivative Derivative, state []float64, options ODEOptions) (report ODEReport,
	err error) {
	if derivative == nil {
		return report, invalid("derivative is nil: give a function")
	}
	var c capi.ODEReport
	o := options.raw()
	err = calling(derivative.callbacks(ctx), func(h capi.Callback) (int32, *capi.Error) {
		return capi.ODEIntegrate(h, first(state), uint(len(state)), &o, &c)
	})
	if err == nil {
		report.set(&c)
	}
	return report, explain(ctx, err)
}

// A Mapping writes the image of a state, or its Jacobian row by row, and returns whether to go on. Both slices are lent
// for the call.
type Mapping func(state, next []float64) bool

func (m Mapping) within(ctx context.Context) func(state, next []float64) bool {
	return func(state, next []float64) bool { return ctx.Err() == nil && m(state, next) }
}

// DefaultLyapunovOptions gives how an exponent is measured when nothing is said.
func DefaultLyapunovOptions() LyapunovOptions {
	return defaults(capi.LyapunovOptionsInit, (*LyapunovOptions).set)
}

// LyapunovMap measures the largest Lyapunov exponent of a map along the trajectory of a state, 1 per step.
func LyapunovMap(ctx context.Context, mapping Mapping, state []float64, options LyapunovOptions) (LyapunovEstimate,
	error) {
	if mapping == nil {
		return LyapunovEstimate{}, invalid("mapping is nil: give a function")
	}
	return estimated(ctx, &capi.Callbacks{Map: mapping.within(ctx)}, state, options, capi.LyapunovMap)
}

// LyapunovFlow measures the largest Lyapunov exponent of equations along the trajectory of a state, 1 per unit of time.
func LyapunovFlow(ctx context.Context, derivative Derivative, state []float64, options LyapunovOptions) (
	LyapunovEstimate, error) {
	if derivative == nil {
		return LyapunovEstimate{}, invalid("derivative is nil: give a function")
	}
	return estimated(ctx, derivative.callbacks(ctx), state, options, capi.LyapunovFlow)
}

func estimated(ctx context.Context, callbacks *capi.Callbacks, state []float64, options LyapunovOptions,
	do func(capi.Callback, *float64, uint, *capi.LyapunovOptions, *capi.LyapunovEstimate) (int32, *capi.Error)) (
	estimate LyapunovEstimate, err error) {
	var c capi.LyapunovEstimate
	o := options.raw()
	err = calling(callbacks, func(h capi.Callback) (int32, *capi.Error) {
		return do(h, first(state), uint(len(state)), &o, &c)
	})
	if err == nil {
		estimate.set(&c)
	}
	return estimate, explain(ctx, err)
}

// LyapunovSpectrum measures all exponents of a map along the trajectory of a state, from the largest to the smallest, 1
// per step, and the dimension that they imply. transient steps come before the steps that count.
func LyapunovSpectrum(ctx context.Context, mapping, jacobian Mapping, state []float64, transient, steps uint64) (
	exponents []float64, dimension float64, err error) {
	if mapping == nil || jacobian == nil {
		return nil, 0, invalid("mapping or jacobian is nil: give both functions")
	}
	exponents = make([]float64, len(state))
	callbacks := &capi.Callbacks{Map: mapping.within(ctx), Jacobian: jacobian.within(ctx)}
	err = calling(callbacks, func(h capi.Callback) (int32, *capi.Error) {
		return capi.LyapunovSpectrum(h, first(state), uint(len(state)), transient, steps, first(exponents), &dimension)
	})
	return exponents, dimension, explain(ctx, err)
}
