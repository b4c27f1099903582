// The layouts of the structs that cross the boundary by value, in bytes on 64-bit machines, written down
// once: mfn-ffi checks them against the Rust types, and mfn-header writes them into mfn.h, where the C
// compiler checks them again. So a struct whose size or offsets move breaks a build and not a program.

macro_rules! with_layouts {
    ($then:ident) => {
        $then! {
            mfn_bytes: 16 { data: 0, len: 8 }
            mfn_field_view: 40 { data: 0, rows: 8, cols: 16, row_stride: 24, col_stride: 32 }
            mfn_feature_config: 80 {
                struct_size: 0, connectivity: 4, min_box_size: 8, max_box_size: 16, num_scales: 24,
                stability_window: 32, threshold_low_mv: 40, threshold_med_mv: 48, threshold_high_mv: 56,
                stability_threshold_mv: 64, compat_v4_1: 72, wrap: 76,
            }
            mfn_features: 152 {
                struct_size: 0, reserved: 4, d_box: 8, d_r2: 16, v_min: 24, v_max: 32, v_mean: 40, v_std: 48,
                v_skew: 56, v_kurt: 64, dv_mean: 72, dv_max: 80, t_stable: 88, e_trend: 96, f_active: 104,
                n_clusters_low: 112, n_clusters_med: 120, n_clusters_high: 128, max_cluster_size: 136,
                cluster_size_std: 144,
            }
            mfn_descriptor_config: 56 {
                struct_size: 0, wrap: 4, threshold_mv: 8, min_box_size: 16, max_box_size: 24, box_ratio: 32,
                histogram_bins: 40, connectivity: 48, reserved: 52,
            }
            mfn_descriptors: 112 {
                struct_size: 0, reserved: 4, d_information: 8, d_information_r2: 16, d_correlation: 24,
                d_correlation_r2: 32, lacunarity_2: 40, lacunarity_4: 48, lacunarity_8: 56, lacunarity_16: 64,
                area: 72, perimeter: 80, euler: 88, wavelength: 96, entropy: 104,
            }
            mfn_spec: 216 {
                struct_size: 0, boundary: 4, turing_enabled: 8, quantum_jitter: 12, grid_size: 16, steps: 24,
                random_seed: 32, alpha: 40, spike_probability: 48, turing_threshold: 56, jitter_var: 64,
                d_activator: 72, d_inhibitor: 80, r_activator: 88, r_inhibitor: 96, check_stability: 104,
                reserved: 108, compat: 112, kinetics: 116, precision: 120, rng: 124, initial_condition: 128,
                reserved2: 132, rows: 136, cols: 144, record_every: 152, time_step: 160, leak_rate: 168,
                initial_noise: 176, kinetics_parameters: 184,
            }
            mfn_kinetics_parameter: 48 {
                struct_size: 0, min_inclusive: 4, name: 8, meaning: 16, min: 24, max: 32, default_value: 40,
            }
            mfn_turing: 144 {
                struct_size: 0, stability: 4, state_count: 8, state: 12, activator: 16, inhibitor: 24, f_u: 32,
                f_v: 40, g_u: 48, g_v: 56, d_activator: 64, d_inhibitor: 72, time_step: 80, critical_ratio: 88,
                q_min: 96, q_max: 104, fastest_q: 112, fastest_growth_rate: 120, wavelength_cells: 128,
                mode_count: 136,
            }
            mfn_execution: 40 { struct_size: 0, simd: 4, threads: 8, band_rows: 16, strip_cols: 24, block_steps: 32 }
            mfn_field_view_f32: 40 { data: 0, rows: 8, cols: 16, row_stride: 24, col_stride: 32 }
            mfn_statistics: 104 {
                struct_size: 0, nan_detected: 4, inf_detected: 8, reserved: 12, field_min_v: 16, field_max_v: 24,
                field_mean_v: 32, field_std_v: 40, activator_mean: 48, inhibitor_mean: 56, steps_computed: 64,
                growth_events: 72, turing_activations: 80, clamping_events: 88, steps_to_instability: 96,
            }
            mfn_graph_config: 32 {
                struct_size: 0, wrap: 4, threshold_mv: 8, prune_length_cells: 16, prune_radii: 24,
            }
            mfn_graph_summary: 120 {
                struct_size: 0, reserved: 4, pattern_cells: 8, skeleton_cells: 16, nodes: 24, junctions: 32,
                tips: 40, isolated: 48, rings: 56, branches: 64, components: 72, loops: 80, total_length: 88,
                mean_length: 96, mean_width: 104, mean_degree: 112,
            }
            mfn_graph_node: 40 {
                kind: 0, degree: 4, component: 8, cells: 12, row: 16, col: 24, width: 32,
            }
            mfn_graph_branch: 40 {
                from: 0, to: 4, cells: 8, reserved: 12, length: 16, mean_width: 24, min_width: 32,
            }
            mfn_graph_robustness: 40 {
                struct_size: 0, reserved: 4, sources_max: 8, trials: 16, recomputations_max: 24, random_seed: 32,
            }
            mfn_graph_cut: 32 { part: 0, pieces: 4, nodes: 8, cells: 16, length: 24 }
            mfn_graph_percolation: 56 {
                struct_size: 0, attack: 4, robustness: 8, critical_fraction: 16, losses: 24, trials: 32,
                sources: 40, recomputations: 48,
            }
            mfn_ensemble_options: 24 { struct_size: 0, threads: 4, window_runs: 8, memory_bytes_max: 16 }
            mfn_sweep_options: 24 { struct_size: 0, threads: 4, memory_bytes_max: 8, existing: 16, reserved: 20 }
            mfn_sweep_report: 48 {
                struct_size: 0, reserved: 4, runs: 8, resumed: 16, succeeded: 24, failed: 32, first_failed: 40,
            }
            mfn_aggregation_options: 48 {
                struct_size: 0, method: 4, byzantine: 8, selected: 16, iterations_max: 24, smoothing: 32,
                tolerance: 40,
            }
            mfn_aggregation: 40 {
                struct_size: 0, converged: 4, selected_count: 8, selected_index: 16, iterations: 24,
                relative_gap_max: 32,
            }
            mfn_hierarchical_options: 56 {
                struct_size: 0, reserved: 4, num_clusters: 8, sample_above: 16, seed: 24,
                byzantine_fraction: 32, sample_fraction: 40, krum_weight: 48,
            }
            mfn_stdp_rule: 56 {
                struct_size: 0, bounds: 4, tau_plus_s: 8, tau_minus_s: 16, a_plus: 24, a_minus: 32,
                weight_min: 40, weight_max: 48,
            }
            mfn_attention_config: 32 { struct_size: 0, reserved: 4, embed_dim: 8, num_heads: 16, top_k: 24 }
            mfn_network_config: 72 {
                struct_size: 0, use_sparse_attention: 4, input_dim: 8, hidden_dim: 16, num_heads: 24,
                top_k: 32, learning_rate: 40, beta1: 48, beta2: 56, epsilon: 64,
            }
            mfn_validation_config: 64 {
                struct_size: 0, compat_v4_1: 4, seed: 8, epochs: 16, batch_size: 24, grid_size: 32, steps: 40,
                turing_enabled: 48, quantum_jitter: 52, use_sparse_attention: 56, reserved: 60,
            }
            mfn_validation: 112 {
                struct_size: 0, reserved: 4, loss_start: 8, loss_final: 16, loss_drop: 24, pot_min_mv: 32,
                pot_max_mv: 40, example_fractal_dim: 48, lyapunov_exponent: 56, lyapunov_mean: 64,
                growth_events: 72, nernst_symbolic_mv: 80, nernst_numeric_mv: 88, nernst_rtfz_mv: 96,
                loss_constant: 104,
            }
            mfn_permeation: 32 { valence: 0, reserved: 4, permeability: 8, outside_molar: 16, inside_molar: 24 }
            mfn_ode_options: 104 {
                struct_size: 0, method: 4, time_start: 8, time_end: 16, time_step: 24, steps: 32,
                relative_tolerance: 40, absolute_tolerance: 48, step_first: 56, step_max: 64, steps_max: 72,
                clamp: 80, allow_not_finite: 84, clamp_min: 88, clamp_max: 96,
            }
            mfn_ode_report: 48 {
                struct_size: 0, reserved: 4, accepted: 8, rejected: 16, evaluations: 24, time: 32,
                clamping_events: 40,
            }
            mfn_affine_map: 48 { a: 0, b: 8, c: 16, d: 24, e: 32, f: 40 }
            mfn_ifs_window: 32 { x_min: 0, x_max: 8, y_min: 16, y_max: 24 }
            mfn_ifs_config_v4_1: 48 {
                struct_size: 0, of_model: 4, point_count: 8, map_count: 16, scale_min: 24, scale_max: 32,
                translation_range: 40,
            }
            mfn_change_rates: 40 {
                struct_size: 0, reserved: 4, mean_log_step_change: 8, mean_change_rate: 16, max_change_rate: 24,
                final_std: 32,
            }
            mfn_field_statistics: 64 {
                struct_size: 0, reserved: 4, min: 8, max: 16, mean: 24, std: 32, nan_count: 40, inf_count: 48,
                finite_fraction: 56,
            }
            mfn_lyapunov_options: 72 {
                struct_size: 0, method: 4, separation: 8, steps_per_interval: 16, transient: 24, intervals: 32,
                time_start: 40, time_step: 48, relative_tolerance: 56, absolute_tolerance: 64,
            }
            mfn_lyapunov_estimate: 32 { struct_size: 0, reserved: 4, exponent: 8, standard_error: 16, intervals: 24 }
            mfn_model_v4_1: 72 {
                struct_size: 0, turing_enabled: 4, grid_size: 8, steps: 16, alpha: 24, spike_probability: 32,
                turing_threshold: 40, jitter_var: 48, quantum_jitter: 56, reserved: 60, random_seed: 64,
            }
            mfn_picture_options: 32 {
                struct_size: 0, side_px: 4, title: 8, range_low_mv: 16, range_high_mv: 24,
            }
            mfn_log_record: 40 { struct_size: 0, level: 4, target: 8, message: 16, component: 24, plugin: 32 }
            mfn_runtime_options: 48 {
                struct_size: 0, threads: 4, log_level: 8, require_manifest: 12, log_queue_max: 16, log: 24,
                log_user_data: 32, log_destroy: 40,
            }
            mfn_header: 24 { name: 0, value: 8, value_len: 16 }
            mfn_record: 88 {
                struct_size: 0, has_timestamp: 4, id: 8, content_type: 16, trace_parent: 24, key: 32,
                key_len: 40, payload: 48, payload_len: 56, headers: 64, header_count: 72, timestamp_ms: 80,
            }
            mfn_verdict: 16 { fate: 0, delay_ms: 4, reason: 8 }
            mfn_publisher_traits: 24 {
                struct_size: 0, records_max: 4, bytes_max: 8, ordering: 16, idempotence: 20,
            }
            mfn_pipeline_status: 136 {
                struct_size: 0, state: 4, received: 8, delivered: 16, rejected: 24, dead_lettered: 32,
                nacked: 40, in_flight: 48, bytes_in_flight: 56, bytes_in_flight_peak: 64, backlog: 72,
                outcomes_dropped: 80, events_dropped: 88, active_count: 96, reserved: 100, active_step: 104,
                active_steps_total: 112, spooled: 120, backing_off: 128,
            }
            mfn_drain_report: 48 {
                struct_size: 0, complete: 4, returned: 8, left: 16, components_left: 24, elapsed_ms: 32, spooled: 40,
            }
        }
    };
}
