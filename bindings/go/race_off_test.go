//go:build !race

package mfn

const raceEnabled = false
