package mfn

import (
	"context"
	"iter"
	"time"

	"mfn/internal/capi"
)

// A Record is one message as bytes.
type Record struct {
	ID          string // the same message has the same id after a restart
	ContentType string // media type of the payload; "" when unknown
	TraceParent string // W3C traceparent; "" when there is none
	Key         []byte // ordering key; nil when there is none
	Payload     []byte
	Headers     []Header
	Time        time.Time // when the message arose; zero when unknown
}

// A Header is one further field of a record.
type Header struct {
	Name  string
	Value []byte
}

func (r *Record) raw() capi.Record {
	c := capi.Record{ID: r.ID, ContentType: r.ContentType, TraceParent: r.TraceParent, Key: r.Key, Payload: r.Payload}
	for _, h := range r.Headers {
		c.Headers = append(c.Headers, capi.Header(h))
	}
	if !r.Time.IsZero() {
		c.HasTimestamp, c.TimestampMS = true, r.Time.UnixMilli()
	}
	return c
}

func recordOf(c *capi.Record) Record {
	r := Record{ID: c.ID, ContentType: c.ContentType, TraceParent: c.TraceParent, Key: c.Key, Payload: c.Payload}
	for _, h := range c.Headers {
		r.Headers = append(r.Headers, Header(h))
	}
	if c.HasTimestamp {
		r.Time = time.UnixMilli(c.TimestampMS)
	}
	return r
}

// A Verdict is the fate of one record.
type Verdict struct {
	Fate   Fate
	Delay  time.Duration // for VerdictNack: how long to hold the record back
	Reason string        // for VerdictReject: what is wrong with the record
}

// Ack says that everything that had to be done is done and durable.
func Ack() Verdict { return Verdict{Fate: VerdictAck} }

// Nack says that the record was not worked on: it comes again, not before delay.
func Nack(delay time.Duration) Verdict { return Verdict{Fate: VerdictNack, Delay: delay} }

// Reject says that the record can never be worked on.
func Reject(reason string) Verdict { return Verdict{Fate: VerdictReject, Reason: reason} }

// A Connector reads records in and is told the fate of each.
type Connector struct {
	Component
	h *handle[*capi.Connector]
}

// OpenConnector makes a connector of a loaded plugin and opens it.
func (r *Runtime) OpenConnector(spec ComponentSpec) (*Connector, error) {
	pointer, err := opened(r, spec, capi.ConnectorOpen)
	if err != nil {
		return nil, err
	}
	c := &Connector{}
	c.h = own(c, pointer, capi.ConnectorFree)
	c.Component = face(c.h, capi.ConnectorComponent)
	return c, nil
}

// A Batch is records that were fetched together and are settled together. One that is closed without being settled
// comes again when the connector is opened anew.
type Batch struct{ h *handle[*capi.Batch] }

// Fetch brings the next records, at most recordsMax with at most bytesMax of payload but always one when there is one,
// and waits for the first until ctx ends. io.EOF: none will come any more.
func (c *Connector) Fetch(ctx context.Context, recordsMax uint32, bytesMax uint64) (*Batch, error) {
	pointer, err := poll(ctx, c.h, func(p *capi.Connector, waitMS uint64) (*capi.Batch, int32, *capi.Error) {
		return capi.ConnectorFetch(p, recordsMax, bytesMax, waitMS)
	})
	if err != nil {
		return nil, err
	}
	b := &Batch{}
	b.h = own(b, pointer, capi.BatchFree)
	return b, nil
}

// Batches fetches batches until none will come any more. Each is closed when the loop goes on.
func (c *Connector) Batches(ctx context.Context, recordsMax uint32, bytesMax uint64) iter.Seq2[*Batch, error] {
	fetched := each(ctx, func(ctx context.Context) (*Batch, error) { return c.Fetch(ctx, recordsMax, bytesMax) })
	return func(yield func(*Batch, error) bool) {
		for batch, err := range fetched {
			if !turn(batch, err, yield) {
				return
			}
		}
	}
}

// turn yields a batch and closes it however the loop ends.
func turn(batch *Batch, err error, yield func(*Batch, error) bool) bool {
	if batch != nil {
		defer batch.Close()
	}
	return yield(batch, err)
}

// Settle tells the fate of every record of a batch of this connector, in the order of the records.
func (c *Connector) Settle(batch *Batch, verdicts ...Verdict) error {
	array := make([]capi.Verdict, len(verdicts))
	for i, v := range verdicts {
		delay := v.Delay.Milliseconds()
		if delay < 0 || delay > 1<<32-1 {
			return invalid("a delay of %v: give 0 to 49 days", v.Delay)
		}
		array[i] = capi.Verdict{Fate: int32(v.Fate), DelayMS: uint32(delay), Reason: v.Reason}
	}
	return call(batch.h, func(b *capi.Batch) (status int32, failure *capi.Error) {
		pointer, err := c.h.enter()
		if err != nil {
			return int32(Closed), nil
		}
		defer c.h.leave()
		return capi.ConnectorSettle(pointer, b, array)
	})
}

// Position is the position behind the contiguous settled prefix of a partition.
func (c *Connector) Position(partition string) ([]byte, error) {
	return take(c.h, func(p *capi.Connector) ([]byte, int32, *capi.Error) { return capi.ConnectorPosition(p, partition) })
}

// Backlog counts the records that wait to be fetched; -1 when the source can not tell.
func (c *Connector) Backlog() (backlog int64, err error) {
	err = call(c.h, func(p *capi.Connector) (int32, *capi.Error) { return capi.ConnectorBacklog(p, &backlog) })
	return backlog, err
}

// Pause stops bringing records.
func (c *Connector) Pause() error { return call(c.h, capi.ConnectorPause) }

// Resume brings records again.
func (c *Connector) Resume() error { return call(c.h, capi.ConnectorResume) }

// LastError gives the last failure of a call with this connector; nil when there was none.
func (c *Connector) LastError() error { return lastError(get(c.h, capi.ConnectorLastError)) }

// Close closes and frees the connector.
func (c *Connector) Close() error {
	c.h.close()
	return nil
}

// Len counts the records; 0 after Close.
func (b *Batch) Len() int { return int(get(b.h, capi.BatchCount)) }

// Partition is the partition of the batch; "" after Close.
func (b *Batch) Partition() string { return get(b.h, capi.BatchPartition) }

// Epoch counts the assignments of the partition.
func (b *Batch) Epoch() uint64 { return get(b.h, capi.BatchEpoch) }

// WithRecords lends the records in their order, without a copy of keys, payloads and header values: what must live
// longer than the loop's turn, the program copies. The loop ends after an error.
func (b *Batch) WithRecords() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		pointer, err := b.h.enter()
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer b.h.leave()
		for i := range capi.BatchCount(pointer) {
			c, status, failure := capi.BatchRecord(pointer, i)
			err := failed(status, failure)
			if !yield(recordOf(&c), err) || err != nil {
				return
			}
		}
	}
}

// Records copies the records.
func (b *Batch) Records() (all []Record, err error) {
	for r, err := range b.WithRecords() {
		if err != nil {
			return nil, err
		}
		r.Key, r.Payload = clone(r.Key), clone(r.Payload)
		for i := range r.Headers {
			r.Headers[i].Value = clone(r.Headers[i].Value)
		}
		all = append(all, r)
	}
	return all, nil
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// Close frees the batch and what it lent.
func (b *Batch) Close() error {
	b.h.close()
	return nil
}
