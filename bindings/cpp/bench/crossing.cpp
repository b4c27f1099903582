// What a call through the C++ interface costs over the same call of the C interface: nothing that can be measured.
//
// Both are measured in turns in one run, and the fastest round of each counts, because whatever else the machine does
// only ever makes a round slower. What it prints is read by `cargo xtask bench --crossing`; as a test it only has to run.
#include <mfn.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace {

constexpr int rounds = 300;
constexpr int calls = 2000;

volatile std::uint64_t sink;

// Nanoseconds of one call in one round.
template <class Call>
double round_ns(Call& call) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) sink = call();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    return took.count() / calls;
}

// Measures a call of each interface.
template <class C, class Cpp>
void compare(const char* name, C c, Cpp cpp) {
    double c_ns = std::numeric_limits<double>::infinity();
    double cpp_ns = c_ns;
    for (int round = 0; round < rounds; ++round) {
        c_ns = std::min(c_ns, round_ns(c));
        cpp_ns = std::min(cpp_ns, round_ns(cpp));
    }
    std::printf("%-28s C %8.2f ns  C++ %8.2f ns  difference %+6.2f ns\n", name, c_ns, cpp_ns, cpp_ns - c_ns);
}

std::int32_t on_progress(void* user_data, std::uint64_t step, std::uint64_t) {
    *static_cast<std::uint64_t*>(user_data) += step;
    return 0;
}

}  // namespace

int main() {
    auto sim = mfn::simulation::create_json(R"({"grid_size": 8, "record_every": 0})").value_or_throw();
    mfn_sim* const raw = sim.get();

    compare(
        "count (no result)", [&] { return mfn_sim_step_count(raw); }, [&] { return sim.step_count(); });
    compare(
        "borrow a field",
        [&] {
            mfn_field_view view;
            mfn_error* error = nullptr;
            if (mfn_sim_field(raw, &view, &error) != MFN_OK) return std::uint64_t{0};
            return static_cast<std::uint64_t>(view.rows);
        },
        [&] {
            const auto view = sim.field();
            return view ? static_cast<std::uint64_t>(view->rows()) : std::uint64_t{0};
        });
    compare(
        "one step, 8 x 8 cells",
        [&] {
            mfn_error* error = nullptr;
            return static_cast<std::uint64_t>(mfn_sim_step(raw, &error));
        },
        [&] { return static_cast<std::uint64_t>(sim.step().code()); });
    std::uint64_t heard = 0;
    compare(
        "one step with a callback",
        [&] {
            mfn_error* error = nullptr;
            return static_cast<std::uint64_t>(mfn_sim_run(raw, 1, on_progress, &heard, &error));
        },
        [&] {
            return static_cast<std::uint64_t>(
                sim.run(1, [&](std::uint64_t step, std::uint64_t) { heard += step; }).code());
        });
    if (heard == 0) std::puts("the callbacks were not called");
    return heard == 0 ? 1 : 0;
}
