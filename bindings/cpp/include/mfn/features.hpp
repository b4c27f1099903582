/// \file
/// Features: a field reduced to the 18 numbers of MyceliumFractalNet, and histories of a solver's own frames.
#pragma once

#include <mfn/handle.hpp>
#include <mfn/view.hpp>

#include <cstddef>
#include <cstring>
#include <limits>

namespace mfn {

/// What the features depend on beside the field; begins with the defaults.
struct feature_config : sized<mfn_feature_config> {
    feature_config() noexcept { detail::initialise<mfn_feature_config>(*this, mfn_feature_config_init); }
};

/// The 18 features.
struct features : sized<mfn_features> {
    using sized::sized;
    /// Number of features.
    static constexpr std::size_t count = MFN_FEATURE_COUNT;

    /// Computes the features of a field in volts, in place. Those that describe a run are 0 or NaN. [any-thread]
    static result<features> compute(field_view field, const feature_config& config = {}) {
        return detail::fetch<features>(mfn_features_compute, &field.get(), &config);
    }

    /// A feature by its index below `count`, in the order of `feature_name()`; NaN beyond the last.
    [[nodiscard]] double operator[](std::size_t index) const noexcept {
        double value = std::numeric_limits<double>::quiet_NaN();
        if (index < count) {
            const auto* first = reinterpret_cast<const char*>(this) + offsetof(mfn_features, d_box);
            std::memcpy(&value, first + index * sizeof value, sizeof value);
        }
        return value;
    }
};

/// The name of a feature, such as "D_box"; NULL beyond the last. Static text.
[[nodiscard]] inline const char* feature_name(std::size_t index) noexcept { return mfn_feature_name(index); }
/// The unit of a feature, such as "mV"; NULL beyond the last. Static text.
[[nodiscard]] inline const char* feature_unit(std::size_t index) noexcept { return mfn_feature_unit(index); }

/// What a stream of a solver's own frames has shown so far, for the features that describe a run. It keeps one frame.
class history : public detail::handle<mfn_history, mfn_history_free> {
public:
    /// Takes a handle of the C interface over.
    explicit history(mfn_history* raw) noexcept : handle(raw) {}

    /// Begins without a frame. [any-thread]
    static result<history> create(const feature_config& config = {}) {
        return detail::make<history>(mfn_history_create, static_cast<const mfn_feature_config*>(&config));
    }
    /// Adds the next frame, in volts and of the shape of the first. [one-thread-per-handle]
    result<void> push(field_view field) { return detail::call(mfn_history_push, get(), &field.get()); }
    /// The features of the frame that was pushed last, with those of the whole history. [any-thread]
    [[nodiscard]] result<mfn::features> features(field_view field) const {
        return detail::fetch<mfn::features>(mfn_history_features, get(), &field.get());
    }
};

/// Rates of change of a stack of frames.
struct change_rates : sized<mfn_change_rates> {
    /// Measures frames of rows x cols cells that lie `time_step` apart, frame after frame, each row by row. [any-thread]
    static result<change_rates> compute(span<const double> frames, std::size_t frame_count, std::size_t rows,
                                        std::size_t cols, double time_step) {
        if (!detail::is_product(frames.size(), {frame_count, rows, cols}))
            return detail::wrong_size("frames", frames.size(), "frame_count * rows * cols");
        return detail::fetch<change_rates>(mfn_change_rates_compute, frames.data(), frame_count, rows, cols,
                                           time_step);
    }
};

}  // namespace mfn
