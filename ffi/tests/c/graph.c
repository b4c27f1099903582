/* Guards the network of a field as a host sees it: a cross in an array of its own, asked for its nodes, branches, cuts,
   betweenness and percolation, and exported. */
#include "expect.h"
#include <math.h>

enum { ROWS = 21, COLS = 41 };

/* Two triangles joined by one edge, and a node alone: no cells, the same questions. */
static void check_edges(void)
{
    static const uint32_t ends[14] = {0, 1, 1, 2, 2, 0, 2, 3, 3, 4, 4, 5, 5, 3};
    static const double lengths[7] = {1, 1, 1, 5, 2, 2, 2};
    mfn_graph_summary summary = {.struct_size = sizeof summary};
    const mfn_graph_branch *branches;
    const mfn_graph_node *nodes;
    const mfn_graph_cut *cuts;
    mfn_graph *graph = NULL;
    mfn_error *error = NULL;
    double values[7], along[7], efficiency;
    const uint32_t *path;
    size_t count;
    char *text;

    CALL(mfn_graph_from_edges(7, ends, lengths, 7, &graph, &error), MFN_OK, "");
    CALL(mfn_graph_summarise(graph, &summary, &error), MFN_OK, "");
    EXPECT(summary.nodes == 7 && summary.branches == 7 && summary.components == 2 && summary.loops == 2);
    EXPECT(summary.junctions == 2 && summary.tips == 0 && summary.isolated == 1 && summary.rings == 4);
    EXPECT(summary.total_length == 14 && summary.mean_length == 2 && summary.mean_degree == 2 && summary.skeleton_cells == 0);
    CALL(mfn_graph_nodes(graph, &nodes, &count, &error), MFN_OK, "");
    EXPECT(count == 7 && nodes[2].degree == 3 && nodes[5].component == 0 && nodes[6].component == 1 && isnan(nodes[0].row));
    CALL(mfn_graph_branches(graph, &branches, &count, &error), MFN_OK, "");
    EXPECT(count == 7 && branches[3].from == 2 && branches[3].to == 3 && branches[3].length == 5);
    CALL(mfn_graph_node_cuts(graph, &cuts, &count, &error), MFN_OK, "");
    EXPECT(count == 2 && cuts[0].part == 2 && cuts[1].part == 3 && cuts[0].nodes == 2 && cuts[0].pieces == 2);
    CALL(mfn_graph_branch_cuts(graph, &cuts, &count, &error), MFN_OK, "");
    EXPECT(count == 1 && cuts[0].part == 3 && cuts[0].nodes == 3);
    /* Of the 21 pairs nine run along the bridge. */
    CALL(mfn_graph_betweenness(graph, NULL, values, 7, along, 7, &efficiency, NULL, &error), MFN_OK, "");
    EXPECT(fabs(along[3] - 9. / 21) < 1e-15 && fabs(along[0] - 1. / 21) < 1e-15 && values[6] == 0 && efficiency > 0);
    CALL(mfn_graph_path(graph, 0, &path, &count, &error), MFN_INVALID, "has no cells");
    CALL(mfn_graph_export(graph, MFN_GRAPH_JSON, &text, &error), MFN_INVALID, "has no cells");
    mfn_graph_free(graph);
    CALL(mfn_graph_from_edges(6, ends, NULL, 7, &graph, &error), MFN_OK, "");
    CALL(mfn_graph_summarise(graph, &summary, &error), MFN_OK, "");
    EXPECT(summary.total_length == 7 && summary.components == 1);
    mfn_graph_free(graph);
    CALL(mfn_graph_from_edges(0, NULL, NULL, 0, &graph, &error), MFN_OK, "");
    mfn_graph_free(graph);
}

int main(void)
{
    static double volts[ROWS][COLS], curve[6], values[5], along[4];
    mfn_graph_summary summary = {.struct_size = sizeof summary};
    mfn_graph_percolation fall = {.struct_size = sizeof fall};
    const mfn_graph_branch *branches;
    const mfn_graph_node *nodes;
    const mfn_graph_cut *cuts;
    const uint32_t *path;
    mfn_graph *graph = NULL;
    mfn_error *error = NULL;
    mfn_bytes skeleton;
    mfn_field_view view = mfn_field_rows(&volts[0][0], ROWS, COLS);
    size_t count, branch_count, sources, cells, i;
    double efficiency, length = 0;
    char *text;

    check_edges();
    for (i = 0; i < ROWS * COLS; i++)
        volts[i / COLS][i % COLS] = i / COLS == 10 || i % COLS == 20 ? -0.050 : -0.070;
    CALL(mfn_graph_from_field(&view, NULL, &graph, &error), MFN_OK, "");
    CALL(mfn_graph_summarise(graph, &summary, &error), MFN_OK, "");
    EXPECT(summary.junctions == 1 && summary.tips == 4 && summary.branches == 4 && summary.loops == 0);
    EXPECT(summary.pattern_cells == ROWS + COLS - 1 && summary.skeleton_cells == summary.pattern_cells);
    EXPECT(summary.total_length == 60 && summary.mean_width < 1.1 && summary.components == 1);

    CALL(mfn_graph_nodes(graph, &nodes, &count, &error), MFN_OK, "");
    CALL(mfn_graph_branches(graph, &branches, &branch_count, &error), MFN_OK, "");
    EXPECT(count == 5 && branch_count == 4);
    EXPECT(nodes[0].kind == MFN_NODE_TIP && nodes[0].row == 0 && nodes[0].col == 20);
    for (i = 0; i < branch_count; i++) {
        CALL(mfn_graph_path(graph, i, &path, &cells, &error), MFN_OK, "");
        EXPECT(cells == branches[i].cells + 2 && branches[i].from < count && branches[i].to < count);
        EXPECT(volts[path[0] / COLS][path[0] % COLS] == -0.050);
        length += branches[i].length;
    }
    EXPECT(length == summary.total_length);
    CALL(mfn_graph_skeleton(graph, &skeleton, &error), MFN_OK, "");
    EXPECT(skeleton.len == ROWS * COLS && skeleton.data[20] == 1 && skeleton.data[0] == 0);
    mfn_bytes_free(&skeleton);

    /* The middle cuts three arms off, an arm cuts its tip off. */
    CALL(mfn_graph_node_cuts(graph, &cuts, &count, &error), MFN_OK, "");
    EXPECT(count == 1 && nodes[cuts[0].part].kind == MFN_NODE_JUNCTION && cuts[0].pieces == 4 && cuts[0].nodes == 3);
    CALL(mfn_graph_branch_cuts(graph, &cuts, &count, &error), MFN_OK, "");
    EXPECT(count == 4 && cuts[0].part == 0 && cuts[0].pieces == 2 && cuts[0].nodes == 1 && cuts[0].length == 0);

    CALL(mfn_graph_betweenness(graph, NULL, values, 5, along, 4, &efficiency, &sources, &error), MFN_OK, "");
    for (i = 0; i < 5; i++)
        EXPECT(values[i] == (nodes[i].kind == MFN_NODE_JUNCTION ? 1 : 0));
    EXPECT(along[0] == 0.4 && sources == 5 && efficiency > 0);
    CALL(mfn_graph_percolate(graph, MFN_ATTACK_DEGREE, NULL, &fall, curve, 6, &error), MFN_OK, "");
    EXPECT(curve[0] == 1 && curve[1] == 0.2 && curve[5] == 0 && fall.losses == 5);
    EXPECT(fabs(fall.robustness - 4 * 0.2 / 5) < 1e-15 && fall.critical_fraction == 0.2 && fall.trials == 1);

    CALL(mfn_graph_export(graph, MFN_GRAPH_GRAPHML, &text, &error), MFN_OK, "");
    EXPECT(strstr(text, "<edge id=\"e3\"") != NULL && strstr(text, "</graphml>") != NULL);
    mfn_string_free(text);
    CALL(mfn_graph_export(graph, MFN_GRAPH_JSON, &text, &error), MFN_OK, "");
    EXPECT(strstr(text, "\"junctions\":1") != NULL);
    mfn_string_free(text);

    CALL(mfn_graph_cancel(graph, &error), MFN_OK, "");
    CALL(mfn_graph_betweenness(graph, NULL, NULL, 0, NULL, 0, NULL, NULL, &error), MFN_CANCELLED, "");
    CALL(mfn_graph_percolate(graph, MFN_ATTACK_RANDOM_NODES, NULL, &fall, NULL, 0, &error), MFN_CANCELLED, "");
    CALL(mfn_graph_cancel_reset(graph, &error), MFN_OK, "");
    CALL(mfn_graph_percolate(graph, MFN_ATTACK_RANDOM_NODES, NULL, &fall, NULL, 0, &error), MFN_OK, "");
    EXPECT(fall.trials == 100);
    mfn_graph_free(graph);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
