// Guards many runs at once: order, failures in their place, stopping, and datasets that are gone on with.
#include "support.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

namespace {

// Guards ensembles: results come in order with the bits of single runs, whatever the threads.
TEST(Ensemble, GivesResultsInOrder) {
    std::vector<mfn::spec> specs;
    for (std::uint64_t seed = 0; seed < 8; ++seed) specs.push_back(support::small_spec(seed));
    mfn::ensemble_options options;
    options.threads = 2;
    auto ensemble = mfn::ensemble::create(options).value_or_throw();
    std::vector<double> means;
    ensemble.run(specs, [&](const mfn::ensemble_run& run) {
                EXPECT_EQ(run.index, means.size());
                EXPECT_FALSE(run.failure);
                EXPECT_EQ(run.statistics.steps_computed, 40U);
                means.push_back(run.features.v_mean);
            }).value_or_throw();
    ASSERT_EQ(means.size(), 8U);
    auto single = support::small_simulation(5);
    single.run(40).value_or_throw();
    EXPECT_EQ(means[5], single.features()->v_mean);
}

// Guards failures: one that can not be read is reported in its place, with its reason, and the others go on.
TEST(Ensemble, ReportsFailuresInTheirPlace) {
    auto ensemble = mfn::ensemble::create().value_or_throw();
    const std::vector<std::string> specs{R"({"grid_size": 16, "steps": 3})", R"({"alpha": 99})", "{", R"({"steps": 1})"};
    std::string failures;
    std::uint64_t succeeded = 0;
    ensemble.run_json(specs, [&](const mfn::ensemble_run& run) {
                if (run.failure)
                    failures += std::to_string(run.index) + run.failure.message() + "\n";
                else
                    ++succeeded;
            }).value_or_throw();
    EXPECT_EQ(succeeded, 2U);
    EXPECT_EQ(support::line_count(failures), 2U);
    EXPECT_EQ(failures.substr(0, 1), "1");
    EXPECT_NE(failures.find("alpha"), std::string::npos) << failures;
}

// Guards stopping: by the callback, by an exception in it, and from another thread, in force until it is withdrawn.
TEST(Ensemble, Stops) {
    const std::vector<mfn::spec> specs(20, support::small_spec());
    auto ensemble = mfn::ensemble::create().value_or_throw();
    std::uint64_t heard = 0;
    const auto stopped = ensemble.run(specs, [&](const mfn::ensemble_run&) {
        return ++heard == 3 ? mfn::flow::stop : mfn::flow::go_on;
    });
    EXPECT_EQ(stopped.code(), mfn::status::cancelled);
    EXPECT_EQ(heard, 3U);
    const auto thrown =
        ensemble.run(specs, [](const mfn::ensemble_run&) -> void { throw std::runtime_error("full"); });
    EXPECT_THROW(thrown.value_or_throw(), std::runtime_error);
    ensemble.cancel().value_or_throw();
    EXPECT_EQ(ensemble.run(specs, [](const mfn::ensemble_run&) {}).code(), mfn::status::cancelled);
    ensemble.cancel_reset().value_or_throw();
    EXPECT_TRUE(ensemble.run(specs, [](const mfn::ensemble_run&) {}));
    EXPECT_FALSE(ensemble.last_error());
}

const char* const plan = R"({"base": {"grid_size": 16, "steps": 5}, "seeds_per_config": 2,
    "axes": [{"field": "alpha", "min": 0.05, "max": 0.1, "points": 3}]})";

// Guards sweeps: every run is a row, and the runs are those of the plan.
TEST(Sweep, WritesADataset) {
    const support::folder folder;
    auto sweep = mfn::sweep::create(plan).value_or_throw();
    EXPECT_EQ(sweep.runs(), 6U);
    EXPECT_NE(sweep.spec_json(5)->find("alpha"), std::string::npos);
    EXPECT_EQ(sweep.spec_json(6).code(), mfn::status::invalid);
    const auto report = sweep.write(folder / "data.csv").value_or_throw();
    EXPECT_EQ(report.succeeded, 6U);
    EXPECT_EQ(report.first_failed, -1);
    EXPECT_EQ(support::line_count(support::read(folder / "data.csv")), 7U);
    const auto again = sweep.write(folder / "data.csv");
    EXPECT_FALSE(again) << "a finished target is refused";
    EXPECT_TRUE(sweep.last_error());
    EXPECT_TRUE(mfn::sweep::create_preset("small"));
    EXPECT_EQ(mfn::sweep::create_preset("enormous").code(), mfn::status::invalid);
}

// Guards going on: a sweep that was stopped and gone on with leaves the bytes of one that was not.
TEST(Sweep, GoesOn) {
    const support::folder folder;
    auto sweep = mfn::sweep::create(plan).value_or_throw();
    sweep.write(folder / "whole.csv").value_or_throw();
    mfn::sweep_options options;
    options.threads = 1;
    const auto stopped = sweep.write(folder / "parts.csv", options, [](std::uint64_t done, std::uint64_t, std::uint64_t) {
        return done >= 2 ? mfn::flow::stop : mfn::flow::go_on;
    });
    EXPECT_EQ(stopped.code(), mfn::status::cancelled);
    sweep.cancel().value_or_throw();
    options.existing = mfn::sweep_existing::resume;
    EXPECT_EQ(sweep.write(folder / "parts.csv", options).code(), mfn::status::cancelled);
    sweep.cancel_reset().value_or_throw();
    const auto report = sweep.write(folder / "parts.csv", options).value_or_throw();
    EXPECT_GE(report.resumed, 2U);
    EXPECT_EQ(support::read(folder / "parts.csv"), support::read(folder / "whole.csv"));
}

// Guards threads: a run is watched and cancelled from another one, and errors cross threads.
TEST(Threads, CancelAndWatch) {
    auto sim = support::small_simulation();
    std::atomic<bool> begun{false};
    mfn::result<void> ended;
    std::thread runner([&] {
        ended = sim.run(1'000'000'000, [&](std::uint64_t, std::uint64_t) { begun = true; });
    });
    while (!begun) std::this_thread::yield();
    const auto busy = sim.features();
    EXPECT_EQ(busy.code(), mfn::status::invalid);
    sim.cancel().value_or_throw();
    runner.join();
    EXPECT_EQ(ended.code(), mfn::status::cancelled);
    EXPECT_EQ(sim.run(1).code(), mfn::status::cancelled) << "it stays in force";
    sim.cancel_reset().value_or_throw();
    EXPECT_TRUE(sim.run(1));
    std::string message;
    std::thread([error = busy.error(), &message] { message = error.message(); }).join();
    EXPECT_NE(message.find("in use"), std::string::npos) << message;
}

// Guards independence: simulations on several threads at once have the bits that each has alone.
TEST(Threads, RunsAreIndependent) {
    auto alone = support::small_simulation();
    alone.run(40).value_or_throw();
    const auto expected = alone.field()->to_vector();
    std::atomic<int> equal{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            auto sim = support::small_simulation();
            sim.run(40).value_or_throw();
            equal += support::same_bits(*sim.field(), expected) ? 1 : 0;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(equal, 4);
}

}  // namespace
