// Guards callbacks: any callable, on the right thread, freed, and exceptions that come back instead of passing through
// the library.
#include "support.hpp"

#include <memory>
#include <stdexcept>
#include <thread>

namespace {

struct broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A callable that can only be moved and counts how many of it are alive.
struct counted {
    std::shared_ptr<int> token;
    void operator()(std::uint64_t, mfn::field_view, mfn::field_view, mfn::field_view) const {}
};

// Guards progress: lambdas, function objects and functions hear of the last step, on this thread.
TEST(Callback, HearsOfProgress) {
    auto sim = support::small_simulation();
    std::uint64_t last = 0, total = 0;
    std::thread::id where;
    sim.run(12, [&](std::uint64_t step, std::uint64_t steps_total) {
           last = step;
           total = steps_total;
           where = std::this_thread::get_id();
       }).value_or_throw();
    EXPECT_EQ(last, 12U);
    EXPECT_EQ(total, 12U);
    EXPECT_EQ(where, std::this_thread::get_id());
    std::function<mfn::flow(std::uint64_t, std::uint64_t)> kept = [&](std::uint64_t step, std::uint64_t) {
        last += step;
        return mfn::flow::go_on;
    };
    sim.run(3, kept).value_or_throw();
    EXPECT_EQ(last, 15U);
}

// Guards stopping: it is an answer, not a failure; the state is whole and the run goes on.
TEST(Callback, Stops) {
    auto sim = support::small_simulation();
    const auto stopped = sim.run(1000000, [](std::uint64_t, std::uint64_t) { return mfn::flow::stop; });
    EXPECT_EQ(stopped.code(), mfn::status::cancelled);
    EXPECT_TRUE(stopped.error().is_answer());
    EXPECT_EQ(stopped.error().callback_exception(), nullptr);
    EXPECT_LT(sim.step_count(), 1000000U);
    const auto reached = sim.step_count();
    sim.run(2).value_or_throw();
    EXPECT_EQ(sim.step_count(), reached + 2);
}

// Guards an exception in a callback: a typed error that keeps it, and the next call works.
TEST(Callback, ExceptionBecomesAnError) {
    auto sim = support::small_simulation();
    const auto failed =
        sim.run(1000, [](std::uint64_t, std::uint64_t) -> void { throw broken("the disk is full"); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.code(), mfn::status::cancelled);
    EXPECT_STREQ(failed.error().message(), "a callback threw: the disk is full");
    EXPECT_NE(failed.error().callback_exception(), nullptr);
    EXPECT_TRUE(sim.run(2));
}

// Guards an exception that comes when the work is done: it is not lost, and the steps are kept.
TEST(Callback, ExceptionAfterTheLastStepIsNotLost) {
    auto sim = support::small_simulation();
    const auto failed = sim.run(1, [](std::uint64_t, std::uint64_t) -> void { throw broken("late"); });
    EXPECT_EQ(failed.code(), mfn::status::cancelled);
    EXPECT_THROW(failed.value_or_throw(), broken);
    EXPECT_EQ(sim.step_count(), 1U);
    mfn::model_v4_1 model;
    model.grid_size = 4;
    model.steps = 1;
    std::vector<double> field(16);
    const auto run = model.run(field, [](std::uint64_t, std::uint64_t) -> void { throw broken("late"); });
    EXPECT_THROW(run.value_or_throw(), broken);
}

// Guards the exception layer: the program gets its own exception back, also one that is no std::exception.
TEST(Callback, ExceptionIsThrownAgain) {
    auto sim = support::small_simulation();
    const auto run = [&](auto callback) { sim.run(1000, callback).value_or_throw(); };
    EXPECT_THROW(run([](std::uint64_t, std::uint64_t) -> void { throw broken("x"); }), broken);
    try {
        run([](std::uint64_t, std::uint64_t) -> void { throw 42; });
        FAIL() << "nothing was thrown";
    } catch (int thrown) {
        EXPECT_EQ(thrown, 42);
    }
    EXPECT_TRUE(sim.run(2));
}

// Guards rates that throw, from several threads: the step is discarded, the first exception is kept, and the run goes
// on when the rates do.
TEST(Callback, RatesThatThrowDiscardTheStep) {
    mfn::spec spec = support::host_spec();
    spec.grid_size = 64;
    auto sim = mfn::simulation::create(spec).value_or_throw();
    mfn::execution how;
    how.threads = 3;
    how.band_rows = 8;
    sim.set_execution(how).value_or_throw();
    std::atomic<bool> fails{false};
    sim.set_kinetics([&fails](mfn::span<const double>, mfn::span<const double>, mfn::span<double> du,
                              mfn::span<double> dv) {
           if (fails) throw broken("rates");
           std::fill(du.begin(), du.end(), 0.0);
           std::fill(dv.begin(), dv.end(), 0.0);
       }).value_or_throw();
    sim.run(3).value_or_throw();
    const auto before = sim.field()->to_vector();
    fails = true;
    const auto failed = sim.step();
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().callback_exception(), nullptr);
    EXPECT_THROW(failed.value_or_throw(), broken);
    EXPECT_EQ(sim.step_count(), 3U);
    EXPECT_TRUE(support::same_bits(*sim.field(), before));
    fails = false;
    EXPECT_TRUE(sim.step());
}

// Guards the life of a callable that the simulation keeps: it lives as long as it may be called, and no longer.
TEST(Callback, IsKeptAndFreed) {
    auto token = std::make_shared<int>(1);
    {
        mfn::spec spec = support::small_spec();
        spec.record_every = 5;
        auto sim = mfn::simulation::create(spec).value_or_throw();
        sim.record_callback(counted{token}).value_or_throw();
        EXPECT_EQ(token.use_count(), 2);
        mfn::simulation moved = std::move(sim);
        moved.run(10).value_or_throw();
        EXPECT_EQ(token.use_count(), 2);
        moved.record_callback(counted{token}).value_or_throw();
        EXPECT_EQ(token.use_count(), 2) << "the one before is freed";
        moved.record_callback(nullptr).value_or_throw();
        EXPECT_EQ(token.use_count(), 1);
        moved.record_callback(counted{token}).value_or_throw();
        moved = mfn::simulation::create(spec).value_or_throw();
        EXPECT_EQ(token.use_count(), 1);
    }
    mfn::simulation none(nullptr);
    EXPECT_FALSE(none.record_callback(counted{token}));
    EXPECT_EQ(token.use_count(), 1) << "one that was refused is not kept";
}

// Guards a frame callback that throws: the run stops after the step and the exception comes with it.
TEST(Callback, FramesThatThrowStopTheRun) {
    mfn::spec spec = support::small_spec();
    spec.record_every = 4;
    auto sim = mfn::simulation::create(spec).value_or_throw();
    std::vector<std::uint64_t> steps;
    sim.record_callback([&](std::uint64_t step, mfn::field_view field, mfn::field_view, mfn::field_view) {
           steps.push_back(step);
           EXPECT_EQ(field.size(), 1024U);
           if (step == 8) throw broken("frames");
       }).value_or_throw();
    const auto failed = sim.run(40);
    EXPECT_EQ(failed.code(), mfn::status::cancelled);
    EXPECT_THROW(failed.value_or_throw(), broken);
    EXPECT_EQ(steps, (std::vector<std::uint64_t>{4, 8}));
    EXPECT_EQ(sim.step_count(), 8U);
}

// Guards calls of the simulation from its own callback: refused, not a deadlock.
TEST(Callback, MustNotUseTheSimulation) {
    auto sim = support::small_simulation();
    mfn::status inside = mfn::status::ok;
    sim.run(1, [&](std::uint64_t, std::uint64_t) { inside = sim.features().code(); }).value_or_throw();
    EXPECT_EQ(inside, mfn::status::invalid);
}

}  // namespace
