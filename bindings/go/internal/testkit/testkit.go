// Package testkit is what the tests of several packages share: programs in C, plugins, and a pipeline.
package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Check ends the test when err is not nil.
func Check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// CompileC compiles a C program against the library under test.
func CompileC(t testing.TB, source string) string {
	t.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "mfn").Output()
	if err != nil {
		t.Fatalf("pkg-config does not know mfn: set PKG_CONFIG_PATH (%v)", err)
	}
	program := filepath.Join(t.TempDir(), "program")
	arguments := append([]string{"-std=c99", source, "-o", program}, strings.Fields(string(flags))...)
	arguments = append(arguments, strings.Fields(os.Getenv("CGO_LDFLAGS"))...)
	if out, err := exec.Command("cc", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return program
}

// Plugin is the path of a plugin library.
func Plugin(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("MFN_PLUGIN_DIR")
	path := filepath.Join(folder, "libmfn_plugin_"+name+".so")
	if _, err := os.Stat(path); err != nil || folder == "" {
		t.Fatalf("%v: set MFN_PLUGIN_DIR to the folder of the plugin libraries, such as target/demo/plugins", err)
	}
	return path
}

// PipelineConfig gives the text of a pipeline of the real file and sse plugins, and the folder with its requests: three
// that can be done and one that can not.
func PipelineConfig(t testing.TB, steps int) (text, folder string) {
	t.Helper()
	folder = t.TempDir()
	Check(t, os.Mkdir(filepath.Join(folder, "requests"), 0o700))
	for i := 1; i <= 3; i++ {
		Check(t, os.WriteFile(filepath.Join(folder, "requests", fmt.Sprintf("%d.json", i)),
			fmt.Appendf(nil, `{"grid_size": 16, "steps": %d, "random_seed": %d}`, steps, i), 0o600))
	}
	Check(t, os.WriteFile(filepath.Join(folder, "requests", "4.json"), []byte(`{"alpha": 9}`), 0o600))
	return fmt.Sprintf(`
name = "test"
[plugins]
files = [%q, %q]
[connectors.requests]
plugin = "file"
config = { directory = "requests", state_file = "journal" }
[publishers.results]
plugin = "file"
config = { directory = "out", file_name = "results" }
[publishers.rejected]
plugin = "file"
config = { directory = "out", file_name = "rejected", include_headers = true }
[transports.live]
plugin = "sse"
config = { bind = "127.0.0.1:0", first_event = "oldest" }
[[routes]]
name = "simulate"
connectors = ["requests"]
publishers = ["results"]
transports = ["live"]
dead_letters = "rejected"
topic = "snapshots"
`, Plugin(t, "file"), Plugin(t, "sse")), folder
}
