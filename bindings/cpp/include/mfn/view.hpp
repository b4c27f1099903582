/// \file
/// Field views: a grid of numbers where it lies, without a copy.
///
/// A view is a pointer with a shape and two strides; it owns nothing and is copied freely. One that a simulation lends
/// lives until the next call that changes the simulation, one of a snapshot as long as the snapshot. Functions that
/// would lend a view of a temporary object do not compile.
#pragma once

#include <mfn.h>

#include <cassert>
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>
#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_mdspan)
#include <array>
#include <mdspan>
#endif

namespace mfn {

/// A grid of numbers that is read and not owned. Cell (r, c) is `data()[r * row_stride() + c * col_stride()]`.
/// Raw is the struct of the C interface that it stands for.
template <class T, class Raw>
class basic_field_view {
public:
    using value_type = T;
    class iterator;
    using const_iterator = iterator;

    /// No field; the library refuses it.
    constexpr basic_field_view() noexcept : raw_{} {}
    /// Any layout: strides are distances from a row and a column to the next, in numbers, and may be negative.
    constexpr basic_field_view(const T* data, std::size_t rows, std::size_t cols, std::ptrdiff_t row_stride,
                               std::ptrdiff_t col_stride) noexcept
        : raw_{data, rows, cols, row_stride, col_stride} {}
    /// A row-major array without gaps.
    constexpr basic_field_view(const T* data, std::size_t rows, std::size_t cols) noexcept
        : raw_{data, rows, cols, static_cast<std::ptrdiff_t>(cols), 1} {}
    /// A view of the C interface.
    constexpr explicit basic_field_view(const Raw& raw) noexcept : raw_(raw) {}

    [[nodiscard]] constexpr const T* data() const noexcept { return raw_.data; }
    [[nodiscard]] constexpr std::size_t rows() const noexcept { return raw_.rows; }
    [[nodiscard]] constexpr std::size_t cols() const noexcept { return raw_.cols; }
    [[nodiscard]] constexpr std::ptrdiff_t row_stride() const noexcept { return raw_.row_stride; }
    [[nodiscard]] constexpr std::ptrdiff_t col_stride() const noexcept { return raw_.col_stride; }
    /// Number of cells.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return raw_.rows * raw_.cols; }
    /// Whether the cells lie in a row, row by row.
    [[nodiscard]] constexpr bool is_contiguous() const noexcept {
        return raw_.col_stride == 1 && raw_.row_stride == static_cast<std::ptrdiff_t>(raw_.cols);
    }

    /// A cell.
    [[nodiscard]] constexpr const T& operator()(std::size_t row, std::size_t col) const noexcept {
        assert(row < rows() && col < cols());
        return raw_.data[static_cast<std::ptrdiff_t>(row) * raw_.row_stride +
                         static_cast<std::ptrdiff_t>(col) * raw_.col_stride];
    }

    /// The cells, row by row.
    [[nodiscard]] iterator begin() const noexcept { return iterator(this->raw_, 0); }
    [[nodiscard]] iterator end() const noexcept { return iterator(this->raw_, size()); }

    /// A copy of the cells, row by row, to keep.
    [[nodiscard]] std::vector<T> to_vector() const { return std::vector<T>(begin(), end()); }

    /// The view as the C interface takes it.
    [[nodiscard]] constexpr const Raw& get() const noexcept { return raw_; }

#if defined(__cpp_lib_mdspan)
    using mdspan = std::mdspan<const T, std::dextents<std::size_t, 2>, std::layout_stride>;
    /// As the standard library's type, which knows no negative strides: they must be above 0.
    [[nodiscard]] constexpr mdspan to_mdspan() const noexcept {
        assert(raw_.row_stride > 0 && raw_.col_stride > 0);
        const std::array<std::size_t, 2> strides{static_cast<std::size_t>(raw_.row_stride),
                                                 static_cast<std::size_t>(raw_.col_stride)};
        return mdspan(raw_.data, {std::dextents<std::size_t, 2>(raw_.rows, raw_.cols), strides});
    }
    /// A view of a matrix of the standard library's type.
    template <class U, class Extents, class Layout>
        requires(Extents::rank() == 2 && std::is_same_v<std::remove_cv_t<U>, T>)
    constexpr basic_field_view(const std::mdspan<U, Extents, Layout>& matrix) noexcept
        : basic_field_view(matrix.data_handle(), static_cast<std::size_t>(matrix.extent(0)),
                           static_cast<std::size_t>(matrix.extent(1)),
                           static_cast<std::ptrdiff_t>(matrix.stride(0)),
                           static_cast<std::ptrdiff_t>(matrix.stride(1))) {}
#endif

private:
    Raw raw_;
};

/// Goes through the cells of a view, row by row.
template <class T, class Raw>
class basic_field_view<T, Raw>::iterator {
public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    iterator() noexcept = default;
    iterator(const Raw& raw, std::size_t index) noexcept : raw_(raw), index_(index) {}
    reference operator*() const noexcept { return basic_field_view(raw_)(index_ / raw_.cols, index_ % raw_.cols); }
    pointer operator->() const noexcept { return &**this; }
    iterator& operator++() noexcept {
        ++index_;
        return *this;
    }
    iterator operator++(int) noexcept {
        iterator before = *this;
        ++index_;
        return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.index_ == b.index_; }
    friend bool operator!=(const iterator& a, const iterator& b) noexcept { return a.index_ != b.index_; }

private:
    Raw raw_{};
    std::size_t index_ = 0;
};

/// A grid of doubles.
using field_view = basic_field_view<double, mfn_field_view>;
/// A grid of floats, as runs in single precision lend it.
using field_view_f32 = basic_field_view<float, mfn_field_view_f32>;

/// The view of a row-major array without gaps.
[[nodiscard]] inline field_view field_rows(const double* data, std::size_t rows, std::size_t cols) noexcept {
    return field_view(mfn_field_rows(data, rows, cols));
}

}  // namespace mfn
