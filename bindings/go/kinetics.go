package mfn

import "mfn/internal/capi"

// KineticsNames lists the kinetics by the names that JSON uses; the index is the constant.
func KineticsNames() []string { return names(capi.KineticsName) }

// A KineticsParameter is a parameter of a kinetics, with its range.
type KineticsParameter struct {
	Name         string // in JSON, such as "feed"
	Meaning      string
	Min, Max     float64
	MinInclusive bool // whether Min itself is allowed; Max always is
	Default      float64
}

// KineticsParameters lists the parameters of a kinetics in the order of Spec.KineticsParameters.
func KineticsParameters(kinetics Kinetics) (all []KineticsParameter, err error) {
	for i := uint(0); ; i++ {
		p, status, failure := capi.KineticsParameterGet(uint(kinetics), i)
		if status == int32(End) {
			return all, nil
		}
		if err := failed(status, failure); err != nil {
			return nil, err
		}
		all = append(all, KineticsParameter{p.Name, p.Meaning, p.Min, p.Max, p.MinInclusive, p.Default})
	}
}

// AnalyseTuring analyses the linear stability of a specification at one of its steady states: an index from 0, or
// [StateMain]. Nothing is simulated.
func AnalyseTuring(spec Spec, state uint32) (Turing, error) {
	c := spec.raw()
	return analysed(func(t *capi.Turing) error { return failed(capi.TuringAnalyse(&c, state, t)) })
}

// AnalyseTuringJSON is AnalyseTuring of a specification in JSON.
func AnalyseTuringJSON(spec string, state uint32) (Turing, error) {
	return analysed(func(t *capi.Turing) error { return failed(capi.TuringAnalyseJSON(spec, state, t)) })
}

// AnalyseTuringRates is AnalyseTuring of kinetics of the program, at the steady state to which Newton's method leads
// from (activator, inhibitor).
func AnalyseTuringRates(spec Spec, rates Rates, activator, inhibitor float64) (Turing, error) {
	c := spec.raw()
	if rates == nil {
		return Turing{}, invalid("rates is nil: give a function")
	}
	return analysed(func(t *capi.Turing) error {
		return calling(&capi.Callbacks{Rates: rates}, func(h capi.Callback) (int32, *capi.Error) {
			return capi.TuringAnalyseHost(&c, h, activator, inhibitor, t)
		})
	})
}

func analysed(do func(*capi.Turing) error) (turing Turing, err error) {
	var c capi.Turing
	if err = do(&c); err == nil {
		turing.set(&c)
	}
	return turing, err
}

// Growth gives the dispersion relation at wavenumbers, radians per cell: the growth rates of the equations, and the
// logarithm of the factor per step of the scheme.
func (t *Turing) Growth(wavenumbers []float64) (rates, perStep []float64, err error) {
	c := t.raw()
	rates, perStep = make([]float64, len(wavenumbers)), make([]float64, len(wavenumbers))
	err = failed(capi.TuringGrowth(&c, first(wavenumbers), uint(len(wavenumbers)), first(rates), first(perStep)))
	return rates, perStep, err
}

// SpecWarnings says of a valid specification in JSON why it can not form the pattern of its equations: one line for
// each warning; "" when there is none.
func SpecWarnings(spec string) (string, error) {
	warnings, status, failure := capi.SpecWarningsJSON(spec)
	return warnings, failed(status, failure)
}
