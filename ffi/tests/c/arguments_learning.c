/* Guards aggregation, learning and validation against arguments that no caller should give: each is refused with a
   message that names the argument, nothing is written, and nothing leaks. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;
static double cells[64];

static void check_aggregation(void)
{
    double value[4] = {7, 7, 7, 7}, *out = value;
    uint64_t index = 7;
    mfn_aggregation report = {.struct_size = sizeof report};
    mfn_aggregation_options options;
    mfn_hierarchical_options levels;
    mfn_field_view gradients = mfn_field_rows(cells, 8, 4), few = mfn_field_rows(cells, 2, 4);

    CALL(mfn_aggregation_options_init(NULL, sizeof options, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_aggregation_options_init(&options, 5, &error), MFN_INVALID, "struct_size = 5");
    CALL(mfn_aggregation_options_init(&options, sizeof options, &error), MFN_OK, "");
    CALL(mfn_aggregate(NULL, &options, out, 4, NULL, NULL, NULL, &error), MFN_INVALID, "gradients is NULL");
    CALL(mfn_aggregate(&gradients, NULL, out, 4, NULL, NULL, NULL, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_aggregate(&gradients, &options, NULL, 4, NULL, NULL, NULL, &error), MFN_INVALID, "value is NULL");
    CALL(mfn_aggregate(&gradients, &options, out, 3, NULL, NULL, NULL, &error), MFN_INVALID, "value has room for 3");
    CALL(mfn_aggregate(&gradients, &options, out, (size_t)-1, NULL, NULL, NULL, &error), MFN_INVALID, "give 4");
    CALL(mfn_aggregate(&gradients, &options, out, 4, MISALIGNED(double *, cells), NULL, NULL, &error), MFN_INVALID, "scores is misaligned");
    CALL(mfn_aggregate(&gradients, &options, out, 4, NULL, MISALIGNED(int32_t *, cells), NULL, &error), MFN_INVALID, "selected is misaligned");
    report.struct_size = 3;
    CALL(mfn_aggregate(&gradients, &options, out, 4, NULL, NULL, &report, &error), MFN_INVALID, "sizeof(mfn_aggregation)");
    CALL(mfn_aggregate(&few, &options, out, 4, NULL, NULL, NULL, &error), MFN_INVALID, "2 clients are too few");
    options.byzantine = UINT64_MAX;
    CALL(mfn_aggregate(&gradients, &options, out, 4, NULL, NULL, NULL, &error), MFN_INVALID, "too few");
    options.byzantine = 1;
    options.method = 5;
    CALL(mfn_aggregate(&gradients, &options, out, 4, NULL, NULL, NULL, &error), MFN_INVALID, "options.method = 5");
    options.method = MFN_METHOD_MULTI_KRUM;
    options.selected = 6;
    CALL(mfn_aggregate(&gradients, &options, out, 4, NULL, NULL, NULL, &error), MFN_INVALID, "selected = 6 is outside [1, 5]");
    options.method = MFN_METHOD_GEOMETRIC_MEDIAN;
    options.smoothing = NAN;
    EXPECT(mfn_aggregate(&gradients, &options, out, 4, NULL, NULL, NULL, &error) == MFN_INVALID);
    EXPECT(mfn_error_fault_count(error) == 1 && strcmp(mfn_error_fault_path(error, 0), "smoothing") == 0);
    mfn_error_free(error);
    error = NULL;

    CALL(mfn_hierarchical_options_init(NULL, sizeof levels, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_hierarchical_options_init(&levels, sizeof levels, &error), MFN_OK, "");
    CALL(mfn_aggregate_hierarchical(NULL, &levels, out, 4, NULL, &error), MFN_INVALID, "gradients is NULL");
    CALL(mfn_aggregate_hierarchical(&gradients, NULL, out, 4, NULL, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_aggregate_hierarchical(&gradients, &levels, out, 5, NULL, &error), MFN_INVALID, "value has room for 5");
    CALL(mfn_aggregate_hierarchical(&gradients, &levels, out, 4, MISALIGNED(uint64_t *, cells), &error), MFN_INVALID, "clusters is misaligned");
    CALL(mfn_aggregate_hierarchical(&few, &levels, out, 4, NULL, &error), MFN_INVALID, "too few");
    levels.reserved = 1;
    CALL(mfn_aggregate_hierarchical(&gradients, &levels, out, 4, NULL, &error), MFN_INVALID, "options.reserved = 1");
    levels.reserved = 0;
    levels.byzantine_fraction = 0.5;
    CALL(mfn_aggregate_hierarchical(&gradients, &levels, out, 4, NULL, &error), MFN_INVALID, "byzantine_fraction = 0.5");
    CALL(mfn_aggregate_hierarchical_v4_1(&gradients, &levels, out, 4, &error), MFN_INVALID, "byzantine_fraction = 0.5");
    CALL(mfn_aggregate_hierarchical_v4_1(NULL, NULL, out, 4, &error), MFN_INVALID, "gradients is NULL");
    CALL(mfn_aggregate_hierarchical_v4_1(&gradients, NULL, NULL, 4, &error), MFN_INVALID, "value is NULL");
    CALL(mfn_krum_select_v4_1(NULL, 0, &index, &error), MFN_INVALID, "gradients is NULL");
    CALL(mfn_krum_select_v4_1(&gradients, 0, NULL, &error), MFN_INVALID, "index is NULL");
    EXPECT(value[0] == 7 && value[3] == 7 && index == 7);
}

static void check_plasticity(void)
{
    double weights[4] = {0.5, 0.5, 0.5, 0.5};
    mfn_stdp_rule rule;
    mfn_field_view times = mfn_field_rows(cells, 3, 2), other = mfn_field_rows(cells, 2, 2);
    CALL(mfn_stdp_rule_init(NULL, sizeof rule, &error), MFN_INVALID, "rule is NULL");
    CALL(mfn_stdp_rule_init(&rule, sizeof rule, &error), MFN_OK, "");
    CALL(mfn_stdp_update(NULL, &times, &rule, weights, 4, &error), MFN_INVALID, "pre_times_s is NULL");
    CALL(mfn_stdp_update(&times, NULL, &rule, weights, 4, &error), MFN_INVALID, "post_times_s is NULL");
    CALL(mfn_stdp_update(&times, &times, NULL, NULL, 4, &error), MFN_INVALID, "weights is NULL");
    CALL(mfn_stdp_update(&times, &times, &rule, weights, 5, &error), MFN_INVALID, "weights has room for 5");
    CALL(mfn_stdp_update(&times, &other, &rule, weights, 4, &error), MFN_INVALID, "2 trials, 3 are needed");
    rule.bounds = 2;
    CALL(mfn_stdp_update(&times, &times, &rule, weights, 4, &error), MFN_INVALID, "rule.bounds = 2");
    rule.bounds = MFN_WEIGHT_BOUNDS_HARD;
    rule.tau_plus_s = 0.0049;
    CALL(mfn_stdp_update(&times, &times, &rule, weights, 4, &error), MFN_INVALID, "tau_plus_s = 0.0049");
    CALL(mfn_stdp_change_v4_1(&times, &times, &rule, weights, 4, &error), MFN_INVALID, "tau_plus_s = 0.0049");
    rule.tau_plus_s = 0.02;
    rule.weight_min = 2;
    CALL(mfn_stdp_update(&times, &times, &rule, weights, 4, &error), MFN_INVALID, "weight_min = 2 is not below");
    weights[2] = 1.5;
    CALL(mfn_stdp_update(&times, &times, NULL, weights, 4, &error), MFN_INVALID, "weight 2 is 1.5");
    CALL(mfn_stdp_change_v4_1(&times, &times, NULL, NULL, 4, &error), MFN_INVALID, "changes is NULL");
    EXPECT(weights[0] == 0.5 && weights[2] == 1.5);
}

static void check_traces(void)
{
    static const uint8_t spikes[3] = {1, 0, 1};
    double weights[2] = {0.5, 0.5};
    mfn_stdp_traces *traces = NULL;
    mfn_stdp_rule rule;

    CALL(mfn_stdp_traces_create(NULL, 2, 1, NULL, &error), MFN_INVALID, "traces is NULL");
    CALL(mfn_stdp_traces_create(NULL, (size_t)-1, 1, &traces, &error), MFN_INVALID, "inputs");
    CALL(mfn_stdp_traces_create(NULL, 2, (size_t)1 << 25, &traces, &error), MFN_INVALID, "outputs = 33554432");
    CALL(mfn_stdp_rule_init(&rule, sizeof rule, &error), MFN_OK, "");
    rule.a_plus = NAN;
    CALL(mfn_stdp_traces_create(&rule, 2, 1, &traces, &error), MFN_INVALID, "a_plus = NaN");
    EXPECT(traces == NULL);
    CALL(mfn_stdp_traces_create(NULL, 2, 1, &traces, &error), MFN_OK, "");
    CALL(mfn_stdp_traces_advance(NULL, 0, spikes, 2, spikes, 1, weights, 2, &error), MFN_INVALID, "traces is NULL");
    CALL(mfn_stdp_traces_advance(traces, 0, NULL, 2, spikes, 1, weights, 2, &error), MFN_INVALID, "pre_spikes is NULL");
    CALL(mfn_stdp_traces_advance(traces, 0, spikes, 2, NULL, 1, weights, 2, &error), MFN_INVALID, "post_spikes is NULL");
    CALL(mfn_stdp_traces_advance(traces, 0, spikes, 2, spikes, 1, NULL, 2, &error), MFN_INVALID, "weights is NULL");
    CALL(mfn_stdp_traces_advance(traces, 0, spikes, 2, spikes, 1, weights, 1, &error), MFN_INVALID, "weights has room for 1");
    CALL(mfn_stdp_traces_advance(traces, 0, spikes, 1, spikes, 2, weights, 2, &error), MFN_INVALID, "pre_spikes has 1 neurons");
    CALL(mfn_stdp_traces_advance(traces, -1, spikes, 2, spikes, 1, weights, 2, &error), MFN_INVALID, "time_step_s = -1");
    weights[1] = 2;
    CALL(mfn_stdp_traces_advance(traces, 0, spikes, 2, spikes, 1, weights, 2, &error), MFN_INVALID, "weight 1 is 2");
    EXPECT(weights[0] == 0.5);
    mfn_stdp_traces_free(traces);
    mfn_stdp_traces_free(NULL);
}

static void check_attention(void)
{
    double output[8] = {7};
    mfn_attention_config config = {.struct_size = sizeof config, .embed_dim = 4, .num_heads = 2, .top_k = 2};
    mfn_attention *attention = NULL;
    CALL(mfn_attention_create(NULL, NULL, 0, 1, &attention, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_attention_create(&config, NULL, 0, 1, NULL, &error), MFN_INVALID, "attention is NULL");
    CALL(mfn_attention_create(&config, NULL, 80, 1, &attention, &error), MFN_INVALID, "parameters is NULL");
    CALL(mfn_attention_create(&config, cells, 12, 1, &attention, &error), MFN_INVALID, "12 numbers, 80 are needed");
    config.num_heads = 3;
    CALL(mfn_attention_create(&config, NULL, 0, 1, &attention, &error), MFN_INVALID, "num_heads = 3 does not divide");
    config.num_heads = 2;
    config.top_k = 0;
    CALL(mfn_attention_create(&config, NULL, 0, 1, &attention, &error), MFN_INVALID, "top_k = 0");
    config.top_k = 2;
    config.embed_dim = UINT64_MAX;
    CALL(mfn_attention_create(&config, NULL, 0, 1, &attention, &error), MFN_INVALID, "embed_dim");
    config.embed_dim = 4;
    config.reserved = 1;
    CALL(mfn_attention_create(&config, NULL, 0, 1, &attention, &error), MFN_INVALID, "config.reserved = 1");
    EXPECT(attention == NULL);
    config.reserved = 0;
    CALL(mfn_attention_create(&config, NULL, 0, 1, &attention, &error), MFN_OK, "");
    CALL(mfn_attention_forward(NULL, cells, 1, 2, output, 8, &error), MFN_INVALID, "attention is NULL");
    CALL(mfn_attention_forward(attention, NULL, 1, 2, output, 8, &error), MFN_INVALID, "tokens is NULL");
    CALL(mfn_attention_forward(attention, cells, 1, 2, NULL, 8, &error), MFN_INVALID, "output is NULL");
    CALL(mfn_attention_forward(attention, cells, 1, 2, output, 7, &error), MFN_INVALID, "output has room for 7");
    CALL(mfn_attention_forward(attention, cells, (size_t)-1, 2, output, 8, &error), MFN_INVALID, "memory");
    EXPECT(mfn_attention_forward(attention, cells, 0, 2, output, 0, &error) == MFN_INVALID && error != NULL);
    mfn_error_free(error);
    error = NULL;
    EXPECT(output[0] == 7);
    mfn_attention_free(attention);
    mfn_attention_free(NULL);
}

static void check_network(void)
{
    double loss = 7, output[2] = {7, 7};
    mfn_network_config config;
    mfn_network *network = NULL;
    CALL(mfn_network_config_init(NULL, sizeof config, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_network_config_init(&config, 0, &error), MFN_INVALID, "struct_size = 0");
    CALL(mfn_network_config_init(&config, sizeof config, &error), MFN_OK, "");
    CALL(mfn_network_create(&config, 1, NULL, &error), MFN_INVALID, "network is NULL");
    config.use_sparse_attention = 2;
    CALL(mfn_network_create(&config, 1, &network, &error), MFN_INVALID, "config.use_sparse_attention = 2");
    config.use_sparse_attention = 1;
    config.beta2 = 1;
    CALL(mfn_network_create(&config, 1, &network, &error), MFN_INVALID, "beta = 1");
    config.beta2 = 0.999;
    config.hidden_dim = 1 << 20;
    CALL(mfn_network_create(&config, 1, &network, &error), MFN_INVALID, "hidden_dim = 1048576");
    EXPECT(network == NULL);
    CALL(mfn_network_create(NULL, 1, &network, &error), MFN_OK, "");
    CALL(mfn_network_forward(NULL, cells, 2, 2, output, &error), MFN_INVALID, "network is NULL");
    CALL(mfn_network_forward(network, NULL, 2, 2, output, &error), MFN_INVALID, "x is NULL");
    CALL(mfn_network_forward(network, cells, 2, 2, NULL, &error), MFN_INVALID, "output is NULL");
    CALL(mfn_network_forward(network, cells, (size_t)-1, (size_t)-1, output, &error), MFN_INVALID, "memory");
    CALL(mfn_network_train_step(NULL, cells, 2, 2, cells, &loss, &error), MFN_INVALID, "network is NULL");
    CALL(mfn_network_train_step(network, cells, 2, 2, NULL, &loss, &error), MFN_INVALID, "y is NULL");
    CALL(mfn_network_train_step(network, cells, 2, 2, cells, MISALIGNED(double *, &loss), &error), MFN_INVALID, "loss is misaligned");
    CALL(mfn_network_train_step(network, cells, 2, 0, cells, &loss, &error), MFN_INVALID, "tokens is empty");
    CALL(mfn_network_parameters(NULL, cells, 1, &error), MFN_INVALID, "network is NULL");
    CALL(mfn_network_parameters(network, cells, 1, &error), MFN_INVALID, "parameters has room for 1");
    CALL(mfn_network_set_parameters(NULL, cells, 1, &error), MFN_INVALID, "network is NULL");
    CALL(mfn_network_set_parameters(network, cells, 1, &error), MFN_INVALID, "parameters has 1 numbers");
    EXPECT(mfn_network_parameter_count(NULL) == 0 && mfn_network_parameter_count(network) > 1000);
    EXPECT(loss == 7 && output[0] == 7);
    mfn_network_free(network);
    mfn_network_free(NULL);
}

static void check_validation(void)
{
    mfn_validation_config config;
    mfn_validation validation = {.struct_size = sizeof validation};
    CALL(mfn_validation_config_init(NULL, sizeof config, 0, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_validation_config_init(&config, sizeof config, 2, &error), MFN_INVALID, "compat_v4_1 = 2");
    CALL(mfn_validation_config_init(&config, sizeof config, 0, &error), MFN_OK, "");
    CALL(mfn_validate(&config, NULL, NULL, NULL, &error), MFN_INVALID, "validation is NULL");
    config.steps = 15;
    CALL(mfn_validate(&config, NULL, NULL, &validation, &error), MFN_INVALID, "steps = 15");
    config.steps = 0;
    CALL(mfn_validate(&config, NULL, NULL, &validation, &error), MFN_INVALID, "steps = 0");
    config.steps = 16;
    config.epochs = UINT64_MAX;
    CALL(mfn_validate(&config, NULL, NULL, &validation, &error), MFN_INVALID, "epochs");
    config.epochs = 1;
    config.turing_enabled = 3;
    CALL(mfn_validate(&config, NULL, NULL, &validation, &error), MFN_INVALID, "config.turing_enabled = 3");
    config.turing_enabled = 1;
    config.reserved = 1;
    CALL(mfn_validate(&config, NULL, NULL, &validation, &error), MFN_INVALID, "config.reserved = 1");
    validation.struct_size = 1;
    CALL(mfn_validate(NULL, NULL, NULL, &validation, &error), MFN_INVALID, "sizeof(mfn_validation)");
}

int main(void)
{
    check_aggregation();
    check_plasticity();
    check_traces();
    check_attention();
    check_network();
    check_validation();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
