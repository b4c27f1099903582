/// \file
/// Results: a value or the error why there is none, in the manner of `std::expected`.
///
/// No function of this interface throws on a failure of the library. A program that prefers exceptions ends a call with
/// `.value_or_throw()`; where the compiler has `std::expected`, a result converts to one.
#pragma once

#include <mfn/error.hpp>

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>
#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_expected)
#include <expected>
#endif

namespace mfn {

/// A value, or the error why there is none. Reading the one that is not there is a defect of the program (an assertion
/// in debug builds), as with `std::expected`.
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;
    using error_type = mfn::error;

    /// A value.
    result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    /// A failure; `error.code()` is not `status::ok`.
    result(mfn::error error) : state_(std::in_place_index<1>, std::move(error)) {}

    /// Whether there is a value.
    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// The value, which must be there.
    [[nodiscard]] T& operator*() & noexcept { return *pointer(); }
    [[nodiscard]] const T& operator*() const& noexcept { return *pointer(); }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(*pointer()); }
    [[nodiscard]] T* operator->() noexcept { return pointer(); }
    [[nodiscard]] const T* operator->() const noexcept { return pointer(); }

    /// The error, which must be there.
    [[nodiscard]] const mfn::error& error() const noexcept {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }

    /// The status of the call; `status::ok` with a value.
    [[nodiscard]] mfn::status code() const noexcept { return has_value() ? mfn::status::ok : error().code(); }

    /// The value, or another one in its place.
    template <class U>
    [[nodiscard]] T value_or(U&& other) && {
        return has_value() ? std::move(*pointer()) : static_cast<T>(std::forward<U>(other));
    }
    template <class U>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? *pointer() : static_cast<T>(std::forward<U>(other));
    }

    /// The value; throws `mfn::exception`, or what a callback threw, when there is none.
    T value_or_throw() && {
        if (!has_value()) error().raise();
        return std::move(*pointer());
    }
    T& value_or_throw() & {
        if (!has_value()) error().raise();
        return *pointer();
    }
    const T& value_or_throw() const& {
        if (!has_value()) error().raise();
        return *pointer();
    }

    /// Goes on with the value: `next` takes it and gives a result. A failure is handed on.
    template <class F>
    auto and_then(F&& next) && -> std::invoke_result_t<F, T&&> {
        if (!has_value()) return error();
        return std::forward<F>(next)(std::move(*pointer()));
    }

    /// The same with another value: `change` takes this one. A failure is handed on.
    template <class F>
    auto transform(F&& change) && -> result<std::invoke_result_t<F, T&&>> {
        if (!has_value()) return error();
        if constexpr (std::is_void_v<std::invoke_result_t<F, T&&>>) {
            std::forward<F>(change)(std::move(*pointer()));
            return {};
        } else {
            return std::forward<F>(change)(std::move(*pointer()));
        }
    }

#if defined(__cpp_lib_expected)
    /// As the standard library's type.
    operator std::expected<T, mfn::error>() && {
        if (!has_value()) return std::unexpected(error());
        return std::move(*pointer());
    }
#endif

private:
    T* pointer() noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }
    const T* pointer() const noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }

    std::variant<T, mfn::error> state_;
};

/// Success, or the error of what was only to be done.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;
    using error_type = mfn::error;

    /// Success.
    result() noexcept = default;
    /// What a call left: success when `error.code()` is `status::ok`.
    result(mfn::error error) noexcept : error_(std::move(error)) {}

    /// Whether it was done.
    [[nodiscard]] bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    /// The error; without one its code is `status::ok`.
    [[nodiscard]] const mfn::error& error() const noexcept { return error_; }
    /// The status of the call.
    [[nodiscard]] mfn::status code() const noexcept { return error_.code(); }
    /// Throws `mfn::exception`, or what a callback threw, when it was not done.
    void value_or_throw() const {
        if (error_) error_.raise();
    }
    /// Goes on: `next` gives a result. A failure is handed on.
    template <class F>
    auto and_then(F&& next) const -> std::invoke_result_t<F> {
        if (error_) return error_;
        return std::forward<F>(next)();
    }

#if defined(__cpp_lib_expected)
    /// As the standard library's type.
    operator std::expected<void, mfn::error>() && {
        if (error_) return std::unexpected(error_);
        return {};
    }
#endif

private:
    mfn::error error_;
};

}  // namespace mfn
