/// \file
/// Connectors: read records in, and are told the fate of each.
#pragma once

#include <mfn/component.hpp>
#include <mfn/record.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mfn {

/// The fate of one record.
struct verdict {
    std::int32_t fate = MFN_VERDICT_ACK;
    std::chrono::milliseconds delay{0};
    std::string reason = {};

    /// Everything that had to be done is done and durable.
    static verdict ack() { return {}; }
    /// Not done: bring the record again, not before `delay`.
    static verdict nack(std::chrono::milliseconds delay = {}) { return {MFN_VERDICT_NACK, delay, {}}; }
    /// Never to be done, for the reason given.
    static verdict reject(std::string reason) {
        return {MFN_VERDICT_REJECT, std::chrono::milliseconds(0), std::move(reason)};
    }
};

/// Records that were fetched together and are settled together; a range of `record_view`, which live as long as it. One
/// that is freed without being settled comes again when the connector is opened anew.
class batch : public detail::handle<mfn_batch, mfn_batch_free> {
public:
    using iterator = detail::indexed_iterator<batch>;

    /// Takes a handle of the C interface over.
    explicit batch(mfn_batch* raw) noexcept : handle(raw) {}

    /// Number of records, at least 1. [any-thread]
    [[nodiscard]] std::size_t size() const noexcept { return mfn_batch_count(get()); }
    /// The partition of the batch. [any-thread]
    [[nodiscard]] const char* partition() const noexcept { return mfn_batch_partition(get()); }
    /// Counts the assignments of the partition. [any-thread]
    [[nodiscard]] std::uint64_t epoch() const noexcept { return mfn_batch_epoch(get()); }
    /// Lends a record. [any-thread]
    [[nodiscard]] result<record_view> record(std::size_t index) const& {
        auto raw = detail::fetch<sized<mfn_record>>(mfn_batch_record, get(), index);
        if (!raw) return raw.error();
        return record_view(*raw);
    }
    result<record_view> record(std::size_t index) const&& = delete;
    /// Lends a record; index is below `size()`.
    [[nodiscard]] record_view operator[](std::size_t index) const& { return record(index).value_or_throw(); }
    [[nodiscard]] iterator begin() const& noexcept { return iterator(*this, 0); }
    [[nodiscard]] iterator end() const& noexcept { return iterator(*this, size()); }
};

/// How much one `fetch()` brings.
struct fetch_limits {
    std::uint32_t records_max = 256;
    std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max();  ///< But always one record when there is one.
};

/// An open connector. All functions are [any-thread].
class connector : public detail::handle<mfn_connector, mfn_connector_free> {
public:
    /// Takes a handle of the C interface over.
    explicit connector(mfn_connector* raw) noexcept : handle(raw) {}

    /// Makes a connector of a loaded plugin and opens it.
    static result<connector> open(const runtime& host, const component_options& options) {
        return detail::open<connector>(mfn_connector_open, host, options);
    }
    /// The common face. Lent.
    [[nodiscard]] mfn::component component() const& noexcept {
        return mfn::component(mfn_connector_component(get()));
    }
    mfn::component component() const&& = delete;

    /// Brings the next records. `status::would_block`: none came in time. `status::end`: none will come any more.
    [[nodiscard]] result<batch> fetch(std::chrono::milliseconds timeout, fetch_limits limits = {}) const {
        return detail::make<batch>(mfn_connector_fetch, get(), limits.records_max, limits.bytes_max,
                                   detail::milliseconds(timeout));
    }
    /// Tells the fate of every record of a batch, in their order.
    result<void> settle(const batch& settled, span<const verdict> verdicts) const {
        std::vector<mfn_verdict> raw;
        raw.reserve(verdicts.size());
        for (const auto& one : verdicts) {
            const auto delay_ms = detail::milliseconds(one.delay);
            constexpr std::uint32_t delay_max = std::numeric_limits<std::uint32_t>::max();
            raw.push_back({one.fate, delay_ms > delay_max ? delay_max : static_cast<std::uint32_t>(delay_ms),
                           one.fate == MFN_VERDICT_REJECT ? one.reason.c_str() : nullptr});
        }
        return detail::call(mfn_connector_settle, get(), static_cast<const mfn_batch*>(settled.get()), raw.data(),
                            raw.size());
    }
    /// One fate for every record of a batch.
    result<void> settle(const batch& settled, const verdict& all) const {
        const std::vector<verdict> verdicts(settled.size(), all);
        return settle(settled, span<const verdict>(verdicts));
    }
    /// The position behind the contiguous settled prefix of a partition.
    [[nodiscard]] result<bytes> position(const std::string& partition) const {
        return detail::binary(mfn_connector_position, get(), partition.c_str());
    }
    /// How many records wait to be fetched; nothing when the source can not tell.
    [[nodiscard]] result<std::optional<std::uint64_t>> backlog() const {
        auto count = detail::fetch<std::int64_t>(mfn_connector_backlog, get());
        if (!count) return count.error();
        if (*count < 0) return std::optional<std::uint64_t>();
        return std::optional<std::uint64_t>(static_cast<std::uint64_t>(*count));
    }
    /// Stops bringing records.
    result<void> pause() const { return detail::call(mfn_connector_pause, get()); }
    /// Brings records again.
    result<void> resume() const { return detail::call(mfn_connector_resume, get()); }
    /// The last failure of a call with this connector.
    [[nodiscard]] std::optional<error> last_error() const {
        return detail::last_error(mfn_connector_last_error, get());
    }
};

}  // namespace mfn
