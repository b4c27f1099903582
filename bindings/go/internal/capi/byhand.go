package capi

/*
#include <stdlib.h>
#include <string.h>
#include <mfn.h>
#include "callbacks.h"

// The structs below hold pointers. Go memory that holds Go pointers must not be handed to C, so each is put together
// on C's side of single arguments.

static inline mfn_status go_mfn_runtime_options_init(mfn_runtime_options *options, mfn_error **error)
{
    return mfn_runtime_options_init(options, sizeof *options, error);
}

static inline mfn_status go_mfn_runtime_create(uint32_t threads, int32_t log_level, int32_t require_manifest,
                                               uint64_t log_queue_max, uintptr_t callback, mfn_runtime **runtime,
                                               mfn_error **error)
{
    mfn_runtime_options options;
    mfn_status status = mfn_runtime_options_init(&options, sizeof options, error);
    if (status != MFN_OK)
        return status;
    options.threads = threads;
    options.log_level = log_level;
    options.require_manifest = require_manifest;
    options.log_queue_max = log_queue_max;
    if (callback != 0) {
        options.log = go_log_fn;
        options.log_user_data = (void *)callback;
        options.log_destroy = go_destroy_fn;
    }
    return mfn_runtime_create(&options, runtime, error);
}

static inline mfn_status go_mfn_picture_options_init(uint32_t *side_px, double *range_low_mv, double *range_high_mv,
                                                     mfn_error **error)
{
    mfn_picture_options options;
    mfn_status status = mfn_picture_options_init(&options, sizeof options, error);
    if (status == MFN_OK) {
        *side_px = options.side_px;
        *range_low_mv = options.range_low_mv;
        *range_high_mv = options.range_high_mv;
    }
    return status;
}

static inline mfn_status go_mfn_picture_write(const char *path, mfn_field_view field, uint32_t side_px,
                                              const char *title, double range_low_mv, double range_high_mv,
                                              mfn_error **error)
{
    mfn_picture_options options;
    mfn_status status = mfn_picture_options_init(&options, sizeof options, error);
    if (status != MFN_OK)
        return status;
    options.side_px = side_px;
    options.title = title;
    options.range_low_mv = range_low_mv;
    options.range_high_mv = range_high_mv;
    return mfn_picture_write(path, field.data ? &field : NULL, &options, error);
}

static inline mfn_status go_mfn_ensemble_run_json(mfn_ensemble *ensemble, char **specs_json, size_t count,
                                                  uintptr_t callback, mfn_error **error)
{
    return mfn_ensemble_run_json(ensemble, (const char *const *)specs_json, count, go_ensemble_fn, (void *)callback,
                                 error);
}
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// TextHasNUL is the answer, not one of C's, to a text with a NUL byte, which C would cut off there.
const TextHasNUL = -1

func hasNUL(texts ...string) bool {
	for _, t := range texts {
		if strings.IndexByte(t, 0) >= 0 {
			return true
		}
	}
	return false
}

// text lends a text to C for one call, without a copy in C's heap.
func text(s string) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(append([]byte(s), 0))))
}

// optionalText is text, with NULL for what is left out.
func optionalText(s string) *C.char {
	if s == "" {
		return nil
	}
	return text(s)
}

// ownText copies a text that C handed over, and frees it.
func ownText(s *C.char) string {
	if s == nil {
		return ""
	}
	defer C.mfn_string_free(s)
	return C.GoString(s)
}

// ownBytes copies bytes that C handed over, and frees them.
func ownBytes(b *C.mfn_bytes) []byte {
	if b.data == nil {
		return nil
	}
	defer C.mfn_bytes_free(b)
	return append([]byte{}, unsafe.Slice((*byte)(unsafe.Pointer(b.data)), int(b.len))...)
}

// A FieldView is mfn_field_view.
type FieldView struct {
	Data                 *float64
	Rows, Cols           uint
	RowStride, ColStride int
}

// A FieldViewF32 is mfn_field_view_f32.
type FieldViewF32 struct {
	Data                 *float32
	Rows, Cols           uint
	RowStride, ColStride int
}

var _ [C.sizeof_mfn_field_view]byte = [unsafe.Sizeof(FieldView{})]byte{}
var _ [C.sizeof_mfn_field_view_f32]byte = [unsafe.Sizeof(FieldViewF32{})]byte{}

func viewOf(v *C.mfn_field_view) FieldView {
	return *(*FieldView)(unsafe.Pointer(v))
}

// Cells gives the memory of a view that C lent, which is row-major without gaps between cells.
func (v FieldView) Cells() []float64 {
	return unsafe.Slice(v.Data, span(v.Rows, v.Cols, v.RowStride, v.ColStride))
}

// Cells gives the memory of a view that C lent.
func (v FieldViewF32) Cells() []float32 {
	return unsafe.Slice(v.Data, span(v.Rows, v.Cols, v.RowStride, v.ColStride))
}

// span counts the cells from the first to the last of a view; what C lends has no negative strides.
func span(rows, cols uint, rowStride, colStride int) int {
	if rows == 0 || cols == 0 {
		return 0
	}
	return int(rows-1)*rowStride + int(cols-1)*colStride + 1
}

// FieldRows calls mfn_field_rows for an array that is not looked at.
func FieldRows(rows, cols uint) FieldView {
	v := C.mfn_field_rows(nil, C.size_t(rows), C.size_t(cols))
	return viewOf(&v)
}

// A KineticsParameter is mfn_kinetics_parameter with Go's texts.
type KineticsParameter struct {
	Name, Meaning     string
	Min, Max, Default float64
	MinInclusive      bool
}

// KineticsParameterGet calls mfn_kinetics_parameter_get.
func KineticsParameterGet(kinetics, index uint) (parameter KineticsParameter, status int32, failure *Error) {
	var c C.mfn_kinetics_parameter
	c.struct_size = C.sizeof_mfn_kinetics_parameter
	cresult := C.mfn_kinetics_parameter_get(C.size_t(kinetics), C.size_t(index), &c, &failure)
	if cresult == C.MFN_OK {
		parameter = KineticsParameter{C.GoString(c.name), C.GoString(c.meaning), float64(c.min), float64(c.max),
			float64(c.default_value), c.min_inclusive != 0}
	}
	return parameter, int32(cresult), failure
}

// EnsembleRunJSON calls mfn_ensemble_run_json.
func EnsembleRunJSON(ensemble *Ensemble, specs []string, callback Callback) (status int32, failure *Error) {
	if hasNUL(specs...) {
		return TextHasNUL, nil
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	texts := make([]*C.char, len(specs)+1)
	for i, spec := range specs {
		texts[i] = text(spec)
		pinner.Pin(texts[i])
	}
	cresult := C.go_mfn_ensemble_run_json(ensemble, &texts[0], C.size_t(len(specs)), C.uintptr_t(callback), &failure)
	return int32(cresult), failure
}

// PictureOptionsInit calls mfn_picture_options_init.
func PictureOptionsInit() (sidePX uint32, lowMV, highMV float64, status int32, failure *Error) {
	var side C.uint32_t
	var low, high C.double
	cresult := C.go_mfn_picture_options_init(&side, &low, &high, &failure)
	return uint32(side), float64(low), float64(high), int32(cresult), failure
}

// PictureWrite calls mfn_picture_write. Without a title there is none.
func PictureWrite(path string, field FieldView, sidePX uint32, title string, lowMV, highMV float64) (status int32,
	failure *Error) {
	if hasNUL(path, title) {
		return TextHasNUL, nil
	}
	cresult := C.go_mfn_picture_write(text(path), *(*C.mfn_field_view)(unsafe.Pointer(&field)), C.uint32_t(sidePX),
		optionalText(title), C.double(lowMV), C.double(highMV), &failure)
	return int32(cresult), failure
}

// A LogRecord is a mfn_log_record with Go's texts.
type LogRecord struct {
	Level                              int32
	Target, Message, Component, Plugin string
}

func logRecordOf(r *C.mfn_log_record) LogRecord {
	return LogRecord{int32(r.level), C.GoString(r.target), C.GoString(r.message), C.GoString(r.component),
		C.GoString(r.plugin)}
}

// LogEntryRecord calls mfn_log_entry_record and copies the record.
func LogEntryRecord(entry *LogEntry) LogRecord {
	return logRecordOf(C.mfn_log_entry_record(entry))
}

// RuntimeOptionsInit calls mfn_runtime_options_init.
func RuntimeOptionsInit() (threads uint32, logLevel int32, requireManifest bool, status int32, failure *Error) {
	var options C.mfn_runtime_options
	cresult := C.go_mfn_runtime_options_init(&options, &failure)
	return uint32(options.threads), int32(options.log_level), options.require_manifest != 0, int32(cresult), failure
}

// RuntimeCreate calls mfn_runtime_create. When it succeeds the callback is the runtime's, which releases it.
func RuntimeCreate(threads uint32, logLevel int32, requireManifest bool, logQueueMax uint64, callback Callback) (
	runtime *Runtime, status int32, failure *Error) {
	manifest := C.int32_t(0)
	if requireManifest {
		manifest = 1
	}
	cresult := C.go_mfn_runtime_create(C.uint32_t(threads), C.int32_t(logLevel), manifest, C.uint64_t(logQueueMax),
		C.uintptr_t(callback), &runtime, &failure)
	return runtime, int32(cresult), failure
}
