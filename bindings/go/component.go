package mfn

import (
	"context"
	"time"

	"mfn/internal/capi"
)

// patience is how long a call waits whose context has no deadline.
const patience = 30 * time.Second

// A Component is a configured instance of a plugin: what connectors, publishers, transports and exporters have in
// common.
type Component struct {
	// with lends the component of an owner that is not closed.
	with func(func(*capi.Component) (int32, *capi.Error)) error
}

// face is the common face of an owner.
func face[P any](h *handle[P], component func(P) *capi.Component) Component {
	return Component{func(do func(*capi.Component) (int32, *capi.Error)) error {
		return call(h, func(p P) (int32, *capi.Error) { return do(component(p)) })
	}}
}

// ask asks for what can not fail.
func (c Component) ask(do func(*capi.Component)) {
	_ = c.with(func(p *capi.Component) (int32, *capi.Error) {
		do(p)
		return int32(OK), nil
	})
}

// Name is the component's name; "" after Close of its owner.
func (c Component) Name() (name string) {
	c.ask(func(p *capi.Component) { name = capi.ComponentName(p) })
	return name
}

// Plugin is the plugin it is an instance of; "" after Close of its owner.
func (c Component) Plugin() (plugin string) {
	c.ask(func(p *capi.Component) { plugin = capi.ComponentPlugin(p) })
	return plugin
}

// Health is the last known health and what there is to say about it; it never waits.
func (c Component) Health() (health Health, detail string, err error) {
	var raw int32
	err = c.with(func(p *capi.Component) (status int32, failure *capi.Error) {
		detail, status, failure = capi.ComponentHealth(p, &raw)
		return status, failure
	})
	return Health(raw), detail, err
}

// Check tries the real thing without side effects: the error says what an operator has to put right.
func (c Component) Check() error { return c.with(capi.ComponentCheck) }

// An Endpoint is where something can be reached.
type Endpoint struct {
	Component string // that listens
	Name      string // what is there, such as "stream" or "metrics"
	URL       string
}

func endpointsOf(e *capi.Endpoints) (all []Endpoint) {
	defer capi.EndpointsFree(e)
	for i := range capi.EndpointsCount(e) {
		all = append(all, Endpoint{capi.EndpointsComponent(e, i), capi.EndpointsName(e, i), capi.EndpointsURL(e, i)})
	}
	return all
}

// Endpoints tells where the component can be reached.
func (c Component) Endpoints() (all []Endpoint, err error) {
	err = c.with(func(p *capi.Component) (int32, *capi.Error) {
		endpoints, status, failure := capi.ComponentEndpoints(p)
		if status == int32(OK) {
			all = endpointsOf(endpoints)
		}
		return status, failure
	})
	return all, err
}

// Drain finishes what was accepted, until the deadline of ctx (without one: 30 s), and counts the records that the
// component still holds.
func (c Component) Drain(ctx context.Context) (left uint64, err error) {
	err = c.with(func(p *capi.Component) (int32, *capi.Error) {
		return capi.ComponentDrain(p, timeoutMS(ctx, patience), &left)
	})
	return left, err
}

// Close closes the component early; Close of its owner does it too.
func (c Component) Close() error { return c.with(capi.ComponentClose) }

// LastError gives the last failure of a call with this component; nil when there was none.
func (c Component) LastError() (err error) {
	c.ask(func(p *capi.Component) { err = lastError(capi.ComponentLastError(p)) })
	return err
}

// A ComponentSpec says which plugin makes a component, and how.
type ComponentSpec struct {
	Plugin string // the name of a loaded plugin
	Name   string // what the component is called
	Config string // its configuration in JSON; "": {}
	// Where relative paths of the configuration begin; "": the working directory.
	BaseDir string
}

// opened makes a component of a runtime.
func opened[P any](r *Runtime, spec ComponentSpec, open func(*capi.Runtime, string, string, string, string) (P, int32,
	*capi.Error)) (P, error) {
	return take(r.h, func(p *capi.Runtime) (P, int32, *capi.Error) {
		return open(p, spec.Plugin, spec.Name, spec.Config, spec.BaseDir)
	})
}

// A Publisher dials out and delivers records durably, with an answer for each.
type Publisher struct {
	Component
	h *handle[*capi.Publisher]
}

// OpenPublisher makes a publisher of a loaded plugin and opens it.
func (r *Runtime) OpenPublisher(spec ComponentSpec) (*Publisher, error) {
	pointer, err := opened(r, spec, capi.PublisherOpen)
	if err != nil {
		return nil, err
	}
	p := &Publisher{}
	p.h = own(p, pointer, capi.PublisherFree)
	p.Component = face(p.h, capi.PublisherComponent)
	return p, nil
}

// Traits tells what the publisher can take and promise.
func (p *Publisher) Traits() (PublisherTraits, error) {
	return read(p.h, capi.PublisherGetTraits, (*PublisherTraits).set)
}

// Publish delivers records and answers for each: results has nil for a record that was taken. attempt is 1 for the
// first try of these records, then counts. With an error of its own none was tried. The deadline of ctx (without one:
// 30 s) bounds it. Keys and payloads are read where they lie.
func (p *Publisher) Publish(ctx context.Context, attempt uint32, records ...Record) (results []error, err error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	array := make([]capi.Record, len(records))
	for i := range records {
		array[i] = records[i].raw()
	}
	failures, err := take(p.h, func(pointer *capi.Publisher) ([]*capi.Error, int32, *capi.Error) {
		return capi.PublisherPublish(pointer, array, attempt, timeoutMS(ctx, patience))
	})
	if err != nil {
		return nil, err
	}
	results = make([]error, len(failures))
	for i, failure := range failures {
		results[i] = lastError(failure)
	}
	return results, nil
}

// Flush makes durable what was taken, until the deadline of ctx (without one: 30 s).
func (p *Publisher) Flush(ctx context.Context) error {
	return call(p.h, func(pointer *capi.Publisher) (int32, *capi.Error) {
		return capi.PublisherFlush(pointer, timeoutMS(ctx, patience))
	})
}

// LastError gives the last failure of a call with this publisher; nil when there was none.
func (p *Publisher) LastError() error { return lastError(get(p.h, capi.PublisherLastError)) }

// Close closes and frees the publisher.
func (p *Publisher) Close() error {
	p.h.close()
	return nil
}

// A Transport listens and hands events to whoever is connected, best effort.
type Transport struct {
	Component
	h *handle[*capi.Transport]
}

// OpenTransport makes a transport of a loaded plugin and opens it.
func (r *Runtime) OpenTransport(spec ComponentSpec) (*Transport, error) {
	pointer, err := opened(r, spec, capi.TransportOpen)
	if err != nil {
		return nil, err
	}
	t := &Transport{}
	t.h = own(t, pointer, capi.TransportFree)
	t.Component = face(t.h, capi.TransportComponent)
	return t, nil
}

// Publish offers an event to the clients of a topic. cursor is where the event stands in the stream.
func (t *Transport) Publish(topic string, event Record) (cursor string, err error) {
	raw := event.raw()
	return take(t.h, func(p *capi.Transport) (string, int32, *capi.Error) {
		return capi.TransportPublish(p, topic, &raw)
	})
}

// LastError gives the last failure of a call with this transport; nil when there was none.
func (t *Transport) LastError() error { return lastError(get(t.h, capi.TransportLastError)) }

// Close closes and frees the transport.
func (t *Transport) Close() error {
	t.h.close()
	return nil
}

// An Exporter shows the runtime's metrics; opening one is all there is to do.
type Exporter struct {
	Component
	h *handle[*capi.Exporter]
}

// OpenExporter makes a metrics exporter of a loaded plugin and opens it.
func (r *Runtime) OpenExporter(spec ComponentSpec) (*Exporter, error) {
	pointer, err := opened(r, spec, capi.ExporterOpen)
	if err != nil {
		return nil, err
	}
	e := &Exporter{}
	e.h = own(e, pointer, capi.ExporterFree)
	e.Component = face(e.h, capi.ExporterComponent)
	return e, nil
}

// Flush sends what is held back, until the deadline of ctx (without one: 30 s).
func (e *Exporter) Flush(ctx context.Context) error {
	return call(e.h, func(p *capi.Exporter) (int32, *capi.Error) {
		return capi.ExporterFlush(p, timeoutMS(ctx, patience))
	})
}

// LastError gives the last failure of a call with this exporter; nil when there was none.
func (e *Exporter) LastError() error { return lastError(get(e.h, capi.ExporterLastError)) }

// Close closes and frees the exporter.
func (e *Exporter) Close() error {
	e.h.close()
	return nil
}
