// The layouts of the structs that cross the boundary by value, in bytes on 64-bit machines, written down
// once: mfn-ffi checks them against the Rust types, and mfn-header writes them into mfn.h, where the C
// compiler checks them again. So a struct whose size or offsets move breaks a build and not a program.

macro_rules! with_layouts {
    ($then:ident) => {
        $then! {
            mfn_bytes: 16 { data: 0, len: 8 }
            mfn_field_view: 40 { data: 0, rows: 8, cols: 16, row_stride: 24, col_stride: 32 }
            mfn_feature_config: 72 {
                struct_size: 0, connectivity: 4, min_box_size: 8, max_box_size: 16, num_scales: 24,
                stability_window: 32, threshold_low_mv: 40, threshold_med_mv: 48, threshold_high_mv: 56,
                stability_threshold_mv: 64,
            }
            mfn_features: 152 {
                struct_size: 0, reserved: 4, d_box: 8, d_r2: 16, v_min: 24, v_max: 32, v_mean: 40, v_std: 48,
                v_skew: 56, v_kurt: 64, dv_mean: 72, dv_max: 80, t_stable: 88, e_trend: 96, f_active: 104,
                n_clusters_low: 112, n_clusters_med: 120, n_clusters_high: 128, max_cluster_size: 136,
                cluster_size_std: 144,
            }
            mfn_spec: 112 {
                struct_size: 0, boundary: 4, turing_enabled: 8, quantum_jitter: 12, grid_size: 16, steps: 24,
                random_seed: 32, alpha: 40, spike_probability: 48, turing_threshold: 56, jitter_var: 64,
                d_activator: 72, d_inhibitor: 80, r_activator: 88, r_inhibitor: 96, check_stability: 104,
                reserved: 108,
            }
            mfn_statistics: 104 {
                struct_size: 0, nan_detected: 4, inf_detected: 8, reserved: 12, field_min_v: 16, field_max_v: 24,
                field_mean_v: 32, field_std_v: 40, activator_mean: 48, inhibitor_mean: 56, steps_computed: 64,
                growth_events: 72, turing_activations: 80, clamping_events: 88, steps_to_instability: 96,
            }
        }
    };
}
