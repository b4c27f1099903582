/// \file
/// Plasticity: how the times of spikes change the weights between neurons. Weights are inputs x outputs, row by row.
#pragma once

#include <mfn/handle.hpp>
#include <mfn/view.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mfn {

/// How weights stay in their range.
namespace weight_bounds {
enum type : std::int32_t { hard = MFN_WEIGHT_BOUNDS_HARD, soft = MFN_WEIGHT_BOUNDS_SOFT };
}

/// The rule of spike-timing plasticity; begins with the defaults.
struct stdp_rule : sized<mfn_stdp_rule> {
    stdp_rule() noexcept { detail::initialise<mfn_stdp_rule>(*this, mfn_stdp_rule_init); }
};

/// Changes weights by one spike of each neuron in each trial. pre_times_s is trials x inputs, post_times_s trials x
/// outputs, in seconds; NaN: silent. [any-thread]
inline result<void> stdp_update(field_view pre_times_s, field_view post_times_s, span<double> weights,
                                const stdp_rule& rule = {}) {
    return detail::call(mfn_stdp_update, &pre_times_s.get(), &post_times_s.get(),
                        static_cast<const mfn_stdp_rule*>(&rule), weights.data(), weights.size());
}

/// The change that MyceliumFractalNet 4.1 computes, which does not depend on the weights. [any-thread]
[[nodiscard]] inline result<std::vector<double>> stdp_change_v4_1(field_view pre_times_s, field_view post_times_s,
                                                                  const stdp_rule& rule = {}) {
    std::vector<double> changes(pre_times_s.cols() * post_times_s.cols());
    auto done = detail::call(mfn_stdp_change_v4_1, &pre_times_s.get(), &post_times_s.get(),
                             static_cast<const mfn_stdp_rule*>(&rule), changes.data(), changes.size());
    if (!done) return done.error();
    return changes;
}

/// The traces of the neurons on both sides of a matrix of weights, for a simulation that goes step by step.
class stdp_traces : public detail::handle<mfn_stdp_traces, mfn_stdp_traces_free> {
public:
    /// Takes a handle of the C interface over.
    explicit stdp_traces(mfn_stdp_traces* raw) noexcept : handle(raw) {}

    /// Traces of neurons that have not fired yet. [any-thread]
    static result<stdp_traces> create(std::size_t inputs, std::size_t outputs, const stdp_rule& rule = {}) {
        return detail::make<stdp_traces>(mfn_stdp_traces_create, static_cast<const mfn_stdp_rule*>(&rule), inputs,
                                         outputs);
    }
    /// Lets time_step_s pass and takes the spikes of this moment: a byte for each neuron, 0 for silence.
    /// [one-thread-per-handle]
    result<void> advance(double time_step_s, span<const std::uint8_t> pre_spikes, span<const std::uint8_t> post_spikes,
                         span<double> weights) {
        return detail::call(mfn_stdp_traces_advance, get(), time_step_s, pre_spikes.data(), pre_spikes.size(),
                            post_spikes.data(), post_spikes.size(), weights.data(), weights.size());
    }
};

}  // namespace mfn
