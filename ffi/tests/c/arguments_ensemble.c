/* Guards the functions of ensembles and sweeps against arguments that no caller should give: each is refused with a
   message that names the argument, nothing is written, and nothing leaks. */
#include "expect.h"

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;

static int32_t take(void *user_data, uint64_t index, const mfn_features *features, const mfn_statistics *statistics,
                    const mfn_error *failure)
{
    (void)index, (void)features, (void)statistics, (void)failure;
    ++*(int *)user_data;
    return 0;
}

static void check_ensembles(void)
{
    mfn_ensemble_options options = {.struct_size = sizeof options};
    const char *texts[2] = {"{\"grid_size\": 8, \"steps\": 2}", NULL};
    mfn_ensemble *ensemble = NULL;
    mfn_spec specs[2];
    int calls = 0;

    CALL(mfn_spec_init(&specs[0], sizeof specs[0], &error), MFN_OK, "");
    specs[0].grid_size = 8;
    specs[0].steps = 2;
    specs[1] = specs[0];

    options.threads = 1025;
    CALL(mfn_ensemble_create(&options, &ensemble, &error), MFN_INVALID, "threads = 1025");
    options.threads = 2;
    options.window_runs = UINT64_MAX;
    CALL(mfn_ensemble_create(&options, &ensemble, &error), MFN_INVALID, "window_runs = ");
    options.window_runs = 0;
    CALL(mfn_ensemble_create(&options, NULL, &error), MFN_INVALID, "ensemble is NULL");
    CALL(mfn_ensemble_create(MISALIGNED(mfn_ensemble_options *, &options), &ensemble, &error), MFN_INVALID, "misaligned");
    options.struct_size = 4;
    CALL(mfn_ensemble_create(&options, &ensemble, &error), MFN_INVALID, "struct_size = 4");
    EXPECT(ensemble == NULL);
    CALL(mfn_ensemble_create(NULL, &ensemble, &error), MFN_OK, "");

    CALL(mfn_ensemble_run(NULL, specs, 2, take, &calls, &error), MFN_INVALID, "ensemble is NULL");
    CALL(mfn_ensemble_run(ensemble, NULL, 2, take, &calls, &error), MFN_INVALID, "specs is NULL");
    CALL(mfn_ensemble_run(ensemble, MISALIGNED(mfn_spec *, specs), 1, take, &calls, &error), MFN_INVALID, "misaligned");
    CALL(mfn_ensemble_run(ensemble, specs, (size_t)-1, take, &calls, &error), MFN_INVALID, "memory");
    CALL(mfn_ensemble_run(ensemble, specs, 2, NULL, &calls, &error), MFN_INVALID, "result is NULL");
    specs[1].struct_size = sizeof specs[1] + 8;
    CALL(mfn_ensemble_run(ensemble, specs, 2, take, &calls, &error), MFN_INVALID, "specs[1]");
    specs[1].struct_size = sizeof specs[1];
    specs[1].boundary = 77;
    CALL(mfn_ensemble_run(ensemble, specs, 2, take, &calls, &error), MFN_INVALID, "specs[1]: spec.boundary = 77");
    specs[0].struct_size = 7;
    CALL(mfn_ensemble_run(ensemble, specs, 1, take, &calls, &error), MFN_INVALID, "struct_size = 7");
    CALL(mfn_ensemble_run_json(NULL, texts, 1, take, &calls, &error), MFN_INVALID, "ensemble is NULL");
    CALL(mfn_ensemble_run_json(ensemble, NULL, 1, take, &calls, &error), MFN_INVALID, "specs_json is NULL");
    CALL(mfn_ensemble_run_json(ensemble, texts, 2, take, &calls, &error), MFN_INVALID, "specs_json[1] is NULL");
    CALL(mfn_ensemble_run_json(ensemble, texts, 1, NULL, &calls, &error), MFN_INVALID, "result is NULL");
    EXPECT(calls == 0);
    CALL(mfn_ensemble_run(ensemble, NULL, 0, take, &calls, &error), MFN_OK, "");

    CALL(mfn_ensemble_cancel(NULL, &error), MFN_INVALID, "ensemble is NULL");
    CALL(mfn_ensemble_cancel_reset(NULL, &error), MFN_INVALID, "ensemble is NULL");
    CALL(mfn_ensemble_cancel(ensemble, &error), MFN_OK, "");
    CALL(mfn_ensemble_run_json(ensemble, texts, 1, take, &calls, &error), MFN_CANCELLED, "");
    CALL(mfn_ensemble_cancel_reset(ensemble, &error), MFN_OK, "");
    CALL(mfn_ensemble_run_json(ensemble, texts, 1, take, &calls, &error), MFN_OK, "");
    EXPECT(calls == 1 && mfn_ensemble_last_error(NULL) == NULL);
    error = mfn_ensemble_last_error(ensemble);
    EXPECT(error != NULL && strstr(mfn_error_message(error), "result is NULL") != NULL);
    mfn_error_free(error);
    error = NULL;
    mfn_ensemble_free(NULL);
    mfn_ensemble_free(ensemble);
}

static void check_sweeps(void)
{
    mfn_sweep_options options = {.struct_size = sizeof options};
    mfn_sweep_report report = {.struct_size = 4};
    mfn_sweep *sweep = NULL;
    char *json = NULL;

    CALL(mfn_sweep_create(NULL, &sweep, &error), MFN_INVALID, "plan_json is NULL");
    CALL(mfn_sweep_create("{", &sweep, &error), MFN_INVALID, "plan_json");
    CALL(mfn_sweep_create("{\"axis\": []}", &sweep, &error), MFN_INVALID, "axis");
    CALL(mfn_sweep_create("{}", NULL, &error), MFN_INVALID, "sweep is NULL");
    CALL(mfn_sweep_create_preset(NULL, &sweep, &error), MFN_INVALID, "name is NULL");
    CALL(mfn_sweep_create_preset("huge", &sweep, &error), MFN_INVALID, "huge");
    CALL(mfn_sweep_create_preset("small", NULL, &error), MFN_INVALID, "sweep is NULL");
    EXPECT(mfn_sweep_create("{\"axes\": [{\"field\": \"alpha\", \"min\": 2, \"max\": 1}], \"method\": \"sobol\"}", &sweep, &error) == MFN_INVALID);
    EXPECT(mfn_error_fault_count(error) == 2 && strcmp(mfn_error_fault_path(error, 0), "axes[0].min") == 0);
    mfn_error_free(error);
    error = NULL;
    EXPECT(sweep == NULL && mfn_sweep_runs(NULL) == 0);
    CALL(mfn_sweep_create_preset("benchmark", &sweep, &error), MFN_OK, "");
    EXPECT(mfn_sweep_runs(sweep) == 5);

    CALL(mfn_sweep_spec_json(NULL, 0, &json, &error), MFN_INVALID, "sweep is NULL");
    CALL(mfn_sweep_spec_json(sweep, 5, &json, &error), MFN_INVALID, "index");
    CALL(mfn_sweep_spec_json(sweep, 0, NULL, &error), MFN_INVALID, "json is NULL");
    EXPECT(json == NULL);
    CALL(mfn_sweep_spec_json(sweep, 4, &json, &error), MFN_OK, "");
    EXPECT(strstr(json, "\"random_seed\":46") != NULL);
    mfn_string_free(json);

    CALL(mfn_sweep_write(NULL, "a.csv", NULL, NULL, NULL, NULL, &error), MFN_INVALID, "sweep is NULL");
    CALL(mfn_sweep_write(sweep, NULL, NULL, NULL, NULL, NULL, &error), MFN_INVALID, "path is NULL");
    CALL(mfn_sweep_write(sweep, "a.txt", NULL, NULL, NULL, NULL, &error), MFN_INVALID, ".parquet");
    CALL(mfn_sweep_write(sweep, "/dev/null/a.csv", NULL, NULL, NULL, NULL, &error), MFN_IO, "/dev/null");
    CALL(mfn_sweep_write(sweep, "a.csv", NULL, NULL, NULL, &report, &error), MFN_INVALID, "sizeof(mfn_sweep_report)");
    options.existing = 3;
    CALL(mfn_sweep_write(sweep, "a.csv", &options, NULL, NULL, NULL, &error), MFN_INVALID, "existing = 3");
    options.existing = MFN_SWEEP_REFUSE;
    options.reserved = 1;
    CALL(mfn_sweep_write(sweep, "a.csv", &options, NULL, NULL, NULL, &error), MFN_INVALID, "reserved = 1");
    options.reserved = 0;
    options.threads = 5000;
    CALL(mfn_sweep_write(sweep, "a.csv", &options, NULL, NULL, NULL, &error), MFN_INVALID, "threads = 5000");
    CALL(mfn_sweep_cancel(NULL, &error), MFN_INVALID, "sweep is NULL");
    CALL(mfn_sweep_cancel_reset(NULL, &error), MFN_INVALID, "sweep is NULL");
    CALL(mfn_sweep_cancel(sweep, &error), MFN_OK, "");
    CALL(mfn_sweep_write(sweep, "a.csv", NULL, NULL, NULL, NULL, &error), MFN_CANCELLED, "");
    CALL(mfn_sweep_cancel_reset(sweep, &error), MFN_OK, "");
    EXPECT(mfn_sweep_last_error(NULL) == NULL);
    error = mfn_sweep_last_error(sweep);
    EXPECT(error != NULL && strstr(mfn_error_message(error), "threads = 5000") != NULL);
    mfn_error_free(error);
    error = NULL;
    mfn_sweep_free(NULL);
    mfn_sweep_free(sweep);
}

int main(void)
{
    check_ensembles();
    check_sweeps();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
