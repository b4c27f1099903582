package mfn

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// near compares numbers that are known beforehand.
func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}

// ramp is a field in volts that rises from row to row, and its Field.
func ramp(rows, cols int) Field {
	data := make([]float64, rows*cols)
	for i := range data {
		data[i] = -0.07 + 0.001*float64(i/cols)
	}
	return NewField(data, rows, cols)
}

// Guards what is computed of a field of the program: known numbers, and strides of every kind.
func TestFieldsAreMeasuredInPlace(t *testing.T) {
	f := ramp(8, 8)
	stats, err := SummariseField(f)
	check(t, err)
	near(t, "min", stats.Min, -0.07, 0)
	near(t, "mean", stats.Mean, -0.0665, 1e-15)
	upside := Field{Data: f.Data, Offset: 56, Rows: 8, Cols: 8, RowStride: -8, ColStride: 1}
	rows, cols, err := FieldGradient(upside, BoundaryNeumann)
	check(t, err)
	near(t, "gradient along rows", rows[4*8+4], -0.001, 1e-15)
	near(t, "gradient along columns", cols[4*8+4], 0, 0)
	laplacian, err := FieldLaplacian(f, BoundaryPeriodic)
	check(t, err)
	near(t, "laplacian inside", laplacian[3*8+3], 0, 1e-15)
	near(t, "laplacian at the edge", laplacian[0], 0.008, 1e-15)
	features, err := ComputeFeatures(f, nil)
	check(t, err)
	near(t, "V_mean", features.VMean, -66.5, 1e-9)
	var quantities []Quantity
	for q := range features.All() {
		quantities = append(quantities, q)
	}
	if len(quantities) != FeatureCount || !strings.HasPrefix(quantities[4].String(), "V_mean = -66.5") ||
		quantities[4].Name != "V_mean" || quantities[4].Unit != "mV" || quantities[17].Name != "cluster_size_std" {
		t.Error(quantities)
	}
	config := DefaultFeatureConfig()
	config.Connectivity = 5
	_, err = ComputeFeatures(f, &config)
	wants(t, err, Invalid, "connectivity")
	d, err := ComputeDescriptors(f, nil)
	check(t, err)
	wrapped := DefaultDescriptorConfig()
	wrapped.Wrap = true
	w, err := ComputeDescriptors(f, &wrapped)
	check(t, err)
	count := 0
	for q := range d.All() {
		if count++; q.Name == "area" && q.Value != 0 || q.Unit == "" {
			t.Error(q)
		}
	}
	if count != DescriptorCount || w.Entropy != d.Entropy {
		t.Error(count, w)
	}
	history, err := NewHistory(nil)
	check(t, err)
	check(t, history.Push(f))
	check(t, history.Push(upside))
	features, err = history.Features(upside)
	check(t, err)
	near(t, "dV_max", features.DvMax, 7, 1e-9)
	check(t, history.Close())
	wants(t, history.Push(f), Closed, "")
	rates, err := ComputeChangeRates(append(f.Copy(), upside.Copy()...), 8, 8, 2)
	check(t, err)
	near(t, "change rate", rates.MaxChangeRate, 0.0035, 1e-12)
	_, err = ComputeChangeRates(make([]float64, 65), 8, 8, 1)
	wants(t, err, Invalid, "65 numbers")
	path := filepath.Join(t.TempDir(), "f.png")
	options := DefaultPictureOptions()
	options.Title = "a ramp"
	check(t, WritePicture(path, f, options))
	if png, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Error(err)
	}
}

// Guards networks: a square with a tail has known cuts, paths and figures.
func TestNetworks(t *testing.T) {
	ctx := context.Background()
	graph, err := NewGraphFromEdges(5, []Edge{{0, 1}, {1, 2}, {2, 3}, {3, 0}, {3, 4}}, []float64{1, 1, 1, 1, 2})
	check(t, err)
	defer graph.Close()
	summary, err := graph.Summarise()
	check(t, err)
	nodes, err := graph.Nodes()
	check(t, err)
	branches, err := graph.Branches()
	check(t, err)
	if summary.Loops != 1 || summary.TotalLength != 6 || nodes[4].Kind != NodeTip || nodes[3].Degree != 3 || branches[4].To != 4 {
		t.Error(summary, nodes, branches)
	}
	cuts, err := graph.NodeCuts()
	check(t, err)
	bridges, err := graph.BranchCuts()
	check(t, err)
	if len(cuts) != 1 || cuts[0].Part != 3 || len(bridges) != 1 || bridges[0].Part != 4 {
		t.Error(cuts, bridges)
	}
	between, err := graph.Betweenness(ctx, nil)
	check(t, err)
	if len(between.Nodes) != 5 || len(between.Branches) != 5 || between.Sources != 5 || between.Efficiency <= 0 {
		t.Error(between)
	}
	robustness := DefaultGraphRobustness()
	percolation, curve, err := graph.Percolate(ctx, AttackBranchBetweenness, &robustness)
	check(t, err)
	if percolation.Attack != AttackBranchBetweenness || len(curve) != 6 || curve[0] != 1 || curve[5] != 0.2 {
		t.Error(percolation, curve)
	}
	_, err = graph.Export(GraphGraphML)
	wants(t, err, Invalid, "")
	if graph.LastError() == nil {
		t.Error("no last error")
	}
	f := ramp(32, 32)
	config := DefaultGraphConfig()
	config.ThresholdMV = -60
	pattern, err := NewGraph(f, &config)
	check(t, err)
	skeleton, err := pattern.Skeleton()
	check(t, err)
	text, err := pattern.Export(GraphJSON)
	check(t, err)
	if len(skeleton) != 32*32 || !strings.HasPrefix(text, "{") {
		t.Error(len(skeleton), text)
	}
	if branches, err := pattern.Branches(); err != nil {
		t.Error(err)
	} else if len(branches) > 0 {
		cells, err := pattern.Path(0)
		check(t, err)
		if len(cells) == 0 {
			t.Error("a branch without cells")
		}
	}
	check(t, pattern.Close())
	_, err = pattern.Nodes()
	wants(t, err, Closed, "")
}

// Guards potentials, kinetics and point sets by numbers of the literature.
func TestNumbersOfTheLiterature(t *testing.T) {
	v, err := Nernst(1, 0.005, 0.140, 310)
	check(t, err)
	near(t, "potassium", v, -0.0890, 1e-3)
	all, err := NernstAll(1, []float64{0.005, 0.140}, []float64{0.140, 0.005}, 310)
	check(t, err)
	near(t, "its mirror", all[0]+all[1], 0, 1e-15)
	_, err = NernstAll(1, []float64{1}, nil, 310)
	wants(t, err, Invalid, "pairs")
	_, raised, err := NernstAllV41(2, []float64{0.002}, []float64{1e-7}, 310, 1e-6)
	check(t, err)
	if raised != 1 {
		t.Error(raised)
	}
	g, err := GHK([]Permeation{{Valence: 1, Permeability: 1, OutsideMolar: 0.005, InsideMolar: 0.140}}, 310)
	check(t, err)
	near(t, "GHK of one ion", g, v, 1e-12)

	spec, err := PresetSpec("v4.1")
	check(t, err)
	if spec.Compat != CompatV41 || len(PresetNames()) < 2 || KineticsNames()[KineticsGrayScott] != "gray-scott" {
		t.Error(spec, PresetNames(), KineticsNames())
	}
	parameters, err := KineticsParameters(KineticsGrayScott)
	check(t, err)
	if len(parameters) != 2 || parameters[0].Name != "feed" || parameters[1].Meaning == "" {
		t.Error(parameters)
	}
	turing, err := AnalyseTuringJSON(`{"kinetics": {"name": "schnakenberg"}}`, StateMain)
	check(t, err)
	rates, perStep, err := turing.Growth([]float64{0, math.Sqrt(turing.FastestQ)})
	check(t, err)
	if len(perStep) != 2 || math.Abs(rates[1]-turing.FastestGrowthRate) > 1e-9 {
		t.Error(rates, turing)
	}
	if _, err = AnalyseTuring(DefaultSpec(), 99); err == nil {
		t.Error("a state that does not exist")
	}
	_, err = SpecWarnings(`{}`)
	check(t, err)

	sierpinski := &IFS{Maps: []AffineMap{{A: .5, D: .5}, {A: .5, D: .5, E: .5}, {A: .5, D: .5, E: .25, F: .5}}}
	dimension, err := sierpinski.Dimension()
	check(t, err)
	near(t, "dimension", dimension, math.Log2(3), 1e-9)
	largest, smallest, err := sierpinski.Exponents(1, 100)
	check(t, err)
	near(t, "exponents", largest+smallest, -2*math.Ln2, 1e-9)
	points, err := sierpinski.Points(7, 100)
	check(t, err)
	field, inside, err := sierpinski.Raster(context.Background(), 7, 100, IFSWindow{XMax: 1, YMax: 1}, 16, 16)
	check(t, err)
	if len(points) != 100 || inside != 100 || field.At(0, 0) != 1 && field.At(0, 0) != 0 {
		t.Error(len(points), inside)
	}
	sierpinski.Weights = []float64{1}
	_, err = sierpinski.Dimension()
	wants(t, err, Invalid, "weights")
	drawn, err := GenerateIFSV41(DefaultIFSConfigV41(), 3)
	check(t, err)
	if len(drawn.Maps) != 4 || len(drawn.Points) != 10000 || drawn.DistanceMax <= 0 {
		t.Error(len(drawn.Maps), drawn.DistanceMax)
	}
	model := DefaultModelV41()
	model.GridSize, model.Steps = 16, 10
	grown, _, err := model.Run(context.Background())
	check(t, err)
	if len(grown.Data) != 256 || grown.At(0, 0) > -0.05 {
		t.Error(grown.At(0, 0))
	}
}

// Guards learning: a gradient that lies is left out, a network learns, spikes change weights.
func TestLearning(t *testing.T) {
	data := make([]float64, 0, 7*2)
	for i := range 6 {
		data = append(data, 1+0.01*float64(i), 2)
	}
	gradients := NewField(append(data, 1000, -1000), 7, 2)
	options := DefaultAggregationOptions()
	options.Byzantine, options.Method = 1, MethodMedian
	a, err := AggregateGradients(gradients, options)
	check(t, err)
	near(t, "median", a.Value[0], 1.03, 1e-9)
	options.Method = MethodKrum
	a, err = AggregateGradients(gradients, options)
	check(t, err)
	if a.Selected[6] || a.Report.SelectedCount != 1 || a.Scores[6] < a.Scores[0] {
		t.Errorf("%+v", a)
	}
	many := NewField(make([]float64, 60), 30, 2)
	h := DefaultHierarchicalOptions()
	h.NumClusters = 3
	if value, clusters, err := AggregateHierarchical(many, h); err != nil || clusters == 0 || value[0] != 0 {
		t.Error(value, clusters, err)
	}
	if value, err := AggregateHierarchicalV41(many, nil); err != nil || len(value) != 2 {
		t.Error(value, err)
	}
	if client, err := KrumSelectV41(gradients, 1); err != nil || client == 6 {
		t.Error(client, err)
	}

	rule := DefaultSTDPRule()
	pre, post := NewField([]float64{0.01}, 1, 1), NewField([]float64{0.02}, 1, 1)
	weights := []float64{(rule.WeightMin + rule.WeightMax) / 2}
	before := weights[0]
	check(t, UpdateSTDP(pre, post, &rule, weights))
	change, err := STDPChangeV41(pre, post, nil)
	check(t, err)
	if weights[0] <= before || change[0] <= 0 {
		t.Error(weights, change)
	}
	traces, err := NewSTDPTraces(&rule, 1, 1)
	check(t, err)
	weights[0] = before
	check(t, traces.Advance(0.01, []bool{true}, []bool{false}, weights))
	check(t, traces.Advance(0.01, []bool{false}, []bool{true}, weights))
	if weights[0] <= before {
		t.Error(weights)
	}
	wants(t, traces.Advance(0.01, nil, []bool{true}, weights), Invalid, "")
	check(t, traces.Close())

	attention, err := NewAttention(AttentionConfig{EmbedDim: 4, NumHeads: 2, TopK: 2}, nil, 1)
	check(t, err)
	out, err := attention.Forward(make([]float64, 2*3*4), 2, 3)
	check(t, err)
	if len(out) != 24 {
		t.Error(len(out))
	}
	_, err = attention.Forward(make([]float64, 23), 2, 3)
	wants(t, err, Invalid, "23 numbers")
	check(t, attention.Close())
	config := DefaultNetworkConfig()
	network, err := NewNetwork(config, 1)
	check(t, err)
	defer network.Close()
	x := make([]float64, 4*int(config.InputDim))
	for i := range x {
		x[i] = math.Sin(float64(i))
	}
	y := []float64{0.1, -0.2, 0.3, -0.4}
	start, err := network.TrainStep(x, 4, 1, y)
	check(t, err)
	loss := start
	for range 200 {
		loss, err = network.TrainStep(x, 4, 1, y)
		check(t, err)
	}
	if loss >= start {
		t.Error(start, loss)
	}
	parameters, err := network.Parameters()
	check(t, err)
	first, err := network.Forward(x, 4, 1)
	check(t, err)
	check(t, network.SetParameters(parameters))
	again, err := network.Forward(x, 4, 1)
	check(t, err)
	if len(first) != 4 || first[0] != again[0] {
		t.Error(first, again)
	}
	_, err = network.TrainStep(x, 4, 1, y[:3])
	wants(t, err, Invalid, "y has 3")
}

// Guards what a run is given and what it leaves: fields, maps, threads, checkpoints, recordings, single precision.
func TestInputAndOutputOfARun(t *testing.T) {
	ctx := context.Background()
	spec := DefaultSpec()
	spec.GridSize, spec.RecordEvery = 16, 2
	sim, err := NewSim(spec)
	check(t, err)
	defer sim.Close()
	f := ramp(16, 16)
	check(t, sim.SetInitialField(f))
	quiet := NewField(make([]float64, 256), 16, 16)
	check(t, sim.SetInitialActivator(quiet))
	check(t, sim.SetInitialInhibitor(quiet))
	check(t, sim.SetMap(MapAlpha, NewField(make([]float64, 256), 16, 16)))
	check(t, sim.RemoveMap(MapAlpha))
	check(t, sim.SetExecution(Execution{Threads: 2}))
	check(t, sim.FollowFeatures(nil))
	if cells, err := sim.Field(); err != nil || cells[17] != f.Data[17] {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "frames.npy")
	check(t, sim.RecordFile(path, PlaneField, false))
	check(t, sim.Run(ctx, 4))
	check(t, sim.RecordSync())
	check(t, sim.RecordFinish())
	if info, err := os.Stat(path); err != nil || info.Size() < 2*256*8 {
		t.Error(err)
	}
	execution, err := sim.Execution()
	check(t, err)
	statistics, err := sim.Statistics()
	check(t, err)
	features, err := sim.Features()
	check(t, err)
	back, err := sim.Spec()
	check(t, err)
	if execution.BlockSteps == 0 || statistics.StepsComputed != 4 || features.DvMax == 0 || back != spec {
		t.Error(execution, statistics, features, back)
	}
	state, err := sim.Checkpoint()
	check(t, err)
	saved := filepath.Join(t.TempDir(), "state")
	check(t, sim.WriteCheckpoint(saved))
	check(t, sim.Run(ctx, 5))
	want, err := sim.Inhibitor()
	check(t, err)
	for _, restore := range []func() (*Sim, error){func() (*Sim, error) { return RestoreSimBytes(state) },
		func() (*Sim, error) { return RestoreSim(saved) }} {
		again, err := restore()
		check(t, err)
		check(t, again.Run(ctx, 5))
		got, err := again.Inhibitor()
		check(t, err)
		for i := range want {
			if got[i] != want[i] {
				t.Fatal("a restored run has other bits at cell", i)
			}
		}
		check(t, again.Close())
	}
	_, err = RestoreSimBytes(state[:100])
	wants(t, err, Invalid, "")
	_, err = RestoreSimBytes(nil)
	wants(t, err, Invalid, "")
	spec.Precision = PrecisionF32
	single, err := NewSim(spec)
	check(t, err)
	check(t, single.Run(ctx, 2))
	for _, with := range []func(func(FieldF32) error) error{single.WithFieldF32, single.WithActivatorF32, single.WithInhibitorF32} {
		check(t, with(func(f FieldF32) error {
			if len(f.Copy()) != 256 {
				t.Error(f.Rows, f.Cols)
			}
			return nil
		}))
	}
	check(t, single.Close())
	if a, err := sim.Activator(); err != nil || len(a) != 256 {
		t.Error(err)
	}

	sweep, err := NewSweepPreset("small")
	check(t, err)
	if json, err := sweep.SpecJSON(0); sweep.Runs() == 0 || err != nil || !strings.HasPrefix(json, "{") {
		t.Error(sweep.Runs(), json, err)
	}
	check(t, sweep.Cancel())
	_, err = sweep.Write(ctx, filepath.Join(t.TempDir(), "x.csv"), SweepOptions{}, nil)
	wants(t, err, Cancelled, "")
	check(t, sweep.CancelReset())
	_, err = sweep.Write(ctx, filepath.Join(t.TempDir(), "x.txt"), SweepOptions{}, nil)
	wants(t, err, Invalid, "")
	wants(t, sweep.LastError(), Invalid, "")
	check(t, sweep.Close())
}
