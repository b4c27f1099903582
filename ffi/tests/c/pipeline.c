/* Guards the way of a request through a pipeline as a C host sees it: check, start, outcomes, snapshot, status,
   endpoints, drain; one request is broken on purpose. Also guards the log callback and its end. */
#include "expect.h"

static int logged, destroyed;

static void on_log(void *user_data, const mfn_log_record *record)
{
    EXPECT(record->struct_size == sizeof *record && *record->message != '\0');
    EXPECT(record->level >= MFN_LOG_ERROR && record->level <= MFN_LOG_INFO && record->component != NULL);
    __atomic_fetch_add((int *)user_data, 1, __ATOMIC_RELAXED);
}

static void on_destroy(void *user_data)
{
    EXPECT(user_data == &logged);
    destroyed++;
}

static void check_outcome(const mfn_outcome *outcome, int *done, int *refused)
{
    mfn_features features = {.struct_size = sizeof features};
    mfn_statistics statistics = {.struct_size = sizeof statistics};
    mfn_error *error = NULL;

    EXPECT(strcmp(mfn_outcome_route(outcome), "simulate") == 0 && *mfn_outcome_request(outcome) != '\0');
    if (mfn_outcome_status(outcome) == MFN_OUTCOME_OK) {
        CALL(mfn_outcome_features(outcome, &features, &error), MFN_OK, "");
        CALL(mfn_outcome_statistics(outcome, &statistics, &error), MFN_OK, "");
        EXPECT(features.v_min < features.v_max && statistics.steps_computed == 5);
        EXPECT(strlen(mfn_outcome_snapshot_id(outcome)) == 32 && *mfn_outcome_reason(outcome) == '\0');
        EXPECT(mfn_outcome_compute_ms(outcome) > 0);
        ++*done;
    } else {
        EXPECT(mfn_outcome_status(outcome) == MFN_OUTCOME_DEAD_LETTERED);
        EXPECT(strstr(mfn_outcome_reason(outcome), "alpha") != NULL && *mfn_outcome_snapshot_id(outcome) == '\0');
        CALL(mfn_outcome_features(outcome, &features, &error), MFN_INVALID, "no features");
        CALL(mfn_outcome_statistics(outcome, &statistics, &error), MFN_INVALID, "no statistics");
        ++*refused;
    }
}

static void check_snapshot(const mfn_pipeline *pipeline, const char *folder)
{
    mfn_features features = {.struct_size = sizeof features};
    mfn_statistics statistics = {.struct_size = sizeof statistics};
    mfn_picture_options options;
    mfn_snapshot *snapshot = NULL;
    mfn_error *error = NULL;
    mfn_field_view view;
    char *json = NULL, path[512], magic[4];
    FILE *file;

    CALL(mfn_pipeline_last_snapshot(pipeline, &snapshot, &error), MFN_OK, "");
    CALL(mfn_snapshot_features(snapshot, &features, &error), MFN_OK, "");
    CALL(mfn_snapshot_statistics(snapshot, &statistics, &error), MFN_OK, "");
    CALL(mfn_snapshot_activator(snapshot, &view, &error), MFN_OK, "");
    EXPECT(view.data[view.rows * view.cols - 1] >= 0);
    CALL(mfn_snapshot_inhibitor(snapshot, &view, &error), MFN_OK, "");
    CALL(mfn_snapshot_field(snapshot, &view, &error), MFN_OK, "");
    EXPECT(view.rows == 16 && view.cols == 16 && view.data[0] < 0 && statistics.steps_computed == 5);
    CALL(mfn_snapshot_json(snapshot, 1, &json, &error), MFN_OK, "");
    EXPECT(strstr(json, mfn_snapshot_id(snapshot)) != NULL && strstr(json, "\"field\":[[") != NULL);
    EXPECT(strstr(json, mfn_snapshot_request(snapshot)) != NULL && strcmp(mfn_snapshot_route(snapshot), "simulate") == 0);
    mfn_string_free(json);

    CALL(mfn_picture_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.title = "last";
    snprintf(path, sizeof path, "%s/last.png", folder);
    CALL(mfn_picture_write(path, &view, &options, &error), MFN_OK, "");
    file = fopen(path, "rb");
    EXPECT(file != NULL && fread(magic, 1, 4, file) == 4 && memcmp(magic, "\x89PNG", 4) == 0);
    fclose(file);
    mfn_snapshot_free(snapshot);
}

static void check_status(const mfn_pipeline *pipeline)
{
    mfn_pipeline_status status = {.struct_size = sizeof status};
    mfn_error *error = NULL;
    char *json = NULL;

    CALL(mfn_pipeline_get_status(pipeline, &status, &error), MFN_OK, "");
    EXPECT(status.state == MFN_PIPELINE_FINISHED && status.received == 4 && status.delivered == 3);
    EXPECT(status.dead_lettered == 1 && status.rejected == 0 && status.nacked == 0 && status.in_flight == 0);
    EXPECT(status.spooled == 0 && status.backing_off == 0);
    EXPECT(status.backlog == 0 && status.active_count == 0 && status.bytes_in_flight_peak > 0);
    CALL(mfn_pipeline_status_json(pipeline, &json, &error), MFN_OK, "");
    EXPECT(strstr(json, "\"delivered\":3") != NULL);
    mfn_string_free(json);
}

/* Health and probe of a pipeline that is at its end: nothing is wrong, and nothing more is taken. */
static void check_health(const mfn_pipeline *pipeline)
{
    int32_t state = 0, passed = 0;
    mfn_error *error = NULL;
    char *json = NULL;

    CALL(mfn_pipeline_health(pipeline, &state, &json, &error), MFN_OK, "");
    EXPECT(state == MFN_READINESS_NOT_READY && strstr(json, "finished") != NULL);
    mfn_string_free(json);
    CALL(mfn_pipeline_health(pipeline, &state, NULL, &error), MFN_OK, "");
    CALL(mfn_pipeline_health(pipeline, NULL, NULL, &error), MFN_INVALID, "state is NULL");
    CALL(mfn_pipeline_probe(pipeline, 20000, &passed, &json, &error), MFN_OK, "");
    EXPECT(passed == 1 && strstr(json, "\"outcome\":\"passed\"") != NULL && strstr(json, "\"results\"") != NULL);
    mfn_string_free(json);
    CALL(mfn_pipeline_probe(pipeline, 20000, NULL, NULL, &error), MFN_INVALID, "passed is NULL");
}

/* A fault of each kind is found before anything is opened: a directory that is away, a secret that is not there.
   The start is forbidden by the second, and its error lists what was found. */
static void check_probes(mfn_runtime *runtime, const char *text, const char *folder)
{
    mfn_pipeline *pipeline = NULL;
    mfn_config *config = NULL;
    mfn_error *error = NULL;
    int32_t passed = 77;
    char *json = NULL;

    CALL(mfn_config_from_toml(text, folder, &config, &error), MFN_OK, "");
    CALL(mfn_config_probe(runtime, config, 20000, &passed, &json, &error), MFN_OK, "");
    EXPECT(passed == 0 && strstr(json, "MFN_TEST_UNSET") != NULL && strstr(json, "nowhere") != NULL);
    mfn_string_free(json);
    EXPECT(mfn_pipeline_start(runtime, config, &pipeline, &error) == MFN_PLUGIN && pipeline == NULL);
    EXPECT(mfn_error_fault_count(error) == 1 && strcmp(mfn_error_fault_path(error, 0), "transports.live") == 0);
    EXPECT(strstr(mfn_error_fault_message(error, 0), "auth.api_key") != NULL && *mfn_error_fault_fix(error, 0) != 0);
    mfn_error_free(error);
    mfn_config_free(config);
}

static const char BROKEN[] = "name = \"broken\"\n"
    "[connectors.c]\nplugin = \"file\"\nconfig = { directory = \"nowhere\" }\n"
    "[transports.live]\nplugin = \"sse\"\n"
    "config = { bind = \"127.0.0.1:0\", auth = { api_key = \"env:MFN_TEST_UNSET\" } }\n"
    "[[routes]]\nname = \"r\"\nconnectors = [\"c\"]\ntransports = [\"live\"]\n";

static void check_endpoints(const mfn_pipeline *pipeline)
{
    mfn_endpoints *endpoints = NULL;
    mfn_error *error = NULL;
    CALL(mfn_pipeline_endpoints(pipeline, &endpoints, &error), MFN_OK, "");
    EXPECT(mfn_endpoints_count(endpoints) == 1 && strcmp(mfn_endpoints_component(endpoints, 0), "live") == 0);
    EXPECT(strcmp(mfn_endpoints_name(endpoints, 0), "stream") == 0);
    EXPECT(strncmp(mfn_endpoints_url(endpoints, 0), "http://127.0.0.1:", 17) == 0 && *mfn_endpoints_url(endpoints, 1) == 0);
    mfn_endpoints_free(endpoints);
}

/* A user_data is ended even where no callback was given. */
static void check_destroy_alone(void)
{
    mfn_runtime_options options;
    mfn_runtime *runtime = NULL;
    mfn_error *error = NULL;

    CALL(mfn_runtime_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.threads = 1025;
    options.log_user_data = &logged;
    options.log_destroy = on_destroy;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_INVALID, "threads");
    EXPECT(destroyed == 0);
    options.threads = 1;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_OK, "");
    mfn_runtime_free(runtime);
    EXPECT(destroyed == 1);
    destroyed = 0;
}

/* Usage: pipeline CONFIG.toml FOLDER */
int main(int argc, char **argv)
{
    mfn_drain_report report = {.struct_size = sizeof report};
    mfn_runtime_options options;
    mfn_pipeline *pipeline = NULL;
    mfn_runtime *runtime = NULL;
    mfn_config *config = NULL;
    mfn_outcome *outcome = NULL;
    mfn_error *error = NULL;
    char *text = NULL;
    int done = 0, refused = 0;
    mfn_status status;
    int32_t state = 0;

    EXPECT(argc == 3);
    check_destroy_alone();
    CALL(mfn_runtime_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.threads = 2;
    options.log_level = MFN_LOG_INFO;
    options.log = on_log;
    options.log_user_data = &logged;
    options.log_destroy = on_destroy;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_OK, "");
    CALL(mfn_config_from_file(argv[1], &config, &error), MFN_OK, "");
    CALL(mfn_pipeline_check(runtime, config, &text, &error), MFN_OK, "");
    EXPECT(strstr(text, "\"requests\"") != NULL);
    mfn_string_free(text);
    CALL(mfn_pipeline_start(runtime, config, &pipeline, &error), MFN_OK, "");
    mfn_config_free(config);
    check_probes(runtime, BROKEN, argv[2]);
    check_endpoints(pipeline);

    while ((status = mfn_pipeline_next_outcome(pipeline, 60000, &outcome, &error)) == MFN_OK) {
        check_outcome(outcome, &done, &refused);
        mfn_outcome_free(outcome);
    }
    EXPECT(status == MFN_END && error == NULL && done == 3 && refused == 1);
    CALL(mfn_pipeline_wait(pipeline, 0, &state, &error), MFN_OK, "");
    EXPECT(state == MFN_PIPELINE_FINISHED);
    check_status(pipeline);
    check_health(pipeline);
    check_snapshot(pipeline, argv[2]);
    CALL(mfn_pipeline_trouble(pipeline, &text, &error), MFN_WOULD_BLOCK, "");
    CALL(mfn_pipeline_drain(pipeline, 10000, &report, &error), MFN_OK, "");
    EXPECT(report.complete == 1 && report.left == 0 && report.returned == 0 && report.components_left == 0);
    CALL(mfn_pipeline_stop(pipeline, NULL, &error), MFN_OK, "");
    CALL(mfn_pipeline_health(pipeline, &state, NULL, &error), MFN_OK, "");
    EXPECT(state == MFN_READINESS_DEAD);
    mfn_pipeline_free(pipeline);

    CALL(mfn_runtime_load_report(runtime, 0, &text, &error), MFN_OK, "");
    EXPECT(strstr(text, "loaded file") != NULL);
    mfn_string_free(text);
    EXPECT(logged > 0 && destroyed == 0);
    mfn_runtime_free(runtime);
    EXPECT(destroyed == 1 && mfn_live_handles() == 0);
    return 0;
}
