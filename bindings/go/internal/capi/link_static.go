//go:build mfn_static

package capi

// #cgo pkg-config: mfn-static
import "C"
