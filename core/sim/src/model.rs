//! The second simulator of MyceliumFractalNet 4.1 (`simulate_mycelium_field`), for comparison.
