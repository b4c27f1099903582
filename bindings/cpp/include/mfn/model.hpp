/// \file
/// The second simulator of MyceliumFractalNet 4.1, for numbers that its REST service and its validation made. New work
/// uses `mfn::simulation`.
#pragma once

#include <mfn/callback.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace mfn {

/// The arguments of v4.1's simulate_mycelium_field(); begins with its defaults and seed 42.
struct model_v4_1 : sized<mfn_model_v4_1> {
    model_v4_1() noexcept { detail::initialise<mfn_model_v4_1>(*this, mfn_model_init_v4_1); }

    /// Runs to the last step and writes the potential in volts to `field`, grid_size * grid_size numbers. `progress(step,
    /// steps_total)` may stop it. Gives the number of growth events. [any-thread]
    template <class F>
    result<std::uint64_t> run(span<double> field, F&& progress) const {
        std::uint64_t growth_events = 0;
        auto done = detail::lend(progress, [&](void* user_data, mfn_error** error) {
            return mfn_model_run_v4_1(this, detail::borrowed<std::remove_reference_t<F>>::call, user_data,
                                      field.data(), field.size(), &growth_events, error);
        });
        if (!done) return done.error();
        return growth_events;
    }
    result<std::uint64_t> run(span<double> field) const {
        return run(field, [](std::uint64_t, std::uint64_t) {});
    }
};

}  // namespace mfn
