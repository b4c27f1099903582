package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Guards the generated files: they are what the header gives, so that a change of the header arrives in Go.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		present, err := os.ReadFile(filepath.Join(root, f.path))
		if err != nil || !bytes.Equal(present, f.text) {
			t.Errorf("%s is not what the header gives: run go generate . in bindings/go (%v)", f.path, err)
		}
	}
}

// Guards that Go reaches every function of the header, and that the table says by what.
func TestEveryFunctionIsReached(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	table, gaps, err := coverage(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range gaps {
		t.Errorf("nothing in package mfn leads to %s", name)
	}
	present, err := os.ReadFile(filepath.Join(root, coveragePath))
	if err != nil || !bytes.Equal(present, table) {
		t.Errorf("%s is not what the sources give: run go generate . in bindings/go (%v)", coveragePath, err)
	}
}

// Guards the guard: a function that package mfn stops to use, and one that is new in the header, are named.
func TestAGapIsNamed(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "bindings", "go")
	for _, pattern := range []string{"*.go", "internal/capi/*.go", headerPath} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			switch filepath.Base(path) {
			case "sim.go":
				text = bytes.ReplaceAll(text, []byte("capi.SimFeatures,"), []byte("nil,"))
			case "mfn.h":
				text = bytes.Replace(text, []byte("// How many objects (handles"),
					[]byte("// New. [any-thread]\nuint32_t mfn_brand_new(void);\n\n// How many objects (handles"), 1)
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			target := filepath.Join(copied, relative)
			if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(target, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, gaps, err := coverage(copied)
	if found := strings.Join(gaps, " "); err != nil || found != "mfn_brand_new mfn_sim_features" {
		t.Errorf("gaps: %q, %v", found, err)
	}
}
