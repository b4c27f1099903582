// Guards the runtime and the components that a program drives by itself, with the real plugins.
#include "support.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

// A runtime with the plugins of this build.
mfn::runtime with_plugins(const mfn::runtime_options& options = {}) {
    auto runtime = mfn::runtime::create(options).value_or_throw();
    for (const char* name : {"file", "sse", "prometheus"})
        EXPECT_EQ(runtime.load_plugin(support::plugin(name)).value_or_throw(), name);
    return runtime;
}

// Four requests, one of which is broken.
void write_requests(const support::folder& folder) {
    std::filesystem::create_directory(folder / "in");
    for (int seed = 1; seed <= 3; ++seed)
        support::write(folder.path() / "in" / (std::to_string(seed) + ".json"),
                       R"({"grid_size": 16, "steps": 5, "random_seed": )" + std::to_string(seed) + "}");
    support::write(folder.path() / "in" / "4.json", R"({"alpha": 9})");
}

// Guards plugins: they are named and described, and one that is none is refused with the reason.
TEST(Runtime, LoadsPlugins) {
    const auto runtime = with_plugins();
    EXPECT_NE(runtime.plugins()->find("\"sse\""), std::string::npos);
    EXPECT_NE(runtime.plugin_describe("file")->find("connector"), std::string::npos);
    EXPECT_EQ(runtime.plugin_describe("nothing").code(), mfn::status::invalid);
    const auto refused = runtime.load_plugin("/dev/null");
    EXPECT_EQ(refused.code(), mfn::status::plugin);
    EXPECT_NE(std::string(refused.error().message()), "");
    EXPECT_EQ(runtime.last_error()->code(), mfn::status::plugin);
    EXPECT_NE(runtime.load_report()->find("/dev/null"), std::string::npos);
    EXPECT_EQ(runtime.load_report(true)->front(), '{');
    const support::folder empty;
    EXPECT_EQ(runtime.scan_directory(empty.path()).value_or_throw(), 0U);
    EXPECT_EQ(runtime.scan_directory("/no/such/folder").code(), mfn::status::io);
}

// Guards the log: the callable hears, what it throws stays there, it is freed with the runtime, and the queue is polled.
TEST(Runtime, Logs) {
    const support::folder folder;
    auto heard = std::make_shared<std::atomic<int>>(0);
    {
        mfn::runtime_options options;
        options.level = mfn::log_level::debug;
        options.log_queue_max = 64;
        options.log = [heard](const mfn::log_record& record) {
            EXPECT_GE(record.level, mfn::log_level::error);
            ++*heard;
            throw std::runtime_error("nobody hears this");
        };
        const auto runtime = with_plugins(options);
        options.log = nullptr;
        write_requests(folder);
        const auto config = mfn::config::from_json(
            R"({"name": "log", "connectors": {"in": {"plugin": "file", "config": {"directory": "in"}}},
                "publishers": {"out": {"plugin": "file", "config": {"directory": "out", "file_name": "r"}}},
                "routes": [{"name": "r", "connectors": ["in"], "publishers": ["out"]}]})",
            folder.path());
        {
            const auto pipeline = mfn::pipeline::start(runtime, config.value_or_throw()).value_or_throw();
            pipeline.wait(30s).value_or_throw();
        }
        auto entry = runtime.next_log(5s).value_or_throw();
        EXPECT_NE(std::string(entry.record().message), "");
        runtime.set_log_level(mfn::log_level::off).value_or_throw();
        // What a thread had begun to log before the level changed still arrives.
        while (runtime.next_log(500ms)) continue;
        EXPECT_EQ(runtime.next_log(1ms).code(), mfn::status::would_block);
        EXPECT_EQ(runtime.log_dropped(), 0U);
        EXPECT_GT(heard->load(), 0);
        EXPECT_GT(heard.use_count(), 1);
    }
    EXPECT_EQ(heard.use_count(), 1) << "the callable is freed with the runtime";
}

// Guards a log callable when the runtime is refused: it is freed, not leaked.
TEST(Runtime, FreesTheLogWhenRefused) {
    auto token = std::make_shared<int>(1);
    mfn::runtime_options options;
    options.threads = 5000;
    options.log = [token](const mfn::log_record&) {};
    EXPECT_EQ(mfn::runtime::create(options).code(), mfn::status::invalid);
    options.log = nullptr;
    EXPECT_EQ(token.use_count(), 1);
}

// Guards records on their way: fetched, looked at in place, published again with headers, settled; nothing is lost.
TEST(Components, MoveRecords) {
    const support::folder folder;
    write_requests(folder);
    const auto runtime = with_plugins();
    auto connector =
        mfn::connector::open(runtime, {"file", "in", R"({"directory": "in"})", folder.path()}).value_or_throw();
    auto publisher =
        mfn::publisher::open(runtime, {"file", "out", R"({"directory": "out", "file_name": "copy"})", folder.path()})
            .value_or_throw();
    EXPECT_GE(publisher.get_traits()->records_max, 1U);
    EXPECT_STREQ(connector.component().name(), "in");
    EXPECT_STREQ(connector.component().plugin(), "file");
    EXPECT_EQ(connector.component().health()->health, mfn::health::ready);
    connector.component().check().value_or_throw();
    connector.component().probe(5s).value_or_throw();
    connector.pause().value_or_throw();
    connector.resume().value_or_throw();

    std::size_t total = 0;
    mfn::result<mfn::batch> next = connector.fetch(5s, {2});
    for (; next; next = connector.fetch(5s, {2})) {
        const mfn::batch& batch = *next;
        std::vector<mfn::record_view> records;
        for (const mfn::record_view record : batch) {
            EXPECT_STREQ(record.content_type(), "application/json");
            EXPECT_EQ(record.payload().front(), '{');
            records.push_back(record);
        }
        EXPECT_EQ(records.size(), batch.size());
        EXPECT_EQ(batch.record(batch.size()).code(), mfn::status::invalid);
        EXPECT_NE(std::string(batch.partition()), "");
        EXPECT_LT(batch.epoch(), 100U);
        for (const auto& answer : publisher.publish(records, 5s).value_or_throw()) answer.value_or_throw();
        connector.settle(batch, mfn::verdict::ack()).value_or_throw();
        EXPECT_EQ(connector.settle(batch, mfn::verdict::ack()).code(), mfn::status::plugin) << "settled twice";
        EXPECT_FALSE(connector.position(batch.partition()).value_or_throw().empty());
        total += batch.size();
    }
    EXPECT_EQ(next.code(), mfn::status::end);
    EXPECT_EQ(total, 4U);
    EXPECT_EQ(connector.backlog().value_or_throw(), 0U);
    const auto last = connector.last_error();
    ASSERT_TRUE(last);
    EXPECT_STREQ(last->plugin(), "file");
    EXPECT_STREQ(last->component(), "in");
    publisher.flush(5s).value_or_throw();
    EXPECT_EQ(publisher.component().drain(1s).value_or_throw(), 0U);
    publisher.component().close().value_or_throw();
    EXPECT_EQ(publisher.flush(1s).code(), mfn::status::closed);
    EXPECT_EQ(publisher.last_error()->code(), mfn::status::closed);
    EXPECT_EQ(support::line_count(support::read(folder.path() / "out" / "copy-000001.jsonl")), 4U);
}

// Guards records that the program makes: every part arrives, bytes that are no text included.
TEST(Components, PublishTheProgramsRecords) {
    const support::folder folder;
    const auto runtime = with_plugins();
    auto publisher =
        mfn::publisher::open(runtime, {"file", "out",
                                       R"({"directory": "out", "file_name": "made", "include_headers": true})",
                                       folder.path()})
            .value_or_throw();
    std::vector<mfn::record> records(2);
    records[0].id = "first";
    records[0].payload = R"({"a": 1})";
    records[0].content_type = "application/json";
    records[0].key = std::string("k\0k", 3);
    records[0].headers = {{"source", "test"}, {"empty", ""}};
    records[0].timestamp = mfn::record_time(1000ms);
    records[1].id = "second";
    records[1].payload = R"({"b": 2})";
    for (const auto& answer : publisher.publish(records, 5s).value_or_throw()) EXPECT_TRUE(answer);
    publisher.flush(5s).value_or_throw();
    const std::string lines = support::read(folder.path() / "out" / "made-000001.jsonl");
    EXPECT_EQ(support::line_count(lines), 2U);
    EXPECT_NE(lines.find("test"), std::string::npos) << lines;
    records[1].id.clear();
    EXPECT_EQ(publisher.publish(records, 5s).code(), mfn::status::invalid);
    const mfn::detail::lent_records lent(records);
    const mfn::record_view view(lent.data()[0]);
    EXPECT_STREQ(view.id(), "first");
    EXPECT_EQ(view.key()->size(), 3U);
    EXPECT_EQ(view.header("source"), "test");
    EXPECT_EQ(view.header_count(), 2U);
    EXPECT_EQ(view.header("none"), std::nullopt);
    EXPECT_EQ(view.timestamp()->time_since_epoch(), 1000ms);
    EXPECT_STREQ(view.trace_parent(), "");
    EXPECT_FALSE(mfn::record_view(lent.data()[1]).key());
}

// Guards rejected and returned records: a verdict for each, with reason and delay, and one too few is refused.
TEST(Components, SettleEachRecord) {
    const support::folder folder;
    write_requests(folder);
    const auto runtime = with_plugins();
    auto connector =
        mfn::connector::open(runtime, {"file", "in", R"({"directory": "in"})", folder.path()}).value_or_throw();
    const auto batch = connector.fetch(5s).value_or_throw();
    ASSERT_EQ(batch.size(), 4U);
    std::vector<mfn::verdict> verdicts(4);
    verdicts[1] = mfn::verdict::nack(10ms);
    verdicts[2] = mfn::verdict::reject("because");
    EXPECT_EQ(connector.settle(batch, {verdicts.data(), 3}).code(), mfn::status::invalid);
    connector.settle(batch, verdicts).value_or_throw();
    const auto again = connector.fetch(5s).value_or_throw();
    EXPECT_STREQ(again[0].id(), batch[1].id()) << "the record that was given back comes again";
    EXPECT_EQ(again.size(), 1U);
}

// Guards listeners: a transport takes events and says where they stand, both tell where they can be reached.
TEST(Components, Listen) {
    const auto runtime = with_plugins();
    auto transport =
        mfn::transport::open(runtime, {"sse", "live", R"({"bind": "127.0.0.1:0"})"}).value_or_throw();
    mfn::record event;
    event.id = "e1";
    event.payload = "{}";
    const std::string cursor = transport.publish("news", event).value_or_throw();
    EXPECT_EQ(cursor.substr(cursor.rfind('-')), "-1");
    const auto endpoints = transport.component().endpoints().value_or_throw();
    ASSERT_EQ(endpoints.size(), 1U);
    for (const mfn::endpoint place : endpoints) {
        EXPECT_STREQ(place.component, "live");
        EXPECT_STREQ(place.name, "stream");
        EXPECT_EQ(std::string(place.url).substr(0, 17), "http://127.0.0.1:");
    }
    event.id.clear();
    EXPECT_EQ(transport.publish("news", event).code(), mfn::status::invalid);
    EXPECT_TRUE(transport.last_error());
    static_cast<void>(transport.component().last_error());
    auto exporter =
        mfn::exporter::open(runtime, {"prometheus", "metrics", R"({"bind": "127.0.0.1:0"})"}).value_or_throw();
    exporter.flush(1s).value_or_throw();
    EXPECT_EQ(exporter.component().endpoints()->size(), 1U);
    EXPECT_FALSE(exporter.last_error());
    const auto refused = mfn::transport::open(runtime, {"sse", "bad", R"({"bind": 7})"});
    EXPECT_FALSE(refused);
    EXPECT_EQ(mfn::connector::open(runtime, {"nothing", "x"}).code(), mfn::status::invalid);
}

}  // namespace
