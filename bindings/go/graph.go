package mfn

import (
	"context"

	"mfn/internal/capi"
)

// A Graph is the network of a pattern: the skeleton as nodes and branches. It never changes.
type Graph struct {
	h      *handle[*capi.Graph]
	cancel *canceller
	// Betweenness and Percolate share one request to stop, so they take turns.
	turns gate
}

// DefaultGraphConfig gives how a network is made when nothing is said.
func DefaultGraphConfig() GraphConfig { return defaults(capi.GraphConfigInit, (*GraphConfig).set) }

// DefaultGraphRobustness gives how much work the robustness figures may cost when nothing is said.
func DefaultGraphRobustness() GraphRobustness {
	return defaults(capi.GraphRobustnessInit, (*GraphRobustness).set)
}

// NewGraph makes the network of the cells of a field in volts that are above the threshold. config may be nil for the
// defaults.
func NewGraph(field Field, config *GraphConfig) (*Graph, error) {
	v, err := rawField(field)
	if err != nil {
		return nil, err
	}
	return newGraph(capi.GraphFromField(v, config.rawOrNil()))
}

// An Edge joins two nodes of a network.
type Edge struct{ From, To uint32 }

// NewGraphFromEdges makes a network of nodes numbered from 0. lengths may be nil: every edge has length 1.
func NewGraphFromEdges(nodes int, edges []Edge, lengths []float64) (*Graph, error) {
	if nodes < 0 || lengths != nil && len(lengths) != len(edges) {
		return nil, invalid("%d nodes, %d edges and %d lengths: give 0 or more nodes and a length for each edge, or none",
			nodes, len(edges), len(lengths))
	}
	ends := make([]uint32, 0, 2*len(edges))
	for _, e := range edges {
		ends = append(ends, e.From, e.To)
	}
	return newGraph(capi.GraphFromEdges(uint(nodes), first(ends), first(lengths), uint(len(edges))))
}

func newGraph(pointer *capi.Graph, status int32, failure *capi.Error) (*Graph, error) {
	if err := failed(status, failure); err != nil {
		return nil, err
	}
	g := &Graph{cancel: &canceller{}, turns: newGate()}
	g.h = own(g, pointer, capi.GraphFree)
	return g, nil
}

// Close stops what is under way and frees the network.
func (g *Graph) Close() error {
	_ = g.Cancel() // a network that is closed already answers so
	g.h.close()
	return nil
}

// Summarise gives the figures of the whole network.
func (g *Graph) Summarise() (GraphSummary, error) {
	return read(g.h, capi.GraphSummarise, (*GraphSummary).set)
}

// lists copies an array that the network lends.
func lists[C, G any](g *Graph, array func(*capi.Graph) ([]C, int32, *capi.Error), set func(*G, *C)) (all []G, err error) {
	err = call(g.h, func(p *capi.Graph) (int32, *capi.Error) {
		lent, status, failure := array(p)
		if status == int32(OK) {
			all = list(lent, set)
		}
		return status, failure
	})
	return all, err
}

// Nodes gives the nodes, by number.
func (g *Graph) Nodes() ([]GraphNode, error) { return lists(g, capi.GraphNodes, (*GraphNode).set) }

// Branches gives the branches, by number.
func (g *Graph) Branches() ([]GraphBranch, error) {
	return lists(g, capi.GraphBranches, (*GraphBranch).set)
}

// NodeCuts gives the nodes whose loss cuts something off, ascending.
func (g *Graph) NodeCuts() ([]GraphCut, error) { return lists(g, capi.GraphNodeCuts, (*GraphCut).set) }

// BranchCuts gives the branches whose loss cuts something off, ascending.
func (g *Graph) BranchCuts() ([]GraphCut, error) {
	return lists(g, capi.GraphBranchCuts, (*GraphCut).set)
}

// Path gives the cells along a branch, each as row * columns + column.
func (g *Graph) Path(branch int) ([]uint32, error) {
	return lists(g, func(p *capi.Graph) ([]uint32, int32, *capi.Error) { return capi.GraphPath(p, uint(branch)) },
		func(to, from *uint32) { *to = *from })
}

// Skeleton gives one byte for each cell, row by row: 1 on the cells of nodes and branches, else 0.
func (g *Graph) Skeleton() ([]byte, error) { return take(g.h, capi.GraphSkeleton) }

// Export writes the whole network as a text.
func (g *Graph) Export(format GraphFormat) (string, error) {
	return take(g.h, func(p *capi.Graph) (string, int32, *capi.Error) { return capi.GraphExport(p, int32(format)) })
}

// LastError gives the last failure of a call with this network; nil when there was none.
func (g *Graph) LastError() error { return lastError(get(g.h, capi.GraphLastError)) }

// long makes a call that can be stopped, when its turn has come.
func (g *Graph) long(ctx context.Context, do func(*capi.Graph) (int32, *capi.Error)) error {
	if err := g.turns.enter(ctx); err != nil {
		return err
	}
	defer g.turns.leave()
	err := call(g.h, func(p *capi.Graph) (int32, *capi.Error) {
		defer g.cancel.during(ctx, func() { capi.GraphCancel(p) }, func() { capi.GraphCancelReset(p) })()
		return do(p)
	})
	return explain(ctx, err)
}

// Betweenness is the share of the shortest paths that run through each node and along each branch.
type Betweenness struct {
	Nodes, Branches []float64 // each in [0, 1]
	Efficiency      float64   // mean of 1 / length of the shortest path, 1/cell
	Sources         int       // sources searched from; fewer than there are nodes: the figures are estimates
}

// Betweenness computes where the shortest paths run. config may be nil for the defaults. Calls take turns.
func (g *Graph) Betweenness(ctx context.Context, config *GraphRobustness) (Betweenness, error) {
	summary, err := g.Summarise()
	if err != nil {
		return Betweenness{}, err
	}
	b := Betweenness{Nodes: make([]float64, summary.Nodes), Branches: make([]float64, summary.Branches)}
	var sources uint
	err = g.long(ctx, func(p *capi.Graph) (int32, *capi.Error) {
		return capi.GraphBetweenness(p, config.rawOrNil(), first(b.Nodes), uint(len(b.Nodes)), first(b.Branches),
			uint(len(b.Branches)), &b.Efficiency, &sources)
	})
	if err != nil {
		return Betweenness{}, err
	}
	b.Sources = int(sources)
	return b, nil
}

// Percolate takes nodes or branches away until none is left. curve is the fraction of the nodes in the largest component
// after 0, 1, 2, ... losses. config may be nil for the defaults. Calls take turns.
func (g *Graph) Percolate(ctx context.Context, attack Attack, config *GraphRobustness) (percolation GraphPercolation,
	curve []float64, err error) {
	summary, err := g.Summarise()
	if err != nil {
		return percolation, nil, err
	}
	parts := summary.Nodes
	if attack == AttackRandomBranches || attack == AttackBranchBetweenness {
		parts = summary.Branches
	}
	curve = make([]float64, parts+1)
	var c capi.GraphPercolation
	err = g.long(ctx, func(p *capi.Graph) (int32, *capi.Error) {
		return capi.GraphPercolate(p, int32(attack), config.rawOrNil(), &c, first(curve), uint(len(curve)))
	})
	if err != nil {
		return percolation, nil, err
	}
	percolation.set(&c)
	return percolation, curve, nil
}

// Cancel asks Betweenness and Percolate to stop, those under way and all later ones until [Graph.CancelReset].
func (g *Graph) Cancel() error {
	return g.cancel.ask(func() error { return call(g.h, capi.GraphCancel) })
}

// CancelReset withdraws Cancel.
func (g *Graph) CancelReset() error {
	return g.cancel.withdraw(func() error { return call(g.h, capi.GraphCancelReset) })
}
