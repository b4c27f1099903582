// Runs the tests, and at the end asks the library whether anything it handed out is still held.
#include <gtest/gtest.h>
#include <mfn.hpp>

namespace {

// Guards against leaks through the C++ interface: every handle, error and text was freed.
class nothing_is_left : public testing::Environment {
public:
    void TearDown() override { EXPECT_EQ(mfn::live_handles(), 0U); }
};

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    testing::AddGlobalTestEnvironment(new nothing_is_left);
    return RUN_ALL_TESTS();
}
