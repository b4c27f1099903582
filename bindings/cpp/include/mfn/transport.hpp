/// \file
/// Transports and exporters: hand events to whoever is connected, and show the runtime's metrics.
#pragma once

#include <mfn/component.hpp>
#include <mfn/record.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace mfn {

/// An open transport: it listens, is best effort, and never holds work back. All functions are [any-thread].
class transport : public detail::handle<mfn_transport, mfn_transport_free> {
public:
    /// Takes a handle of the C interface over.
    explicit transport(mfn_transport* raw) noexcept : handle(raw) {}

    /// Makes a transport of a loaded plugin and opens it.
    static result<transport> open(const runtime& host, const component_options& options) {
        return detail::open<transport>(mfn_transport_open, host, options);
    }
    /// The common face. Lent.
    [[nodiscard]] mfn::component component() const& noexcept {
        return mfn::component(mfn_transport_component(get()));
    }
    mfn::component component() const&& = delete;
    /// Offers an event to the clients of a topic; gives where it stands in the stream.
    result<std::string> publish(const std::string& topic, const record& event) const {
        const detail::lent_records lent(span<const record>(&event, 1));
        return detail::text(mfn_transport_publish, get(), topic.c_str(), lent.data());
    }
    /// The last failure of a call with this transport.
    [[nodiscard]] std::optional<error> last_error() const {
        return detail::last_error(mfn_transport_last_error, get());
    }
};

/// An open metrics exporter: it reads the runtime's counters by itself. All functions are [any-thread].
class exporter : public detail::handle<mfn_exporter, mfn_exporter_free> {
public:
    /// Takes a handle of the C interface over.
    explicit exporter(mfn_exporter* raw) noexcept : handle(raw) {}

    /// Makes an exporter of a loaded plugin and opens it.
    static result<exporter> open(const runtime& host, const component_options& options) {
        return detail::open<exporter>(mfn_exporter_open, host, options);
    }
    /// The common face. Lent.
    [[nodiscard]] mfn::component component() const& noexcept {
        return mfn::component(mfn_exporter_component(get()));
    }
    mfn::component component() const&& = delete;
    /// Sends what is held back.
    result<void> flush(std::chrono::milliseconds timeout) const {
        return detail::call(mfn_exporter_flush, get(), detail::milliseconds(timeout));
    }
    /// The last failure of a call with this exporter.
    [[nodiscard]] std::optional<error> last_error() const {
        return detail::last_error(mfn_exporter_last_error, get());
    }
};

}  // namespace mfn
