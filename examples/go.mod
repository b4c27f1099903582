// The Go examples: go run simulate.go. They use the binding of this tree.
module mfn-examples

go 1.25

require mfn v0.0.0

replace mfn => ../bindings/go
