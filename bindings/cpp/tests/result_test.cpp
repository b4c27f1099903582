// Guards what every call gives back: values, answers, errors with everything they say, and exceptions on request.
#include "support.hpp"

#include <type_traits>

namespace {

// Guards that success holds the value and nothing else.
TEST(Result, HoldsAValue) {
    mfn::result<int> result(3);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(*result, 3);
    EXPECT_EQ(result.code(), mfn::status::ok);
    EXPECT_EQ(result.value_or_throw(), 3);
    EXPECT_EQ(mfn::result<int>(4).value_or(5), 4);
    EXPECT_EQ(mfn::result<int>(mfn::error(mfn::status::io, "gone")).value_or(5), 5);
}

// Guards values that can only be moved.
TEST(Result, MovesTheValue) {
    mfn::result<std::unique_ptr<int>> result(std::make_unique<int>(3));
    const std::unique_ptr<int> taken = std::move(result).value_or_throw();
    EXPECT_EQ(*taken, 3);
}

// Guards chains: the first failure is handed on, and what follows is not called.
TEST(Result, Chains) {
    auto doubled = mfn::result<int>(3).and_then([](int value) { return mfn::result<int>(2 * value); });
    EXPECT_EQ(*doubled, 6);
    auto text = mfn::result<int>(3).transform([](int value) { return std::to_string(value); });
    EXPECT_EQ(*text, "3");
    int called = 0;
    auto failed = mfn::result<int>(mfn::error(mfn::status::io, "gone")).and_then([&](int value) {
        ++called;
        return mfn::result<std::string>(std::to_string(value));
    });
    EXPECT_EQ(failed.code(), mfn::status::io);
    EXPECT_EQ(called, 0);
    auto done = mfn::result<void>().and_then([] { return mfn::result<int>(1); });
    EXPECT_EQ(*done, 1);
}

// Guards that a specification's faults are all there, each with its field, and that nothing is thrown unasked.
TEST(Error, NamesEveryFault) {
    mfn::spec spec;
    spec.grid_size = 0;
    spec.d_activator = -3;
    const auto result = mfn::simulation::create(spec);
    ASSERT_FALSE(result);
    const mfn::error& error = result.error();
    EXPECT_EQ(error.code(), mfn::status::invalid);
    EXPECT_FALSE(error.is_answer());
    EXPECT_FALSE(error.retriable());
    EXPECT_EQ(error.retry_after().count(), 0);
    EXPECT_STREQ(error.plugin(), "");
    EXPECT_STREQ(error.component(), "");
    EXPECT_EQ(error.error_class(), mfn::failure_class::permanent);
    EXPECT_EQ(error.view().status(), mfn::status::invalid);
    const auto faults = error.faults();
    ASSERT_EQ(faults.size(), 2U);
    std::string all;
    for (const auto& fault : faults) all += std::string(fault.path) + " " + fault.message + " " + fault.fix + "\n";
    EXPECT_NE(all.find("grid_size"), std::string::npos) << all;
    EXPECT_NE(all.find("d_activator"), std::string::npos) << all;
    EXPECT_STREQ(error.view().fault(9).path, "");
}

// Guards the exception layer: the same error, its message as what().
TEST(Error, IsThrownOnRequest) {
    try {
        mfn::simulation::create_json("{\"grid_size\": -1}").value_or_throw();
        FAIL() << "nothing was thrown";
    } catch (const mfn::exception& exception) {
        EXPECT_EQ(exception.code(), mfn::status::invalid);
        EXPECT_STREQ(exception.what(), exception.error().message());
        EXPECT_NE(std::string(exception.what()).find("grid_size"), std::string::npos) << exception.what();
    }
    EXPECT_THROW(mfn::result<void>(mfn::error(mfn::status::io, "gone")).value_or_throw(), mfn::exception);
}

// Guards copies of an error: they share the library's object, which is freed once, after the last.
TEST(Error, IsAValue) {
    const auto before = mfn::live_handles();
    mfn::error kept;
    EXPECT_FALSE(kept);
    EXPECT_STREQ(kept.message(), "");
    {
        const auto result = mfn::sweep::create("[");
        kept = result.error();
        const mfn::error second = kept;
        EXPECT_STREQ(second.message(), kept.message());
        EXPECT_EQ(mfn::live_handles(), before + 1);
    }
    EXPECT_NE(std::string(kept.message()), "");
    kept = mfn::error();
    EXPECT_EQ(mfn::live_handles(), before);
}

// Guards the cause chain: the deeper reasons of a failure are there, the nearest first.
TEST(Error, HasCauses) {
    const auto restored = mfn::simulation::restore("/no/such/folder/state");
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.code(), mfn::status::io);
    const auto causes = restored.error().causes();
    EXPECT_EQ(causes.size(), restored.error().view().cause_count());
    EXPECT_STREQ(restored.error().view().cause(causes.size()), "");
    const std::string message = restored.error().message();
    EXPECT_NE(message.find("/no/such/folder"), std::string::npos) << message;
}

// Guards answers: they are no failures, say what they mean, and cost no object of the library.
TEST(Error, AnswersAreNoFailures) {
    const auto before = mfn::live_handles();
    const auto beyond = mfn::kinetics_parameter_get(99, 0);
    EXPECT_EQ(beyond.code(), mfn::status::end);
    EXPECT_TRUE(beyond.error().is_answer());
    EXPECT_STREQ(beyond.error().message(), "there will be no more");
    EXPECT_FALSE(beyond.error().view());
    EXPECT_EQ(mfn::live_handles(), before);
    EXPECT_STREQ(mfn::status_name(mfn::status::end), "MFN_END");
    EXPECT_STREQ(mfn::status_name(static_cast<mfn::status>(77)), "MFN_UNKNOWN");
}

// Guards versions: the header and the library that runs belong together.
TEST(Library, TellsItsVersions) {
    EXPECT_EQ(mfn::abi_version(), mfn::header_abi_version);
    EXPECT_NE(std::string(mfn::version()).find('.'), std::string::npos);
}

#if defined(__cpp_lib_expected)
// Guards the way to the standard library's type.
TEST(Result, BecomesAnExpected) {
    std::expected<mfn::simulation, mfn::error> sim = mfn::simulation::create(support::small_spec());
    ASSERT_TRUE(sim.has_value());
    EXPECT_EQ(sim->step_count(), 0U);
    std::expected<mfn::simulation, mfn::error> refused = mfn::simulation::create_json("[]");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), mfn::status::invalid);
    std::expected<void, mfn::error> done = sim->step();
    EXPECT_TRUE(done.has_value());
}
#endif

}  // namespace
