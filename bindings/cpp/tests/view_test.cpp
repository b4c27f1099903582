// Guards views and spans: they point to what is there and copy nothing, whatever the layout, and none is lent by a
// temporary.
#include "support.hpp"

#include <array>
#include <numeric>
#include <type_traits>
#include <utility>
#if defined(__cpp_lib_span)
#include <span>
#endif

namespace {

template <class T, class = void>
constexpr bool lends_from_a_temporary = false;
template <class T>
constexpr bool lends_from_a_temporary<T, std::void_t<decltype(std::declval<T&&>().field())>> = true;
template <class T, class = void>
constexpr bool lends = false;
template <class T>
constexpr bool lends<T, std::void_t<decltype(std::declval<T&>().field())>> = true;

// Guards lifetimes as far as the language can: a view of a temporary does not compile.
static_assert(lends<mfn::simulation> && !lends_from_a_temporary<mfn::simulation>);
static_assert(lends<mfn::snapshot> && !lends_from_a_temporary<mfn::snapshot>);
static_assert(std::is_trivially_copyable_v<mfn::field_view> && sizeof(mfn::field_view) == sizeof(mfn_field_view));

// Guards zero copies: the view is the library's own memory, the same for every look and for the C interface.
TEST(View, BorrowsWithoutACopy) {
    auto sim = support::small_simulation();
    sim.run(5).value_or_throw();
    mfn_field_view raw;
    ASSERT_EQ(mfn_sim_field(sim.get(), &raw, nullptr), MFN_OK);
    const auto field = sim.field().value_or_throw();
    EXPECT_EQ(field.data(), raw.data);
    EXPECT_EQ(sim.field()->data(), field.data());
    EXPECT_EQ(field.rows(), 32U);
    EXPECT_EQ(field.cols(), 32U);
    EXPECT_EQ(field.size(), 1024U);
    EXPECT_NE(sim.activator()->data(), sim.inhibitor()->data());
    EXPECT_EQ(&field(2, 3), raw.data + 2 * raw.row_stride + 3 * raw.col_stride);
}

// Guards that a view sees what the simulation holds when it is asked for, and a copy keeps what it was.
TEST(View, EndsWithTheNextStep) {
    auto sim = support::small_simulation();
    const auto before = sim.field()->to_vector();
    sim.run(3).value_or_throw();
    EXPECT_FALSE(support::same_bits(*sim.field(), before));
    EXPECT_EQ(before.size(), 1024U);
}

// Guards strides: windows, columns and fields stored upside down are read where they lie.
TEST(View, HasAnyStrides) {
    std::array<double, 12> cells{};
    std::iota(cells.begin(), cells.end(), 0.0);
    const mfn::field_view rows(cells.data(), 3, 4);
    EXPECT_TRUE(rows.is_contiguous());
    EXPECT_EQ(rows(2, 1), 9);
    const mfn::field_view transposed(cells.data(), 4, 3, 1, 4);
    EXPECT_FALSE(transposed.is_contiguous());
    EXPECT_EQ(transposed(1, 2), 9);
    const mfn::field_view upside_down(cells.data() + 8, 3, 4, -4, 1);
    EXPECT_EQ(upside_down.to_vector(), (std::vector<double>{8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3}));
    EXPECT_EQ(std::accumulate(transposed.begin(), transposed.end(), 0.0), 66.0);
    EXPECT_EQ(std::distance(rows.begin(), rows.end()), 12);
    const auto same = mfn::field_rows(cells.data(), 3, 4);
    EXPECT_EQ(same.row_stride(), 4);
    EXPECT_EQ(same.col_stride(), 1);
    EXPECT_EQ(same.data(), cells.data());
}

// Guards that the library reads a strided array in place with the same bits.
TEST(View, IsReadInPlace) {
    const auto cells = support::wave(24, 24);
    std::vector<double> spread(24 * 24 * 2);
    for (std::size_t i = 0; i < cells.size(); ++i) spread[2 * i] = cells[i];
    const auto a = mfn::features::compute(mfn::field_view(cells.data(), 24, 24)).value_or_throw();
    const auto b = mfn::features::compute(mfn::field_view(spread.data(), 24, 24, 48, 2)).value_or_throw();
    for (std::size_t i = 0; i < mfn::features::count; ++i)
        EXPECT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) << mfn::feature_name(i);
}

// Guards bad views: no field is an error that names the argument.
TEST(View, EmptyIsRefused) {
    const auto refused = mfn::features::compute(mfn::field_view());
    EXPECT_EQ(refused.code(), mfn::status::invalid);
    EXPECT_NE(std::string(refused.error().message()).find("data"), std::string::npos) << refused.error().message();
}

// Guards spans: containers and arrays become spans of const, and back.
TEST(Span, IsMadeFromContainers) {
    std::vector<double> numbers{1, 2, 3};
    const mfn::span<const double> from_vector(numbers);
    EXPECT_EQ(from_vector.data(), numbers.data());
    EXPECT_EQ(from_vector.size(), 3U);
    EXPECT_EQ(from_vector[2], 3);
    const mfn::span<double> to_write(numbers);
    to_write[0] = 7;
    EXPECT_EQ(numbers[0], 7);
    const mfn::span<const double> from_span(to_write);
    EXPECT_EQ(from_span.data(), numbers.data());
    const int array[] = {4, 5};
    EXPECT_EQ(mfn::span<const int>(array).size(), 2U);
    EXPECT_TRUE(mfn::span<const int>().empty());
    static_assert(!std::is_constructible_v<mfn::span<double>, const std::vector<double>&>);
    static_assert(!std::is_constructible_v<mfn::span<mfn_spec>, std::vector<mfn::spec>&>);
}

#if defined(__cpp_lib_span)
// Guards the way from and to the standard library's spans.
TEST(Span, KnowsTheStandardOne) {
    std::vector<double> numbers{1, 2, 3};
    const std::span<const double> standard(numbers);
    const mfn::span<const double> ours(standard);
    EXPECT_EQ(ours.data(), numbers.data());
    const std::span<const double> back(ours);
    EXPECT_EQ(back.size(), 3U);
    EXPECT_EQ(back.data(), numbers.data());
}
#endif

#if defined(__cpp_lib_mdspan)
// Guards the way from and to the standard library's matrices: the same memory, the same strides.
TEST(View, KnowsMdspan) {
    auto sim = support::small_simulation();
    const auto field = sim.field().value_or_throw();
    const auto matrix = field.to_mdspan();
    EXPECT_EQ(matrix.data_handle(), field.data());
    EXPECT_EQ(matrix.extent(0), 32U);
    EXPECT_EQ((matrix[3, 4]), field(3, 4));
    const mfn::field_view back(matrix);
    EXPECT_EQ(back.row_stride(), field.row_stride());
    std::vector<double> cells(6);
    const std::mdspan<double, std::extents<int, 2, 3>, std::layout_left> columns(cells.data());
    const mfn::field_view view(columns);
    EXPECT_EQ(view.row_stride(), 1);
    EXPECT_EQ(view.col_stride(), 2);
    EXPECT_EQ(view.cols(), 3U);
}
#endif

#if defined(__cpp_lib_ranges)
// Guards that views and spans are ranges of the standard library.
static_assert(std::ranges::forward_range<mfn::field_view>);
static_assert(std::ranges::contiguous_range<mfn::span<const double>>);
static_assert(std::ranges::input_range<mfn::outcome_range>);
static_assert(std::ranges::input_range<const mfn::batch&>);
static_assert(std::ranges::input_range<const mfn::endpoints&>);
#endif

}  // namespace
