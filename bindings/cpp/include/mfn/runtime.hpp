/// \file
/// Runtime: the threads, the log, the metrics and the loaded plugins of one host.
#pragma once

#include <mfn/log.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mfn {

/// How a runtime is set up.
struct runtime_options {
    std::uint32_t threads = 0;                      ///< Threads for computing; 0: one for each core.
    log_level::type level = log_level::warn;        ///< How much is logged.
    bool require_manifest = false;                  ///< Refuse plugins without a manifest beside them.
    std::uint64_t log_queue_max = 0;                ///< Records kept for `runtime::next_log()`; 0: no queue.
    /// Called for each log record, on whatever thread speaks, on several at once. It must not call functions of a
    /// runtime, a component or a pipeline. What it throws is dropped: there is nobody to tell.
    std::function<void(const log_record&)> log = nullptr;
};

/// What one host has of libmfn. Two runtimes share nothing. Components and pipelines made from it may outlive it. All
/// functions are [any-thread].
class runtime : public detail::handle<mfn_runtime, mfn_runtime_free> {
public:
    /// Takes a handle of the C interface over.
    explicit runtime(mfn_runtime* raw) noexcept : handle(raw) {}

    /// Creates a runtime.
    static result<runtime> create(const runtime_options& options = {}) {
        using log_function = std::function<void(const log_record&)>;
        mfn_runtime_options raw{};
        detail::initialise(raw, mfn_runtime_options_init);
        raw.threads = options.threads;
        raw.log_level = options.level;
        raw.require_manifest = options.require_manifest ? 1 : 0;
        raw.log_queue_max = options.log_queue_max;
        std::unique_ptr<log_function> log;
        if (options.log) {
            log = std::make_unique<log_function>(options.log);
            raw.log = [](void* user_data, const mfn_log_record* record) {
                try {
                    (*static_cast<log_function*>(user_data))(*record);
                } catch (...) {
                }
            };
            raw.log_user_data = log.get();
            raw.log_destroy = [](void* user_data) { delete static_cast<log_function*>(user_data); };
        }
        auto made = detail::make<runtime>(mfn_runtime_create, static_cast<const mfn_runtime_options*>(&raw));
        if (made) static_cast<void>(log.release());
        return made;
    }

    /// Changes how much is logged, here and in the loaded plugins.
    result<void> set_log_level(log_level::type level) const {
        return detail::call(mfn_runtime_set_log_level, get(), static_cast<std::int32_t>(level));
    }
    /// Takes the oldest record of the log queue. `status::would_block`: none came in time.
    [[nodiscard]] result<log_entry> next_log(std::chrono::milliseconds timeout) const {
        return detail::make<log_entry>(mfn_runtime_next_log, get(), detail::milliseconds(timeout));
    }
    /// How many log records the queue had no room for.
    [[nodiscard]] std::uint64_t log_dropped() const noexcept { return mfn_runtime_log_dropped(get()); }

    /// Loads one plugin library and gives its name. `status::plugin`: refused, and the message says why.
    result<std::string> load_plugin(const std::filesystem::path& path) const {
        return detail::text(mfn_runtime_load_plugin, get(), detail::utf8(path).c_str());
    }
    /// Loads every plugin library in a directory and gives how many can be used; `load_report()` tells of the others.
    result<std::size_t> scan_directory(const std::filesystem::path& directory) const {
        return detail::fetch<std::size_t>(mfn_runtime_scan_directory, get(), detail::utf8(directory).c_str());
    }
    /// The loaded plugins as a JSON array.
    [[nodiscard]] result<std::string> plugins() const { return detail::text(mfn_runtime_plugins, get()); }
    /// One loaded plugin as a JSON object.
    [[nodiscard]] result<std::string> plugin_describe(const std::string& name) const {
        return detail::text(mfn_runtime_plugin_describe, get(), name.c_str());
    }
    /// Every path that was tried and what became of it: a line each, or a JSON object.
    [[nodiscard]] result<std::string> load_report(bool as_json = false) const {
        return detail::text(mfn_runtime_load_report, get(), static_cast<std::int32_t>(as_json));
    }
    /// The last failure of a call with this runtime.
    [[nodiscard]] std::optional<error> last_error() const { return detail::last_error(mfn_runtime_last_error, get()); }
};

}  // namespace mfn
