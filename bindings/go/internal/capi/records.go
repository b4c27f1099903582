package capi

/*
#include <stdlib.h>
#include <mfn.h>
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// A Record is a mfn_record with Go's texts and bytes.
type Record struct {
	ID, ContentType, TraceParent string
	Key, Payload                 []byte
	Headers                      []Header
	TimestampMS                  int64
	HasTimestamp                 bool
}

// A Header is a mfn_header.
type Header struct {
	Name  string
	Value []byte
}

func (r *Record) hasNUL() bool {
	for _, h := range r.Headers {
		if hasNUL(h.Name) {
			return true
		}
	}
	return hasNUL(r.ID, r.ContentType, r.TraceParent)
}

// toC fills a record whose pointers lead to Go memory that stays where it is until the pinner lets it go: payloads are
// not copied.
func (r *Record) toC(c *C.mfn_record, pinner *runtime.Pinner) {
	pin := func(data []byte) *C.uint8_t {
		if len(data) == 0 {
			return nil
		}
		pinner.Pin(&data[0])
		return (*C.uint8_t)(unsafe.Pointer(&data[0]))
	}
	pinText := func(s string) *C.char {
		return (*C.char)(unsafe.Pointer(pin(append([]byte(s), 0))))
	}
	c.struct_size = C.sizeof_mfn_record
	c.id = pinText(r.ID)
	c.content_type = pinText(r.ContentType)
	c.trace_parent = pinText(r.TraceParent)
	c.key, c.key_len = pin(r.Key), C.size_t(len(r.Key))
	if r.Key != nil && len(r.Key) == 0 {
		c.key = (*C.uint8_t)(unsafe.Pointer(pinText(""))) // a key of no bytes is a key
	}
	c.payload, c.payload_len = pin(r.Payload), C.size_t(len(r.Payload))
	if len(r.Headers) > 0 {
		headers := make([]C.mfn_header, len(r.Headers))
		pinner.Pin(&headers[0])
		for i, h := range r.Headers {
			headers[i] = C.mfn_header{name: pinText(h.Name), value: pin(h.Value), value_len: C.size_t(len(h.Value))}
		}
		c.headers, c.header_count = &headers[0], C.size_t(len(headers))
	}
	if r.HasTimestamp {
		c.has_timestamp, c.timestamp_ms = 1, C.int64_t(r.TimestampMS)
	}
}

func bytesAt(data *C.uint8_t, length C.size_t) []byte {
	if data == nil {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(data)), int(length))
}

// BatchRecord calls mfn_batch_record. Key, payload and header values are lent by the batch.
func BatchRecord(batch *Batch, index uint) (record Record, status int32, failure *Error) {
	var c C.mfn_record
	c.struct_size = C.sizeof_mfn_record
	cresult := C.mfn_batch_record(batch, C.size_t(index), &c, &failure)
	if cresult != C.MFN_OK {
		return record, int32(cresult), failure
	}
	record = Record{
		ID: C.GoString(c.id), ContentType: C.GoString(c.content_type), TraceParent: C.GoString(c.trace_parent),
		Key: bytesAt(c.key, c.key_len), Payload: bytesAt(c.payload, c.payload_len),
		HasTimestamp: c.has_timestamp != 0, TimestampMS: int64(c.timestamp_ms),
	}
	if c.header_count > 0 {
		for _, h := range unsafe.Slice(c.headers, int(c.header_count)) {
			record.Headers = append(record.Headers, Header{C.GoString(h.name), bytesAt(h.value, h.value_len)})
		}
	}
	return record, int32(cresult), nil
}

// A Verdict is a mfn_verdict.
type Verdict struct {
	Fate    int32
	DelayMS uint32
	Reason  string
}

// ConnectorSettle calls mfn_connector_settle.
func ConnectorSettle(connector *Connector, batch *Batch, verdicts []Verdict) (status int32, failure *Error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	c := make([]C.mfn_verdict, len(verdicts)+1)
	for i, v := range verdicts {
		if hasNUL(v.Reason) {
			return TextHasNUL, nil
		}
		c[i].fate, c[i].delay_ms = C.int32_t(v.Fate), C.uint32_t(v.DelayMS)
		if v.Reason != "" {
			c[i].reason = text(v.Reason)
			pinner.Pin(c[i].reason)
		}
	}
	cresult := C.mfn_connector_settle(connector, batch, &c[0], C.size_t(len(verdicts)), &failure)
	return int32(cresult), failure
}

// PublisherPublish calls mfn_publisher_publish. results has one element for each record, nil for one that was taken.
func PublisherPublish(publisher *Publisher, records []Record, attempt uint32, timeoutMS uint64) (results []*Error,
	status int32, failure *Error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	c := make([]C.mfn_record, len(records)+1)
	for i := range records {
		if records[i].hasNUL() {
			return nil, TextHasNUL, nil
		}
		records[i].toC(&c[i], &pinner)
	}
	results = make([]*Error, len(records)+1)
	cresult := C.mfn_publisher_publish(publisher, &c[0], C.size_t(len(records)), C.uint32_t(attempt),
		C.uint64_t(timeoutMS), &results[0], &failure)
	return results[:len(records)], int32(cresult), failure
}

// TransportPublish calls mfn_transport_publish.
func TransportPublish(transport *Transport, topic string, event *Record) (cursor string, status int32, failure *Error) {
	if hasNUL(topic) || event.hasNUL() {
		return "", TextHasNUL, nil
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	c := new(C.mfn_record)
	event.toC(c, &pinner)
	var ccursor *C.char
	cresult := C.mfn_transport_publish(transport, text(topic), c, &ccursor, &failure)
	return ownText(ccursor), int32(cresult), failure
}
