package mfn

import (
	"math"

	"mfn/internal/capi"
)

// A Field is a grid of numbers in double precision.
type Field = Grid[float64]

// A FieldF32 is a grid of numbers in single precision, of a run with [PrecisionF32].
type FieldF32 = Grid[float32]

// A Grid is numbers in rows and columns where they lie: cell (r, c) is Data[Offset + r*RowStride + c*ColStride].
// Strides may be negative. The library reads a field of the program in place, during the call only.
type Grid[E float32 | float64] struct {
	Data                 []E
	Offset               int
	Rows, Cols           int
	RowStride, ColStride int
}

// NewField describes numbers that lie row by row without gaps.
func NewField(data []float64, rows, cols int) Field {
	v := capi.FieldRows(uint(max(rows, 0)), uint(max(cols, 0)))
	return Field{Data: data, Rows: rows, Cols: cols, RowStride: v.RowStride, ColStride: v.ColStride}
}

// At gives a cell.
func (g Grid[E]) At(row, col int) E {
	return g.Data[g.Offset+row*g.RowStride+col*g.ColStride]
}

// Copy gives the cells row by row.
func (g Grid[E]) Copy() []E {
	cells := make([]E, 0, g.Rows*g.Cols)
	for r := range g.Rows {
		if g.ColStride == 1 {
			begin := g.Offset + r*g.RowStride
			cells = append(cells, g.Data[begin:begin+g.Cols]...)
			continue
		}
		for c := range g.Cols {
			cells = append(cells, g.At(r, c))
		}
	}
	return cells
}

// check refuses a grid that reaches beyond its slice: C can not know where that ends.
func (g Grid[E]) check() error {
	if g.Rows < 1 || g.Cols < 1 {
		return invalid("a field of %d rows and %d columns: give at least one of each", g.Rows, g.Cols)
	}
	low, high := float64(g.Offset), float64(g.Offset)
	for _, reach := range []float64{float64(g.Rows-1) * float64(g.RowStride), float64(g.Cols-1) * float64(g.ColStride)} {
		low, high = low+math.Min(reach, 0), high+math.Max(reach, 0)
	}
	if low < 0 || high >= float64(len(g.Data)) {
		return invalid("a field of %d x %d cells with offset %d and strides %d and %d needs Data[%.0f] to Data[%.0f], "+
			"and Data has %d numbers", g.Rows, g.Cols, g.Offset, g.RowStride, g.ColStride, low, high, len(g.Data))
	}
	return nil
}

// rawField is a field for C.
func rawField(f Field) (capi.FieldView, error) {
	if err := f.check(); err != nil {
		return capi.FieldView{}, err
	}
	return capi.FieldView{Data: &f.Data[f.Offset], Rows: uint(f.Rows), Cols: uint(f.Cols), RowStride: f.RowStride,
		ColStride: f.ColStride}, nil
}

// lent is a field that C lends.
func lent(v capi.FieldView) Field {
	return Field{Data: v.Cells(), Rows: int(v.Rows), Cols: int(v.Cols), RowStride: v.RowStride, ColStride: v.ColStride}
}

func lentF32(v capi.FieldViewF32) FieldF32 {
	return FieldF32{Data: v.Cells(), Rows: int(v.Rows), Cols: int(v.Cols), RowStride: v.RowStride,
		ColStride: v.ColStride}
}

// onField makes a call that reads a field and has no handle.
func onField(f Field, do func(capi.FieldView) (int32, *capi.Error)) error {
	v, err := rawField(f)
	if err != nil {
		return err
	}
	return failed(do(v))
}

// measure makes a call that reads a field and fills a struct.
func measure[C, G any](f Field, set func(*G, *C), do func(capi.FieldView, *C) (int32, *capi.Error)) (G, error) {
	var goes G
	var c C
	err := onField(f, func(v capi.FieldView) (int32, *capi.Error) { return do(v, &c) })
	if err == nil {
		set(&goes, &c)
	}
	return goes, err
}

// cells is the room for a result for each cell.
func (g Grid[E]) cells() ([]float64, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	return make([]float64, g.Rows*g.Cols), nil
}

// FieldLaplacian computes the five-point Laplacian of a field, row by row, in its unit per cell^2.
func FieldLaplacian(field Field, boundary Boundary) ([]float64, error) {
	out, err := field.cells()
	if err != nil {
		return nil, err
	}
	return out, onField(field, func(v capi.FieldView) (int32, *capi.Error) {
		return capi.FieldLaplacian(v, int32(boundary), first(out), uint(len(out)))
	})
}

// FieldGradient computes the change from row to row and from column to column, row by row, in the field's unit per
// cell.
func FieldGradient(field Field, boundary Boundary) (alongRows, alongCols []float64, err error) {
	if alongRows, err = field.cells(); err != nil {
		return nil, nil, err
	}
	alongCols = make([]float64, len(alongRows))
	return alongRows, alongCols, onField(field, func(v capi.FieldView) (int32, *capi.Error) {
		return capi.FieldGradient(v, int32(boundary), first(alongRows), first(alongCols), uint(len(alongRows)))
	})
}

// SummariseField computes summary numbers of a field, whose cells may be NaN or infinite.
func SummariseField(field Field) (FieldStatistics, error) {
	return measure(field, (*FieldStatistics).set, capi.FieldSummarise)
}
