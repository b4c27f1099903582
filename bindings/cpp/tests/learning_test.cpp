// Guards aggregation, plasticity, attention, networks and validation.
#include "support.hpp"

#include <limits>

namespace {

// Five honest clients around (1, 2) and one that lies.
const std::vector<double> gradients{1.0, 2.0, 1.1, 2.1, 0.9, 1.9, 1.0, 2.1, 1.1, 1.9, 900.0, -900.0};
const mfn::field_view clients(gradients.data(), 6, 2);

// Guards robust aggregation: the liar is not selected, by any method that selects.
TEST(Aggregation, WithstandsALiar) {
    mfn::aggregation_options options;
    options.byzantine = 1;
    for (const auto method : {mfn::aggregation_method::krum, mfn::aggregation_method::multi_krum,
                              mfn::aggregation_method::trimmed_mean, mfn::aggregation_method::median,
                              mfn::aggregation_method::geometric_median}) {
        options.method = method;
        const auto found = mfn::aggregate(clients, options).value_or_throw();
        ASSERT_EQ(found.value.size(), 2U);
        EXPECT_NEAR(found.value[0], 1.0, 0.3) << method;
        EXPECT_NEAR(found.value[1], 2.0, 0.3) << method;
        EXPECT_EQ(found.selected[5], 0) << method;
        EXPECT_EQ(found.report.converged, 1) << method;
    }
    options.byzantine = 5;
    EXPECT_EQ(mfn::aggregate(clients, options).code(), mfn::status::invalid);
    EXPECT_EQ(mfn::aggregate(mfn::field_view()).code(), mfn::status::invalid);
}

// Guards aggregation in two levels and the functions of v4.1.
TEST(Aggregation, WorksInTwoLevels) {
    mfn::hierarchical_options options;
    options.num_clusters = 2;
    options.byzantine_fraction = 0.1;
    const auto found = mfn::aggregate_hierarchical(clients, options).value_or_throw();
    EXPECT_EQ(found.value.size(), 2U);
    EXPECT_GE(found.clusters, 1U);
    const auto index = mfn::krum_select_v4_1(clients, 1).value_or_throw();
    EXPECT_LT(index, 5U);
    options.seed = 42;
    EXPECT_EQ(mfn::aggregate_hierarchical_v4_1(clients, options)->size(), 2U);
}

// Guards plasticity: a weight grows when the input fires before the output, and shrinks after it.
TEST(Plasticity, FollowsTheOrderOfSpikes) {
    const double early[] = {0.010}, late[] = {0.015};
    const mfn::field_view first(early, 1, 1), second(late, 1, 1);
    double weight[] = {0.5};
    mfn::stdp_update(first, second, weight).value_or_throw();
    EXPECT_GT(weight[0], 0.5);
    weight[0] = 0.5;
    mfn::stdp_update(second, first, weight).value_or_throw();
    EXPECT_LT(weight[0], 0.5);
    EXPECT_GT(mfn::stdp_change_v4_1(first, second)->front(), 0);
    mfn::stdp_rule rule;
    rule.bounds = mfn::weight_bounds::soft;
    rule.tau_plus_s = 99;
    EXPECT_EQ(mfn::stdp_update(first, second, weight, rule).code(), mfn::status::invalid);
}

// Guards traces: the same, moment by moment.
TEST(Plasticity, FollowsTraces) {
    auto traces = mfn::stdp_traces::create(1, 1).value_or_throw();
    double weight[] = {0.5};
    const std::uint8_t spike[] = {1}, silence[] = {0};
    traces.advance(0.001, spike, silence, weight).value_or_throw();
    EXPECT_EQ(weight[0], 0.5);
    traces.advance(0.005, silence, spike, weight).value_or_throw();
    EXPECT_GT(weight[0], 0.5);
    EXPECT_EQ(traces.advance(0.005, {}, spike, weight).code(), mfn::status::invalid);
}

// Guards attention: the same seed gives the same layer, its parameters can be given, and lengths must agree.
TEST(Attention, ComputesItsOutput) {
    const mfn::attention_config config(4, 2, 2);
    const auto layer = mfn::attention::create(config, 7).value_or_throw();
    std::vector<double> tokens(2 * 3 * 4, 0.25);
    tokens[5] = -1;
    const auto output = layer.forward(tokens, 2, 3).value_or_throw();
    EXPECT_EQ(output.size(), tokens.size());
    EXPECT_EQ(mfn::attention::create(config, 7)->forward(tokens, 2, 3).value_or_throw(), output);
    const std::vector<double> zeros(4 * 4 * 5, 0.0);
    const auto flat = mfn::attention::create(config, zeros)->forward(tokens, 2, 3).value_or_throw();
    EXPECT_EQ(flat, std::vector<double>(tokens.size(), 0.0));
    EXPECT_EQ(layer.forward(tokens, 2, 4).code(), mfn::status::invalid);
}

// Guards networks: training lowers the loss, parameters go out and in, and short arrays are refused before they are read.
TEST(Network, Learns) {
    mfn::network_config config;
    config.input_dim = 2;
    config.hidden_dim = 8;
    config.num_heads = 2;
    config.learning_rate = 0.01;
    auto network = mfn::network::create(3, config).value_or_throw();
    std::vector<double> x(4 * 2 * 2), y{0.1, 0.4, 0.2, 0.9};
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<double>(i));
    const auto begin = network.parameters().value_or_throw();
    EXPECT_EQ(begin.size(), network.parameter_count());
    const auto before = network.forward(x, 4, 2).value_or_throw();
    const double first = network.train_step(x, 4, 2, y).value_or_throw();
    double last = first;
    for (int i = 0; i < 50; ++i) last = network.train_step(x, 4, 2, y).value_or_throw();
    EXPECT_LT(last, first);
    EXPECT_NE(network.forward(x, 4, 2).value_or_throw(), before);
    network.set_parameters(begin).value_or_throw();
    EXPECT_EQ(network.forward(x, 4, 2).value_or_throw(), before);
    EXPECT_EQ(network.forward(x, 4, 3).code(), mfn::status::invalid);
    EXPECT_EQ(network.train_step(x, 4, 2, {y.data(), 3}).code(), mfn::status::invalid);
    EXPECT_EQ(network.set_parameters({begin.data(), 3}).code(), mfn::status::invalid);
}

// Guards validation: its numbers are those of the C interface, and progress can stop it.
TEST(Validation, GivesItsNumbers) {
    mfn::validation_config config;
    config.epochs = 1;
    config.grid_size = 16;
    config.steps = 16;
    std::uint64_t heard = 0;
    const auto numbers = mfn::validate(config, [&](std::uint64_t, std::uint64_t) { ++heard; }).value_or_throw();
    EXPECT_GT(heard, 0U);
    mfn_validation by_c{};
    by_c.struct_size = sizeof by_c;
    ASSERT_EQ(mfn_validate(&config, nullptr, nullptr, &by_c, nullptr), MFN_OK);
    EXPECT_EQ(numbers.loss_final, by_c.loss_final);
    EXPECT_EQ(mfn::validation_config(true).compat_v4_1, 1);
    config.grid_size = 1;
    EXPECT_EQ(mfn::validate(config).code(), mfn::status::invalid);
}

}  // namespace
