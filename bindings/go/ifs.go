package mfn

import (
	"context"

	"mfn/internal/capi"
)

// An IFS is an iterated function system: contracting affine maps of the plane, with weights in proportion to which the
// chaos game chooses them. Without weights all maps are equally probable.
type IFS struct {
	Maps    []AffineMap
	Weights []float64
}

// A Point lies in the plane.
type Point struct{ X, Y float64 }

func (s *IFS) raw() ([]capi.AffineMap, *float64, error) {
	if s.Weights != nil && len(s.Weights) != len(s.Maps) {
		return nil, nil, invalid("%d maps and %d weights: give a weight for each map, or none", len(s.Maps), len(s.Weights))
	}
	return raws(s.Maps, (*AffineMap).raw), first(s.Weights), nil
}

// pointsOf pairs coordinates.
func pointsOf(flat []float64) []Point {
	points := make([]Point, len(flat)/2)
	for i := range points {
		points[i] = Point{flat[2*i], flat[2*i+1]}
	}
	return points
}

// Points gives count points of the attractor.
func (s *IFS) Points(seed uint64, count int) ([]Point, error) {
	maps, weights, err := s.raw()
	if err == nil && (count < 0 || count > 1<<28) {
		err = invalid("%d points: give 0 to %d", count, 1<<28)
	}
	if err != nil {
		return nil, err
	}
	flat := make([]float64, 2*count)
	err = failed(capi.IFSPoints(first(maps), weights, uint(len(maps)), seed, first(flat), uint(count)))
	return pointsOf(flat), err
}

// Dimension gives the similarity dimension. Maps that are no similarities are refused.
func (s *IFS) Dimension() (dimension float64, err error) {
	maps, _, err := s.raw()
	if err == nil {
		err = failed(capi.IFSDimension(first(maps), uint(len(maps)), &dimension))
	}
	return dimension, err
}

// Exponents gives both Lyapunov exponents from steps maps, 1 per map applied.
func (s *IFS) Exponents(seed, steps uint64) (largest, smallest float64, err error) {
	maps, weights, err := s.raw()
	if err == nil {
		err = failed(capi.IFSExponents(first(maps), weights, uint(len(maps)), seed, steps, &largest, &smallest))
	}
	return largest, smallest, err
}

// Raster marks the cells of a grid over window that the first count points visit: 1 for a visited cell, else 0, with
// row 0 at YMin. inside counts the points in the window.
func (s *IFS) Raster(ctx context.Context, seed, count uint64, window IFSWindow, rows, cols int) (field Field,
	inside uint64, err error) {
	maps, weights, err := s.raw()
	if err == nil && (rows < 1 || cols < 1 || rows > 65536 || cols > 65536) {
		err = invalid("%d x %d cells: give 1 to 65536 on a side", rows, cols)
	}
	if err != nil {
		return field, 0, err
	}
	w := window.raw()
	field = NewField(make([]float64, rows*cols), rows, cols)
	err = calling(watching(ctx, nil), func(h capi.Callback) (int32, *capi.Error) {
		return capi.IFSRaster(first(maps), weights, uint(len(maps)), seed, count, &w, h, first(field.Data), uint(rows),
			uint(cols), &inside)
	})
	return field, inside, explain(ctx, err)
}

// DefaultIFSConfigV41 gives the defaults of MyceliumFractalNet 4.1: 10000 points of 4 maps.
func DefaultIFSConfigV41() IFSConfigV41 { return defaults(capi.IFSInitV41, (*IFSConfigV41).set) }

// An IFSV41 is what the generator of MyceliumFractalNet 4.1 draws.
type IFSV41 struct {
	Maps              []AffineMap
	Points            []Point
	MeanLogAreaChange float64 // what v4.1 calls the Lyapunov exponent
	DistanceMax       float64 // largest magnitude of a coordinate
}

// GenerateIFSV41 draws the maps and the orbit that MyceliumFractalNet 4.1 draws from a seed.
func GenerateIFSV41(config IFSConfigV41, seed uint64) (drawn IFSV41, err error) {
	if config.PointCount > 1e8 || config.MapCount > 4096 {
		return drawn, invalid("%d points of %d maps: give at most 10^8 of 4096", config.PointCount, config.MapCount)
	}
	c := config.raw()
	maps, flat := make([]capi.AffineMap, config.MapCount), make([]float64, 2*config.PointCount)
	err = failed(capi.IFSGenerateV41(&c, seed, first(maps), uint(len(maps)), first(flat), uint(len(flat)/2),
		&drawn.MeanLogAreaChange, &drawn.DistanceMax))
	if err == nil {
		drawn.Maps, drawn.Points = list(maps, (*AffineMap).set), pointsOf(flat)
	}
	return drawn, err
}

// DefaultModelV41 gives the defaults of the second simulator of MyceliumFractalNet 4.1, and seed 42.
func DefaultModelV41() ModelV41 { return defaults(capi.ModelInitV41, (*ModelV41).set) }

// Run runs the second simulator of MyceliumFractalNet 4.1 and gives the potential in volts. New work uses [Sim].
func (m *ModelV41) Run(ctx context.Context) (field Field, growthEvents uint64, err error) {
	if m.GridSize > 1024 {
		return field, 0, invalid("grid_size is %d: give 1 to 1024", m.GridSize)
	}
	c := m.raw()
	side := int(m.GridSize)
	field = NewField(make([]float64, side*side), side, side)
	err = calling(watching(ctx, nil), func(h capi.Callback) (int32, *capi.Error) {
		return capi.ModelRunV41(&c, h, first(field.Data), uint(len(field.Data)), &growthEvents)
	})
	return field, growthEvents, explain(ctx, err)
}
