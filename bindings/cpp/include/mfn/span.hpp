/// \file
/// Spans: numbers where they lie, as a pointer and a length.
///
/// `std::span` came with C++20; this one is as much of it as C++17 needs. It is made from any container with `data()`
/// and `size()`, `std::span` among them, and `std::span` can be made from it.
#pragma once

#include <cassert>
#include <cstddef>
#include <type_traits>
#include <utility>
#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_ranges)
#include <ranges>
#endif

namespace mfn {

/// Elements in a row that somebody else owns. It lives as long as what it was made from.
template <class T>
class span {
public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using iterator = T*;

    /// Nothing.
    constexpr span() noexcept = default;
    /// `size` elements from `data` on.
    constexpr span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
    /// An array.
    template <std::size_t N>
    constexpr span(T (&array)[N]) noexcept : data_(array), size_(N) {}
    /// A container with `data()` and `size()`.
    template <class Container,
              class = std::enable_if_t<
                  !std::is_same_v<std::decay_t<Container>, span> &&
                  std::is_convertible_v<
                      std::remove_pointer_t<decltype(std::declval<Container&>().data())> (*)[], T (*)[]> &&
                  std::is_convertible_v<decltype(std::declval<Container&>().size()), std::size_t>>>
    constexpr span(Container&& container) noexcept : data_(container.data()), size_(container.size()) {}

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T& operator[](std::size_t index) const noexcept {
        assert(index < size_);
        return data_[index];
    }
    [[nodiscard]] constexpr T* begin() const noexcept { return data_; }
    [[nodiscard]] constexpr T* end() const noexcept { return data_ + size_; }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace mfn

#if defined(__cpp_lib_ranges)
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<mfn::span<T>> = true;
template <class T>
inline constexpr bool std::ranges::enable_view<mfn::span<T>> = true;
#endif
