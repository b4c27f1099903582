package mfn

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// plantedFault names a fault to the program that TestDetectorsAreOn starts.
const plantedFault = "MFN_PLANTED_FAULT"

// Guards what the other tests prove: where the race detector or cgocheck2 is compiled in, it ends a program with a
// fault made for it.
func TestDetectorsAreOn(t *testing.T) {
	for _, detector := range []struct {
		on            bool
		fault, report string
	}{
		{raceEnabled, "race", "WARNING: DATA RACE"},
		{cgocheckEnabled, "pointer", "unpinned Go pointer"},
	} {
		if !detector.on {
			continue
		}
		program := exec.Command(os.Args[0], "-test.run=^TestPlantedFault$")
		program.Env = append(os.Environ(), plantedFault+"="+detector.fault)
		output, err := program.CombinedOutput()
		if err == nil || !strings.Contains(string(output), detector.report) {
			t.Errorf("%s: %v, without %q: %s", detector.fault, err, detector.report, output)
		}
	}
}

// TestPlantedFault does something wrong when TestDetectorsAreOn started it.
func TestPlantedFault(t *testing.T) {
	switch os.Getenv(plantedFault) {
	case "race":
		shared, done := 0, make(chan struct{})
		go func() {
			shared++
			close(done)
		}()
		shared++
		<-done
		t.Log(shared)
	case "pointer":
		memory, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE,
			syscall.MAP_ANON|syscall.MAP_PRIVATE)
		check(t, err)
		// A pointer to Go's memory where its collector does not look, as C would keep it.
		*(**int)(unsafe.Pointer(unsafe.SliceData(memory))) = new(int)
	default:
		t.Skip("started by TestDetectorsAreOn")
	}
}
