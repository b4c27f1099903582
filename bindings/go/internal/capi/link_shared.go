//go:build !mfn_static

package capi

// #cgo pkg-config: mfn
import "C"
