/// \file
/// Log: what the runtime and its plugins say.
#pragma once

#include <mfn/handle.hpp>

#include <cstdint>

namespace mfn {

/// How grave a record is, and how much is logged.
namespace log_level {
enum type : std::int32_t {
    off = MFN_LOG_OFF,
    error = MFN_LOG_ERROR,  ///< Work was lost or given up.
    warn = MFN_LOG_WARN,    ///< Something needs a look.
    info = MFN_LOG_INFO,    ///< What the runtime does.
    debug = MFN_LOG_DEBUG,  ///< Details for a developer.
    trace = MFN_LOG_TRACE   ///< Everything.
};
}

/// A log record, lent: level, target, message, component and plugin.
using log_record = mfn_log_record;

/// A log record that was polled.
class log_entry : public detail::handle<mfn_log_entry, mfn_log_entry_free> {
public:
    /// Takes a handle of the C interface over.
    explicit log_entry(mfn_log_entry* raw) noexcept : handle(raw) {}

    /// The record. Lent by the entry.
    [[nodiscard]] const log_record& record() const& noexcept { return *mfn_log_entry_record(get()); }
    const log_record& record() const&& = delete;
};

}  // namespace mfn
