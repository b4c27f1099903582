// Package programs has tests only: they build and run whole programs.
package programs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mfn/internal/testkit"
)

const examples = "../../../../examples"

// Guards the advice of docs/start.md against the build cache of Go, which does not look at libraries: with a hash of
// the library among the flags of the linker, another library gives another program.
func TestAHashInTheFlagsReachesTheLinker(t *testing.T) {
	build := func(hash string) []byte {
		program := filepath.Join(t.TempDir(), "simulate")
		command := exec.Command("go", "build", "-o", program, "simulate.go")
		command.Dir = examples
		command.Env = append(os.Environ(), fmt.Sprintf("CGO_LDFLAGS=%s -Wl,--defsym=mfn_library_%s=0",
			os.Getenv("CGO_LDFLAGS"), hash))
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text, err := os.ReadFile(program)
		testkit.Check(t, err)
		return text
	}
	one, other := build("aaaa"), build("bbbb")
	if bytes.Equal(one, other) || !bytes.Contains(other, []byte("mfn_library_bbbb")) {
		t.Error("the program was not linked again")
	}
}
