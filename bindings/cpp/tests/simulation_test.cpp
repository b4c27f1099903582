// Guards a run of the model through the C++ interface: the bits of the C interface, input, maps, kinetics, execution.
#include "support.hpp"

#include <algorithm>

namespace {

// The fields of the same run by the C interface alone.
std::vector<double> field_by_c(std::uint64_t seed, std::uint64_t steps) {
    mfn_spec spec;
    mfn_sim* sim = nullptr;
    mfn_field_view view;
    EXPECT_EQ(mfn_spec_init(&spec, sizeof spec, nullptr), MFN_OK);
    spec.grid_size = 32;
    spec.steps = 40;
    spec.random_seed = seed;
    EXPECT_EQ(mfn_sim_create(&spec, &sim, nullptr), MFN_OK);
    EXPECT_EQ(mfn_sim_run(sim, steps, nullptr, nullptr, nullptr), MFN_OK);
    EXPECT_EQ(mfn_sim_field(sim, &view, nullptr), MFN_OK);
    auto cells = mfn::field_view(view).to_vector();
    mfn_sim_free(sim);
    return cells;
}

// Guards bit-equality with the C interface, whatever way the steps are done.
TEST(Simulation, GivesTheBitsOfTheCInterface) {
    auto sim = support::small_simulation();
    sim.run(20).value_or_throw();
    for (int i = 0; i < 20; ++i) sim.step().value_or_throw();
    EXPECT_EQ(sim.step_count(), 40U);
    EXPECT_TRUE(support::same_bits(*sim.field(), field_by_c(7, 40)));
    EXPECT_FALSE(support::same_bits(*sim.field(), field_by_c(8, 40)));
}

// Guards the three ways to say what is simulated.
TEST(Simulation, IsMadeFromSpecPresetAndJson) {
    auto from_json =
        mfn::simulation::create_json(R"({"grid_size": 32, "steps": 40, "random_seed": 7})").value_or_throw();
    from_json.run(10).value_or_throw();
    EXPECT_TRUE(support::same_bits(*from_json.field(), field_by_c(7, 10)));
    const auto v4_1 = mfn::spec::init_preset("v4.1").value_or_throw();
    EXPECT_EQ(v4_1.compat, mfn::compat::v4_1);
    EXPECT_EQ(v4_1.rng, mfn::rng::pcg64);
    const auto read_back = mfn::simulation::create(v4_1).value_or_throw().spec().value_or_throw();
    EXPECT_EQ(read_back.compat, mfn::compat::v4_1);
    EXPECT_EQ(read_back.struct_size, sizeof(mfn_spec));
    EXPECT_EQ(mfn::spec::init_preset("nothing").code(), mfn::status::invalid);
    std::vector<std::string> presets;
    for (std::size_t i = 0; mfn::preset_name(i) != nullptr; ++i) presets.emplace_back(mfn::preset_name(i));
    EXPECT_NE(std::find(presets.begin(), presets.end(), "v4.1"), presets.end());
}

// Guards features and statistics of a run: those that describe a run come with following it.
TEST(Simulation, HasFeaturesAndStatistics) {
    auto sim = support::small_simulation();
    sim.follow_features().value_or_throw();
    sim.run(30).value_or_throw();
    const auto features = sim.features().value_or_throw();
    const auto statistics = sim.statistics().value_or_throw();
    EXPECT_GT(features.dv_mean, 0);
    EXPECT_LT(features.v_min, features.v_max);
    EXPECT_EQ(statistics.steps_computed, 30U);
    EXPECT_EQ(statistics.steps_to_instability, -1);
    EXPECT_NEAR(statistics.field_mean_v * 1000, features.v_mean, 1e-9);
}

// Guards initial fields of the program: they are copied, and shapes must agree.
TEST(Simulation, TakesInitialFields) {
    auto sim = support::small_simulation();
    const auto cells = support::wave(32, 32);
    sim.set_initial_field(mfn::field_view(cells.data(), 32, 32)).value_or_throw();
    EXPECT_TRUE(support::same_bits(*sim.field(), cells));
    std::vector<double> levels(32 * 32, 0.05);
    sim.set_initial_activator(mfn::field_view(levels.data(), 32, 32)).value_or_throw();
    sim.set_initial_inhibitor(mfn::field_view(levels.data(), 32, 32)).value_or_throw();
    EXPECT_TRUE(support::same_bits(*sim.activator(), levels));
    EXPECT_TRUE(support::same_bits(*sim.inhibitor(), levels));
    EXPECT_EQ(sim.set_initial_field(mfn::field_view(cells.data(), 16, 64)).code(), mfn::status::invalid);
}

// Guards maps of coefficients: a map changes the run, and taking it back gives the run without one.
TEST(Simulation, TakesMaps) {
    std::vector<double> half(32 * 32, mfn::spec().alpha);
    std::fill(half.begin(), half.begin() + 512, mfn::spec().alpha / 2);
    auto mapped = support::small_simulation(), taken_back = support::small_simulation();
    mapped.set_map(mfn::map::alpha, mfn::field_view(half.data(), 32, 32)).value_or_throw();
    taken_back.set_map(mfn::map::alpha, mfn::field_view(half.data(), 32, 32)).value_or_throw();
    taken_back.set_map(mfn::map::alpha, std::nullopt).value_or_throw();
    mapped.run(10).value_or_throw();
    taken_back.run(10).value_or_throw();
    EXPECT_FALSE(support::same_bits(*mapped.field(), field_by_c(7, 10)));
    EXPECT_TRUE(support::same_bits(*taken_back.field(), field_by_c(7, 10)));
}

// Guards rates of the program: they are called for every cell of every step, and what they say happens.
TEST(Simulation, RunsTheProgramsKinetics) {
    auto sim = mfn::simulation::create(support::host_spec()).value_or_throw();
    EXPECT_FALSE(sim.step()) << "rates are missing";
    std::uint64_t cells = 0;
    sim.set_kinetics([&cells](mfn::span<const double> u, mfn::span<const double> v, mfn::span<double> du,
                              mfn::span<double> dv) {
           cells += u.size();
           for (std::size_t i = 0; i < u.size(); ++i) {
               du[i] = -0.01 * u[i];
               dv[i] = -0.02 * v[i];
           }
       }).value_or_throw();
    const double before = *std::max_element(sim.activator()->begin(), sim.activator()->end());
    // The callable moves with the simulation, which may be moved between steps.
    mfn::simulation moved = std::move(sim);
    moved.run(20).value_or_throw();
    EXPECT_EQ(cells, 20U * 32U * 32U);
    EXPECT_LT(*std::max_element(moved.activator()->begin(), moved.activator()->end()), before);
}

// Guards execution: any number of threads gives the same bits, and the choice can be read back.
TEST(Simulation, RunsOnThreads) {
    auto sim = support::small_simulation();
    mfn::execution how;
    how.threads = 2;
    how.simd = mfn::simd::baseline;
    how.band_rows = 8;
    sim.set_execution(how).value_or_throw();
    sim.run(40).value_or_throw();
    EXPECT_TRUE(support::same_bits(*sim.field(), field_by_c(7, 40)));
    const auto in_use = sim.execution().value_or_throw();
    EXPECT_EQ(in_use.threads, 2U);
    EXPECT_EQ(in_use.simd, mfn::simd::baseline);
    how.threads = 5000;
    EXPECT_EQ(sim.set_execution(how).code(), mfn::status::invalid);
}

// Guards single precision: its fields are floats, and asking for doubles is an error.
TEST(Simulation, RunsInSinglePrecision) {
    mfn::spec spec = support::small_spec();
    spec.precision = mfn::precision::f32;
    auto sim = mfn::simulation::create(spec).value_or_throw();
    sim.run(10).value_or_throw();
    const auto field = sim.field_f32().value_or_throw();
    EXPECT_EQ(field.size(), 1024U);
    EXPECT_LT(field(0, 0), 0.0F);
    EXPECT_TRUE(sim.activator_f32());
    EXPECT_TRUE(sim.inhibitor_f32());
    EXPECT_EQ(sim.field().code(), mfn::status::invalid);
}

// Guards what the library says of specifications that can not form patterns.
TEST(Simulation, WarnsOfSpecifications) {
    EXPECT_EQ(mfn::spec_warnings_json(R"({"kinetics": {"name": "gray-scott"}})").code(), mfn::status::ok);
    EXPECT_EQ(mfn::spec_warnings_json("{").code(), mfn::status::invalid);
}

}  // namespace
