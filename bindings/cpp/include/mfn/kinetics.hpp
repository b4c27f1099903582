/// \file
/// Kinetics: which reactions there are, and whether a specification can form patterns (Turing, 1952).
#pragma once

#include <mfn/callback.hpp>
#include <mfn/spec.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mfn {

/// What small perturbations of a steady state do.
namespace stability {
enum type : std::int32_t {
    stable = MFN_STABILITY_STABLE,
    marginal = MFN_STABILITY_MARGINAL,
    turing = MFN_STABILITY_TURING,
    hopf = MFN_STABILITY_HOPF,
    unstable = MFN_STABILITY_UNSTABLE
};
}

/// A parameter of a kinetics, with its range.
using kinetics_parameter = sized<mfn_kinetics_parameter>;

/// The name of a kinetics, such as "gray-scott"; NULL beyond the last. Static text.
[[nodiscard]] inline const char* kinetics_name(std::size_t index) noexcept { return mfn_kinetics_name(index); }

/// A parameter of a kinetics, both by index from 0; `status::end` beyond the last of either. [any-thread]
[[nodiscard]] inline result<kinetics_parameter> kinetics_parameter_get(std::size_t kinetics, std::size_t index) {
    return detail::fetch<kinetics_parameter>(mfn_kinetics_parameter_get, kinetics, index);
}

namespace detail {
/// Rates of the program as the C interface calls them.
template <class F>
auto as_rates(F& rates) {
    return [&rates](const double* u, const double* v, double* du, double* dv, std::size_t count) {
        return rates(span<const double>(u, count), span<const double>(v, count), span<double>(du, count),
                     span<double>(dv, count));
    };
}
}  // namespace detail

/// Growth rates at some wavenumbers.
struct turing_growth {
    std::vector<double> rates;     ///< Of the equations in the plane, 1 per unit of time.
    std::vector<double> per_step;  ///< Logarithm of the factor per step of the scheme.
};

/// The linear stability of a homogeneous steady state.
struct turing : sized<mfn_turing> {
    /// The state that is unstable in Turing's sense and grows fastest, or the first where there is none.
    static constexpr std::uint32_t main_state = MFN_STATE_MAIN;

    /// Analyses a specification at one of its steady states. [any-thread]
    static result<turing> analyse(const spec& specification, std::uint32_t state = main_state) {
        return detail::fetch<turing>(mfn_turing_analyse, &specification, state);
    }
    /// As `analyse()`, of a specification in JSON. [any-thread]
    static result<turing> analyse_json(const std::string& spec_json, std::uint32_t state = main_state) {
        return detail::fetch<turing>(mfn_turing_analyse_json, spec_json.c_str(), state);
    }
    /// As `analyse()`, of rates of the program, at the steady state to which Newton's method leads from (activator,
    /// inhibitor). `rates(span u, span v, span du, span dv)` runs on this thread, for a cell at a time. [any-thread]
    template <class F>
    static result<turing> analyse_host(const spec& specification, F&& rates, double activator, double inhibitor) {
        auto adapted = detail::as_rates(rates);
        turing found;
        auto done = detail::lend(adapted, [&](void* user_data, mfn_error** error) {
            return mfn_turing_analyse_host(&specification, detail::borrowed<decltype(adapted)>::call, user_data,
                                           activator, inhibitor, &found, error);
        });
        if (!done) return done.error();
        return found;
    }

    /// The dispersion relation at wavenumbers in radians per cell. [any-thread]
    [[nodiscard]] result<turing_growth> growth(span<const double> wavenumbers) const {
        turing_growth found;
        found.rates.resize(wavenumbers.size());
        found.per_step.resize(wavenumbers.size());
        auto done = detail::call(mfn_turing_growth, static_cast<const mfn_turing*>(this), wavenumbers.data(),
                                 wavenumbers.size(), found.rates.data(), found.per_step.data());
        if (!done) return done.error();
        return found;
    }
};

}  // namespace mfn
