/// \file
/// Records: one message as bytes, as connectors bring it and publishers and transports take it.
#pragma once

#include <mfn/handle.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mfn {

/// When a message arose.
using record_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// A record that somebody else owns; see the function that lends it for how long it lives.
class record_view {
public:
    /// A record of the C interface.
    explicit record_view(const mfn_record& raw) noexcept : raw_(raw) {}

    /// Identity; the same message has the same id after a restart.
    [[nodiscard]] const char* id() const noexcept { return raw_.id; }
    /// Media type of the payload; "" when unknown.
    [[nodiscard]] const char* content_type() const noexcept { return or_empty(raw_.content_type); }
    /// W3C traceparent of the operation that caused the message, or "".
    [[nodiscard]] const char* trace_parent() const noexcept { return or_empty(raw_.trace_parent); }
    /// The ordering key, if there is one.
    [[nodiscard]] std::optional<std::string_view> key() const noexcept {
        if (raw_.key == nullptr) return std::nullopt;
        return as_text(raw_.key, raw_.key_len);
    }
    /// The message itself, bytes.
    [[nodiscard]] std::string_view payload() const noexcept { return as_text(raw_.payload, raw_.payload_len); }
    /// Number of further fields.
    [[nodiscard]] std::size_t header_count() const noexcept { return raw_.header_count; }
    /// A further field: its name and its value, bytes. index is below `header_count()`.
    [[nodiscard]] std::pair<const char*, std::string_view> header(std::size_t index) const noexcept {
        const mfn_header& header = raw_.headers[index];
        return {header.name, as_text(header.value, header.value_len)};
    }
    /// A further field by its name.
    [[nodiscard]] std::optional<std::string_view> header(const char* name) const noexcept {
        for (std::size_t i = 0; i < raw_.header_count; ++i)
            if (std::strcmp(raw_.headers[i].name, name) == 0) return header(i).second;
        return std::nullopt;
    }
    /// When the message arose, if that is known.
    [[nodiscard]] std::optional<record_time> timestamp() const noexcept {
        if (raw_.has_timestamp == 0) return std::nullopt;
        return record_time(std::chrono::milliseconds(raw_.timestamp_ms));
    }
    /// The record as the C interface takes it.
    [[nodiscard]] const mfn_record& get() const noexcept { return raw_; }

private:
    static const char* or_empty(const char* text) noexcept { return text != nullptr ? text : ""; }
    static std::string_view as_text(const std::uint8_t* data, std::size_t size) noexcept {
        return size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data), size);
    }

    mfn_record raw_;
};

/// A record that the program makes. Payload, key and values are bytes, whatever they hold.
struct record {
    std::string id;                                            ///< Identity; not empty.
    std::string payload = {};                                  ///< The message itself.
    std::string content_type = {};                             ///< Media type, such as "application/json".
    std::optional<std::string> key = {};                       ///< Ordering key.
    std::vector<std::pair<std::string, std::string>> headers = {};  ///< Further fields: names and values.
    std::string trace_parent = {};                             ///< W3C traceparent.
    std::optional<record_time> timestamp = {};                 ///< When it arose.
};

namespace detail {
inline const std::uint8_t* as_bytes(const std::string& text) noexcept {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// Records of the program as the C interface takes them, without a copy of their bytes. It lives as long as they do.
class lent_records {
public:
    explicit lent_records(span<const record> records) {
        std::size_t header_count = 0;
        for (const auto& one : records) header_count += one.headers.size();
        headers_.reserve(header_count);  // never moves: the records point into it
        records_.reserve(records.size());
        for (const auto& one : records) add(one);
    }
    lent_records(const lent_records&) = delete;
    lent_records& operator=(const lent_records&) = delete;

    [[nodiscard]] const mfn_record* data() const noexcept { return records_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }

private:
    void add(const record& one) {
        mfn_record raw{};
        raw.struct_size = sizeof raw;
        raw.id = one.id.c_str();
        raw.content_type = one.content_type.c_str();
        raw.trace_parent = one.trace_parent.c_str();
        if (one.key) {
            raw.key = as_bytes(*one.key);
            raw.key_len = one.key->size();
        }
        raw.payload = as_bytes(one.payload);
        raw.payload_len = one.payload.size();
        if (!one.headers.empty()) raw.headers = headers_.data() + headers_.size();
        raw.header_count = one.headers.size();
        for (const auto& [name, value] : one.headers)
            headers_.push_back(mfn_header{name.c_str(), as_bytes(value), value.size()});
        if (one.timestamp) {
            raw.has_timestamp = 1;
            raw.timestamp_ms = one.timestamp->time_since_epoch().count();
        }
        records_.push_back(raw);
    }

    std::vector<mfn_header> headers_;
    std::vector<mfn_record> records_;
};
}  // namespace detail

}  // namespace mfn
