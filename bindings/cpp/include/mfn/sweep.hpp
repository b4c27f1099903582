/// \file
/// Sweeps: runs over a range of parameters, written as a dataset that a stopped or killed process goes on with.
#pragma once

#include <mfn/callback.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>

namespace mfn {

/// What to do with what is there.
namespace sweep_existing {
enum type : std::int32_t {
    refuse = MFN_SWEEP_REFUSE,   ///< Refuse a target that exists or was begun.
    resume = MFN_SWEEP_RESUME,   ///< Go on with an interrupted sweep.
    replace = MFN_SWEEP_REPLACE  ///< Begin anew.
};
}

/// How a sweep is written. None of it changes a byte of the dataset.
using sweep_options = sized<mfn_sweep_options>;
/// What was written.
using sweep_report = sized<mfn_sweep_report>;

/// A checked plan: a numbered list of runs.
class sweep : public detail::handle<mfn_sweep, mfn_sweep_free> {
public:
    /// Takes a handle of the C interface over.
    explicit sweep(mfn_sweep* raw) noexcept : handle(raw) {}

    /// Checks a plan in JSON. The error lists every fault. [any-thread]
    static result<sweep> create(const std::string& plan_json) {
        return detail::make<sweep>(mfn_sweep_create, plan_json.c_str());
    }
    /// The plan of a dataset of MyceliumFractalNet 4.1: "small", "medium", "large" or "benchmark". [any-thread]
    static result<sweep> create_preset(const std::string& name) {
        return detail::make<sweep>(mfn_sweep_create_preset, name.c_str());
    }

    /// Number of runs. [any-thread]
    [[nodiscard]] std::uint64_t runs() const noexcept { return mfn_sweep_runs(get()); }
    /// The specification of a run as JSON. [any-thread]
    [[nodiscard]] result<std::string> spec_json(std::uint64_t index) const {
        return detail::text(mfn_sweep_spec_json, get(), index);
    }

    /// Computes every run and writes the dataset to a file that ends in .parquet or .csv. `progress(done, runs, failed)`
    /// runs on this thread and may stop it: `status::cancelled`, and `sweep_existing::resume` goes on.
    /// [one-thread-per-handle]
    template <class F>
    result<sweep_report> write(const std::filesystem::path& path, const sweep_options& options, F&& progress) {
        const std::string target = detail::utf8(path);
        sweep_report report;
        auto done = detail::lend(progress, [&](void* user_data, mfn_error** error) {
            return mfn_sweep_write(get(), target.c_str(), &options,
                                   detail::borrowed<std::remove_reference_t<F>>::call, user_data, &report, error);
        });
        if (!done) return done.error();
        return report;
    }
    result<sweep_report> write(const std::filesystem::path& path, const sweep_options& options = {}) {
        return write(path, options, [](std::uint64_t, std::uint64_t, std::uint64_t) {});
    }

    /// Stops a `write()` of another thread, or the next one; in force until `cancel_reset()`. [any-thread]
    result<void> cancel() const { return detail::call(mfn_sweep_cancel, get()); }
    /// Withdraws `cancel()`. [any-thread]
    result<void> cancel_reset() const { return detail::call(mfn_sweep_cancel_reset, get()); }
    /// The last failure of a call with this sweep. [any-thread]
    [[nodiscard]] std::optional<error> last_error() const { return detail::last_error(mfn_sweep_last_error, get()); }
};

}  // namespace mfn
