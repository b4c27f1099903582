package mfn

import (
	"fmt"
	"iter"

	"mfn/internal/capi"
)

// Wrap says whether clusters go on across the edges of a grid.
type Wrap int32

const (
	WrapAsGrid Wrap = 0 // as the grid does: for a simulation with [BoundaryPeriodic]
	WrapAlways Wrap = 1 // they do
	WrapNever  Wrap = 2 // they do not
)

// DefaultFeatureConfig gives what the features depend on when nothing is said.
func DefaultFeatureConfig() FeatureConfig {
	return defaults(capi.FeatureConfigInit, (*FeatureConfig).set)
}

// ComputeFeatures computes the features of a field in volts, in place. config may be nil for the defaults.
func ComputeFeatures(field Field, config *FeatureConfig) (Features, error) {
	return measure(field, (*Features).set, func(v capi.FieldView, c *capi.Features) (int32, *capi.Error) {
		return capi.FeaturesCompute(v, config.rawOrNil(), c)
	})
}

// A Quantity is a measured number by name, such as "V_mean" in "mV".
type Quantity struct {
	Name, Unit string
	Value      float64
}

// FeatureName gives the name of a feature, such as "D_box", in the order of the fields of [Features]; "" beyond the
// last.
func FeatureName(index int) string { return capi.FeatureName(uint(index)) }

// FeatureUnit gives the unit of a feature, such as "mV"; "1" for a pure number; "" beyond the last.
func FeatureUnit(index int) string { return capi.FeatureUnit(uint(index)) }

// All gives the features by name, in their order.
func (f *Features) All() iter.Seq[Quantity] {
	values := []float64{f.DBox, f.DR2, f.VMin, f.VMax, f.VMean, f.VStd, f.VSkew, f.VKurt, f.DvMean, f.DvMax, f.TStable,
		f.ETrend, f.FActive, f.NClustersLow, f.NClustersMed, f.NClustersHigh, f.MaxClusterSize, f.ClusterSizeStd}
	return quantities(values, FeatureName, FeatureUnit)
}

// DescriptorName gives the name of a descriptor, such as "area", in the order of the fields of [Descriptors]; ""
// beyond the last.
func DescriptorName(index int) string { return capi.DescriptorName(uint(index)) }

// DescriptorUnit gives the unit of a descriptor; "1" for a pure number; "" beyond the last.
func DescriptorUnit(index int) string { return capi.DescriptorUnit(uint(index)) }

// All gives the descriptors by name, in their order.
func (d *Descriptors) All() iter.Seq[Quantity] {
	values := []float64{d.DInformation, d.DInformationR2, d.DCorrelation, d.DCorrelationR2, d.Lacunarity2, d.Lacunarity4,
		d.Lacunarity8, d.Lacunarity16, d.Area, d.Perimeter, d.Euler, d.Wavelength, d.Entropy}
	return quantities(values, DescriptorName, DescriptorUnit)
}

func quantities(values []float64, name, unit func(int) string) iter.Seq[Quantity] {
	return func(yield func(Quantity) bool) {
		for i, value := range values {
			if !yield(Quantity{name(i), unit(i), value}) {
				return
			}
		}
	}
}

// String shows a quantity as a table does.
func (q Quantity) String() string {
	return fmt.Sprintf("%s = %g %s", q.Name, q.Value, q.Unit)
}

// DefaultDescriptorConfig gives what the descriptors depend on when nothing is said.
func DefaultDescriptorConfig() DescriptorConfig {
	return defaults(capi.DescriptorConfigInit, (*DescriptorConfig).set)
}

// ComputeDescriptors computes the descriptors of a field in volts, in place. config may be nil for the defaults.
func ComputeDescriptors(field Field, config *DescriptorConfig) (Descriptors, error) {
	return measure(field, (*Descriptors).set, func(v capi.FieldView, c *capi.Descriptors) (int32, *capi.Error) {
		return capi.DescriptorsCompute(v, config.rawOrNil(), c)
	})
}

// A History measures the temporal features of frames that the program has, one frame at a time. It holds one grid of
// memory.
type History struct{ h *handle[*capi.History] }

// NewHistory begins a history without a frame. config, which may be nil for the defaults, decides when it is stable.
func NewHistory(config *FeatureConfig) (*History, error) {
	pointer, status, failure := capi.HistoryCreate(config.rawOrNil())
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	history := &History{}
	history.h = own(history, pointer, capi.HistoryFree)
	return history, nil
}

// Push adds the next frame, in volts and of the shape of the first.
func (h *History) Push(field Field) error {
	v, err := rawField(field)
	if err != nil {
		return err
	}
	return call(h.h, func(p *capi.History) (int32, *capi.Error) { return capi.HistoryPush(p, v) })
}

// Features gives the features of field, which is the last frame that was pushed, with those of all frames.
func (h *History) Features(field Field) (Features, error) {
	v, err := rawField(field)
	if err != nil {
		return Features{}, err
	}
	return read(h.h, func(p *capi.History, c *capi.Features) (int32, *capi.Error) {
		return capi.HistoryFeatures(p, v, c)
	}, (*Features).set)
}

// Close frees the history.
func (h *History) Close() error {
	h.h.close()
	return nil
}

// ComputeChangeRates measures how fast frames of rows x cols cells change that lie timeStep apart. frames holds them
// one after the other, each row by row.
func ComputeChangeRates(frames []float64, rows, cols int, timeStep float64) (rates ChangeRates, err error) {
	if rows < 1 || cols < 1 || len(frames)%rows != 0 || len(frames)/rows%cols != 0 {
		return rates, invalid("%d numbers are no frames of %d x %d cells", len(frames), rows, cols)
	}
	var c capi.ChangeRates
	err = failed(capi.ChangeRatesCompute(first(frames), uint(len(frames)/rows/cols), uint(rows), uint(cols), timeStep, &c))
	if err == nil {
		rates.set(&c)
	}
	return rates, err
}
