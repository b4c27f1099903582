/// \file
/// Ensembles: many runs over one pool of threads, with the results in order.
#pragma once

#include <mfn/callback.hpp>
#include <mfn/features.hpp>
#include <mfn/simulation.hpp>
#include <mfn/spec.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mfn {

/// The settings of an ensemble; 0 means as many as fit. None of them changes a result.
using ensemble_options = sized<mfn_ensemble_options>;

/// The result of one run of an ensemble.
struct ensemble_run {
    std::uint64_t index;           ///< Which run, counted from 0.
    error_view failure;            ///< Why it is not complete; empty when it is. Lives until the callback returns.
    mfn::features features;        ///< All 0 when it failed.
    mfn::statistics statistics;    ///< All 0 when it failed.
};

/// Runs many specifications at once, in bounded memory.
class ensemble : public detail::handle<mfn_ensemble, mfn_ensemble_free> {
public:
    /// Takes a handle of the C interface over.
    explicit ensemble(mfn_ensemble* raw) noexcept : handle(raw) {}

    /// Creates an ensemble. [any-thread]
    static result<ensemble> create(const ensemble_options& options = {}) {
        return detail::make<ensemble>(mfn_ensemble_create, static_cast<const mfn_ensemble_options*>(&options));
    }

    /// Runs specifications, each to its end, and gives each result to `each(const ensemble_run&)`, in order, on this
    /// thread. Blocks until no run is under way. [one-thread-per-handle]
    template <class F>
    result<void> run(span<const spec> specs, F&& each) {
        return run_with(each, [&](mfn_ensemble_fn function, void* user_data, mfn_error** error) {
            return mfn_ensemble_run(get(), specs.data(), specs.size(), function, user_data, error);
        });
    }
    /// As `run()`, from JSON objects. One that can not be read is a failed run.
    template <class F>
    result<void> run_json(span<const std::string> specs_json, F&& each) {
        std::vector<const char*> texts;
        texts.reserve(specs_json.size());
        for (const auto& text : specs_json) texts.push_back(text.c_str());
        return run_with(each, [&](mfn_ensemble_fn function, void* user_data, mfn_error** error) {
            return mfn_ensemble_run_json(get(), texts.data(), texts.size(), function, user_data, error);
        });
    }

    /// Stops a run of another thread, or the next one; in force until `cancel_reset()`. [any-thread]
    result<void> cancel() const { return detail::call(mfn_ensemble_cancel, get()); }
    /// Withdraws `cancel()`. [any-thread]
    result<void> cancel_reset() const { return detail::call(mfn_ensemble_cancel_reset, get()); }
    /// The last failure of a call with this ensemble. [any-thread]
    [[nodiscard]] std::optional<error> last_error() const {
        return detail::last_error(mfn_ensemble_last_error, get());
    }

private:
    template <class F, class Call>
    static result<void> run_with(F& each, Call&& call) {
        auto adapted = [&each](std::uint64_t index, const mfn_features* features, const mfn_statistics* statistics,
                               const mfn_error* failure) {
            return each(ensemble_run{index, error_view(failure),
                                     features != nullptr ? mfn::features(*features) : mfn::features(),
                                     statistics != nullptr ? mfn::statistics(*statistics) : mfn::statistics()});
        };
        return detail::lend(adapted, [&](void* user_data, mfn_error** error) {
            return call(detail::borrowed<decltype(adapted)>::call, user_data, error);
        });
    }
};

}  // namespace mfn
