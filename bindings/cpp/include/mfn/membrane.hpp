/// \file
/// Membrane: Nernst and GHK potentials, and the integration of equations of the program's own. Volts, mol/L, kelvin.
#pragma once

#include <mfn/callback.hpp>

#include <cstdint>
#include <vector>

namespace mfn {

/// One kind of monovalent ion.
using permeation = mfn_permeation;

/// The Nernst potential of an ion, V. valence is in -4..4 without 0, concentrations in (0, 100] mol/L, the temperature
/// in [200, 400] K. [any-thread]
[[nodiscard]] inline result<double> nernst(std::int32_t valence, double outside_molar, double inside_molar,
                                           double temperature_k) {
    return detail::fetch<double>(mfn_nernst, valence, outside_molar, inside_molar, temperature_k);
}

/// The Nernst potentials of pairs of concentrations, V; ranges as in `nernst()`. [any-thread]
[[nodiscard]] inline result<std::vector<double>> nernst_array(std::int32_t valence, span<const double> outside_molar,
                                                              span<const double> inside_molar,
                                                              double temperature_k) {
    if (inside_molar.size() != outside_molar.size())
        return detail::wrong_size("inside_molar", inside_molar.size(), "as many as outside_molar");
    std::vector<double> potentials_v(outside_molar.size());
    auto done = detail::call(mfn_nernst_array, valence, outside_molar.data(), inside_molar.data(),
                             outside_molar.size(), temperature_k, potentials_v.data());
    if (!done) return done.error();
    return potentials_v;
}

/// Potentials as MyceliumFractalNet 4.1 computes them.
struct nernst_v4_1 {
    std::vector<double> potentials_v;
    std::uint64_t clamping_events = 0;  ///< Concentrations that were raised to `ion_clamp_min`.
};

/// The Nernst potentials of MyceliumFractalNet 4.1: concentrations below `ion_clamp_min`, mol/L, are raised to it.
/// [any-thread]
[[nodiscard]] inline result<nernst_v4_1> nernst_array_v4_1(std::int32_t valence, span<const double> outside_molar,
                                                           span<const double> inside_molar, double temperature_k,
                                                           double ion_clamp_min = 1e-6) {
    if (inside_molar.size() != outside_molar.size())
        return detail::wrong_size("inside_molar", inside_molar.size(), "as many as outside_molar");
    nernst_v4_1 found;
    found.potentials_v.resize(outside_molar.size());
    auto done = detail::call(mfn_nernst_array_v4_1, valence, outside_molar.data(), inside_molar.data(),
                             outside_molar.size(), temperature_k, ion_clamp_min, found.potentials_v.data(),
                             &found.clamping_events);
    if (!done) return done.error();
    return found;
}

/// The GHK potential of a membrane that monovalent ions can cross, V. [any-thread]
[[nodiscard]] inline result<double> ghk(span<const permeation> ions, double temperature_k) {
    return detail::fetch<double>(mfn_ghk, ions.data(), ions.size(), temperature_k);
}

/// How equations are integrated.
namespace ode_method {
enum type : std::int32_t {
    euler = MFN_ODE_EULER,
    rk4 = MFN_ODE_RK4,
    dormand_prince = MFN_ODE_DORMAND_PRINCE
};
}

/// How an equation is integrated; begins as Dormand-Prince from 0 to 1.
struct ode_options : sized<mfn_ode_options> {
    ode_options() noexcept { detail::initialise<mfn_ode_options>(*this, mfn_ode_options_init); }
};

/// What an integration did.
using ode_report = sized<mfn_ode_report>;

namespace detail {
/// A derivative of the program as the C interface calls it.
template <class F>
auto as_derivative(F& derivative) {
    return [&derivative](double time, const double* state, double* slope, std::size_t length) {
        return derivative(time, span<const double>(state, length), span<double>(slope, length));
    };
}
}  // namespace detail

/// Integrates y' = f(time, y) and replaces the state. `derivative(double time, span<const double> state,
/// span<double> slope)` writes the slope; it runs on this thread. On failure the state is as before. [any-thread]
template <class F>
result<ode_report> ode_integrate(F&& derivative, span<double> state, const ode_options& options) {
    auto adapted = detail::as_derivative(derivative);
    ode_report report;
    auto done = detail::lend(adapted, [&](void* user_data, mfn_error** error) {
        return mfn_ode_integrate(detail::borrowed<decltype(adapted)>::call, user_data, state.data(), state.size(),
                                 &options, &report, error);
    });
    if (!done) return done.error();
    return report;
}

}  // namespace mfn
