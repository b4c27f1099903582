/* Guards the functions of networks against arguments that no caller should give: each is refused with a message that
   names the argument, nothing is written, and nothing leaks. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;
static double cells[32];

static void check_making(void)
{
    mfn_field_view view = mfn_field_rows(cells, 4, 8);
    mfn_graph *graph = NULL;
    mfn_graph_config config;

    CALL(mfn_graph_config_init(NULL, sizeof config, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_graph_config_init(&config, 3, &error), MFN_INVALID, "struct_size = 3");
    CALL(mfn_graph_config_init(&config, sizeof config, &error), MFN_OK, "");
    EXPECT(config.threshold_mv == -60 && config.wrap == 0 && config.prune_radii == 1.5);
    CALL(mfn_graph_from_field(NULL, NULL, &graph, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_graph_from_field(&view, NULL, NULL, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_from_field(&view, MISALIGNED(mfn_graph_config *, &config), &graph, &error), MFN_INVALID, "misaligned");
    config.wrap = 2;
    CALL(mfn_graph_from_field(&view, &config, &graph, &error), MFN_INVALID, "config.wrap = 2");
    config.wrap = 1;
    /* 0 V everywhere is above the threshold: a torus without a boundary. */
    CALL(mfn_graph_from_field(&view, &config, &graph, &error), MFN_INVALID, "no boundary");
    config.threshold_mv = NAN;
    config.prune_radii = -1;
    CALL(mfn_graph_from_field(&view, &config, &graph, &error), MFN_INVALID, "threshold_mv = NaN");
    EXPECT(mfn_graph_from_field(&view, &config, &graph, &error) == MFN_INVALID && mfn_error_fault_count(error) == 2);
    mfn_error_free(error);
    error = NULL;
    view = mfn_field_rows(cells, 0, 4);
    CALL(mfn_graph_from_field(&view, NULL, &graph, &error), MFN_INVALID, "field.rows = 0");
    view = mfn_field_rows(cells, 1, 1);
    view.row_stride = view.col_stride = PTRDIFF_MIN;
    CALL(mfn_graph_from_field(&view, NULL, &graph, &error), MFN_OK, "");
    mfn_graph_free(graph);
}

static void check_null_handles(void)
{
    mfn_graph_percolation fall = {.struct_size = sizeof fall};
    mfn_graph_summary summary = {.struct_size = sizeof summary};
    const mfn_graph_branch *branches = NULL;
    const mfn_graph_node *nodes = NULL;
    const mfn_graph_cut *cuts = NULL;
    const uint32_t *path = NULL;
    mfn_bytes bytes = {NULL, 0};
    char *text = NULL;
    size_t count = 7;

    CALL(mfn_graph_summarise(NULL, &summary, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_nodes(NULL, &nodes, &count, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_branches(NULL, &branches, &count, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_path(NULL, 0, &path, &count, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_skeleton(NULL, &bytes, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_node_cuts(NULL, &cuts, &count, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_branch_cuts(NULL, &cuts, &count, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_betweenness(NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_percolate(NULL, 0, NULL, &fall, NULL, 0, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_export(NULL, 0, &text, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_cancel(NULL, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_cancel_reset(NULL, &error), MFN_INVALID, "graph is NULL");
    EXPECT(mfn_graph_last_error(NULL) == NULL && nodes == NULL && count == 7 && text == NULL);
    mfn_graph_free(NULL);
}

static void check_live_handle(void)
{
    mfn_field_view view = mfn_field_rows(cells, 4, 8);
    mfn_graph_percolation fall = {.struct_size = sizeof fall};
    mfn_graph_summary summary = {.struct_size = 8};
    const mfn_graph_node *nodes;
    const uint32_t *path;
    mfn_graph_robustness config;
    mfn_graph *graph = NULL;
    mfn_error *last;
    double values[8];
    size_t count;
    char *text;

    /* One line: two nodes, one branch. */
    for (count = 0; count < 32; count++)
        cells[count] = count / 8 == 1 ? 0 : -0.080;
    CALL(mfn_graph_from_field(&view, NULL, &graph, &error), MFN_OK, "");
    EXPECT(mfn_graph_last_error(graph) == NULL);
    CALL(mfn_graph_summarise(graph, NULL, &error), MFN_INVALID, "summary is NULL");
    CALL(mfn_graph_summarise(graph, &summary, &error), MFN_INVALID, "sizeof(mfn_graph_summary)");
    CALL(mfn_graph_nodes(graph, NULL, &count, &error), MFN_INVALID, "array is NULL");
    CALL(mfn_graph_nodes(graph, &nodes, NULL, &error), MFN_INVALID, "count is NULL");
    CALL(mfn_graph_path(graph, 1, &path, &count, &error), MFN_INVALID, "branch = 1: the network has 1 branches");
    CALL(mfn_graph_path(graph, (size_t)-1, &path, &count, &error), MFN_INVALID, "branch = ");
    CALL(mfn_graph_skeleton(graph, NULL, &error), MFN_INVALID, "skeleton is NULL");
    CALL(mfn_graph_export(graph, 9, &text, &error), MFN_INVALID, "format = 9");
    CALL(mfn_graph_export(graph, MFN_GRAPH_JSON, NULL, &error), MFN_INVALID, "text is NULL");

    CALL(mfn_graph_robustness_init(NULL, sizeof config, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_graph_robustness_init(&config, 1, &error), MFN_INVALID, "struct_size = 1");
    CALL(mfn_graph_robustness_init(&config, sizeof config, &error), MFN_OK, "");
    CALL(mfn_graph_betweenness(graph, &config, values, 3, NULL, 0, NULL, NULL, &error), MFN_INVALID, "give room for 2");
    CALL(mfn_graph_betweenness(graph, &config, NULL, 2, NULL, 0, NULL, NULL, &error), MFN_INVALID, "node_values is NULL");
    CALL(mfn_graph_betweenness(graph, &config, NULL, 0, values, 2, NULL, NULL, &error), MFN_INVALID, "branch_values has 2");
    CALL(mfn_graph_percolate(graph, 7, &config, &fall, NULL, 0, &error), MFN_INVALID, "attack = 7");
    CALL(mfn_graph_percolate(graph, -1, &config, &fall, NULL, 0, &error), MFN_INVALID, "attack = -1");
    CALL(mfn_graph_percolate(graph, 0, &config, NULL, NULL, 0, &error), MFN_INVALID, "percolation is NULL");
    CALL(mfn_graph_percolate(graph, 0, &config, &fall, values, 2, &error), MFN_INVALID, "give room for 3");
    CALL(mfn_graph_percolate(graph, 0, &config, &fall, values, (size_t)-1, &error), MFN_INVALID, "memory");
    config.trials = 0;
    CALL(mfn_graph_percolate(graph, 0, &config, &fall, NULL, 0, &error), MFN_INVALID, "trials = 0");
    config.trials = UINT64_MAX;
    CALL(mfn_graph_percolate(graph, 0, &config, &fall, NULL, 0, &error), MFN_INVALID, "trials");
    config.trials = 1;
    config.reserved = 1;
    CALL(mfn_graph_percolate(graph, 0, &config, &fall, NULL, 0, &error), MFN_INVALID, "config.reserved = 1");
    last = mfn_graph_last_error(graph);
    EXPECT(strstr(mfn_error_message(last), "reserved") != NULL);
    CALL(mfn_graph_cancel((mfn_graph *)(void *)last, &error), MFN_INVALID, "another type");
    mfn_error_free(last);
    mfn_graph_free(graph);
}

static void check_edges(void)
{
    const uint32_t ends[4] = {0, 1, 1, 2};
    const double lengths[2] = {1, 0};
    mfn_graph *graph = NULL;
    mfn_bytes bytes;

    CALL(mfn_graph_from_edges(3, NULL, NULL, 2, &graph, &error), MFN_INVALID, "ends is NULL");
    CALL(mfn_graph_from_edges(3, ends, NULL, 2, NULL, &error), MFN_INVALID, "graph is NULL");
    CALL(mfn_graph_from_edges(3, ends, NULL, (size_t)-1, &graph, &error), MFN_INVALID, "memory");
    CALL(mfn_graph_from_edges(2, ends, NULL, 2, &graph, &error), MFN_INVALID, "edge 1");
    CALL(mfn_graph_from_edges((size_t)-1, ends, NULL, 2, &graph, &error), MFN_INVALID, "nodes");
    CALL(mfn_graph_from_edges(3, ends, lengths, 2, &graph, &error), MFN_INVALID, "edge 1");
    CALL(mfn_graph_from_edges(3, ends, (const double *)(const void *)((const char *)lengths + 1), 1, &graph, &error), MFN_INVALID, "lengths is misaligned");
    EXPECT(graph == NULL);
    CALL(mfn_graph_from_edges(3, ends, lengths, 1, &graph, &error), MFN_OK, "");
    CALL(mfn_graph_skeleton(graph, &bytes, &error), MFN_INVALID, "has no cells");
    mfn_graph_free(graph);
}

int main(void)
{
    check_edges();
    check_making();
    check_null_handles();
    check_live_handle();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
