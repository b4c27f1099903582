// Guards the analysis of a program's own fields: features, histories, descriptors, operators, networks, pictures.
#include "support.hpp"

#include <numeric>

namespace {

// Guards features against the C interface, name by name, and their configuration.
TEST(Features, AreThoseOfTheCInterface) {
    const auto cells = support::wave(48, 40);
    const mfn::field_view field(cells.data(), 48, 40);
    const auto features = mfn::features::compute(field).value_or_throw();
    mfn_features raw{};
    raw.struct_size = sizeof raw;
    ASSERT_EQ(mfn_features_compute(&field.get(), nullptr, &raw, nullptr), MFN_OK);
    EXPECT_EQ(std::memcmp(&static_cast<const mfn_features&>(features), &raw, sizeof raw), 0);
    EXPECT_STREQ(mfn::feature_name(0), "D_box");
    EXPECT_EQ(features[0], features.d_box);
    EXPECT_STREQ(mfn::feature_name(17), "cluster_size_std");
    EXPECT_EQ(features[17], features.cluster_size_std);
    EXPECT_TRUE(std::isnan(features[18]));
    EXPECT_EQ(mfn::feature_name(18), nullptr);
    EXPECT_STREQ(mfn::feature_unit(2), "mV");

    mfn::feature_config config;
    config.threshold_low_mv = -50;
    EXPECT_LT(mfn::features::compute(field, config)->f_active, features.f_active);
    config.connectivity = 5;
    const auto refused = mfn::features::compute(field, config);
    EXPECT_NE(std::string(refused.error().message()).find("connectivity"), std::string::npos);
}

// Guards histories: the features that describe a run are those of the frames pushed.
TEST(History, FollowsAProgramsFrames) {
    auto frame = support::wave(32, 32);
    const mfn::field_view view(frame.data(), 32, 32);
    auto history = mfn::history::create().value_or_throw();
    EXPECT_EQ(history.features(view).code(), mfn::status::invalid);
    history.push(view).value_or_throw();
    for (auto& cell : frame) cell += 0.001;
    history.push(view).value_or_throw();
    const auto features = history.features(view).value_or_throw();
    EXPECT_NEAR(features.dv_mean, 1.0, 1e-9);
    EXPECT_NEAR(features.dv_max, 1.0, 1e-9);
    const std::vector<double> other(16, -0.07);
    EXPECT_EQ(history.push(mfn::field_view(other.data(), 4, 4)).code(), mfn::status::invalid);
}

// Guards rates of change: a field that rises evenly changes by its slope, and a stack of the wrong length is refused.
TEST(ChangeRates, MeasureFrames) {
    std::vector<double> frames(3 * 4);
    for (std::size_t i = 0; i < frames.size(); ++i) frames[i] = 0.5 * static_cast<double>(i / 4);
    const auto rates = mfn::change_rates::compute(frames, 3, 2, 2, 0.25).value_or_throw();
    EXPECT_DOUBLE_EQ(rates.mean_change_rate, 2.0);
    EXPECT_DOUBLE_EQ(rates.max_change_rate, 2.0);
    const auto refused = mfn::change_rates::compute(frames, 4, 2, 2, 0.25);
    EXPECT_EQ(refused.code(), mfn::status::invalid);
    EXPECT_STREQ(refused.error().message(), "frames has 12 elements, expected frame_count * rows * cols");
    EXPECT_EQ(mfn::change_rates::compute(frames, static_cast<std::size_t>(-1) / 2, 2, 2, 1).code(),
              mfn::status::invalid);
}

// Guards descriptors: the area is the number of cells above the threshold.
TEST(Descriptors, MeasureThePattern) {
    std::vector<double> cells(32 * 32, -0.080);
    for (std::size_t row = 8; row < 16; ++row)
        for (std::size_t col = 8; col < 16; ++col) cells[row * 32 + col] = -0.040;
    mfn::descriptor_config config;
    config.threshold_mv = -60;
    const auto descriptors = mfn::descriptors::compute(mfn::field_view(cells.data(), 32, 32), config).value_or_throw();
    EXPECT_EQ(descriptors.area, 64);
    EXPECT_EQ(descriptors.perimeter, 32);
    EXPECT_EQ(descriptors.euler, 1);
    EXPECT_STREQ(mfn::descriptor_name(8), "area");
    EXPECT_STREQ(mfn::descriptor_unit(8), "cells^2");
    EXPECT_EQ(mfn::descriptor_name(mfn::descriptors::count), nullptr);
}

// Guards the operators: a plane has no curvature and its slopes, and arrays of another length are refused.
TEST(Field, HasOperators) {
    std::vector<double> plane(5 * 6);
    for (std::size_t i = 0; i < plane.size(); ++i)
        plane[i] = 3 * static_cast<double>(i / 6) + 2 * static_cast<double>(i % 6);
    const mfn::field_view field(plane.data(), 5, 6);
    std::vector<double> laplacian(30), down(30), across(30);
    mfn::field_laplacian(field, mfn::boundary::neumann, laplacian).value_or_throw();
    EXPECT_DOUBLE_EQ(laplacian[2 * 6 + 2], 0);
    mfn::field_gradient(field, mfn::boundary::neumann, down, across).value_or_throw();
    EXPECT_DOUBLE_EQ(down[2 * 6 + 3], 3);
    EXPECT_DOUBLE_EQ(across[2 * 6 + 3], 2);
    const auto summary = mfn::field_summarise(field).value_or_throw();
    EXPECT_DOUBLE_EQ(summary.max, 22);
    EXPECT_DOUBLE_EQ(summary.finite_fraction, 1);
    laplacian.resize(29);
    EXPECT_EQ(mfn::field_laplacian(field, mfn::boundary::neumann, laplacian).code(), mfn::status::invalid);
    EXPECT_EQ(mfn::field_gradient(field, mfn::boundary::neumann, down, laplacian).code(), mfn::status::invalid);
}

// Guards the network of a pattern: a plus sign has one junction and four tips, and its path lies on the skeleton.
TEST(Graph, IsMadeFromAPattern) {
    std::vector<double> cells(41 * 41, -0.080);
    for (std::size_t i = 5; i < 36; ++i)
        for (std::size_t width = 19; width < 22; ++width) {
            cells[i * 41 + width] = -0.040;
            cells[width * 41 + i] = -0.040;
        }
    const auto graph = mfn::graph::from_field(mfn::field_view(cells.data(), 41, 41)).value_or_throw();
    const auto summary = graph.summarise().value_or_throw();
    EXPECT_EQ(summary.junctions, 1U);
    EXPECT_EQ(summary.tips, 4U);
    const auto nodes = graph.nodes().value_or_throw();
    const auto branches = graph.branches().value_or_throw();
    EXPECT_EQ(nodes.size(), summary.nodes);
    ASSERT_EQ(branches.size(), 4U);
    const auto junctions = std::count_if(nodes.begin(), nodes.end(), [](const mfn::graph_node& node) {
        return node.kind == mfn::node_kind::junction;
    });
    EXPECT_EQ(junctions, 1);
    const auto skeleton = graph.skeleton().value_or_throw();
    ASSERT_EQ(skeleton.size(), 41U * 41U);
    const auto path = graph.path(0).value_or_throw();
    EXPECT_FALSE(path.empty());
    for (const std::uint32_t cell : path) EXPECT_EQ(skeleton.data()[cell], 1);
    EXPECT_EQ(graph.path(4).code(), mfn::status::invalid);
    EXPECT_TRUE(graph.last_error());
    EXPECT_NE(graph.export_(mfn::graph_format::graphml)->find("<graphml"), std::string::npos);
    EXPECT_EQ(graph.export_(mfn::graph_format::json)->front(), '{');
}

// Guards the questions to a network of the program's own: a path of four nodes is cut by its inner parts.
TEST(Graph, AnswersForAProgramsOwnNetwork) {
    const std::vector<std::uint32_t> ends{0, 1, 1, 2, 2, 3};
    const auto graph = mfn::graph::from_edges(4, ends).value_or_throw();
    EXPECT_EQ(graph.node_cuts()->size(), 2U);
    EXPECT_EQ(graph.branch_cuts()->size(), 3U);
    EXPECT_EQ((*graph.branch_cuts())[1].nodes, 2U);
    const auto between = graph.betweenness().value_or_throw();
    ASSERT_EQ(between.nodes.size(), 4U);
    ASSERT_EQ(between.branches.size(), 3U);
    EXPECT_EQ(between.nodes[0], 0);
    EXPECT_GT(between.nodes[1], 0);
    EXPECT_EQ(between.sources, 4U);
    EXPECT_GT(between.efficiency, 0);
    const auto decay = graph.percolate(mfn::attack::degree).value_or_throw();
    ASSERT_EQ(decay.largest.size(), 5U);
    EXPECT_EQ(decay.largest[0], 1);
    EXPECT_EQ(decay.largest[4], 0);
    EXPECT_EQ(graph.percolate(mfn::attack::branch_betweenness)->largest.size(), 4U);

    graph.cancel().value_or_throw();
    EXPECT_EQ(graph.betweenness().code(), mfn::status::cancelled);
    graph.cancel_reset().value_or_throw();
    EXPECT_TRUE(graph.betweenness());

    const std::vector<double> lengths{1, 2};
    EXPECT_EQ(mfn::graph::from_edges(4, ends, lengths).code(), mfn::status::invalid);
    EXPECT_EQ(mfn::graph::from_edges(4, {ends.data(), 5}).code(), mfn::status::invalid);
}

// Guards pictures: a PNG file, and an error of the system that names it.
TEST(Picture, IsWritten) {
    const support::folder folder;
    const auto cells = support::wave(20, 30);
    const mfn::field_view field(cells.data(), 20, 30);
    mfn::picture_options options;
    options.title = "wave";
    mfn::picture_write(folder / "wave.png", field, options).value_or_throw();
    EXPECT_EQ(support::read(folder / "wave.png").substr(0, 4), "\x89PNG");
    EXPECT_EQ(mfn::picture_write("/no/such/folder/wave.png", field).code(), mfn::status::io);
}

}  // namespace
