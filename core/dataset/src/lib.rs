//! Datasets of simulations: sweeps written to Parquet and CSV, resumable after a kill.
