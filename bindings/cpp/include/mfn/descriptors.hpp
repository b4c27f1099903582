/// \file
/// Descriptors: what else tells the pattern of a field from another, beside the features.
#pragma once

#include <mfn/handle.hpp>
#include <mfn/view.hpp>

#include <cstddef>

namespace mfn {

/// What the descriptors depend on beside the field; begins with the defaults.
struct descriptor_config : sized<mfn_descriptor_config> {
    descriptor_config() noexcept { detail::initialise<mfn_descriptor_config>(*this, mfn_descriptor_config_init); }
};

/// The descriptors.
struct descriptors : sized<mfn_descriptors> {
    /// Number of descriptors.
    static constexpr std::size_t count = MFN_DESCRIPTOR_COUNT;

    /// Computes the descriptors of a field in volts, in place. [any-thread]
    static result<descriptors> compute(field_view field, const descriptor_config& config = {}) {
        return detail::fetch<descriptors>(mfn_descriptors_compute, &field.get(), &config);
    }
};

/// The name of a descriptor, such as "area"; NULL beyond the last. Static text.
[[nodiscard]] inline const char* descriptor_name(std::size_t index) noexcept { return mfn_descriptor_name(index); }
/// The unit of a descriptor, such as "cells"; NULL beyond the last. Static text.
[[nodiscard]] inline const char* descriptor_unit(std::size_t index) noexcept { return mfn_descriptor_unit(index); }

}  // namespace mfn
