/// \file
/// An iterator over anything that gives its elements by index, for ranges of what the library lends.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>

namespace mfn::detail {

/// Goes through `container[0]`, `container[1]`, ... Elements are values made on the way.
template <class Container>
class indexed_iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = decltype(std::declval<const Container&>()[std::size_t{}]);
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = value_type;

    indexed_iterator() noexcept = default;
    indexed_iterator(const Container& container, std::size_t index) noexcept : container_(&container), index_(index) {}
    [[nodiscard]] value_type operator*() const { return (*container_)[index_]; }
    indexed_iterator& operator++() noexcept {
        ++index_;
        return *this;
    }
    indexed_iterator operator++(int) noexcept {
        indexed_iterator before = *this;
        ++index_;
        return before;
    }
    friend bool operator==(const indexed_iterator& a, const indexed_iterator& b) noexcept {
        return a.index_ == b.index_;
    }
    friend bool operator!=(const indexed_iterator& a, const indexed_iterator& b) noexcept {
        return a.index_ != b.index_;
    }

private:
    const Container* container_ = nullptr;
    std::size_t index_ = 0;
};

}  // namespace mfn::detail
