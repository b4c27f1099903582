package mfn

import (
	"context"
	"log/slog"
	"time"

	"mfn/internal/capi"
)

// LibraryVersion is the release version of the libmfn that runs, such as "0.1.0".
func LibraryVersion() string { return capi.Version() }

// LibraryABIVersion is the ABI version of the libmfn that runs; compare it with [ABIVersion].
func LibraryABIVersion() uint32 { return capi.ABIVersion() }

// LiveHandles counts what the library has handed out to this process and was not freed: 0 when nothing leaks and
// everything was closed.
func LiveHandles() uint64 { return capi.LiveHandles() }

// A Runtime is the threads, the log, the metrics and the loaded plugins of one host. Two share nothing.
type Runtime struct {
	h   *handle[*capi.Runtime]
	log *capi.Callbacks // nil without a log function
}

// RuntimeOptions says how a runtime is set up. [DefaultRuntimeOptions] gives it.
type RuntimeOptions struct {
	// Threads for computing; 0: one for each core. Results do not depend on it.
	Threads uint32
	// How much is logged.
	LogLevel LogLevel
	// Whether plugins without a manifest beside them are refused.
	RequireManifest bool
	// Log records kept for [Runtime.Logs] and [Runtime.NextLog]; the oldest go when it is full. 0: none are kept.
	LogQueueMax uint64
	// Takes each log record, on whatever thread speaks, on several at once. It should return soon and must not use a
	// runtime, a component or a pipeline. nil: none is called. [LogTo] makes one of a slog.Handler.
	Log func(LogRecord)
}

// DefaultRuntimeOptions gives all cores, warnings and errors, and no log.
func DefaultRuntimeOptions() RuntimeOptions {
	threads, level, manifest, status, failure := capi.RuntimeOptionsInit()
	if err := failed(status, failure); err != nil {
		panic("libmfn refused to give its own defaults: " + err.Error())
	}
	return RuntimeOptions{Threads: threads, LogLevel: LogLevel(level), RequireManifest: manifest}
}

// NewRuntime creates a runtime.
func NewRuntime(options RuntimeOptions) (*Runtime, error) {
	r := &Runtime{}
	var callback capi.Callback
	if log := options.Log; log != nil {
		r.log = &capi.Callbacks{Log: func(record capi.LogRecord) { log(logRecord(record)) }}
		callback = r.log.Register()
	}
	pointer, status, failure := capi.RuntimeCreate(options.Threads, int32(options.LogLevel), options.RequireManifest,
		options.LogQueueMax, callback)
	if err := failed(status, failure); err != nil {
		if callback != 0 {
			callback.Release()
		}
		return nil, err
	}
	r.h = own(r, pointer, capi.RuntimeFree)
	return r, nil
}

// Close frees the runtime. Components and pipelines made from it live on and stop logging.
func (r *Runtime) Close() error {
	r.h.close()
	return nil
}

// SetLogLevel changes how much is logged, here and in the loaded plugins.
func (r *Runtime) SetLogLevel(level LogLevel) error {
	return call(r.h, func(p *capi.Runtime) (int32, *capi.Error) { return capi.RuntimeSetLogLevel(p, int32(level)) })
}

// NextLog takes the oldest record of the log queue and waits for one until ctx ends.
func (r *Runtime) NextLog(ctx context.Context) (record LogRecord, err error) {
	entry, err := poll(ctx, r.h, capi.RuntimeNextLog)
	if err != nil {
		return record, err
	}
	defer capi.LogEntryFree(entry)
	return logRecord(capi.LogEntryRecord(entry)), nil
}

// Logs feeds a channel from the log queue until ctx ends or the runtime is closed, and then closes the channel. What is
// in the queue when the channel is not read stays there.
func (r *Runtime) Logs(ctx context.Context) <-chan LogRecord {
	return feed(ctx, r.NextLog)
}

// LogDropped counts the log records that the queue had no room for.
func (r *Runtime) LogDropped() uint64 { return get(r.h, capi.RuntimeLogDropped) }

// LoadPlugin loads one plugin library and gives the plugin's name. One that is loaded already is fine.
func (r *Runtime) LoadPlugin(path string) (name string, err error) {
	return take(r.h, func(p *capi.Runtime) (string, int32, *capi.Error) { return capi.RuntimeLoadPlugin(p, path) })
}

// ScanDirectory loads every plugin library in a directory and counts those that can be used. Why others were refused
// stands in [Runtime.LoadReport].
func (r *Runtime) ScanDirectory(directory string) (loaded int, err error) {
	var count uint
	err = call(r.h, func(p *capi.Runtime) (int32, *capi.Error) { return capi.RuntimeScanDirectory(p, directory, &count) })
	return int(count), err
}

// PluginsJSON lists the loaded plugins as a JSON array.
func (r *Runtime) PluginsJSON() (string, error) { return take(r.h, capi.RuntimePlugins) }

// PluginJSON describes one loaded plugin as a JSON object.
func (r *Runtime) PluginJSON(name string) (string, error) {
	return take(r.h, func(p *capi.Runtime) (string, int32, *capi.Error) { return capi.RuntimePluginDescribe(p, name) })
}

// LoadReport says which paths were tried and what became of them: one line each.
func (r *Runtime) LoadReport() (string, error) { return r.loadReport(false) }

// LoadReportJSON is LoadReport as a JSON object.
func (r *Runtime) LoadReportJSON() (string, error) { return r.loadReport(true) }

func (r *Runtime) loadReport(asJSON bool) (string, error) {
	return take(r.h, func(p *capi.Runtime) (string, int32, *capi.Error) {
		return capi.RuntimeLoadReport(p, flag(asJSON))
	})
}

// LastError gives the last failure of a call with this runtime; nil when there was none. A log function that panicked is
// told here, once: it has no call that could fail.
func (r *Runtime) LastError() error {
	if r.log != nil {
		if p := r.log.TakePanic(); p != nil {
			return panicked(p)
		}
	}
	return lastError(get(r.h, capi.RuntimeLastError))
}

// A LogRecord is what the runtime or a plugin says.
type LogRecord struct {
	Level     LogLevel
	Target    string // the part of the program that speaks
	Message   string // one sentence, then fields as name=value
	Component string // the component that speaks, or ""
	Plugin    string // the plugin that speaks, or "" for the runtime itself
}

func logRecord(r capi.LogRecord) LogRecord {
	return LogRecord{LogLevel(r.Level), r.Target, r.Message, r.Component, r.Plugin}
}

// SlogLevel is the level as package slog counts; what slog has no name for lies below slog.LevelDebug.
func (v LogLevel) SlogLevel() slog.Level {
	switch v {
	case LogError:
		return slog.LevelError
	case LogWarn:
		return slog.LevelWarn
	case LogInfo:
		return slog.LevelInfo
	case LogDebug:
		return slog.LevelDebug
	}
	return slog.LevelDebug - 4
}

// LogTo makes a function for [RuntimeOptions] that hands each record to a slog.Handler, with the attributes target,
// component and plugin. The handler must not use a runtime, a component or a pipeline.
func LogTo(handler slog.Handler) func(LogRecord) {
	return func(r LogRecord) {
		ctx := context.Background()
		if !handler.Enabled(ctx, r.Level.SlogLevel()) {
			return
		}
		record := slog.NewRecord(time.Now(), r.Level.SlogLevel(), r.Message, 0)
		record.AddAttrs(slog.String("target", r.Target))
		if r.Component != "" {
			record.AddAttrs(slog.String("component", r.Component))
		}
		if r.Plugin != "" {
			record.AddAttrs(slog.String("plugin", r.Plugin))
		}
		_ = handler.Handle(ctx, record) // a log has nobody to tell
	}
}
