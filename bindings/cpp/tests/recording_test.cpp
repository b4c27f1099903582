// Guards checkpoints and recorders: a run goes on with the bits that it would have had, and frames are whole.
#include "support.hpp"

namespace {

mfn::simulation recorded() {
    mfn::spec spec = support::small_spec();
    spec.record_every = 10;
    return mfn::simulation::create(spec).value_or_throw();
}

// Guards checkpoints in memory and in a file: both continue with the same bits.
TEST(Checkpoint, ContinuesTheRun) {
    const support::folder folder;
    auto sim = support::small_simulation();
    sim.run(15).value_or_throw();
    sim.checkpoint_write(folder / "state").value_or_throw();
    const auto state = sim.checkpoint_bytes().value_or_throw();
    sim.run(25).value_or_throw();
    const auto expected = sim.field()->to_vector();

    auto from_file = mfn::simulation::restore(folder / "state").value_or_throw();
    auto from_bytes = mfn::simulation::restore_bytes(state).value_or_throw();
    EXPECT_EQ(from_file.step_count(), 15U);
    from_file.run(25).value_or_throw();
    from_bytes.run(25).value_or_throw();
    EXPECT_TRUE(support::same_bits(*from_file.field(), expected));
    EXPECT_TRUE(support::same_bits(*from_bytes.field(), expected));
}

// Guards damaged states: an error, never a run.
TEST(Checkpoint, DamageIsRefused) {
    const auto state = support::small_simulation().checkpoint_bytes().value_or_throw();
    std::vector<std::uint8_t> damaged(state.begin(), state.end());
    damaged[damaged.size() / 2] ^= 1;
    EXPECT_EQ(mfn::simulation::restore_bytes(damaged).code(), mfn::status::invalid);
    EXPECT_EQ(mfn::simulation::restore_bytes({}).code(), mfn::status::invalid);
    EXPECT_EQ(mfn::simulation::restore("/no/such/state").code(), mfn::status::io);
}

// Guards the ring: it keeps the newest frames, with their steps and planes, and says what it dropped.
TEST(Recording, KeepsTheNewestFrames) {
    auto sim = recorded();
    EXPECT_EQ(sim.record_count(), 0U);
    sim.record_ring(3, mfn::plane::field | mfn::plane::inhibitor).value_or_throw();
    sim.run(50).value_or_throw();
    ASSERT_EQ(sim.record_count(), 3U);
    EXPECT_EQ(sim.record_dropped(), 2U);
    const auto oldest = sim.record_frame(0, mfn::plane::field).value_or_throw();
    const auto newest = sim.record_frame(2, mfn::plane::field).value_or_throw();
    EXPECT_EQ(oldest.step, 30U);
    EXPECT_EQ(newest.step, 50U);
    EXPECT_TRUE(support::same_bits(newest.view, sim.field()->to_vector()));
    EXPECT_TRUE(sim.record_frame(1, mfn::plane::inhibitor));
    EXPECT_EQ(sim.record_frame(1, mfn::plane::activator).code(), mfn::status::invalid);
    EXPECT_EQ(sim.record_frame(3, mfn::plane::field).code(), mfn::status::invalid);
}

// Guards files: partial until they are finished, then an NPY array with a frame for each ten steps.
TEST(Recording, WritesAFile) {
    const support::folder folder;
    auto sim = recorded();
    EXPECT_EQ(sim.record_sync().code(), mfn::status::invalid);
    sim.record_file(folder / "frames.npy", mfn::plane::field).value_or_throw();
    sim.run(20).value_or_throw();
    sim.record_sync().value_or_throw();
    EXPECT_FALSE(std::filesystem::exists(folder / "frames.npy"));
    EXPECT_TRUE(std::filesystem::exists(folder / "frames.npy.partial"));
    const auto state = sim.checkpoint_bytes().value_or_throw();

    // Another process goes on behind the frames that are there.
    auto next = mfn::simulation::restore_bytes(state).value_or_throw();
    sim = support::small_simulation();
    next.record_file(folder / "frames.npy", mfn::plane::field, true).value_or_throw();
    next.run(20).value_or_throw();
    next.record_finish().value_or_throw();
    const std::string file = support::read(folder / "frames.npy");
    EXPECT_EQ(file.compare(1, 5, "NUMPY"), 0);
    EXPECT_NE(file.find("(4, 32, 32)"), std::string::npos);
    EXPECT_EQ(file.compare(file.size() - 8, 8, reinterpret_cast<const char*>(&(*next.field())(31, 31)), 8), 0);
}

}  // namespace
