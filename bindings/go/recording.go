package mfn

import (
	"iter"

	"mfn/internal/capi"
)

// RecordRing keeps the newest frames of the run, at most capacity of them, every record_every steps of the
// specification. planes is a sum, such as PlaneField|PlaneActivator. The memory is reserved at once.
func (s *Sim) RecordRing(capacity int, planes Plane) error {
	if capacity < 0 {
		return invalid("capacity is %d: give 1 or more frames", capacity)
	}
	return s.change(func(p *capi.Sim) (int32, *capi.Error) {
		return capi.SimRecordRing(p, uint(capacity), uint32(planes))
	})
}

// RecordFile records one plane of the run into an NPY file of the shape (frames, rows, cols). Until [Sim.RecordFinish]
// the frames are in path with ".partial" behind it; with resume they continue what a process left there.
func (s *Sim) RecordFile(path string, plane Plane, resume bool) error {
	return s.change(func(p *capi.Sim) (int32, *capi.Error) {
		return capi.SimRecordFile(p, path, uint32(plane), flag(resume))
	})
}

// RecordFunc gives the frames of the run to a function, which returns whether to go on; nil takes it back. step counts
// the steps since the start of the run. The fields are lent until the function returns, and it must not use the
// simulation.
func (s *Sim) RecordFunc(onFrame func(step uint64, field, activator, inhibitor Field) bool) error {
	var callbacks *capi.Callbacks
	if onFrame != nil {
		callbacks = &capi.Callbacks{Frame: func(step uint64, field, activator, inhibitor capi.FieldView) bool {
			return onFrame(step, lent(field), lent(activator), lent(inhibitor))
		}}
	}
	return s.change(func(p *capi.Sim) (int32, *capi.Error) {
		return s.given.replace(&s.given.frames, &s.given.framesC, callbacks,
			func(h capi.Callback) (int32, *capi.Error) { return capi.SimRecordCallback(p, h) })
	})
}

// RecordSync makes the frames recorded so far durable in the partial file.
func (s *Sim) RecordSync() error { return s.change(capi.SimRecordSync) }

// RecordFinish completes the recorded file: it has its name and is whole.
func (s *Sim) RecordFinish() error { return s.change(capi.SimRecordFinish) }

// RecordCount counts the frames that the ring keeps.
func (s *Sim) RecordCount() int { return int(get(s.h, capi.SimRecordCount)) }

// RecordDropped counts the frames that the ring dropped because newer ones came.
func (s *Sim) RecordDropped() uint64 { return get(s.h, capi.SimRecordDropped) }

// WithFrame lends one plane of a frame that the ring keeps; index counts from 0, the oldest. See [Sim.WithField].
func (s *Sim) WithFrame(index int, plane Plane, use func(step uint64, field Field) error) error {
	var step uint64
	return lend(s, func(p *capi.Sim, v *capi.FieldView) (int32, *capi.Error) {
		return capi.SimRecordFrame(p, uint(index), uint32(plane), &step, v)
	}, lent, func(f Field) error { return use(step, f) })
}

// A Frame is a copy of one plane of a recorded frame, row by row.
type Frame struct {
	Step  uint64 // steps that the run had done
	Cells []float64
}

// Frames copies one plane of the frames that the ring keeps, the oldest first. The first error is the last element.
func (s *Sim) Frames(plane Plane) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for i := range s.RecordCount() {
			var frame Frame
			err := s.WithFrame(i, plane, func(step uint64, field Field) error {
				frame = Frame{step, field.Copy()}
				return nil
			})
			if !yield(frame, err) || err != nil {
				return
			}
		}
	}
}
