// Command gen writes what of the binding follows from include/mfn.h: the raw calls and structs of internal/capi, the
// public structs and constants of package mfn, and COVERAGE.md, which says by what each C function is reached from Go.
//
// A new function or field of the header so arrives in Go by running it again, and a test fails until that is done.
// Run it in bindings/go:
//
//	go generate .
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
)

// headerPath is where the header lies, seen from the root of the module.
const headerPath = "../../include/mfn.h"

// A file is what gen would write: a path below the root of the module and its text.
type file struct {
	path string
	text []byte
}

func main() {
	root, err := moduleRoot()
	if err == nil {
		err = write(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write brings all generated files up to date.
func write(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(root, f.path), f.text, 0o644); err != nil {
			return err
		}
	}
	// The table is made of the files that were just written.
	table, _, err := coverage(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, coveragePath), table, 0o644)
}

// generate makes the text of every generated Go file.
func generate(root string) ([]file, error) {
	text, err := os.ReadFile(filepath.Join(root, headerPath))
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(string(text))
	if err != nil {
		return nil, err
	}
	var files []file
	for _, part := range []struct {
		path string
		emit func(*header) (string, error)
	}{
		{"internal/capi/functions_gen.go", emitFunctions},
		{"internal/capi/structs_gen.go", emitRawStructs},
		{"constants_gen.go", emitConstants},
		{"structs_gen.go", emitPublicStructs},
	} {
		source, err := part.emit(h)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.path, err)
		}
		text, err := format.Source([]byte(source))
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", part.path, err, numbered(source))
		}
		files = append(files, file{part.path, text})
	}
	return files, nil
}

// moduleRoot finds the folder of go.mod above the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod here or above: run this in bindings/go")
		}
		dir = parent
	}
}

// numbered shows a text that the Go compiler would refuse, for whoever changes the generator.
func numbered(source string) string {
	var out bytes.Buffer
	for i, line := range bytes.Split([]byte(source), []byte("\n")) {
		fmt.Fprintf(&out, "%5d %s\n", i+1, line)
	}
	return out.String()
}
