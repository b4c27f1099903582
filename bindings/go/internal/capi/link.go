// Package capi is the one package of the binding that crosses into C: the calls of include/mfn.h with Go types, and
// the callbacks. Everything that makes them pleasant and safe stands in package mfn.
//
// Rules that hold here: C keeps no Go pointer after a call; callbacks are known to C by a cgo.Handle, by value; every
// exported Go function recovers; what C hands over is copied and freed in the same call, or is a handle that package
// mfn closes.
//
// The library is found by pkg-config, as mfn, or with the build tag mfn_static as mfn-static, which links libmfn.a
// into the program. Plugins are loaded either way. The two ways stand in two files, because the build cache of Go looks
// at the names of files and not at what pkg-config answers.
package capi
