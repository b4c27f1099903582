/// \file
/// Publishers: dial out and deliver records durably, with an answer for each.
#pragma once

#include <mfn/component.hpp>
#include <mfn/record.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace mfn {

/// How far a promise of a publisher goes.
namespace trait {
enum type : std::int32_t {
    none = MFN_TRAIT_NONE,  ///< No order is kept, or a repeated record looks like two.
    key = MFN_TRAIT_KEY,    ///< Among records of one key; a reader can tell a repeated record.
    all = MFN_TRAIT_ALL     ///< Among all records; the target keeps one copy.
};
}

/// What a publisher can take and promise.
using publisher_traits = sized<mfn_publisher_traits>;

/// An open publisher. All functions are [any-thread].
class publisher : public detail::handle<mfn_publisher, mfn_publisher_free> {
public:
    /// Takes a handle of the C interface over.
    explicit publisher(mfn_publisher* raw) noexcept : handle(raw) {}

    /// Makes a publisher of a loaded plugin and opens it.
    static result<publisher> open(const runtime& host, const component_options& options) {
        return detail::open<publisher>(mfn_publisher_open, host, options);
    }
    /// The common face. Lent.
    [[nodiscard]] mfn::component component() const& noexcept {
        return mfn::component(mfn_publisher_component(get()));
    }
    mfn::component component() const&& = delete;
    /// What it can take and promise.
    [[nodiscard]] result<publisher_traits> get_traits() const {
        return detail::fetch<publisher_traits>(mfn_publisher_get_traits, get());
    }

    /// Delivers records and answers for each, in their order. A failure of the whole call means that none was tried.
    /// attempt is 1 for the first try of these records, then counts.
    result<std::vector<result<void>>> publish(span<const record> records, std::chrono::milliseconds timeout,
                                              std::uint32_t attempt = 1) const {
        const detail::lent_records lent(records);
        return publish_raw(lent.data(), lent.size(), timeout, attempt);
    }
    /// As above, for records that somebody else owns, such as those of a batch.
    result<std::vector<result<void>>> publish(span<const record_view> records, std::chrono::milliseconds timeout,
                                              std::uint32_t attempt = 1) const {
        std::vector<mfn_record> raw;
        raw.reserve(records.size());
        for (const auto& one : records) raw.push_back(one.get());
        return publish_raw(raw.data(), raw.size(), timeout, attempt);
    }
    /// Makes durable what was taken.
    result<void> flush(std::chrono::milliseconds timeout) const {
        return detail::call(mfn_publisher_flush, get(), detail::milliseconds(timeout));
    }
    /// The last failure of a call with this publisher.
    [[nodiscard]] std::optional<error> last_error() const {
        return detail::last_error(mfn_publisher_last_error, get());
    }

private:
    result<std::vector<result<void>>> publish_raw(const mfn_record* records, std::size_t count,
                                                  std::chrono::milliseconds timeout, std::uint32_t attempt) const {
        std::vector<mfn_error*> raw(count, nullptr);
        std::vector<result<void>> answers(count);
        auto done = detail::call(mfn_publisher_publish, get(), records, count, attempt,
                                 detail::milliseconds(timeout), raw.data());
        if (!done) return done.error();
        for (std::size_t i = 0; i < count; ++i)
            if (raw[i] != nullptr)
                answers[i] = error::adopt(static_cast<status>(mfn_error_status(raw[i])), raw[i]);
        return answers;
    }
};

}  // namespace mfn
