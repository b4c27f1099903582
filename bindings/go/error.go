package mfn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mfn/internal/capi"
)

// An Error is a failure of the library, or an answer other than success such as [Cancelled].
type Error struct {
	// What kind of failure it is.
	Code Code
	// What went wrong and what to do, in one line.
	Message string
	// Deeper causes, the nearest first.
	Causes []string
	// The plugin where it arose, or "".
	Plugin string
	// The component (the configured instance of a plugin) where it arose, or "".
	Component string
	// What the caller should do; 0 when the library does not say.
	Class Class
	// Whether the same call can succeed later without a change.
	Retriable bool
	// How long to wait before trying again; 0 when the library does not say.
	RetryAfter time.Duration
	// The single faults of a specification or configuration.
	Faults []Fault

	cause error
}

// A Fault is one thing that is wrong with a specification or configuration.
type Fault struct {
	Path    string // where it lies, such as "limits.threads"
	Message string // what is wrong there
	Fix     string // how to put it right
}

// A PanicError says that a callback of the program panicked.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // where
}

// Error tells the value.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic: %v", e.Value)
}

// Unwrap gives the value when it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Error gives the message.
func (e *Error) Error() string {
	return e.Message
}

// Is tells whether target is the code of e, for errors.Is(err, mfn.Invalid).
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Unwrap gives what caused e: the end of a context, a panic, or the text of the nearest cause.
func (e *Error) Unwrap() error {
	return e.cause
}

// Error gives the name of the code in C, so that a code can be compared with errors.Is.
func (v Code) Error() string {
	return capi.StatusName(int32(v))
}

// A causeError is a cause of which the library has only the text.
type causeError struct {
	text string
	next error
}

func (e *causeError) Error() string { return e.text }
func (e *causeError) Unwrap() error { return e.next }

// answers are the texts of what is no failure and so has no error object.
var answers = map[Code]string{
	WouldBlock: "nothing came within the time given",
	Cancelled:  "stopped because it was asked to",
	End:        "there will be no more",
}

// failed makes an error of what a call to C answered; nil for success.
func failed(status int32, failure *capi.Error) error {
	if status == int32(OK) {
		return nil
	}
	return newError(status, failure)
}

func newError(status int32, failure *capi.Error) *Error {
	if status == capi.TextHasNUL {
		return invalid("a text has a NUL byte: leave it out")
	}
	if failure == nil {
		return &Error{Code: Code(status), Message: answers[Code(status)]}
	}
	e := copyError(failure)
	capi.ErrorFree(failure)
	return e
}

// copyError reads an error object, which stays whose it is.
func copyError(failure *capi.Error) *Error {
	e := &Error{
		Code:       Code(capi.ErrorStatus(failure)),
		Message:    capi.ErrorMessage(failure),
		Plugin:     capi.ErrorPlugin(failure),
		Component:  capi.ErrorComponent(failure),
		Class:      Class(capi.ErrorClass(failure)),
		Retriable:  capi.ErrorRetriable(failure) != 0,
		RetryAfter: time.Duration(capi.ErrorRetryAfterMS(failure)) * time.Millisecond,
	}
	for i := range capi.ErrorCauseCount(failure) {
		e.Causes = append(e.Causes, capi.ErrorCause(failure, i))
	}
	for i := len(e.Causes) - 1; i >= 0; i-- {
		e.cause = &causeError{e.Causes[i], e.cause}
	}
	for i := range capi.ErrorFaultCount(failure) {
		e.Faults = append(e.Faults, Fault{capi.ErrorFaultPath(failure, i), capi.ErrorFaultMessage(failure, i),
			capi.ErrorFaultFix(failure, i)})
	}
	return e
}

// lastError makes an error of what a handle kept; nil when it kept none.
func lastError(failure *capi.Error) error {
	if failure == nil {
		return nil
	}
	return newError(capi.ErrorStatus(failure), failure)
}

// invalid is an argument that the binding itself refuses.
func invalid(format string, values ...any) *Error {
	return &Error{Code: Invalid, Message: fmt.Sprintf(format, values...), Class: ClassPermanent}
}

func closed() *Error {
	return &Error{Code: Closed, Message: "the object was closed", Class: ClassFatal}
}

// ended says why a context ended the work.
func ended(ctx context.Context) *Error {
	return &Error{Code: Cancelled, Message: fmt.Sprintf("stopped: %v", context.Cause(ctx)), Class: ClassCancelled,
		cause: errors.Join(ctx.Err(), context.Cause(ctx))}
}

// panicked says that a callback panicked.
func panicked(p *capi.Panic) *Error {
	return &Error{Code: Fatal, Message: fmt.Sprintf("a callback panicked: %v", p.Value), Class: ClassPermanent,
		cause: &PanicError{p.Value, p.Stack}}
}

// explain puts the end of a context into an error that it caused.
func explain(ctx context.Context, err error) error {
	if err != nil && errors.Is(err, Cancelled) && ctx.Err() != nil {
		return ended(ctx)
	}
	return err
}
