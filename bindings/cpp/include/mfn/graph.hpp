/// \file
/// Networks: the skeleton of a pattern as nodes and branches, or a network of the program's own, and what the loss of
/// nodes and branches does to it.
///
/// A graph never changes: any number of threads may ask it at once, and what it lends lives as long as the graph.
#pragma once

#include <mfn/handle.hpp>
#include <mfn/view.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mfn {

/// What a node is.
namespace node_kind {
enum type : std::int32_t {
    isolated = MFN_NODE_ISOLATED,
    tip = MFN_NODE_TIP,
    ring = MFN_NODE_RING,
    junction = MFN_NODE_JUNCTION
};
}

/// How a network is written.
namespace graph_format {
enum type : std::int32_t { graphml = MFN_GRAPH_GRAPHML, json = MFN_GRAPH_JSON };
}

/// In which order nodes or branches are lost.
namespace attack {
enum type : std::int32_t {
    random_nodes = MFN_ATTACK_RANDOM_NODES,
    random_branches = MFN_ATTACK_RANDOM_BRANCHES,
    degree = MFN_ATTACK_DEGREE,
    degree_adaptive = MFN_ATTACK_DEGREE_ADAPTIVE,
    betweenness = MFN_ATTACK_BETWEENNESS,
    betweenness_adaptive = MFN_ATTACK_BETWEENNESS_ADAPTIVE,
    branch_betweenness = MFN_ATTACK_BRANCH_BETWEENNESS
};
}

/// How the network of a field is made; begins with the defaults.
struct graph_config : sized<mfn_graph_config> {
    graph_config() noexcept { detail::initialise<mfn_graph_config>(*this, mfn_graph_config_init); }
};

/// How much work the robustness figures may cost; begins with the defaults.
struct graph_robustness : sized<mfn_graph_robustness> {
    graph_robustness() noexcept { detail::initialise<mfn_graph_robustness>(*this, mfn_graph_robustness_init); }
};

using graph_summary = sized<mfn_graph_summary>;
using graph_percolation = sized<mfn_graph_percolation>;
using graph_node = mfn_graph_node;
using graph_branch = mfn_graph_branch;
using graph_cut = mfn_graph_cut;

/// Where the shortest paths of a network run.
struct graph_betweenness {
    std::vector<double> nodes;     ///< Share of the paths through each node, 0 to 1.
    std::vector<double> branches;  ///< Share of the paths along each branch, 0 to 1.
    double efficiency = 0;         ///< Mean of 1 / length of the shortest path, 1/cell.
    std::size_t sources = 0;       ///< Nodes searched from; with fewer than there are, the figures are estimates.
};

/// How a network falls apart.
struct graph_decay {
    graph_percolation figures;    ///< The numbers that sum it up.
    std::vector<double> largest;  ///< Fraction of the nodes in the largest component after 0, 1, 2, ... losses.
};

/// A network.
class graph : public detail::handle<mfn_graph, mfn_graph_free> {
public:
    /// Takes a handle of the C interface over.
    explicit graph(mfn_graph* raw) noexcept : handle(raw) {}

    /// The network of the cells of a field in volts that are above a threshold. [any-thread]
    static result<graph> from_field(field_view field, const graph_config& config = {}) {
        return detail::make<graph>(mfn_graph_from_field, &field.get(), static_cast<const mfn_graph_config*>(&config));
    }

    /// A network of `node_count` nodes; `ends` holds two nodes for each edge, `lengths` a length for each above 0, or
    /// nothing for edges of length 1. [any-thread]
    static result<graph> from_edges(std::size_t node_count, span<const std::uint32_t> ends,
                                    span<const double> lengths = {}) {
        const std::size_t edges = ends.size() / 2;
        if (ends.size() % 2 != 0) return detail::wrong_size("ends", ends.size(), "two for each edge");
        if (!lengths.empty() && lengths.size() != edges)
            return detail::wrong_size("lengths", lengths.size(), "one for each edge");
        return detail::make<graph>(mfn_graph_from_edges, node_count, ends.data(),
                                   lengths.empty() ? nullptr : lengths.data(), edges);
    }

    /// The figures of the whole network. [any-thread]
    [[nodiscard]] result<graph_summary> summarise() const {
        return detail::fetch<graph_summary>(mfn_graph_summarise, get());
    }
    /// The nodes, by number. Lent. [any-thread]
    [[nodiscard]] result<span<const graph_node>> nodes() const& {
        return detail::lent<graph_node>(mfn_graph_nodes, get());
    }
    result<span<const graph_node>> nodes() const&& = delete;
    /// The branches, by number. Lent. [any-thread]
    [[nodiscard]] result<span<const graph_branch>> branches() const& {
        return detail::lent<graph_branch>(mfn_graph_branches, get());
    }
    result<span<const graph_branch>> branches() const&& = delete;
    /// The cells along a branch, each as row * columns + column. Lent. [any-thread]
    [[nodiscard]] result<span<const std::uint32_t>> path(std::size_t branch) const& {
        return detail::lent<std::uint32_t>(mfn_graph_path, get(), branch);
    }
    result<span<const std::uint32_t>> path(std::size_t branch) const&& = delete;
    /// One byte for each cell, row by row: 1 on the skeleton, else 0. [any-thread]
    [[nodiscard]] result<bytes> skeleton() const { return detail::binary(mfn_graph_skeleton, get()); }
    /// The whole network as a text. `export` is a keyword of C++, hence the underscore. [any-thread]
    [[nodiscard]] result<std::string> export_(graph_format::type format) const {
        return detail::text(mfn_graph_export, get(), static_cast<std::int32_t>(format));
    }

    /// The nodes whose loss cuts something off, ascending. Lent. [any-thread]
    [[nodiscard]] result<span<const graph_cut>> node_cuts() const& {
        return detail::lent<graph_cut>(mfn_graph_node_cuts, get());
    }
    result<span<const graph_cut>> node_cuts() const&& = delete;
    /// The branches whose loss cuts something off, ascending. Lent. [any-thread]
    [[nodiscard]] result<span<const graph_cut>> branch_cuts() const& {
        return detail::lent<graph_cut>(mfn_graph_branch_cuts, get());
    }
    result<span<const graph_cut>> branch_cuts() const&& = delete;

    /// Where the shortest paths run. `status::cancelled`: see `cancel()`. [any-thread]
    [[nodiscard]] result<graph_betweenness> betweenness(const graph_robustness& config = {}) const {
        auto all_nodes = nodes();
        if (!all_nodes) return all_nodes.error();
        auto all_branches = branches();
        if (!all_branches) return all_branches.error();
        graph_betweenness found;
        found.nodes.resize(all_nodes->size());
        found.branches.resize(all_branches->size());
        auto done = detail::call(mfn_graph_betweenness, get(), static_cast<const mfn_graph_robustness*>(&config),
                                 found.nodes.data(), found.nodes.size(), found.branches.data(), found.branches.size(),
                                 &found.efficiency, &found.sources);
        if (!done) return done.error();
        return found;
    }

    /// Takes nodes or branches away until none is left. `status::cancelled`: see `cancel()`. [any-thread]
    [[nodiscard]] result<graph_decay> percolate(attack::type order, const graph_robustness& config = {}) const {
        auto all_nodes = nodes();
        if (!all_nodes) return all_nodes.error();
        auto all_branches = branches();
        if (!all_branches) return all_branches.error();
        const bool of_branches = order == attack::random_branches || order == attack::branch_betweenness;
        graph_decay decay;
        decay.largest.resize((of_branches ? all_branches->size() : all_nodes->size()) + 1);
        auto done = detail::call(mfn_graph_percolate, get(), static_cast<std::int32_t>(order),
                                 static_cast<const mfn_graph_robustness*>(&config),
                                 static_cast<mfn_graph_percolation*>(&decay.figures), decay.largest.data(),
                                 decay.largest.size());
        if (!done) return done.error();
        return decay;
    }

    /// Asks betweenness and percolation to stop, those under way and all later ones until `cancel_reset()`. [any-thread]
    result<void> cancel() const { return detail::call(mfn_graph_cancel, get()); }
    /// Withdraws `cancel()`. [any-thread]
    result<void> cancel_reset() const { return detail::call(mfn_graph_cancel_reset, get()); }
    /// The last failure of a call on the network. [any-thread]
    [[nodiscard]] std::optional<error> last_error() const { return detail::last_error(mfn_graph_last_error, get()); }
};

}  // namespace mfn
