// Guards a whole pipeline with the file plugin: from requests on disk to results on disk, with what a program sees of it.
#include "support.hpp"

#include <chrono>
#include <set>

namespace {

using namespace std::chrono_literals;

// A folder with requests and a pipeline that works on them.
class work {
public:
    explicit work(int steps = 5) {
        std::filesystem::create_directory(folder_ / "in");
        for (int seed = 1; seed <= 3; ++seed)
            support::write(folder_.path() / "in" / (std::to_string(seed) + ".json"),
                           "{\"grid_size\": 16, \"steps\": " + std::to_string(steps) +
                               ", \"random_seed\": " + std::to_string(seed) + "}");
        support::write(folder_.path() / "in" / "4.json", R"({"alpha": 9})");
        support::write(folder_ / "pipeline.toml", text());
    }
    std::string text() const {
        return "name = \"test\"\n[plugins]\nfiles = [\"" + support::plugin("file").string() + "\", \"" +
               support::plugin("sse").string() + "\"]\n" + R"(
[connectors.requests]
plugin = "file"
config = { directory = "in", state_file = "journal" }
[publishers.results]
plugin = "file"
config = { directory = "out", file_name = "results" }
[publishers.rejected]
plugin = "file"
config = { directory = "out", file_name = "rejected" }
[transports.live]
plugin = "sse"
config = { bind = "127.0.0.1:0" }
[[routes]]
name = "simulate"
connectors = ["requests"]
publishers = ["results"]
transports = ["live"]
dead_letters = "rejected"
topic = "snapshots"
)";
    }
    const support::folder& folder() const { return folder_; }
    mfn::config config() const { return mfn::config::from_file(folder_ / "pipeline.toml").value_or_throw(); }

private:
    support::folder folder_;
};

// Guards the way of each request: delivered with its features or refused with its reason, each told once.
TEST(Pipeline, WorksFromEndToEnd) {
    const work work;
    const auto runtime = mfn::runtime::create().value_or_throw();
    EXPECT_NE(mfn::pipeline::check(runtime, work.config())->find("requests"), std::string::npos);
    EXPECT_TRUE(mfn::pipeline::probe(runtime, work.config(), 10s)->passed);
    const auto pipeline = mfn::pipeline::start(runtime, work.config()).value_or_throw();
    const auto endpoints = pipeline.endpoints().value_or_throw();
    ASSERT_EQ(endpoints.size(), 1U);
    EXPECT_STREQ(endpoints[0].name, "stream");

    std::set<std::string> delivered;
    int refused = 0;
    for (auto& element : pipeline.outcomes()) {
        const mfn::outcome& outcome = element.value_or_throw();
        EXPECT_STREQ(outcome.route(), "simulate");
        if (outcome.status() == mfn::fate::ok) {
            delivered.insert(outcome.request());
            EXPECT_EQ(std::string(outcome.snapshot_id()).size(), 32U);
            EXPECT_EQ(outcome.statistics()->steps_computed, 5U);
            EXPECT_LT(outcome.features()->v_min, outcome.features()->v_max);
            EXPECT_GT(outcome.compute_time().count(), 0);
        } else {
            EXPECT_EQ(outcome.status(), mfn::fate::dead_lettered);
            EXPECT_NE(std::string(outcome.reason()).find("alpha"), std::string::npos);
            EXPECT_EQ(outcome.features().code(), mfn::status::invalid);
            ++refused;
        }
    }
    EXPECT_EQ(delivered, (std::set<std::string>{"1.json", "2.json", "3.json"}));
    EXPECT_EQ(refused, 1);

    EXPECT_EQ(pipeline.next_outcome(0ms).code(), mfn::status::end);
    EXPECT_EQ(pipeline.wait(5s).value_or_throw(), mfn::pipeline_state::finished);
    const auto status = pipeline.get_status().value_or_throw();
    EXPECT_EQ(status.received, 4U);
    EXPECT_EQ(status.delivered, 3U);
    EXPECT_EQ(status.dead_lettered, 1U);
    EXPECT_NE(pipeline.status_json()->find("\"delivered\":3"), std::string::npos);
    EXPECT_FALSE(pipeline.trouble().value_or_throw());
    EXPECT_EQ(pipeline.drain(5s)->complete, 1);
    EXPECT_FALSE(pipeline.last_error());
    EXPECT_EQ(support::line_count(support::read(work.folder().path() / "out" / "results-000001.jsonl")), 3U);
}

// Guards snapshots: they outlive their pipeline, lend their fields without a copy, and have the bits of a run here.
TEST(Pipeline, LeavesASnapshot) {
    const work work;
    const auto runtime = mfn::runtime::create().value_or_throw();
    auto pipeline = mfn::pipeline::start(runtime, work.config()).value_or_throw();
    pipeline.wait(30s).value_or_throw();
    const auto snapshot = pipeline.last_snapshot().value_or_throw();
    pipeline.stop().value_or_throw();
    pipeline = mfn::pipeline(nullptr);

    EXPECT_EQ(std::string(snapshot.id()).size(), 32U);
    EXPECT_STREQ(snapshot.route(), "simulate");
    const auto field = snapshot.field().value_or_throw();
    EXPECT_EQ(field.data(), snapshot.field()->data());
    auto sim = mfn::simulation::create_json(support::read(work.folder().path() / "in" / snapshot.request()))
                   .value_or_throw();
    sim.run(5).value_or_throw();
    EXPECT_TRUE(support::same_bits(field, sim.field()->to_vector()));
    EXPECT_TRUE(support::same_bits(*snapshot.activator(), sim.activator()->to_vector()));
    EXPECT_TRUE(support::same_bits(*snapshot.inhibitor(), sim.inhibitor()->to_vector()));
    EXPECT_EQ(snapshot.features()->v_mean, sim.features()->v_mean);
    EXPECT_EQ(snapshot.statistics()->steps_computed, 5U);
    EXPECT_EQ(snapshot.json()->find("\"field\":[["), std::string::npos);
    EXPECT_NE(snapshot.json(true)->find("\"field\":[["), std::string::npos);
}

// Guards health and the end in the middle of work: a pipeline that works is ready, one that was stopped is dead, what was in flight is given back, and a later run does it.
TEST(Pipeline, StopsInTheMiddle) {
    const work work(400000);
    const auto runtime = mfn::runtime::create().value_or_throw();
    const auto pipeline = mfn::pipeline::start(runtime, work.config()).value_or_throw();
    EXPECT_EQ(pipeline.last_snapshot().code(), mfn::status::would_block);
    auto status = pipeline.get_status().value_or_throw();
    while (status.active_count == 0) status = pipeline.get_status().value_or_throw();
    EXPECT_EQ(pipeline.health()->state, mfn::readiness::ready);
    const auto probed = pipeline.probe(10s).value_or_throw();
    EXPECT_TRUE(probed.passed) << probed.report_json;
    EXPECT_NE(probed.report_json.find("requests"), std::string::npos);
    const auto report = pipeline.stop().value_or_throw();
    EXPECT_EQ(pipeline.health()->state, mfn::readiness::dead);
    EXPECT_GE(report.returned, 1U);
    EXPECT_EQ(pipeline.wait(1s).value_or_throw(), mfn::pipeline_state::stopped);
    status = pipeline.get_status().value_or_throw();
    EXPECT_EQ(status.received, status.delivered + status.rejected + status.dead_lettered + status.nacked);
}

// Guards configurations: every fault with its place and its remedy, from texts and files, in TOML and JSON.
TEST(Config, ListsItsFaults) {
    const auto refused = mfn::config::from_toml("name = \"x\"\ncolour = 1\n[limits]\nthreads = -1\n");
    ASSERT_FALSE(refused);
    std::set<std::string> paths;
    for (const auto& fault : refused.error().faults()) {
        paths.insert(fault.path);
        EXPECT_STRNE(fault.message, "");
        EXPECT_STRNE(fault.fix, "");
    }
    EXPECT_TRUE(paths.count("colour") == 1 && paths.count("limits.threads") == 1 && paths.count("routes") == 1);
    EXPECT_EQ(mfn::config::from_json("{").code(), mfn::status::invalid);
    EXPECT_FALSE(mfn::config::from_file("/no/such/file.toml"));
    const work work;
    EXPECT_TRUE(mfn::config::from_toml(work.text(), work.folder().path()));
}

}  // namespace
