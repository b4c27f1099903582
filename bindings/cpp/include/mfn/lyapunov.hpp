/// \file
/// Lyapunov exponents: how fast nearby trajectories separate, for maps and equations of the program's own.
///
/// Above 0 they mean chaos, below 0 a stable state. Everything runs on the calling thread.
#pragma once

#include <mfn/callback.hpp>
#include <mfn/membrane.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mfn {

/// How an exponent is measured; begins with the defaults.
struct lyapunov_options : sized<mfn_lyapunov_options> {
    lyapunov_options() noexcept { detail::initialise<mfn_lyapunov_options>(*this, mfn_lyapunov_options_init); }
};

/// A measured exponent.
using lyapunov_estimate = sized<mfn_lyapunov_estimate>;

/// All exponents of a map, and the dimension that they imply (Kaplan and Yorke, 1979).
struct lyapunov_exponents {
    std::vector<double> exponents;  ///< From the largest to the smallest, 1 per step.
    double dimension = 0;
};

/// The largest exponent of a map: `map(span<const double> state, span<double> next)` writes the image. [any-thread]
template <class F>
result<lyapunov_estimate> lyapunov_map(F&& map, span<const double> state, const lyapunov_options& options = {}) {
    auto adapted = [&map](const double* now, double* next, std::size_t length) {
        return map(span<const double>(now, length), span<double>(next, length));
    };
    lyapunov_estimate estimate;
    auto done = detail::lend(adapted, [&](void* user_data, mfn_error** error) {
        return mfn_lyapunov_map(detail::borrowed<decltype(adapted)>::call, user_data, state.data(), state.size(),
                                &options, &estimate, error);
    });
    if (!done) return done.error();
    return estimate;
}

/// All exponents of a map, at most 256. `jacobian(span<const double> state, span<double> matrix)` writes its
/// derivatives, row by row. [any-thread]
template <class F, class G>
result<lyapunov_exponents> lyapunov_spectrum(F&& map, G&& jacobian, span<const double> state, std::uint64_t transient,
                                             std::uint64_t steps) {
    // Both functions get the same user_data, so one object stands for both.
    struct pair {
        F& map;
        G& jacobian;
        detail::exception_keeper keeper;

        static std::int32_t call_map(void* user_data, const double* now, double* next, std::size_t length) noexcept {
            auto& self = *static_cast<pair*>(user_data);
            return detail::guarded(self.keeper, self.map, span<const double>(now, length),
                                   span<double>(next, length));
        }
        static std::int32_t call_jacobian(void* user_data, const double* now, double* matrix,
                                          std::size_t length) noexcept {
            auto& self = *static_cast<pair*>(user_data);
            return detail::guarded(self.keeper, self.jacobian, span<const double>(now, length),
                                   span<double>(matrix, length * length));
        }
    };
    pair both{map, jacobian, {}};
    lyapunov_exponents found;
    found.exponents.resize(state.size());
    mfn_error* raw = nullptr;
    const mfn_status status =
        mfn_lyapunov_spectrum(pair::call_map, pair::call_jacobian, &both, state.data(), state.size(), transient, steps,
                              found.exponents.data(), &found.dimension, &raw);
    auto done = detail::judge(status, raw, both.keeper.take());
    if (!done) return done.error();
    return found;
}

/// The largest exponent of equations; `derivative` as for `ode_integrate()`. [any-thread]
template <class F>
result<lyapunov_estimate> lyapunov_flow(F&& derivative, span<const double> state,
                                        const lyapunov_options& options = {}) {
    auto adapted = detail::as_derivative(derivative);
    lyapunov_estimate estimate;
    auto done = detail::lend(adapted, [&](void* user_data, mfn_error** error) {
        return mfn_lyapunov_flow(detail::borrowed<decltype(adapted)>::call, user_data, state.data(), state.size(),
                                 &options, &estimate, error);
    });
    if (!done) return done.error();
    return estimate;
}

}  // namespace mfn
