/// \file
/// Validation: one cycle through simulation, features, membrane, fractals and learning, and its numbers.
#pragma once

#include <mfn/callback.hpp>

#include <cstdint>
#include <type_traits>

namespace mfn {

/// Settings of a validation; begins with the defaults of this library, or of MyceliumFractalNet 4.1.
struct validation_config : sized<mfn_validation_config> {
    explicit validation_config(bool as_v4_1 = false) noexcept {
        mfn_validation_config_init(this, sizeof(mfn_validation_config), as_v4_1 ? 1 : 0, nullptr);
    }
};

/// The numbers of a validation.
using validation = sized<mfn_validation>;

/// Runs a validation on the calling thread, seconds with the defaults. `progress(done, total)` may stop it. [any-thread]
template <class F>
result<validation> validate(const validation_config& config, F&& progress) {
    validation numbers;
    auto done = detail::lend(progress, [&](void* user_data, mfn_error** error) {
        return mfn_validate(&config, detail::borrowed<std::remove_reference_t<F>>::call, user_data, &numbers, error);
    });
    if (!done) return done.error();
    return numbers;
}
[[nodiscard]] inline result<validation> validate(const validation_config& config = validation_config()) {
    return validate(config, [](std::uint64_t, std::uint64_t) {});
}

}  // namespace mfn
