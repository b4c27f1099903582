//go:build goexperiment.cgocheck2

package mfn

const cgocheckEnabled = true
