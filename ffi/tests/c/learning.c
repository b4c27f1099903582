/* Guards aggregation, plasticity, attention, the network and the validation as a C host uses them: results that
   are known by hand, outputs in place, strided gradients, and training that learns. */
#include "expect.h"
#include <math.h>

static mfn_error *error;

static void check_aggregation(void)
{
    /* Five clients of two coordinates, in every second column of a wider array; the last one lies. */
    double wide[5][4] = {{1, 9, 2, 9}, {1.1, 9, 2, 9}, {0.9, 9, 2.1, 9}, {1, 9, 1.9, 9}, {-50, 9, 80, 9}};
    double value[2], scores[5];
    int32_t selected[5];
    uint64_t index = 9, clusters = 0;
    mfn_aggregation report = {.struct_size = sizeof report};
    mfn_aggregation_options options;
    mfn_hierarchical_options levels;
    mfn_field_view gradients = mfn_field_rows(&wide[0][0], 5, 2);
    gradients.row_stride = 4;
    gradients.col_stride = 2;

    CALL(mfn_aggregation_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.byzantine = 1;
    CALL(mfn_aggregate(&gradients, &options, value, 2, scores, selected, &report, &error), MFN_OK, "");
    EXPECT(value[0] == 1 && value[1] == 2 && report.selected_index == 0 && report.selected_count == 1 && report.converged == 1);
    EXPECT(selected[0] == 1 && selected[1] == 0 && selected[4] == 0 && scores[0] < scores[1] && scores[4] > 1000);

    options.method = MFN_METHOD_MULTI_KRUM;
    options.selected = 2;
    CALL(mfn_aggregate(&gradients, &options, value, 2, NULL, selected, &report, &error), MFN_OK, "");
    EXPECT(report.selected_count == 2 && selected[4] == 0 && fabs(value[1] - 2) < 0.2);
    options.method = MFN_METHOD_TRIMMED_MEAN;
    CALL(mfn_aggregate(&gradients, &options, value, 2, NULL, NULL, NULL, &error), MFN_OK, "");
    EXPECT(fabs(value[0] - 2.9 / 3) < 1e-15 && fabs(value[1] - 6.1 / 3) < 1e-15);
    options.method = MFN_METHOD_MEDIAN;
    CALL(mfn_aggregate(&gradients, &options, value, 2, scores, NULL, NULL, &error), MFN_OK, "");
    EXPECT(value[0] == 1 && value[1] == 2 && scores[0] == 0);
    options.method = MFN_METHOD_GEOMETRIC_MEDIAN;
    CALL(mfn_aggregate(&gradients, &options, value, 2, NULL, NULL, &report, &error), MFN_OK, "");
    EXPECT(fabs(value[0] - 1) < 0.1 && report.iterations > 0 && report.converged == 1 && report.relative_gap_max <= options.tolerance);

    CALL(mfn_hierarchical_options_init(&levels, sizeof levels, &error), MFN_OK, "");
    CALL(mfn_aggregate_hierarchical(&gradients, &levels, value, 2, &clusters, &error), MFN_OK, "");
    EXPECT(clusters == 1 && fabs(value[0] - 1) < 0.11);
    CALL(mfn_aggregate_hierarchical_v4_1(&gradients, NULL, value, 2, &error), MFN_OK, "");
    EXPECT(isfinite(value[0]));
    /* The fault of version 4.1: a client with a NaN is chosen. The default names it. */
    wide[3][2] = NAN;
    CALL(mfn_krum_select_v4_1(&gradients, 1, &index, &error), MFN_OK, "");
    EXPECT(index == 3);
    options.method = MFN_METHOD_KRUM;
    CALL(mfn_aggregate(&gradients, &options, value, 2, NULL, NULL, NULL, &error), MFN_INVALID, "client 3 has NaN at coordinate 1");
}

static void check_plasticity(void)
{
    double pre[2] = {0, 0.04}, post[1] = {0.02}, weights[2] = {0.5, 0.5}, changes[2];
    mfn_field_view pre_view = mfn_field_rows(pre, 1, 2), post_view = mfn_field_rows(post, 1, 1);
    mfn_stdp_rule rule;
    CALL(mfn_stdp_rule_init(&rule, sizeof rule, &error), MFN_OK, "");
    rule.bounds = MFN_WEIGHT_BOUNDS_SOFT;
    CALL(mfn_stdp_change_v4_1(&pre_view, &post_view, &rule, changes, 2, &error), MFN_OK, "");
    EXPECT(fabs(changes[0] - 0.01 * exp(-1)) < 1e-15 && fabs(changes[1] + 0.012 * exp(-1)) < 1e-15);
    CALL(mfn_stdp_update(&pre_view, &post_view, &rule, weights, 2, &error), MFN_OK, "");
    EXPECT(fabs(weights[0] - 0.5 - 0.5 * changes[0]) < 1e-15 && fabs(weights[1] - 0.5 - 0.5 * changes[1]) < 1e-15);
}

static void check_attention(void)
{
    /* Two numbers a token; query and key are the tokens, the value is twice the token, the output the mixture. */
    double parameters[24] = {1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 2, 0, 0, 1, 0, 0, 1, 0, 0};
    double tokens[6] = {9, 0, 0, 9, 8, 0}, output[6];
    mfn_attention_config config = {.struct_size = sizeof config, .embed_dim = 2, .num_heads = 1, .top_k = 1};
    mfn_attention *attention = NULL;
    CALL(mfn_attention_create(&config, parameters, 24, 0, &attention, &error), MFN_OK, "");
    CALL(mfn_attention_forward(attention, tokens, 1, 3, output, 6, &error), MFN_OK, "");
    /* Each token takes the best key only: the first its own, the second its own, the third the first. */
    EXPECT(output[0] == 18 && output[1] == 0 && output[3] == 18 && output[4] == 18 && output[5] == 0);
    mfn_attention_free(attention);
}

static void check_network(void)
{
    double x[8][3][2], y[8], first = 0, loss = 0, output[8], *weights;
    size_t count, i;
    mfn_network_config config;
    mfn_network *network = NULL, *twin = NULL;
    for (i = 0; i < 48; i++)
        ((double *)x)[i] = sin((double)(i * i));
    for (i = 0; i < 8; i++)
        y[i] = x[i][0][0] + x[i][1][0] + x[i][2][0];
    CALL(mfn_network_config_init(&config, sizeof config, &error), MFN_OK, "");
    config.input_dim = 2;
    config.hidden_dim = 8;
    config.learning_rate = 0.01;
    CALL(mfn_network_create(&config, 7, &network, &error), MFN_OK, "");
    CALL(mfn_network_train_step(network, &x[0][0][0], 8, 3, y, &first, &error), MFN_OK, "");
    for (i = 0; i < 200; i++)
        CALL(mfn_network_train_step(network, &x[0][0][0], 8, 3, y, &loss, &error), MFN_OK, "");
    EXPECT(loss < first / 10);

    /* A twin with the same parameters gives the same bits. */
    count = mfn_network_parameter_count(network);
    weights = malloc(count * sizeof *weights);
    EXPECT(count == 24 + 4 * 72 + 72 + 36 + 5 && weights != NULL);
    CALL(mfn_network_parameters(network, weights, count, &error), MFN_OK, "");
    CALL(mfn_network_create(&config, 8, &twin, &error), MFN_OK, "");
    CALL(mfn_network_set_parameters(twin, weights, count, &error), MFN_OK, "");
    CALL(mfn_network_forward(network, &x[0][0][0], 8, 3, output, &error), MFN_OK, "");
    CALL(mfn_network_forward(twin, &x[0][0][0], 8, 3, y, &error), MFN_OK, "");
    EXPECT(memcmp(output, y, sizeof y) == 0);
    free(weights);
    mfn_network_free(network);
    mfn_network_free(twin);
}

static int32_t stop_at_third(void *user_data, uint64_t step, uint64_t steps_total)
{
    *(uint64_t *)user_data = step;
    return steps_total != 18 || step == 3;
}

static void check_validation(void)
{
    mfn_validation_config config;
    mfn_validation validation = {.struct_size = sizeof validation};
    uint64_t heard = 0;
    CALL(mfn_validation_config_init(&config, sizeof config, 1, &error), MFN_OK, "");
    EXPECT(config.epochs == 1 && config.compat_v4_1 == 1 && config.seed == 42);
    config.grid_size = 8;
    config.steps = 4;
    CALL(mfn_validate(&config, NULL, NULL, &validation, &error), MFN_OK, "");
    EXPECT(fabs(validation.nernst_symbolic_mv + 89.0107) < 1e-3 && isnan(validation.loss_constant));
    EXPECT(validation.loss_drop == validation.loss_start - validation.loss_final && validation.pot_min_mv < -60);
    validation.loss_drop = 77;
    CALL(mfn_validate(&config, stop_at_third, &heard, &validation, &error), MFN_CANCELLED, "");
    EXPECT(heard == 3 && validation.loss_drop == 77);
}

/* Traces count every pair of spikes: two inputs before one output, and one after it. */
static void check_traces(void)
{
    static const uint8_t both[2] = {1, 1}, first[2] = {1, 0}, none[2] = {0, 0}, fires[1] = {1}, silent[1] = {0};
    double weights[2] = {0.5, 0.5};
    mfn_stdp_traces *traces = NULL;
    mfn_stdp_rule rule;

    CALL(mfn_stdp_rule_init(&rule, sizeof rule, &error), MFN_OK, "");
    CALL(mfn_stdp_traces_create(NULL, 2, 1, &traces, &error), MFN_OK, "");
    CALL(mfn_stdp_traces_advance(traces, 0.01, both, 2, silent, 1, weights, 2, &error), MFN_OK, "");
    CALL(mfn_stdp_traces_advance(traces, 0.01, first, 2, silent, 1, weights, 2, &error), MFN_OK, "");
    EXPECT(weights[0] == 0.5 && weights[1] == 0.5);
    CALL(mfn_stdp_traces_advance(traces, 0.02, none, 2, fires, 1, weights, 2, &error), MFN_OK, "");
    EXPECT(fabs(weights[0] - 0.5 - rule.a_plus * (exp(-0.03 / rule.tau_plus_s) + exp(-0.02 / rule.tau_plus_s))) < 1e-15);
    EXPECT(fabs(weights[1] - 0.5 - rule.a_plus * exp(-0.03 / rule.tau_plus_s)) < 1e-15);
    weights[0] = 0.5;
    CALL(mfn_stdp_traces_advance(traces, 0.005, first, 2, silent, 1, weights, 2, &error), MFN_OK, "");
    EXPECT(fabs(weights[0] - 0.5 + rule.a_minus * exp(-0.005 / rule.tau_minus_s)) < 1e-15 && weights[1] > 0.5);
    mfn_stdp_traces_free(traces);
}

int main(void)
{
    check_traces();
    check_aggregation();
    check_plasticity();
    check_attention();
    check_network();
    check_validation();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
