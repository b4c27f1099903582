/* Guards the functions of simulations, features, errors and owned data against arguments that no caller should
   give: each is refused with a message that names the argument, nothing is written, and nothing leaks. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;
static double cells[16];

static void check_constants(void)
{
    EXPECT(strcmp(mfn_version(), "") != 0 && mfn_abi_version() == MFN_ABI_VERSION && mfn_live_handles() == 0);
    EXPECT(strcmp(mfn_status_name(MFN_END), "MFN_END") == 0 && strcmp(mfn_status_name(-5), "MFN_UNKNOWN") == 0);
    EXPECT(strcmp(mfn_feature_name(0), "D_box") == 0 && mfn_feature_name(MFN_FEATURE_COUNT) == NULL);
    EXPECT(strcmp(mfn_feature_unit(2), "mV") == 0 && mfn_feature_unit((size_t)-1) == NULL);
}

static void check_errors(void)
{
    mfn_sim *sim = NULL;
    mfn_bytes none = {NULL, 0};
    EXPECT(mfn_error_status(NULL) == MFN_OK && mfn_error_class(NULL) == 0 && mfn_error_retriable(NULL) == 0);
    EXPECT(mfn_error_cause_count(NULL) == 0 && mfn_error_fault_count(NULL) == 0 && mfn_error_retry_after_ms(NULL) == 0);
    EXPECT(*mfn_error_message(NULL) == 0 && *mfn_error_cause(NULL, 0) == 0 && *mfn_error_plugin(NULL) == 0);
    EXPECT(*mfn_error_component(NULL) == 0 && *mfn_error_fault_path(NULL, 0) == 0);
    EXPECT(*mfn_error_fault_message(NULL, 0) == 0 && *mfn_error_fault_fix(NULL, 0) == 0);
    mfn_error_free(NULL);
    mfn_string_free(NULL);
    mfn_bytes_free(NULL);
    mfn_bytes_free(&none);

    EXPECT(mfn_sim_create_json("{\"compat\": \"v4.1\", \"alpha\": 9, \"grid_size\": 0}", &sim, &error) == MFN_INVALID && sim == NULL);
    EXPECT(mfn_error_status(error) == MFN_INVALID && mfn_error_class(error) == MFN_CLASS_PERMANENT);
    EXPECT(mfn_error_fault_count(error) == 2 && *mfn_error_fault_path(error, 2) == 0 && *mfn_error_fault_fix(error, 9) == 0);
    EXPECT(strcmp(mfn_error_fault_path(error, 0), "grid_size") == 0 && strstr(mfn_error_fault_message(error, 1), "9 is outside") != NULL);
    EXPECT(strstr(mfn_error_fault_fix(error, 1), "0.25") != NULL && *mfn_error_cause(error, 100) == 0);
    mfn_error_free(error);
    error = NULL;

    /* A value of the wrong type is a fault like any other: with its place, its range and no word of Rust. */
    EXPECT(mfn_sim_create_json("{\"grid_size\": \"large\"}", &sim, &error) == MFN_INVALID && sim == NULL);
    EXPECT(mfn_error_fault_count(error) == 1 && strcmp(mfn_error_fault_path(error, 0), "grid_size") == 0);
    EXPECT(strstr(mfn_error_fault_message(error, 0), "[1, 65536]") != NULL && strstr(mfn_error_message(error), "usize") == NULL);
    mfn_error_free(error);
    error = NULL;
}

static void check_views(void)
{
    mfn_features features = {.struct_size = sizeof features}, other = {.struct_size = sizeof other}, before;
    mfn_feature_config config;
    mfn_field_view view = mfn_field_rows(cells, 4, 4);
    features.d_box = 7;
    before = features;

    CALL(mfn_features_compute(NULL, NULL, &features, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_features_compute(&view, NULL, NULL, &error), MFN_INVALID, "features is NULL");
    CALL(mfn_features_compute(&view, NULL, MISALIGNED(mfn_features *, &features), &error), MFN_INVALID, "misaligned");
    CALL(mfn_features_compute(MISALIGNED(mfn_field_view *, &view), NULL, &features, &error), MFN_INVALID, "misaligned");
    EXPECT(mfn_features_compute(NULL, NULL, NULL, NULL) == MFN_INVALID);
    EXPECT(mfn_features_compute(NULL, NULL, NULL, MISALIGNED(mfn_error **, &error)) == MFN_INVALID);

    view = mfn_field_rows(NULL, 4, 4);
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "field.data is NULL");
    view = mfn_field_rows(MISALIGNED(double *, cells), 4, 4);
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "misaligned");
    view = mfn_field_rows(cells, 0, 4);
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "field.rows = 0");
    view = mfn_field_rows(cells, 2, 8);
    CALL(mfn_features_compute(&view, NULL, &other, &error), MFN_OK, "");
    EXPECT(other.max_cluster_size == 16 && isnan(other.t_stable));
    CALL(mfn_feature_config_init(&config, sizeof config, &error), MFN_OK, "");
    config.compat_v4_1 = 1;
    CALL(mfn_features_compute(&view, &config, &features, &error), MFN_INVALID, "square");
    config.compat_v4_1 = 2;
    CALL(mfn_features_compute(&view, &config, &features, &error), MFN_INVALID, "compat_v4_1 = 2");
    config.compat_v4_1 = 0;
    config.wrap = 3;
    CALL(mfn_features_compute(&view, &config, &features, &error), MFN_INVALID, "wrap = 3");
    view = mfn_field_rows(cells, (size_t)-1, (size_t)-1);
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "field.rows");
    view = mfn_field_rows(cells, 4, 4);
    view.row_stride = 0;
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "field.row_stride = 0");
    view.row_stride = PTRDIFF_MIN;
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "row_stride");
    view.row_stride = PTRDIFF_MAX / 8;
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "memory");

    view = mfn_field_rows(cells, 4, 4);
    CALL(mfn_feature_config_init(NULL, sizeof config, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_feature_config_init(&config, 3, &error), MFN_INVALID, "struct_size = 3");
    CALL(mfn_feature_config_init(&config, sizeof config, &error), MFN_OK, "");
    CALL(mfn_features_compute(&view, &config, &features, &error), MFN_OK, "");
    features = before;
    config.threshold_low_mv = NAN;
    CALL(mfn_features_compute(&view, &config, &features, &error), MFN_INVALID, "threshold_low_mv = NaN");
    config.threshold_low_mv = -60;
    config.connectivity = 5;
    CALL(mfn_features_compute(&view, &config, &features, &error), MFN_INVALID, "connectivity = 5");
    config.struct_size = 0;
    CALL(mfn_features_compute(&view, &config, &features, &error), MFN_INVALID, "struct_size = 0");
    features.struct_size = 8;
    CALL(mfn_features_compute(&view, NULL, &features, &error), MFN_INVALID, "sizeof(mfn_features)");
    features.struct_size = sizeof features;
    EXPECT(memcmp(&features, &before, sizeof features) == 0);
}

static void check_specs(void)
{
    struct { mfn_spec known; uint64_t unknown; } newer;
    mfn_sim *sim = NULL;
    mfn_spec spec;

    CALL(mfn_spec_init(NULL, sizeof spec, &error), MFN_INVALID, "spec is NULL");
    CALL(mfn_spec_init(&spec, 111, &error), MFN_INVALID, "sizeof(mfn_spec)");
    CALL(mfn_spec_init(&spec, (size_t)-1, &error), MFN_INVALID, "sizeof(mfn_spec)");
    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    CALL(mfn_sim_create(NULL, &sim, &error), MFN_INVALID, "spec is NULL");
    CALL(mfn_sim_create(&spec, NULL, &error), MFN_INVALID, "sim is NULL");
    spec.struct_size = 12;
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, "struct_size = 12");
    spec.struct_size = sizeof spec;
    spec.boundary = 3;
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, "spec.boundary = 3");
    spec.boundary = MFN_BOUNDARY_DIRICHLET;
    spec.turing_enabled = -1;
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, "spec.turing_enabled = -1");
    spec.turing_enabled = 1;
    spec.reserved = 1;
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, "spec.reserved = 1");
    spec.reserved = 0;
    spec.grid_size = UINT64_MAX;
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, "grid_size");
    spec.grid_size = 16;
    spec.d_activator = NAN;
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, "d_activator");
    spec.d_activator = 0.3;
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, "diverges");

    /* A program of a newer header: what this version does not know must not be set. */
    CALL(mfn_spec_init(&newer.known, sizeof newer, &error), MFN_OK, "");
    EXPECT(newer.known.struct_size == sizeof newer && newer.unknown == 0);
    newer.unknown = 1;
    CALL(mfn_sim_create(&newer.known, &sim, &error), MFN_INVALID, "newer libmfn");
    EXPECT(sim == NULL);
    newer.unknown = 0;
    CALL(mfn_sim_create(&newer.known, &sim, &error), MFN_OK, "");
    mfn_sim_free(sim);
    sim = NULL;

    CALL(mfn_sim_create_json(NULL, &sim, &error), MFN_INVALID, "spec_json is NULL");
    CALL(mfn_sim_create_json("\xff\xfe", &sim, &error), MFN_INVALID, "UTF-8");
    CALL(mfn_sim_create_json("{", &sim, &error), MFN_INVALID, "spec_json");
    CALL(mfn_sim_create_json("[1]", &sim, &error), MFN_INVALID, "spec_json");
    CALL(mfn_sim_create_json("{\"grid\": 8}", &sim, &error), MFN_INVALID, "grid");
    CALL(mfn_sim_create_json("{\"alpha\": 1e999}", &sim, &error), MFN_INVALID, "spec_json");
    CALL(mfn_sim_create_json("{}", NULL, &error), MFN_INVALID, "sim is NULL");
    EXPECT(sim == NULL);
}

static void check_null_handles(void)
{
    mfn_statistics statistics = {.struct_size = sizeof statistics};
    mfn_features features = {.struct_size = sizeof features};
    mfn_field_view view = mfn_field_rows(cells, 4, 4);
    mfn_spec spec;
    spec.struct_size = sizeof spec;

    CALL(mfn_sim_spec(NULL, &spec, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_set_initial_field(NULL, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_follow_features(NULL, NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_step(NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_run(NULL, 1, NULL, NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_cancel(NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_cancel_reset(NULL, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_field(NULL, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_activator(NULL, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_inhibitor(NULL, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_statistics(NULL, &statistics, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_features(NULL, &features, &error), MFN_INVALID, "sim is NULL");
    EXPECT(mfn_sim_step_count(NULL) == 0 && mfn_sim_last_error(NULL) == NULL);
    mfn_sim_free(NULL);
}

static void check_live_handle(void)
{
    mfn_statistics statistics = {.struct_size = sizeof statistics};
    mfn_features features = {.struct_size = sizeof features};
    mfn_field_view view = mfn_field_rows(cells, 4, 4), lent = view;
    mfn_error *last, *foreign = NULL;
    mfn_sim *sim = NULL;
    mfn_spec spec;

    CALL(mfn_sim_create_json("{\"grid_size\": 4, \"random_seed\": 18446744073709551615}", &sim, &error), MFN_OK, "");
    EXPECT(mfn_sim_last_error(sim) == NULL);
    spec.struct_size = sizeof spec;
    CALL(mfn_sim_spec(sim, &spec, &error), MFN_OK, "");
    EXPECT(spec.grid_size == 4 && spec.random_seed == UINT64_MAX && spec.struct_size == sizeof spec);
    CALL(mfn_sim_spec(sim, NULL, &error), MFN_INVALID, "spec is NULL");
    CALL(mfn_sim_field(sim, NULL, &error), MFN_INVALID, "view is NULL");
    CALL(mfn_sim_activator(sim, NULL, &error), MFN_INVALID, "view is NULL");
    CALL(mfn_sim_inhibitor(sim, MISALIGNED(mfn_field_view *, &view), &error), MFN_INVALID, "view is misaligned");
    CALL(mfn_sim_statistics(sim, NULL, &error), MFN_INVALID, "statistics is NULL");
    CALL(mfn_sim_features(sim, NULL, &error), MFN_INVALID, "features is NULL");
    statistics.struct_size = 1;
    CALL(mfn_sim_statistics(sim, &statistics, &error), MFN_INVALID, "sizeof(mfn_statistics)");
    features.struct_size = UINT32_MAX;
    CALL(mfn_sim_features(sim, &features, &error), MFN_INVALID, "sizeof(mfn_features)");

    CALL(mfn_sim_set_initial_field(sim, NULL, &error), MFN_INVALID, "field is NULL");
    view = mfn_field_rows(cells, 2, 4);
    CALL(mfn_sim_set_initial_field(sim, &view, &error), MFN_INVALID, "shape 2 x 4");
    view = mfn_field_rows(cells, 4, 4);
    cells[5] = INFINITY;
    CALL(mfn_sim_set_initial_field(sim, &view, &error), MFN_INVALID, "row 1, column 1");
    cells[5] = 0;
    CALL(mfn_sim_step(sim, &error), MFN_OK, "");
    CALL(mfn_sim_set_initial_field(sim, &view, &error), MFN_INVALID, "after 1 steps");
    EXPECT(mfn_sim_step(sim, NULL) == MFN_OK && mfn_sim_step_count(sim) == 2);

    /* The last failure stays with the handle for a host that passed NULL, and survives its end. */
    EXPECT(mfn_sim_set_initial_field(sim, &view, NULL) == MFN_INVALID);
    last = mfn_sim_last_error(sim);
    EXPECT(strstr(mfn_error_message(last), "after 2 steps") != NULL);

    /* Handles of another type. */
    CALL(mfn_sim_step((mfn_sim *)(void *)last, &error), MFN_INVALID, "another type");
    EXPECT(*mfn_error_message((mfn_error *)(void *)sim) == 0);
    mfn_error_free((mfn_error *)(void *)sim);
    CALL(mfn_sim_field(MISALIGNED(mfn_sim *, sim), &lent, &error), MFN_INVALID, "misaligned");
    CALL(mfn_sim_field(sim, &lent, &error), MFN_OK, "");
    EXPECT(lent.rows == 4 && lent.data != cells);
    EXPECT(foreign == NULL && mfn_live_handles() == 2);
    mfn_sim_free(sim);
    mfn_error_free(last);
}

int main(void)
{
    check_constants();
    check_errors();
    check_views();
    check_specs();
    check_null_handles();
    check_live_handle();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
