//go:build ignore

// A host with a solver of its own: Gray-Scott on a grid that the program owns (Pearson, 1993). The library reads the
// field where it lies, with its ghost cells around it, every 500 steps; nothing is copied.
package main

import (
	"fmt"
	"log"

	"mfn"
)

const (
	side  = 96
	width = side + 2 // one ghost cell on each side
	steps = 2000
	every = 500
)

type grid [width * width]float64

func at(row, col int) int { return row*width + col }

func (g *grid) wrap() {
	for i := 1; i <= side; i++ {
		g[at(i, 0)] = g[at(i, side)]
		g[at(i, side+1)] = g[at(i, 1)]
	}
	copy(g[:width], g[at(side, 0):at(side+1, 0)])
	copy(g[at(side+1, 0):], g[at(1, 0):at(2, 0)])
}

func (g *grid) laplacian(row, col int) float64 {
	return g[at(row-1, col)] + g[at(row+1, col)] + g[at(row, col-1)] + g[at(row, col+1)] - float64(4*g[at(row, col)])
}

// step computes the next fields. A product that is converted is rounded, as in C: no machine may fuse it with the sum.
func step(u, v, nextU, nextV *grid) {
	u.wrap()
	v.wrap()
	for row := 1; row <= side; row++ {
		for col := 1; col <= side; col++ {
			a, b := u[at(row, col)], v[at(row, col)]
			abb := float64(float64(a*b) * b)
			nextU[at(row, col)] = a + float64(0.16*u.laplacian(row, col)) - abb + float64(0.060*(1-a))
			nextV[at(row, col)] = b + float64(0.08*v.laplacian(row, col)) + abb - float64((0.060+0.062)*b)
		}
	}
}

func main() {
	var u, v [2]grid
	for row := range width {
		for col := range width {
			u[0][at(row, col)], v[0][at(row, col)] = 1, 0
			if (row+9*(col/32))%32 < 12 && (col+5*(row/32))%32 < 12 {
				u[0][at(row, col)], v[0][at(row, col)] = 0.50, 0.25
			}
		}
	}
	config := mfn.DefaultFeatureConfig()
	config.ThresholdLowMV = 250 // the library counts in millivolts: this is v > 0.25
	for t := 1; t <= steps; t++ {
		now, next := (t-1)%2, t%2
		step(&u[now], &v[now], &u[next], &v[next])
		if t%every != 0 {
			continue
		}
		view := mfn.Field{Data: v[next][:], Offset: at(1, 1), Rows: side, Cols: side, RowStride: width, ColStride: 1}
		f, err := mfn.ComputeFeatures(view, &config)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("step %4d: active %4.1f %%, %3.0f clusters, D_box %.3f\n", t, 100*f.FActive, f.NClustersLow, f.DBox)
	}
}
