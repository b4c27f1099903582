package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A header is what mfn.h declares, in its order.
type header struct {
	constants []constant
	opaques   []string
	structs   []structure
	functions []function
	callbacks map[string]bool
}

type constant struct {
	name, value, doc string
}

type structure struct {
	name, doc string
	fields    []field
}

type field struct {
	ctype, name, doc string
	array            string // length of an array, or ""
}

type function struct {
	name, result, doc string
	params            []param
}

type param struct {
	ctype, name string // "const double *", "frames"
}

var (
	defineLine   = regexp.MustCompile(`^#define (MFN_[A-Z0-9_]+) (-?\d+)$`)
	opaqueLine   = regexp.MustCompile(`^typedef struct (mfn_\w+) (mfn_\w+);$`)
	structLine   = regexp.MustCompile(`^typedef struct (mfn_\w+) \{$`)
	callbackLine = regexp.MustCompile(`^typedef .*\(\*(mfn_\w+)\)\(`)
	functionLine = regexp.MustCompile(`^((?:const )?\w+ \**)(mfn_\w+)\((.*)\);$`)
	paramText    = regexp.MustCompile(`^(.*?)(\w+)$`)
	fieldText    = regexp.MustCompile(`^(.*?)(\w+)(?:\[(\d+)\])?;$`)
	commentStart = regexp.MustCompile(`^\s*// ?`)
)

// parseHeader reads the header. It knows the form that cargo xtask header writes and no other C.
func parseHeader(text string) (*header, error) {
	h := &header{callbacks: map[string]bool{}}
	text, _, _ = strings.Cut(text, "MFN_LAYOUT_CHECK")
	lines := strings.Split(text, "\n")
	var doc []string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if commentStart.MatchString(line) && strings.HasPrefix(line, "//") {
			doc = append(doc, commentStart.ReplaceAllString(line, ""))
			continue
		}
		said := strings.Join(doc, "\n")
		if line != "" {
			doc = nil
		}
		switch {
		case defineLine.MatchString(line):
			m := defineLine.FindStringSubmatch(line)
			h.constants = append(h.constants, constant{m[1], m[2], said})
		case opaqueLine.MatchString(line):
			h.opaques = append(h.opaques, opaqueLine.FindStringSubmatch(line)[1])
		case structLine.MatchString(line):
			s := structure{name: structLine.FindStringSubmatch(line)[1], doc: said}
			for i++; !strings.HasPrefix(lines[i], "}"); i++ {
				if commentStart.MatchString(lines[i]) {
					doc = append(doc, commentStart.ReplaceAllString(lines[i], ""))
					continue
				}
				m := fieldText.FindStringSubmatch(strings.TrimSpace(lines[i]))
				if m == nil {
					return nil, fmt.Errorf("mfn.h line %d is no field: %q", i+1, lines[i])
				}
				s.fields = append(s.fields, field{strings.TrimSpace(m[1]), m[2], strings.Join(doc, "\n"), m[3]})
				doc = nil
			}
			h.structs = append(h.structs, s)
		case callbackLine.MatchString(line):
			h.callbacks[callbackLine.FindStringSubmatch(line)[1]] = true
			for !strings.HasSuffix(lines[i], ");") {
				i++
			}
		case strings.Contains(line, "mfn_") && strings.Contains(line, "(") && !strings.HasPrefix(line, " ") &&
			!strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "/"):
			for !strings.HasSuffix(line, ";") {
				i++
				line += " " + strings.TrimSpace(lines[i])
			}
			f, err := parseFunction(line, said)
			if err != nil {
				return nil, fmt.Errorf("mfn.h line %d: %w", i+1, err)
			}
			h.functions = append(h.functions, f)
		}
	}
	if len(h.functions) < 200 || len(h.structs) < 40 {
		return nil, fmt.Errorf("only %d functions and %d structs were understood in mfn.h", len(h.functions), len(h.structs))
	}
	return h, nil
}

func parseFunction(line, doc string) (function, error) {
	m := functionLine.FindStringSubmatch(line)
	if m == nil {
		return function{}, fmt.Errorf("no function: %q", line)
	}
	f := function{name: m[2], result: strings.TrimSpace(m[1]), doc: doc}
	if m[3] == "void" {
		return f, nil
	}
	for _, part := range strings.Split(m[3], ",") {
		p := paramText.FindStringSubmatch(strings.TrimSpace(part))
		if p == nil {
			return f, fmt.Errorf("no parameter of %s: %q", f.name, part)
		}
		f.params = append(f.params, param{strings.TrimSpace(p[1]), p[2]})
	}
	return f, nil
}

// structNamed finds a struct, or gives nil.
func (h *header) structNamed(name string) *structure {
	for i := range h.structs {
		if h.structs[i].name == name {
			return &h.structs[i]
		}
	}
	return nil
}

// plain tells whether a struct holds numbers only, so that Go memory can be handed to C as it is.
func (s *structure) plain() bool {
	for _, f := range s.fields {
		if strings.Contains(f.ctype, "*") || strings.HasSuffix(f.ctype, "_fn") {
			return false
		}
	}
	return true
}

func (s *structure) sized() bool {
	return len(s.fields) > 0 && s.fields[0].name == "struct_size"
}

func (h *header) opaque(name string) bool {
	for _, o := range h.opaques {
		if o == name {
			return true
		}
	}
	return false
}
