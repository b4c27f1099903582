/* Guards the functions of configurations, pipelines, outcomes and snapshots against arguments that no caller
   should give. */
#include "expect.h"

static mfn_error *error;

static void check_configs(mfn_runtime *runtime)
{
    mfn_config *config = NULL;
    mfn_pipeline *pipeline = NULL;
    char *json = NULL;
    int32_t passed = 77;

    CALL(mfn_config_from_file(NULL, &config, &error), MFN_INVALID, "path is NULL");
    CALL(mfn_config_from_file("/nowhere/x.toml", &config, &error), MFN_INVALID, "/nowhere/x.toml");
    CALL(mfn_config_from_file("/nowhere/x.toml", NULL, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_config_from_toml(NULL, NULL, &config, &error), MFN_INVALID, "text is NULL");
    CALL(mfn_config_from_toml("\xff", NULL, &config, &error), MFN_INVALID, "text is not UTF-8");
    CALL(mfn_config_from_toml("a = ", NULL, &config, &error), MFN_INVALID, "fault");
    CALL(mfn_config_from_json("{", NULL, &config, &error), MFN_INVALID, "fault");
    CALL(mfn_config_from_json("{}", NULL, NULL, &error), MFN_INVALID, "config is NULL");
    EXPECT(mfn_config_from_json("{\"colour\": 1}", NULL, &config, &error) == MFN_INVALID && config == NULL);
    EXPECT(mfn_error_fault_count(error) >= 2 && strcmp(mfn_error_fault_path(error, 0), "name") == 0);
    mfn_error_free(error);
    error = NULL;
    CALL(mfn_pipeline_check(NULL, NULL, NULL, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_pipeline_check(runtime, NULL, NULL, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_pipeline_check(runtime, (const mfn_config *)(const void *)runtime, NULL, &error), MFN_INVALID, "another type");
    CALL(mfn_pipeline_start(runtime, NULL, &pipeline, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_pipeline_start(NULL, NULL, &pipeline, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_config_probe(NULL, NULL, 1, &passed, &json, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_config_probe(runtime, NULL, 1, &passed, &json, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_config_probe(runtime, NULL, 1, NULL, &json, &error), MFN_INVALID, "passed is NULL");
    mfn_config_free(NULL);
    EXPECT(config == NULL && pipeline == NULL && json == NULL && passed == 77);
}

static void check_null_pipelines(void)
{
    mfn_pipeline_status status = {.struct_size = sizeof status};
    mfn_drain_report report = {.struct_size = sizeof report};
    mfn_endpoints *endpoints = NULL;
    mfn_snapshot *snapshot = NULL;
    mfn_outcome *outcome = NULL;
    char *text = NULL;
    int32_t state = 77;

    CALL(mfn_pipeline_get_status(NULL, &status, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_status_json(NULL, &text, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_trouble(NULL, &text, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_endpoints(NULL, &endpoints, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_next_outcome(NULL, 0, &outcome, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_last_snapshot(NULL, &snapshot, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_wait(NULL, 0, &state, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_drain(NULL, 0, &report, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_stop(NULL, &report, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_health(NULL, &state, &text, &error), MFN_INVALID, "pipeline is NULL");
    CALL(mfn_pipeline_probe(NULL, 0, &state, &text, &error), MFN_INVALID, "pipeline is NULL");
    EXPECT(mfn_pipeline_last_error(NULL) == NULL && state == 77 && text == NULL && endpoints == NULL);
    EXPECT(outcome == NULL && snapshot == NULL);
    mfn_pipeline_free(NULL);
}

static void check_null_results(void)
{
    mfn_features features = {.struct_size = sizeof features};
    mfn_statistics statistics = {.struct_size = sizeof statistics};
    mfn_field_view view;
    char *json = NULL;

    EXPECT(mfn_outcome_status(NULL) == -1 && *mfn_outcome_request(NULL) == 0 && *mfn_outcome_route(NULL) == 0);
    EXPECT(*mfn_outcome_reason(NULL) == 0 && *mfn_outcome_snapshot_id(NULL) == 0 && mfn_outcome_compute_ms(NULL) == 0);
    CALL(mfn_outcome_features(NULL, &features, &error), MFN_INVALID, "outcome is NULL");
    CALL(mfn_outcome_statistics(NULL, &statistics, &error), MFN_INVALID, "outcome is NULL");
    mfn_outcome_free(NULL);
    EXPECT(*mfn_snapshot_id(NULL) == 0 && *mfn_snapshot_request(NULL) == 0 && *mfn_snapshot_route(NULL) == 0);
    CALL(mfn_snapshot_features(NULL, &features, &error), MFN_INVALID, "snapshot is NULL");
    CALL(mfn_snapshot_statistics(NULL, &statistics, &error), MFN_INVALID, "snapshot is NULL");
    CALL(mfn_snapshot_field(NULL, &view, &error), MFN_INVALID, "snapshot is NULL");
    CALL(mfn_snapshot_activator(NULL, &view, &error), MFN_INVALID, "snapshot is NULL");
    CALL(mfn_snapshot_inhibitor(NULL, &view, &error), MFN_INVALID, "snapshot is NULL");
    CALL(mfn_snapshot_json(NULL, 0, &json, &error), MFN_INVALID, "snapshot is NULL");
    EXPECT(json == NULL);
    mfn_snapshot_free(NULL);
}

int main(void)
{
    mfn_runtime *runtime = NULL;
    CALL(mfn_runtime_create(NULL, &runtime, &error), MFN_OK, "");
    check_configs(runtime);
    check_null_pipelines();
    check_null_results();
    mfn_runtime_free(runtime);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
