// The first program: grow a pattern and measure it.
#include <mfn.hpp>

#include <cstdio>

int main() try {
    auto sim = mfn::simulation::create_json(R"({"random_seed": 7})").value_or_throw();  // the rest is "mycelium"
    sim.run(1000).value_or_throw();
    const auto f = sim.features().value_or_throw();
    std::printf("D_box %.3f, active %.1f %%, mean %.2f mV\n", f.d_box, 100 * f.f_active, f.v_mean);
} catch (const mfn::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
}
