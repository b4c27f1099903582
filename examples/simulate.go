//go:build ignore

// The first program: grow a pattern and measure it.
package main

import (
	"context"
	"fmt"
	"log"

	"mfn"
)

func main() {
	sim, err := mfn.NewSimJSON(`{"random_seed": 7}`) // the rest is the preset "mycelium"
	if err != nil {
		log.Fatal(err)
	}
	defer sim.Close()
	if err := sim.Run(context.Background(), 1000); err != nil {
		log.Fatal(err)
	}
	f, err := sim.Features()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("D_box %.3f, active %.1f %%, mean %.2f mV\n", f.DBox, 100*f.FActive, f.VMean)
}
