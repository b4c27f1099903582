/// \file
/// What all handles share: one owner, freed once, and calls of the C interface turned into results.
///
/// Programs use the classes that are built on it; nothing in `mfn::detail` is part of the interface.
#pragma once

#include <mfn/error.hpp>
#include <mfn/result.hpp>
#include <mfn/span.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace mfn {

/// A struct of the C interface that knows its size. All its fields are those of `C`, described in mfn.h.
template <class C>
struct sized : C {
    sized() noexcept : C{} { this->struct_size = static_cast<std::uint32_t>(sizeof(C)); }
    /// A copy of a struct of the C interface.
    explicit sized(const C& fields) noexcept : C(fields) {}
};

/// Bytes that the library handed over, without a copy. Move-only.
class bytes {
public:
    bytes() noexcept = default;
    /// Takes bytes of the C interface over.
    explicit bytes(mfn_bytes raw) noexcept : raw_(raw) {}
    bytes(bytes&& other) noexcept : raw_(std::exchange(other.raw_, mfn_bytes{})) {}
    bytes& operator=(bytes&& other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~bytes() { mfn_bytes_free(&raw_); }

    [[nodiscard]] const std::uint8_t* data() const noexcept { return raw_.data; }
    [[nodiscard]] std::size_t size() const noexcept { return raw_.len; }
    [[nodiscard]] bool empty() const noexcept { return raw_.len == 0; }
    [[nodiscard]] const std::uint8_t* begin() const noexcept { return raw_.data; }
    [[nodiscard]] const std::uint8_t* end() const noexcept { return raw_.data + raw_.len; }

private:
    mfn_bytes raw_{};
};

namespace detail {

/// Frees a handle with its function.
template <auto Free>
struct freer {
    template <class T>
    void operator()(T* raw) const noexcept {
        Free(raw);
    }
};

/// The base of every class that owns a handle. Move-only; one that was moved from holds NULL, and calls with it answer
/// `status::invalid`.
template <class T, auto Free>
class handle {
public:
    /// The handle, for calls of the C interface. It stays this object's.
    [[nodiscard]] T* get() const noexcept { return raw_.get(); }
    /// Hands the handle over to the caller, who frees it.
    [[nodiscard]] T* release() noexcept { return raw_.release(); }
    /// Whether there is a handle: not after it was moved away or released.
    explicit operator bool() const noexcept { return raw_ != nullptr; }

protected:
    explicit handle(T* raw) noexcept : raw_(raw) {}

private:
    std::unique_ptr<T, freer<Free>> raw_;
};

/// The error of a failed call, which is taken over.
inline error failure(mfn_status status, mfn_error* raw, std::exception_ptr thrown = nullptr) {
    return error::adopt(static_cast<mfn::status>(status), raw, std::move(thrown));
}

/// The result of a status and its error, which is taken over. What a callback threw is never lost: where the work was
/// done when it threw, the status is `status::cancelled` all the same.
inline result<void> judge(mfn_status status, mfn_error* raw, std::exception_ptr thrown = nullptr) {
    if (status == MFN_OK && thrown == nullptr) return {};
    return failure(status == MFN_OK ? MFN_CANCELLED : status, raw, std::move(thrown));
}

/// Calls `function(arguments..., &error)`.
template <class F, class... A>
result<void> call(F* function, A... arguments) {
    mfn_error* raw = nullptr;
    const mfn_status status = function(arguments..., &raw);
    return judge(status, raw);
}

/// Calls `function(arguments..., &output, &error)`; gives what `finish` makes of the output.
template <class Output, class Finish, class F, class... A>
auto obtain(Finish finish, F* function, A... arguments) -> result<decltype(finish(std::declval<Output&>()))> {
    Output output{};
    mfn_error* raw = nullptr;
    const mfn_status status = function(arguments..., &output, &raw);
    if (status != MFN_OK) return failure(status, raw);
    return finish(output);
}

/// Calls `function(arguments..., &output, &error)` and gives the output.
template <class Output, class F, class... A>
result<Output> fetch(F* function, A... arguments) {
    return obtain<Output>([](Output& output) { return output; }, function, arguments...);
}

/// As `fetch`, where the output is a handle that `Owner` takes over.
template <class Owner, class F, class... A>
result<Owner> make(F* function, A... arguments) {
    using raw = decltype(std::declval<Owner&>().get());
    return obtain<raw>([](raw handle) { return Owner(handle); }, function, arguments...);
}

/// As `fetch`, where the output is a view that is lent.
template <class View, class F, class... A>
result<View> view(F* function, A... arguments) {
    using raw = std::decay_t<decltype(std::declval<View&>().get())>;
    return obtain<raw>([](const raw& lent) { return View(lent); }, function, arguments...);
}

/// As `fetch`, where the output is a text that is handed over.
template <class F, class... A>
result<std::string> text(F* function, A... arguments) {
    return obtain<char*>(
        [](char* raw) {
            const std::unique_ptr<char, freer<mfn_string_free>> owned(raw);
            return std::string(raw);
        },
        function, arguments...);
}

/// As `fetch`, where the output are bytes that are handed over.
template <class F, class... A>
result<bytes> binary(F* function, A... arguments) {
    return obtain<mfn_bytes>([](const mfn_bytes& raw) { return bytes(raw); }, function, arguments...);
}

/// As `fetch`, where the outputs are an array that is lent and its length.
template <class T, class F, class... A>
result<span<const T>> lent(F* function, A... arguments) {
    const T* array = nullptr;
    std::size_t count = 0;
    auto done = call(function, arguments..., &array, &count);
    if (!done) return done.error();
    return span<const T>(array, count);
}

/// A struct filled by `init(&fields, sizeof fields, &error)`, which can not fail for a struct of this size.
template <class C, class F>
void initialise(C& fields, F* init) noexcept {
    init(&fields, sizeof(C), nullptr);
}

/// The last failure that a handle keeps.
template <class F, class T>
std::optional<error> last_error(F* function, T* raw) {
    mfn_error* last = function(raw);
    if (last == nullptr) return std::nullopt;
    return error::adopt(static_cast<status>(mfn_error_status(last)), last);
}

/// Whether `size` is the product of the factors, without overflow.
[[nodiscard]] inline bool is_product(std::size_t size, std::initializer_list<std::size_t> factors) noexcept {
    std::size_t product = 1;
    for (const std::size_t factor : factors) {
        if (factor != 0 && product > std::numeric_limits<std::size_t>::max() / factor) return false;
        product *= factor;
    }
    return product == size;
}

/// The error for an array of the wrong length.
[[nodiscard]] inline error wrong_size(const char* name, std::size_t size, const char* expected) {
    return error(status::invalid,
                 std::string(name) + " has " + std::to_string(size) + " elements, expected " + expected);
}

/// A time-out as the C interface takes it; a negative one is 0.
[[nodiscard]] constexpr std::uint64_t milliseconds(std::chrono::milliseconds timeout) noexcept {
    return timeout.count() < 0 ? 0 : static_cast<std::uint64_t>(timeout.count());
}

/// A path as UTF-8.
[[nodiscard]] inline std::string utf8(const std::filesystem::path& path) {
    const auto text = path.u8string();
    return std::string(text.begin(), text.end());
}

/// NULL for an empty path, which stands for one that is not given.
[[nodiscard]] inline const char* optional_text(const std::string& text) noexcept {
    return text.empty() ? nullptr : text.c_str();
}

}  // namespace detail
}  // namespace mfn
