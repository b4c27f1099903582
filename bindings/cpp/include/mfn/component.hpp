/// \file
/// Components: what connectors, publishers, transports and exporters have in common.
#pragma once

#include <mfn/indexed.hpp>
#include <mfn/runtime.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace mfn {

/// How a component is.
namespace health {
enum type : std::int32_t {
    starting = MFN_HEALTH_STARTING,  ///< Created, not opened yet.
    ready = MFN_HEALTH_READY,        ///< Working.
    degraded = MFN_HEALTH_DEGRADED,  ///< Working with losses or delays.
    down = MFN_HEALTH_DOWN           ///< Not working.
};
}

/// The last known health of a component.
struct health_report {
    health::type health;
    std::string detail;
};

/// Where a component can be reached. The texts live as long as the list that lent them.
struct endpoint {
    const char* component;  ///< The component that listens.
    const char* name;       ///< What is there, such as "stream" or "metrics".
    const char* url;
};

/// A list of endpoints; a range.
class endpoints : public detail::handle<mfn_endpoints, mfn_endpoints_free> {
public:
    using iterator = detail::indexed_iterator<endpoints>;

    /// Takes a handle of the C interface over.
    explicit endpoints(mfn_endpoints* raw) noexcept : handle(raw) {}

    [[nodiscard]] std::size_t size() const noexcept { return mfn_endpoints_count(get()); }
    /// An endpoint; empty texts beyond the last.
    [[nodiscard]] endpoint operator[](std::size_t index) const noexcept {
        return {mfn_endpoints_component(get(), index), mfn_endpoints_name(get(), index),
                mfn_endpoints_url(get(), index)};
    }
    [[nodiscard]] iterator begin() const noexcept { return iterator(*this, 0); }
    [[nodiscard]] iterator end() const noexcept { return iterator(*this, size()); }
};

/// The common face of a component: a configured instance of a plugin. Copied freely; it lives as long as the connector,
/// publisher, transport or exporter that lent it. All functions are [any-thread].
class component {
public:
    /// Looks at a component of the C interface.
    explicit component(const mfn_component* raw) noexcept : raw_(raw) {}

    /// The component's name.
    [[nodiscard]] const char* name() const noexcept { return mfn_component_name(raw_); }
    /// The plugin it is an instance of.
    [[nodiscard]] const char* plugin() const noexcept { return mfn_component_plugin(raw_); }
    /// The last known health; never waits.
    [[nodiscard]] result<health_report> health() const {
        std::int32_t health = 0;
        auto detail = detail::text(mfn_component_health, raw_, &health);
        if (!detail) return detail.error();
        return health_report{static_cast<health::type>(health), std::move(*detail)};
    }
    /// Tries the real thing without side effects.
    [[nodiscard]] result<void> check() const { return detail::call(mfn_component_check, raw_); }
    /// As `check()`, at most for timeout; a check that does not answer by then is an error.
    [[nodiscard]] result<void> probe(std::chrono::milliseconds timeout) const {
        return detail::call(mfn_component_probe, raw_, detail::milliseconds(timeout));
    }
    /// Where it can be reached.
    [[nodiscard]] result<mfn::endpoints> endpoints() const {
        return detail::make<mfn::endpoints>(mfn_component_endpoints, raw_);
    }
    /// Finishes what was accepted; gives the number of records that it still holds.
    result<std::uint64_t> drain(std::chrono::milliseconds timeout) const {
        return detail::fetch<std::uint64_t>(mfn_component_drain, raw_, detail::milliseconds(timeout));
    }
    /// Closes it early. Later calls that would use it answer `status::closed`.
    result<void> close() const { return detail::call(mfn_component_close, raw_); }
    /// The last failure of a call with this component.
    [[nodiscard]] std::optional<error> last_error() const { return detail::last_error(mfn_component_last_error, raw_); }

private:
    const mfn_component* raw_;
};

/// Which plugin a component is made of, and how.
struct component_options {
    std::string plugin;                   ///< Name of a loaded plugin.
    std::string name;                     ///< Name of the component.
    std::string config_json = {};         ///< Its configuration; empty: {}.
    std::filesystem::path base_dir = {};  ///< Where relative paths of it start; empty: the working directory.
};

namespace detail {
/// Opens a component of any kind.
template <class Owner, class F>
result<Owner> open(F* function, const runtime& host, const component_options& options) {
    const std::string base_dir = utf8(options.base_dir);
    return make<Owner>(function, static_cast<const mfn_runtime*>(host.get()), options.plugin.c_str(),
                       options.name.c_str(), optional_text(options.config_json), optional_text(base_dir));
}
}  // namespace detail

}  // namespace mfn
