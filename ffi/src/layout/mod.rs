//! Checks the Rust types against the one table of layouts, at compile time.

include!("table.rs");

macro_rules! check_layouts {
    ($($type:ident: $size:literal { $($field:ident: $offset:literal),+ $(,)? })+) => {
        #[cfg(target_pointer_width = "64")]
        const _: () = {$(
            assert!(size_of::<$type>() == $size, concat!(stringify!($type), " changed its size"));
            $(assert!(
                std::mem::offset_of!($type, $field) == $offset,
                concat!(stringify!($type), ".", stringify!($field), " moved")
            );)+
        )+};
    };
}

use crate::aggregation::{mfn_aggregation, mfn_aggregation_options, mfn_hierarchical_options};
use crate::connector::mfn_verdict;
use crate::descriptors::{mfn_descriptor_config, mfn_descriptors};
use crate::ensemble::mfn_ensemble_options;
use crate::features::{mfn_feature_config, mfn_features};
use crate::field::mfn_field_view;
use crate::graph::{mfn_graph_branch, mfn_graph_config, mfn_graph_node, mfn_graph_summary};
use crate::history::mfn_change_rates;
use crate::ifs::{mfn_affine_map, mfn_ifs_config_v4_1, mfn_ifs_window};
use crate::kinetics::{mfn_kinetics_parameter, mfn_turing};
use crate::learning::{mfn_attention_config, mfn_network_config};
use crate::log::mfn_log_record;
use crate::lyapunov::{mfn_lyapunov_estimate, mfn_lyapunov_options};
use crate::membrane::{mfn_ode_options, mfn_ode_report, mfn_permeation};
use crate::model::mfn_model_v4_1;
use crate::operators::mfn_field_statistics;
use crate::owned::mfn_bytes;
use crate::picture::mfn_picture_options;
use crate::pipeline::{mfn_drain_report, mfn_pipeline_status};
use crate::plasticity::mfn_stdp_rule;
use crate::publisher::mfn_publisher_traits;
use crate::record::{mfn_header, mfn_record};
use crate::robustness::{mfn_graph_cut, mfn_graph_percolation, mfn_graph_robustness};
use crate::runtime::mfn_runtime_options;
use crate::simulation::mfn_statistics;
use crate::simulation_input::{mfn_execution, mfn_field_view_f32};
use crate::spec::mfn_spec;
use crate::sweep::{mfn_sweep_options, mfn_sweep_report};
use crate::validation::{mfn_validation, mfn_validation_config};

with_layouts!(check_layouts);
