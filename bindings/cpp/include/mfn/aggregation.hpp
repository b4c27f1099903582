/// \file
/// Robust aggregation: one gradient out of many, although some clients lie.
///
/// Gradients are a view with one row per client and one column per coordinate, read where they lie.
#pragma once

#include <mfn/handle.hpp>
#include <mfn/view.hpp>

#include <cstdint>
#include <vector>

namespace mfn {

/// How gradients become one; n clients, f attackers.
namespace aggregation_method {
enum type : std::int32_t {
    krum = MFN_METHOD_KRUM,                          ///< The lowest Krum score; n >= 2 f + 3.
    multi_krum = MFN_METHOD_MULTI_KRUM,              ///< The mean of the lowest ones; n >= 2 f + 3.
    trimmed_mean = MFN_METHOD_TRIMMED_MEAN,          ///< n >= 2 f + 1.
    median = MFN_METHOD_MEDIAN,                      ///< n >= 2 f + 1.
    geometric_median = MFN_METHOD_GEOMETRIC_MEDIAN   ///< n >= 2 f + 1.
};
}

/// How gradients are aggregated; begins as Krum for no attackers.
struct aggregation_options : sized<mfn_aggregation_options> {
    aggregation_options() noexcept {
        detail::initialise<mfn_aggregation_options>(*this, mfn_aggregation_options_init);
    }
};
/// How hierarchical Krum works; begins with the defaults.
struct hierarchical_options : sized<mfn_hierarchical_options> {
    hierarchical_options() noexcept {
        detail::initialise<mfn_hierarchical_options>(*this, mfn_hierarchical_options_init);
    }
};

/// The result of an aggregation.
struct aggregate_result {
    std::vector<double> value;           ///< One number per coordinate.
    std::vector<double> scores;          ///< The Krum score of each client; 0 for methods without.
    std::vector<std::int32_t> selected;  ///< 1 for the clients whose mean the value is, else 0.
    sized<mfn_aggregation> report;       ///< What was done.
};
/// The result of an aggregation in two levels.
struct hierarchical_result {
    std::vector<double> value;   ///< One number per coordinate.
    std::uint64_t clusters = 0;  ///< Number of clusters.
};

/// Aggregates gradients. [any-thread]
[[nodiscard]] inline result<aggregate_result> aggregate(field_view gradients, const aggregation_options& options = {}) {
    aggregate_result found;
    found.value.resize(gradients.cols());
    found.scores.resize(gradients.rows());
    found.selected.resize(gradients.rows());
    auto done = detail::call(mfn_aggregate, &gradients.get(), static_cast<const mfn_aggregation_options*>(&options),
                             found.value.data(), found.value.size(), found.scores.data(), found.selected.data(),
                             static_cast<mfn_aggregation*>(&found.report));
    if (!done) return done.error();
    return found;
}

/// Aggregates gradients in two levels, for more clients than Krum can take at once. [any-thread]
[[nodiscard]] inline result<hierarchical_result> aggregate_hierarchical(field_view gradients,
                                                                        const hierarchical_options& options = {}) {
    hierarchical_result found;
    found.value.resize(gradients.cols());
    auto done = detail::call(mfn_aggregate_hierarchical, &gradients.get(),
                             static_cast<const mfn_hierarchical_options*>(&options), found.value.data(),
                             found.value.size(), &found.clusters);
    if (!done) return done.error();
    return found;
}

/// The index that krum_select of MyceliumFractalNet 4.1 chooses, in single precision. [any-thread]
[[nodiscard]] inline result<std::uint64_t> krum_select_v4_1(field_view gradients, std::uint64_t byzantine) {
    return detail::fetch<std::uint64_t>(mfn_krum_select_v4_1, &gradients.get(), byzantine);
}

/// Aggregates as HierarchicalKrumAggregator of MyceliumFractalNet 4.1, in single precision. [any-thread]
[[nodiscard]] inline result<std::vector<double>> aggregate_hierarchical_v4_1(
    field_view gradients, const hierarchical_options& options = {}) {
    std::vector<double> value(gradients.cols());
    auto done = detail::call(mfn_aggregate_hierarchical_v4_1, &gradients.get(),
                             static_cast<const mfn_hierarchical_options*>(&options), value.data(), value.size());
    if (!done) return done.error();
    return value;
}

}  // namespace mfn
