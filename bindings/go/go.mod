module mfn

go 1.25
