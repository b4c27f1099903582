package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// coveragePath is where the table lies, below the root of the module.
const coveragePath = "COVERAGE.md"

// coverage makes the table of the header's functions and of what in package mfn leads to each, and names the functions
// to which nothing leads. It follows the calls as the type checker understands them, from each exported function and
// method of package mfn, through package capi, to C.
func coverage(root string) (table []byte, gaps []string, err error) {
	text, err := os.ReadFile(filepath.Join(root, headerPath))
	if err != nil {
		return nil, nil, err
	}
	h, err := parseHeader(string(text))
	if err != nil {
		return nil, nil, err
	}
	uses, err := readCalls(root)
	if err != nil {
		return nil, nil, err
	}
	reached := map[string][]string{}
	for object := range uses.calls {
		name := publicName(object)
		if name == "" {
			continue
		}
		for c := range uses.reach(object) {
			reached[c] = append(reached[c], name)
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# What of the C interface Go reaches\n\nEach of the %d functions of `include/mfn.h`, and what in "+
		"package `mfn` calls it. Written by `go generate .` in `bindings/go`; a test\ncompares it and fails for a function "+
		"to which nothing leads.\n\n| C | Go |\n|---|---|\n", len(h.functions))
	for _, f := range h.functions {
		by := reached[f.name]
		if len(by) == 0 {
			gaps = append(gaps, f.name)
		}
		slices.Sort(by)
		shown := strings.Join(by[:min(len(by), 4)], "`, `")
		if len(by) > 4 {
			shown = fmt.Sprintf("%s` and %d more", shown, len(by)-4)
		} else if len(by) > 0 {
			shown += "`"
		}
		if len(by) > 0 {
			shown = "`" + shown
		}
		fmt.Fprintf(&out, "| `%s` | %s |\n", f.name, shown)
	}
	return out.Bytes(), gaps, nil
}

// calls are which functions use which, and which of C's.
type calls struct {
	calls map[*types.Func]map[*types.Func]bool
	c     map[*types.Func]map[string]bool
}

// reach finds the functions of C that a function leads to.
func (u *calls) reach(from *types.Func) map[string]bool {
	found, seen := map[string]bool{}, map[*types.Func]bool{}
	var visit func(*types.Func)
	visit = func(f *types.Func) {
		if seen[f] {
			return
		}
		seen[f] = true
		for name := range u.c[f] {
			found[name] = true
		}
		for next := range u.calls[f] {
			visit(next)
		}
	}
	visit(from)
	return found
}

// publicName is how users of package mfn call a function; "" for what they can not call.
func publicName(f *types.Func) string {
	if f.Pkg().Name() != "mfn" || !f.Exported() {
		return ""
	}
	receiver := f.Signature().Recv()
	if receiver == nil {
		return f.Name()
	}
	t := receiver.Type()
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := t.(*types.Named)
	if !ok || !named.Obj().Exported() {
		return ""
	}
	return named.Obj().Name() + "." + f.Name()
}

// readCalls type-checks both packages. C itself is not looked at.
func readCalls(root string) (*calls, error) {
	u := &calls{map[*types.Func]map[*types.Func]bool{}, map[*types.Func]map[string]bool{}}
	set := token.NewFileSet()
	chain := &packages{std: importer.ForCompiler(set, "source", nil), own: map[string]*types.Package{}}
	for _, p := range []struct{ path, dir string }{{"mfn/internal/capi", "internal/capi"}, {"mfn", "."}} {
		parsed, err := parser.ParseDir(set, filepath.Join(root, p.dir), func(info os.FileInfo) bool {
			return !strings.HasSuffix(info.Name(), "_test.go")
		}, 0)
		if err != nil {
			return nil, err
		}
		var files []*ast.File
		for _, one := range parsed {
			for _, f := range one.Files {
				files = append(files, f)
			}
		}
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
		// Without C some constants have no value; such an error does not change who calls whom.
		config := types.Config{FakeImportC: true, Importer: chain, Error: func(error) {}}
		checked, _ := config.Check(p.path, set, files, info)
		chain.own[p.path] = checked
		for _, f := range files {
			for _, declared := range f.Decls {
				if function, ok := declared.(*ast.FuncDecl); ok && function.Body != nil {
					u.add(function, info)
				}
			}
		}
	}
	return u, nil
}

func (u *calls) add(function *ast.FuncDecl, info *types.Info) {
	self, ok := info.Defs[function.Name].(*types.Func)
	if !ok {
		return
	}
	u.calls[self], u.c[self] = map[*types.Func]bool{}, map[string]bool{}
	ast.Inspect(function.Body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.SelectorExpr:
			if of, ok := node.X.(*ast.Ident); ok && of.Name == "C" {
				u.c[self][strings.TrimPrefix(node.Sel.Name, "go_")] = true
			}
		case *ast.Ident:
			if used, ok := info.Uses[node].(*types.Func); ok {
				u.calls[self][used.Origin()] = true
			}
		}
		return true
	})
}

// packages imports those of the standard library from their sources, and ours as they were checked.
type packages struct {
	std types.Importer
	own map[string]*types.Package
}

func (p *packages) Import(path string) (*types.Package, error) {
	if own := p.own[path]; own != nil {
		return own, nil
	}
	return p.std.Import(path)
}
