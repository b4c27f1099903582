// Programs with a defect on purpose, one for each word. The sanitizers must report them; a build in which they do not
// has no sanitizers, and its passing tests prove nothing.
#include <mfn.hpp>

#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>

namespace {

// Guards the documented lifetime of a view: it ends with the simulation, and reading it later is a defect that is seen.
double read_a_view_that_ended() {
    std::optional<mfn::simulation> sim = mfn::simulation::create_json(R"({"grid_size": 64})").value_or_throw();
    const mfn::field_view field = sim->field().value_or_throw();
    sim.reset();
    return field(3, 4);
}

void lose_a_block() {
    auto* volatile block = new char[100];
    block[0] = 1;
    block = nullptr;
}

int overflow(int count) { return std::numeric_limits<int>::max() + count; }

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    if (std::strcmp(argv[1], "view") == 0) return read_a_view_that_ended() < 0 ? 0 : 1;
    if (std::strcmp(argv[1], "leak") == 0) lose_a_block();
    if (std::strcmp(argv[1], "overflow") == 0) return overflow(argc) < 0 ? 0 : 1;
    std::puts("nothing to report");
    return 0;
}
