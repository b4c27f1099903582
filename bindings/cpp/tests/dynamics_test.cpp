// Guards potentials, integration, exponents, point sets, kinetics and the second simulator of v4.1.
#include "support.hpp"

#include <limits>
#include <stdexcept>

namespace {

// The constants of MyceliumFractalNet 4.1.
constexpr double gas_constant = 8.314, faraday = 96485.33212, body_k = 310.15;

// Guards the Nernst equation in all its forms, and ranges that are refused.
TEST(Membrane, HasNernstPotentials) {
    const double expected = gas_constant * body_k / faraday * std::log(5.0 / 140.0);
    EXPECT_NEAR(mfn::nernst(1, 0.005, 0.140, body_k).value_or_throw(), expected, 1e-9);
    const std::vector<double> outside{0.005, 0.010}, inside{0.140, 0.140};
    const auto potentials = mfn::nernst_array(1, outside, inside, body_k).value_or_throw();
    ASSERT_EQ(potentials.size(), 2U);
    EXPECT_NEAR(potentials[0], expected, 1e-9);
    EXPECT_GT(potentials[1], potentials[0]);
    const std::vector<double> calcium_out{2e-3}, calcium_in{1e-7};
    const auto as_v4_1 = mfn::nernst_array_v4_1(2, calcium_out, calcium_in, body_k).value_or_throw();
    EXPECT_EQ(as_v4_1.clamping_events, 1U);
    EXPECT_EQ(mfn::nernst(0, 0.005, 0.140, body_k).code(), mfn::status::invalid);
    EXPECT_EQ(mfn::nernst_array(1, outside, calcium_in, body_k).code(), mfn::status::invalid);
    EXPECT_EQ(mfn::nernst_array_v4_1(1, outside, calcium_in, body_k).code(), mfn::status::invalid);
}

// Guards the GHK equation: with one ion it is the Nernst equation.
TEST(Membrane, HasGhkPotentials) {
    const mfn::permeation potassium[] = {{1, 0, 1.0, 0.005, 0.140}};
    EXPECT_NEAR(mfn::ghk(potassium, body_k).value_or_throw(), mfn::nernst(1, 0.005, 0.140, body_k).value_or_throw(),
                1e-12);
    EXPECT_EQ(mfn::ghk({}, body_k).code(), mfn::status::invalid);
}

// Guards integration: the exponential decay, with its report, and a state that is untouched when it fails.
TEST(Ode, IsIntegrated) {
    std::vector<double> state{1.0, 2.0};
    mfn::ode_options options;
    options.relative_tolerance = 1e-10;
    options.absolute_tolerance = 1e-12;
    const auto decay = [](double, mfn::span<const double> y, mfn::span<double> slope) {
        for (std::size_t i = 0; i < y.size(); ++i) slope[i] = -y[i];
    };
    const auto report = mfn::ode_integrate(decay, state, options).value_or_throw();
    EXPECT_NEAR(state[0], std::exp(-1.0), 1e-9);
    EXPECT_NEAR(state[1], 2 * std::exp(-1.0), 1e-9);
    EXPECT_GT(report.accepted, 0U);
    EXPECT_EQ(report.time, 1.0);
    const auto before = state;
    const auto failing = [](double, mfn::span<const double>, mfn::span<double>) { throw std::domain_error("y < 0"); };
    EXPECT_THROW(mfn::ode_integrate(failing, state, options).value_or_throw(), std::domain_error);
    EXPECT_EQ(state, before);
    options.method = mfn::ode_method::rk4;
    options.time_step = -1;
    EXPECT_EQ(mfn::ode_integrate(decay, state, options).code(), mfn::status::invalid);
}

// Guards exponents against known ones: ln 2 for the doubling of the logistic map at 4, the slope of a linear flow.
TEST(Lyapunov, IsMeasured) {
    const auto logistic = [](mfn::span<const double> x, mfn::span<double> next) { next[0] = 4 * x[0] * (1 - x[0]); };
    const double start[] = {0.3};
    const auto of_map = mfn::lyapunov_map(logistic, start).value_or_throw();
    EXPECT_NEAR(of_map.exponent, std::log(2.0), 0.02);
    const auto shrink = [](double, mfn::span<const double> y, mfn::span<double> slope) { slope[0] = -0.5 * y[0]; };
    EXPECT_NEAR(mfn::lyapunov_flow(shrink, start)->exponent, -0.5, 0.01);
    const auto linear = [](mfn::span<const double> x, mfn::span<double> next) {
        next[0] = 0.5 * x[0];
        next[1] = 0.25 * x[1];
    };
    const auto jacobian = [](mfn::span<const double>, mfn::span<double> matrix) {
        matrix[0] = 0.5;
        matrix[1] = matrix[2] = 0;
        matrix[3] = 0.25;
    };
    const double point[] = {1, 1};
    const auto spectrum = mfn::lyapunov_spectrum(linear, jacobian, point, 0, 100).value_or_throw();
    ASSERT_EQ(spectrum.exponents.size(), 2U);
    EXPECT_NEAR(spectrum.exponents[0], std::log(0.5), 1e-9);
    EXPECT_NEAR(spectrum.exponents[1], std::log(0.25), 1e-9);
    EXPECT_EQ(spectrum.dimension, 0);
    const auto broken = [](mfn::span<const double>, mfn::span<double>) { throw std::domain_error("no derivative"); };
    EXPECT_THROW(mfn::lyapunov_spectrum(linear, broken, point, 0, 100).value_or_throw(), std::domain_error);
    EXPECT_THROW(mfn::lyapunov_map(broken, point).value_or_throw(), std::domain_error);
}

// Guards the exponent of a simulation: a number, the simulation unchanged, and progress that can stop it.
TEST(Lyapunov, OfASimulation) {
    const auto sim = support::small_simulation();
    mfn::lyapunov_options options;
    options.transient = 1;
    options.intervals = 3;
    options.steps_per_interval = 2;
    const auto estimate = sim.lyapunov(options).value_or_throw();
    EXPECT_TRUE(std::isfinite(estimate.exponent));
    EXPECT_EQ(estimate.intervals, 3U);
    EXPECT_EQ(sim.step_count(), 0U);
    const auto stopped = sim.lyapunov(options, [](std::uint64_t, std::uint64_t) { return mfn::flow::stop; });
    EXPECT_EQ(stopped.code(), mfn::status::cancelled);
}

// Guards point sets: the Sierpinski triangle has its dimension, and its raster as many points as were asked for.
TEST(Ifs, DrawsTheSierpinskiTriangle) {
    const mfn::ifs triangle({{0.5, 0, 0, 0.5, 0, 0}, {0.5, 0, 0, 0.5, 0.5, 0}, {0.5, 0, 0, 0.5, 0.25, 0.5}});
    EXPECT_EQ(triangle.maps().size(), 3U);
    EXPECT_NEAR(triangle.dimension().value_or_throw(), std::log(3.0) / std::log(2.0), 1e-9);
    const auto exponents = triangle.exponents(1, 1000).value_or_throw();
    EXPECT_NEAR(exponents.largest, std::log(0.5), 1e-9);
    EXPECT_NEAR(exponents.smallest, std::log(0.5), 1e-9);
    const auto points = triangle.points(1, 500).value_or_throw();
    ASSERT_EQ(points.size(), 1000U);
    EXPECT_EQ(points, triangle.points(1, 500).value_or_throw());
    EXPECT_NE(points, triangle.points(2, 500).value_or_throw());
    std::vector<double> cells(64 * 64);
    const auto inside = triangle.raster(1, 5000, {0, 1, 0, 1}, cells, 64, 64).value_or_throw();
    EXPECT_GT(inside, 4900U);
    EXPECT_GT(std::count(cells.begin(), cells.end(), 1.0), 100);
    cells.resize(5);
    EXPECT_EQ(triangle.raster(1, 5000, {0, 1, 0, 1}, cells, 64, 64).code(), mfn::status::invalid);
    const mfn::ifs uneven({{0.5, 0, 0, 0.5, 0, 0}}, {0.5, 0.5});
    EXPECT_EQ(uneven.points(1, 5).code(), mfn::status::invalid);
    EXPECT_EQ(uneven.exponents(1, 5).code(), mfn::status::invalid);
    EXPECT_EQ(triangle.points(1, std::numeric_limits<std::size_t>::max()).code(), mfn::status::invalid);
}

// Guards the generator of v4.1, and numbers that are refused before they become memory.
TEST(Ifs, DrawsAsV41) {
    mfn::ifs_config_v4_1 config;
    const auto drawn = mfn::ifs::generate_v4_1(config, 42).value_or_throw();
    EXPECT_EQ(drawn.maps.size(), 4U);
    EXPECT_EQ(drawn.points.size(), 20000U);
    EXPECT_LT(drawn.mean_log_area_change, 0);
    EXPECT_GT(drawn.distance_max, 0);
    config.point_count = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(mfn::ifs::generate_v4_1(config, 42).code(), mfn::status::invalid);
}

// Guards the second simulator: the bits of the C interface, and progress that can stop it.
TEST(Model, RunsAsV41) {
    mfn::model_v4_1 model;
    model.grid_size = 16;
    model.steps = 20;
    std::vector<double> field(256), by_c(256);
    const auto events = model.run(field).value_or_throw();
    std::uint64_t events_by_c = 0;
    ASSERT_EQ(mfn_model_run_v4_1(&model, nullptr, nullptr, by_c.data(), 256, &events_by_c, nullptr), MFN_OK);
    EXPECT_EQ(field, by_c);
    EXPECT_EQ(events, events_by_c);
    const auto stopped = model.run(field, [](std::uint64_t, std::uint64_t) { return mfn::flow::stop; });
    EXPECT_EQ(stopped.code(), mfn::status::cancelled);
    field.resize(3);
    EXPECT_EQ(model.run(field).code(), mfn::status::invalid);
}

// Guards the catalogue of kinetics and the analysis of their stability.
TEST(Turing, AnalysesKinetics) {
    EXPECT_STREQ(mfn::kinetics_name(mfn::kinetics::gray_scott), "gray-scott");
    EXPECT_EQ(mfn::kinetics_name(99), nullptr);
    EXPECT_STREQ(mfn::kinetics_parameter_get(mfn::kinetics::gray_scott, 0)->name, "feed");
    const std::string json = R"({"kinetics": {"name": "brusselator"}})";
    const auto turing = mfn::turing::analyse_json(json).value_or_throw();
    EXPECT_GE(turing.state_count, 1U);
    const double waves[] = {0.0, 0.3};
    const auto growth = turing.growth(waves).value_or_throw();
    ASSERT_EQ(growth.rates.size(), 2U);
    EXPECT_TRUE(std::isfinite(growth.rates[1]) && std::isfinite(growth.per_step[1]));
    const auto spec = mfn::simulation::create_json(json)->spec().value_or_throw();
    EXPECT_EQ(mfn::turing::analyse(spec, 0)->activator, turing.activator);
    EXPECT_EQ(mfn::turing::analyse(spec, 77).code(), mfn::status::invalid);
}

// Guards the analysis of the program's own kinetics: a linear decay to (1, 2) is stable, and what it throws comes back.
TEST(Turing, AnalysesTheProgramsKinetics) {
    const auto decay = [](mfn::span<const double> u, mfn::span<const double> v, mfn::span<double> du,
                          mfn::span<double> dv) {
        for (std::size_t i = 0; i < u.size(); ++i) {
            du[i] = 1 - u[i];
            dv[i] = 2 - v[i];
        }
    };
    const auto turing = mfn::turing::analyse_host(mfn::spec(), decay, 0.5, 0.5).value_or_throw();
    EXPECT_EQ(turing.stability, mfn::stability::stable);
    EXPECT_NEAR(turing.activator, 1, 1e-6);
    EXPECT_NEAR(turing.inhibitor, 2, 1e-6);
    const auto broken = [](mfn::span<const double>, mfn::span<const double>, mfn::span<double>, mfn::span<double>) {
        throw std::domain_error("no rate");
    };
    EXPECT_THROW(mfn::turing::analyse_host(mfn::spec(), broken, 0.5, 0.5).value_or_throw(), std::domain_error);
}

}  // namespace
