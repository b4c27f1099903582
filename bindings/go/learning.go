package mfn

import (
	"context"

	"mfn/internal/capi"
)

// DefaultAggregationOptions gives Krum for no attackers.
func DefaultAggregationOptions() AggregationOptions {
	return defaults(capi.AggregationOptionsInit, (*AggregationOptions).set)
}

// DefaultHierarchicalOptions gives how hierarchical Krum works when nothing is said.
func DefaultHierarchicalOptions() HierarchicalOptions {
	return defaults(capi.HierarchicalOptionsInit, (*HierarchicalOptions).set)
}

// An Aggregate is one gradient out of many.
type Aggregate struct {
	Value    []float64 // one number for each coordinate
	Scores   []float64 // the Krum score of each client; 0 for methods without
	Selected []bool    // the clients whose mean Value is
	Report   Aggregation
}

// AggregateGradients makes one gradient of many, although some clients lie. gradients has a row for each client and a
// column for each coordinate, and is read in place.
func AggregateGradients(gradients Field, options AggregationOptions) (*Aggregate, error) {
	v, err := rawField(gradients)
	if err != nil {
		return nil, err
	}
	o := options.raw()
	a := &Aggregate{Value: make([]float64, gradients.Cols), Scores: make([]float64, gradients.Rows),
		Selected: make([]bool, gradients.Rows)}
	selected := make([]int32, gradients.Rows)
	var c capi.Aggregation
	err = failed(capi.Aggregate(v, &o, first(a.Value), uint(len(a.Value)), first(a.Scores), first(selected), &c))
	if err != nil {
		return nil, err
	}
	a.Report.set(&c)
	for i, s := range selected {
		a.Selected[i] = s != 0
	}
	return a, nil
}

// AggregateHierarchical aggregates in two levels, for more clients than Krum can take at once. It also gives the number
// of clusters.
func AggregateHierarchical(gradients Field, options HierarchicalOptions) (value []float64, clusters uint64, err error) {
	value = make([]float64, max(gradients.Cols, 0))
	o := options.raw()
	err = onField(gradients, func(v capi.FieldView) (int32, *capi.Error) {
		return capi.AggregateHierarchical(v, &o, first(value), uint(len(value)), &clusters)
	})
	return value, clusters, err
}

// AggregateHierarchicalV41 aggregates as MyceliumFractalNet 4.1 does, in single precision. options may be nil.
func AggregateHierarchicalV41(gradients Field, options *HierarchicalOptions) ([]float64, error) {
	value := make([]float64, max(gradients.Cols, 0))
	return value, onField(gradients, func(v capi.FieldView) (int32, *capi.Error) {
		return capi.AggregateHierarchicalV41(v, options.rawOrNil(), first(value), uint(len(value)))
	})
}

// KrumSelectV41 gives the client that krum_select of MyceliumFractalNet 4.1 chooses, in single precision.
func KrumSelectV41(gradients Field, byzantine uint64) (client uint64, err error) {
	err = onField(gradients, func(v capi.FieldView) (int32, *capi.Error) {
		return capi.KrumSelectV41(v, byzantine, &client)
	})
	return client, err
}

// DefaultSTDPRule gives the rule of spike-timing plasticity when nothing is said.
func DefaultSTDPRule() STDPRule { return defaults(capi.STDPRuleInit, (*STDPRule).set) }

// UpdateSTDP changes weights by one spike of each neuron in each trial. preTimesS is trials x inputs and postTimesS
// trials x outputs, in seconds, NaN for a silent neuron; weights is inputs x outputs, row by row. rule may be nil.
func UpdateSTDP(preTimesS, postTimesS Field, rule *STDPRule, weights []float64) error {
	pre, err := rawField(preTimesS)
	if err != nil {
		return err
	}
	return onField(postTimesS, func(post capi.FieldView) (int32, *capi.Error) {
		return capi.STDPUpdate(pre, post, rule.rawOrNil(), first(weights), uint(len(weights)))
	})
}

// STDPChangeV41 gives the change that MyceliumFractalNet 4.1 computes, inputs x outputs; see [UpdateSTDP].
func STDPChangeV41(preTimesS, postTimesS Field, rule *STDPRule) ([]float64, error) {
	pre, err := rawField(preTimesS)
	if err != nil {
		return nil, err
	}
	changes := make([]float64, preTimesS.Cols*max(postTimesS.Cols, 0))
	return changes, onField(postTimesS, func(post capi.FieldView) (int32, *capi.Error) {
		return capi.STDPChangeV41(pre, post, rule.rawOrNil(), first(changes), uint(len(changes)))
	})
}

// STDPTraces follow the spikes of neurons step by step.
type STDPTraces struct{ h *handle[*capi.STDPTraces] }

// NewSTDPTraces creates the traces of neurons that have not fired yet. rule may be nil for the defaults.
func NewSTDPTraces(rule *STDPRule, inputs, outputs int) (*STDPTraces, error) {
	if inputs < 0 || outputs < 0 {
		return nil, invalid("%d inputs and %d outputs: give 0 or more", inputs, outputs)
	}
	pointer, status, failure := capi.STDPTracesCreate(rule.rawOrNil(), uint(inputs), uint(outputs))
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	t := &STDPTraces{}
	t.h = own(t, pointer, capi.STDPTracesFree)
	return t, nil
}

// Advance lets timeStepS pass and then takes the spikes of this moment. weights is inputs x outputs, row by row.
func (t *STDPTraces) Advance(timeStepS float64, preSpikes, postSpikes []bool, weights []float64) error {
	pre, post := spikes(preSpikes), spikes(postSpikes)
	return call(t.h, func(p *capi.STDPTraces) (int32, *capi.Error) {
		return capi.STDPTracesAdvance(p, timeStepS, first(pre), uint(len(pre)), first(post), uint(len(post)), first(weights),
			uint(len(weights)))
	})
}

func spikes(fired []bool) []uint8 {
	bytes := make([]uint8, len(fired))
	for i, f := range fired {
		bytes[i] = uint8(flag(f))
	}
	return bytes
}

// Close frees the traces.
func (t *STDPTraces) Close() error {
	t.h.close()
	return nil
}

// Attention is a layer of sparse attention.
type Attention struct {
	h     *handle[*capi.Attention]
	embed int
}

// NewAttention creates a layer. parameters are weight (outputs x inputs) and bias of the query, key, value and output
// layers; nil: they are drawn from seed.
func NewAttention(config AttentionConfig, parameters []float64, seed uint64) (*Attention, error) {
	c := config.raw()
	pointer, status, failure := capi.AttentionCreate(&c, first(parameters), uint(len(parameters)), seed)
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	a := &Attention{embed: int(config.EmbedDim)}
	a.h = own(a, pointer, capi.AttentionFree)
	return a, nil
}

// Forward computes the output for batch sequences of length tokens each: batch x length x embed_dim numbers.
func (a *Attention) Forward(tokens []float64, batch, length int) ([]float64, error) {
	if err := sized("tokens", tokens, batch, length, a.embed); err != nil {
		return nil, err
	}
	out := make([]float64, len(tokens))
	return out, call(a.h, func(p *capi.Attention) (int32, *capi.Error) {
		return capi.AttentionForward(p, first(tokens), uint(batch), uint(length), first(out), uint(len(out)))
	})
}

// Close frees the layer.
func (a *Attention) Close() error {
	a.h.close()
	return nil
}

// sized refuses a slice that has not the numbers that C would read.
func sized(name string, numbers []float64, batch, length, width int) error {
	if batch < 1 || length < 1 || len(numbers)%batch != 0 || len(numbers)/batch%length != 0 ||
		len(numbers)/batch/length != width {
		return invalid("%s has %d numbers: give %d x %d x %d, each 1 or more", name, len(numbers), batch, length, width)
	}
	return nil
}

// A Network is a small network with its training.
type Network struct {
	h     *handle[*capi.Network]
	input int
}

// DefaultNetworkConfig gives shape and training when nothing is said.
func DefaultNetworkConfig() NetworkConfig {
	return defaults(capi.NetworkConfigInit, (*NetworkConfig).set)
}

// NewNetwork creates a network whose parameters are drawn from seed.
func NewNetwork(config NetworkConfig, seed uint64) (*Network, error) {
	pointer, status, failure := capi.NetworkCreate(config.rawOrNil(), seed)
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	n := &Network{input: int(config.InputDim)}
	n.h = own(n, pointer, capi.NetworkFree)
	return n, nil
}

// Forward computes one number for each of batch sequences of length tokens; x is batch x length x input_dim.
func (n *Network) Forward(x []float64, batch, length int) ([]float64, error) {
	if err := sized("x", x, batch, length, n.input); err != nil {
		return nil, err
	}
	out := make([]float64, batch)
	return out, call(n.h, func(p *capi.Network) (int32, *capi.Error) {
		return capi.NetworkForward(p, first(x), uint(batch), uint(length), first(out))
	})
}

// TrainStep does one step of Adam on the mean squared error between the outputs for x and y, a number for each
// sequence. loss is the error before the step.
func (n *Network) TrainStep(x []float64, batch, length int, y []float64) (loss float64, err error) {
	if err := sized("x", x, batch, length, n.input); err != nil {
		return 0, err
	}
	if err := sized("y", y, batch, 1, 1); err != nil {
		return 0, err
	}
	err = call(n.h, func(p *capi.Network) (int32, *capi.Error) {
		return capi.NetworkTrainStep(p, first(x), uint(batch), uint(length), first(y), &loss)
	})
	return loss, err
}

// Parameters copies the parameters: for each layer the weight (outputs x inputs) and the bias.
func (n *Network) Parameters() (parameters []float64, err error) {
	err = call(n.h, func(p *capi.Network) (int32, *capi.Error) {
		parameters = make([]float64, capi.NetworkParameterCount(p))
		return capi.NetworkParameters(p, first(parameters), uint(len(parameters)))
	})
	return parameters, err
}

// SetParameters replaces the parameters, in the order of Parameters, and starts Adam anew.
func (n *Network) SetParameters(parameters []float64) error {
	return call(n.h, func(p *capi.Network) (int32, *capi.Error) {
		return capi.NetworkSetParameters(p, first(parameters), uint(len(parameters)))
	})
}

// Close frees the network.
func (n *Network) Close() error {
	n.h.close()
	return nil
}

// DefaultValidationConfig gives the defaults of this library, or with compatV41 those of MyceliumFractalNet 4.1.
func DefaultValidationConfig(compatV41 bool) ValidationConfig {
	return defaults(func(c *capi.ValidationConfig) (int32, *capi.Error) {
		return capi.ValidationConfigInit(c, flag(compatV41))
	}, (*ValidationConfig).set)
}

// Validate runs one cycle through simulation, features, membrane, fractals and learning. progress, which may be nil,
// hears of every simulation and every pass over the samples and returns whether to go on.
func Validate(ctx context.Context, config ValidationConfig, progress func(done, total uint64) bool) (
	validation Validation, err error) {
	var c capi.Validation
	err = calling(watching(ctx, progress), func(h capi.Callback) (int32, *capi.Error) {
		return capi.Validate(config.rawOrNil(), h, &c)
	})
	if err == nil {
		validation.set(&c)
	}
	return validation, explain(ctx, err)
}

// PictureOptions says how a picture is drawn.
type PictureOptions struct {
	SidePX                  uint32  // small fields are enlarged up to this length of their longer side, pixels
	Title                   string  // the line above the field; "": none
	RangeLowMV, RangeHighMV float64 // the ends of the colour map, mV; NaN in both: the range of the field
}

// DefaultPictureOptions gives no title, the range of the field, and 512 pixels.
func DefaultPictureOptions() PictureOptions {
	side, low, high, status, failure := capi.PictureOptionsInit()
	if err := failed(status, failure); err != nil {
		panic("libmfn refused to give its own defaults: " + err.Error())
	}
	return PictureOptions{SidePX: side, RangeLowMV: low, RangeHighMV: high}
}

// WritePicture draws a field in volts, row 0 on top, as a PNG file.
func WritePicture(path string, field Field, options PictureOptions) error {
	return onField(field, func(v capi.FieldView) (int32, *capi.Error) {
		return capi.PictureWrite(path, v, options.SidePX, options.Title, options.RangeLowMV, options.RangeHighMV)
	})
}
