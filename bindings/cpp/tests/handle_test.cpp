// Guards ownership: a handle has one owner, is freed once, and one that was moved from is refused, not a crash.
#include "support.hpp"

#include <type_traits>
#include <utility>

namespace {

// Guards that no handle can be copied: a copy would be freed twice.
template <class T>
constexpr bool move_only = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                           std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
static_assert(move_only<mfn::simulation> && move_only<mfn::graph> && move_only<mfn::history>);
static_assert(move_only<mfn::ensemble> && move_only<mfn::sweep> && move_only<mfn::attention>);
static_assert(move_only<mfn::network> && move_only<mfn::stdp_traces> && move_only<mfn::bytes>);
static_assert(move_only<mfn::runtime> && move_only<mfn::config> && move_only<mfn::pipeline>);
static_assert(move_only<mfn::outcome> && move_only<mfn::snapshot> && move_only<mfn::endpoints>);
static_assert(move_only<mfn::connector> && move_only<mfn::batch> && move_only<mfn::publisher>);
static_assert(move_only<mfn::transport> && move_only<mfn::exporter> && move_only<mfn::log_entry>);

// Guards the owner: the handle goes where it is moved and is freed with the last place.
TEST(Handle, IsFreedOnce) {
    const auto before = mfn::live_handles();
    {
        mfn::simulation first = support::small_simulation();
        EXPECT_EQ(mfn::live_handles(), before + 1);
        mfn_sim* const raw = first.get();
        mfn::simulation second = std::move(first);
        EXPECT_EQ(second.get(), raw);
        EXPECT_FALSE(first);
        EXPECT_TRUE(second);
        EXPECT_EQ(mfn::live_handles(), before + 1);
        second = support::small_simulation(8);
        EXPECT_EQ(mfn::live_handles(), before + 1);
        auto& itself = second;
        second = std::move(itself);
        EXPECT_LE(mfn::live_handles(), before + 1);
    }
    EXPECT_EQ(mfn::live_handles(), before);
}

// Guards a handle that was moved from: every call with it answers, none crashes.
TEST(Handle, MovedFromIsRefused) {
    mfn::simulation sim = support::small_simulation();
    const mfn::simulation other = std::move(sim);
    EXPECT_EQ(sim.step().code(), mfn::status::invalid);
    EXPECT_EQ(sim.run(3).code(), mfn::status::invalid);
    EXPECT_EQ(sim.field().code(), mfn::status::invalid);
    EXPECT_EQ(sim.features().code(), mfn::status::invalid);
    EXPECT_EQ(sim.step_count(), 0U);
    EXPECT_EQ(other.step_count(), 0U);
}

// Guards the way in and out of the C interface: ownership goes with the handle, in both directions.
TEST(Handle, CrossesToTheCInterface) {
    const auto before = mfn::live_handles();
    mfn_sim* raw = support::small_simulation().release();
    ASSERT_EQ(mfn_sim_step(raw, nullptr), MFN_OK);
    {
        const mfn::simulation adopted(raw);
        EXPECT_EQ(adopted.step_count(), 1U);
    }
    EXPECT_EQ(mfn::live_handles(), before);
}

// Guards bytes: they are moved, not copied, and freed once.
TEST(Handle, BytesAreMoved) {
    const auto before = mfn::live_handles();
    {
        auto state = support::small_simulation().checkpoint_bytes().value_or_throw();
        const auto* const first = state.data();
        mfn::bytes moved = std::move(state);
        EXPECT_EQ(moved.data(), first);
        EXPECT_TRUE(state.empty());
        EXPECT_GT(moved.size(), 32U * 32U * 8U);
        EXPECT_EQ(static_cast<std::size_t>(moved.end() - moved.begin()), moved.size());
        state = std::move(moved);
        EXPECT_EQ(state.data(), first);
    }
    EXPECT_EQ(mfn::live_handles(), before);
}

// Guards that a handle outlives the exception that passes it.
TEST(Handle, IsFreedByAnException) {
    const auto before = mfn::live_handles();
    try {
        const auto sim = support::small_simulation();
        throw 1;
    } catch (int) {
    }
    EXPECT_EQ(mfn::live_handles(), before);
}

// Guards the last failure that a handle keeps for callers that did not look.
TEST(Handle, KeepsItsLastFailure) {
    mfn::simulation sim = support::small_simulation();
    EXPECT_FALSE(sim.last_error());
    const std::vector<double> wrong(4, -0.07);
    static_cast<void>(sim.set_initial_field(mfn::field_view(wrong.data(), 2, 2)));
    const auto last = sim.last_error();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->code(), mfn::status::invalid);
    EXPECT_NE(std::string(last->message()), "");
}

}  // namespace
