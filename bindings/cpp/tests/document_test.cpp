// The programs of docs/cpp.md, as they stand there: bindings/cli/tests/documents.rs compares them with this file.
#include "support.hpp"

#include <chrono>
#include <cstdio>

namespace {

// Guards the two ways to look at a result.
TEST(Document, Results) {
    mfn::spec spec;
    spec.grid_size = 64;
    spec.boundary = mfn::boundary::neumann;

    auto made = mfn::simulation::create(spec);
    if (!made) {
        for (const auto& fault : made.error().faults())
            std::fprintf(stderr, "%s: %s; %s\n", fault.path, fault.message, fault.fix);
        return;
    }
    mfn::simulation sim = std::move(*made);

    sim.run(100).value_or_throw();
    const double dimension = sim.features().value_or_throw().d_box;
    EXPECT_GE(dimension, 0);
}

// Guards views: no copy, and a copy where one is wanted.
TEST(Document, Views) {
    auto sim = support::small_simulation();
    const mfn::field_view field = sim.field().value_or_throw();
    double lowest = 0;
    for (const double volts : field) lowest = std::min(lowest, volts);
    const std::vector<double> kept = field.to_vector();  // outlives the next step; `field` does not
    sim.step().value_or_throw();

    std::vector<double> mine(100 * 100, -0.07);
    mfn::field_view window(mine.data(), 50, 50, 100, 1);
    const auto features = mfn::features::compute(window).value_or_throw();
    EXPECT_LT(lowest, 0);
    EXPECT_EQ(kept.size(), 1024U);
    EXPECT_NEAR(features.v_mean, -70, 1e-9);
}

// Guards callbacks: they stop the work, and what they throw comes back.
TEST(Document, Callbacks) {
    auto sim = support::small_simulation();
    const auto stopped = sim.run(1000, [](std::uint64_t step, std::uint64_t) {
        return step < 100 ? mfn::flow::go_on : mfn::flow::stop;
    });
    EXPECT_TRUE(stopped.has_value() || stopped.code() == mfn::status::cancelled);

    const auto failed = sim.run(1000, [](std::uint64_t, std::uint64_t) { throw std::runtime_error("disk full"); });
    try {
        failed.value_or_throw();
    } catch (const std::runtime_error& mine) {
        std::fprintf(stderr, "%s\n", mine.what());
    }
    EXPECT_NE(failed.error().callback_exception(), nullptr);
}

// Guards pipelines: outcomes are a range.
TEST(Document, Pipelines) {
    const auto runtime = mfn::runtime::create().value_or_throw();
    const auto follow = [&](const mfn::config& config) {
        const auto pipeline = mfn::pipeline::start(runtime, config).value_or_throw();
        for (auto& element : pipeline.outcomes()) {
            const mfn::outcome& outcome = element.value_or_throw();
            std::printf("%s: %s\n", outcome.request(), outcome.status() == mfn::fate::ok ? "done" : outcome.reason());
        }
        pipeline.drain(std::chrono::seconds(10)).value_or_throw();
    };
    const support::folder folder;
    std::filesystem::create_directory(folder / "in");
    support::write(folder.path() / "in" / "1.json", R"({"grid_size": 16, "steps": 2})");
    follow(mfn::config::from_toml("name = \"d\"\n[plugins]\nfiles = [\"" + support::plugin("file").string() + R"("]
[connectors.in]
plugin = "file"
config = { directory = "in" }
[publishers.out]
plugin = "file"
config = { directory = "out" }
[[routes]]
name = "r"
connectors = ["in"]
publishers = ["out"]
)", folder.path()).value_or_throw());
}

}  // namespace
