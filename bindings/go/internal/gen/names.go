package main

import (
	"strings"
)

// initialisms are written as Go writes them.
var initialisms = map[string]string{
	"json": "JSON", "toml": "TOML", "ode": "ODE", "ifs": "IFS", "id": "ID", "rng": "RNG", "simd": "SIMD", "url": "URL",
	"mv": "MV", "ms": "MS", "px": "PX", "rk4": "RK4", "f32": "F32", "f64": "F64", "avx2": "AVX2", "avx512": "AVX512",
	"ghk": "GHK", "stdp": "STDP", "r2": "R2", "k": "K", "abi": "ABI", "graphml": "GraphML", "io": "IO",
	"ok": "OK", "fitzhugh": "FitzHugh", "v4": "V4", "v": "V", "s": "S",
}

// camel makes a Go name of a C name without its prefix: "feature_config" becomes FeatureConfig.
func camel(name string) string {
	var out strings.Builder
	for _, word := range strings.Split(strings.ToLower(name), "_") {
		if said, ok := initialisms[word]; ok {
			out.WriteString(said)
		} else if word != "" {
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return out.String()
}

// goName is the Go name of mfn_anything.
func goName(c string) string {
	return camel(strings.TrimPrefix(c, "mfn_"))
}

// goParam is the Go name of a parameter; C's are lower case with underscores.
func goParam(c string) string {
	name := camel(c)
	lower := strings.ToLower(name[:1]) + name[1:]
	if strings.ToUpper(name) == name {
		lower = strings.ToLower(name)
	}
	switch lower {
	case "map", "range", "type", "func", "len", "string", "error", "status", "text", "bytes":
		return lower + "Of"
	}
	return lower
}

// scalars gives the Go type of each C type that is a number.
var scalars = map[string]string{
	"int32_t": "int32", "uint32_t": "uint32", "int64_t": "int64", "uint64_t": "uint64", "uint8_t": "uint8",
	"double": "float64", "float": "float32", "size_t": "uint", "ptrdiff_t": "int", "mfn_status": "int32",
}

// An enum is a family of constants with a common prefix.
type enum struct {
	prefix, goType, doc string
}

// enums are the families; the longest prefix that fits is taken.
var enums = []enum{
	{"MFN_BOUNDARY_", "Boundary", "what lies outside the edges of a grid"},
	{"MFN_COMPAT_", "Compat", "whose results a run gives"},
	{"MFN_KINETICS_", "Kinetics", "the reaction of activator and inhibitor"},
	{"MFN_PRECISION_", "Precision", "the numbers that the fields are made of"},
	{"MFN_RNG_", "RNG", "where random numbers come from"},
	{"MFN_INITIAL_", "Initial", "how activator and inhibitor begin"},
	{"MFN_STABILITY_", "Stability", "what small perturbations of a steady state do"},
	{"MFN_NODE_", "NodeKind", "what a node of a network is"},
	{"MFN_GRAPH_", "GraphFormat", "how a network is written"},
	{"MFN_ATTACK_", "Attack", "in which order a network loses its parts"},
	{"MFN_ODE_", "ODEMethod", "how equations are integrated"},
	{"MFN_PLANE_", "Plane", "one of the three fields of a run; planes can be added up"},
	{"MFN_MAP_", "Coefficient", "a coefficient that may differ from cell to cell"},
	{"MFN_SIMD_", "SIMD", "the vector instructions that compute"},
	{"MFN_SWEEP_", "Existing", "what a sweep does with what is there"},
	{"MFN_METHOD_", "AggregationMethod", "how gradients are aggregated"},
	{"MFN_WEIGHT_BOUNDS_", "WeightBounds", "how weights are kept in their range"},
	{"MFN_LOG_", "LogLevel", "how much is logged, or how grave a record is"},
	{"MFN_HEALTH_", "Health", "how a component is"},
	{"MFN_READINESS_", "Readiness", "whether a pipeline can do its work"},
	{"MFN_VERDICT_", "Fate", "what becomes of a record"},
	{"MFN_TRAIT_", "Trait", "what a publisher promises"},
	{"MFN_OUTCOME_", "OutcomeStatus", "what became of a request"},
	{"MFN_PIPELINE_", "PipelineState", "what a pipeline is doing"},
	{"MFN_CLASS_", "Class", "what a caller should do about an error"},
}

// numbers are constants that belong to no family.
var numbers = map[string]bool{
	"MFN_ABI_VERSION": true, "MFN_FEATURE_COUNT": true, "MFN_DESCRIPTOR_COUNT": true,
	"MFN_KINETICS_PARAMETERS_MAX": true, "MFN_STATE_MAIN": true,
}

// flags are fields of int32_t that hold 0 or 1.
var flags = map[string]bool{
	"turing_enabled": true, "quantum_jitter": true, "check_stability": true, "compat_v4_1": true, "clamp": true,
	"allow_not_finite": true, "of_model": true, "converged": true, "use_sparse_attention": true, "nan_detected": true,
	"inf_detected": true, "complete": true, "descriptor_config.wrap": true, "graph_config.wrap": true,
}

// kinds are fields of int32_t that hold a constant.
var kinds = map[string]string{
	"spec.boundary": "Boundary", "spec.compat": "Compat", "spec.kinetics": "Kinetics", "spec.precision": "Precision",
	"spec.rng": "RNG", "spec.initial_condition": "Initial", "turing.stability": "Stability",
	"graph_node.kind": "NodeKind", "graph_percolation.attack": "Attack", "ode_options.method": "ODEMethod",
	"lyapunov_options.method": "ODEMethod", "aggregation_options.method": "AggregationMethod",
	"execution.simd": "SIMD", "sweep_options.existing": "Existing", "stdp_rule.bounds": "WeightBounds",
	"pipeline_status.state": "PipelineState", "publisher_traits.ordering": "Trait",
	"publisher_traits.idempotence": "Trait", "feature_config.wrap": "Wrap",
}

// publicType is the type of a field as users of package mfn see it.
func publicType(s *structure, f field) string {
	short := strings.TrimPrefix(s.name, "mfn_") + "." + f.name
	goType := scalars[f.ctype]
	switch {
	case flags[f.name] || flags[short]:
		return "bool"
	case kinds[short] != "":
		return kinds[short]
	case f.array != "":
		return "[" + f.array + "]" + goType
	}
	return goType
}

// hidden tells whether a field is of the ABI alone.
func hidden(f field) bool {
	return f.name == "struct_size" || strings.HasPrefix(f.name, "reserved")
}
