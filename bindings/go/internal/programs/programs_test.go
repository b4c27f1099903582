// Package programs has tests only: they build and run whole programs.
package programs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mfn/internal/testkit"
)

const examples = "../../../../examples"

// goProgram builds a program of examples with build flags.
func goProgram(t *testing.T, name string, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	command := exec.Command("go", append(append([]string{"build", "-o", program}, flags...), name+".go")...)
	command.Dir = examples
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// output runs a program and gives what it writes to standard output.
func output(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	command := exec.Command(program, arguments...)
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", filepath.Base(program), err, out.String(), problems.String())
	}
	return out.String()
}

// varies is what differs from run to run: times, ports, and files that the test names.
var varies = regexp.MustCompile(` +\d+\.\d\n|127\.0\.0\.1:\d+|/[^ ]*\.png`)

// alike brings two outputs into a form that can be compared: requests may end in any order.
func alike(text string) string {
	lines := strings.SplitAfter(varies.ReplaceAllString(text, "#\n"), "\n")
	var sorted []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "picture of ") { // of whatever request was the last
			sorted = append(sorted, line)
		}
	}
	slices.Sort(sorted)
	return strings.Join(sorted, "")
}

// Guards the examples: each program prints in Go what its twin prints in C, linked dynamically and statically, and a
// static one loads plugins.
func TestExamplesEqualTheirTwinsInC(t *testing.T) {
	for _, name := range []string{"simulate", "analyse", "stream", "pipeline"} {
		t.Run(name, func(t *testing.T) {
			arguments := func() []string {
				if name != "stream" && name != "pipeline" {
					return nil
				}
				text, folder := testkit.PipelineConfig(t, 20)
				path := filepath.Join(folder, "pipeline.toml")
				testkit.Check(t, os.WriteFile(path, []byte(text), 0o600))
				if name == "stream" {
					return []string{path}
				}
				return []string{path, "--plain", "--picture", filepath.Join(folder, "last.png")}
			}
			want := alike(output(t, testkit.CompileC(t, filepath.Join(examples, name+".c")), arguments()...))
			if len(strings.TrimSpace(want)) == 0 {
				t.Fatal("the program in C prints nothing")
			}
			ways := [][]string{nil}
			if name == "simulate" || name == "stream" { // linking libmfn.a takes long; one of them loads plugins
				ways = append(ways, []string{"-tags=mfn_static"})
			}
			for _, flags := range ways {
				program := goProgram(t, name, flags...)
				if got := alike(output(t, program, arguments()...)); got != want {
					t.Errorf("%v: in Go\n%s\nin C\n%s", flags, got, want)
				}
				needed, err := exec.Command("ldd", program).Output()
				testkit.Check(t, err)
				if strings.Contains(string(needed), "libmfn") != (flags == nil) {
					t.Errorf("%v needs\n%s", flags, needed)
				}
			}
		})
	}
}

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

// Guards docs/start.md: its program is the example, and its commands, in a tree that has the installed files only, print
// what they show.
func TestTheStartDocumentIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/start.md")
	testkit.Check(t, err)
	_, section, _ := strings.Cut(string(text), "\n## In a Go program\n")
	section, _, _ = strings.Cut(section, "\n## ")
	shown, err := os.ReadFile(filepath.Join(examples, "simulate.go"))
	testkit.Check(t, err)
	if block(section, "go") != string(shown) {
		t.Error("the program shown is not examples/simulate.go")
	}
	prefix, err := exec.Command("pkg-config", "--variable=prefix", "mfn").Output()
	testkit.Check(t, err)
	folder := t.TempDir()
	testkit.Check(t, os.MkdirAll(filepath.Join(folder, "examples"), 0o700))
	testkit.Check(t, os.Mkdir(filepath.Join(folder, "target"), 0o700))
	testkit.Check(t, os.WriteFile(filepath.Join(folder, "examples", "simulate.go"), shown, 0o600))
	testkit.Check(t, os.Symlink(strings.TrimSpace(string(prefix)), filepath.Join(folder, "target", "demo")))
	var script, want strings.Builder
	script.WriteString("set -e\n")
	for line := range strings.Lines(block(section, "console")) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			script.WriteString(command)
		} else {
			want.WriteString(line)
		}
	}
	command := exec.Command("sh", "-c", script.String())
	command.Dir = folder
	out, err := command.Output()
	if err != nil || string(out) != want.String() || want.Len() == 0 {
		t.Errorf("%v: the commands give\n%s\nbut shown is\n%s", err, out, want.String())
	}
}

// block is the first fenced block of a language.
func block(text, language string) string {
	_, text, _ = strings.Cut(text, "\n```"+language+"\n")
	text, _, _ = strings.Cut(text, "\n```")
	return text + "\n"
}
