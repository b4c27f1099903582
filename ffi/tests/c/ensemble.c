/* Guards ensembles and sweeps as a host uses them: results in order and the same for any number of threads, failures
   in their place, a stop, a sweep that goes on. argv[1] is a folder to write to. */
#include "expect.h"
#include <pthread.h>

enum { RUNS = 12, BROKEN = 5 };

static mfn_error *error;

struct seen {
    uint64_t count, stop_after;
    double means[RUNS];
    mfn_ensemble *ensemble;
};

static int32_t take(void *user_data, uint64_t index, const mfn_features *features, const mfn_statistics *statistics,
                    const mfn_error *failure)
{
    struct seen *seen = user_data;
    EXPECT(index == seen->count++);
    if (index == BROKEN) {
        EXPECT(features == NULL && statistics == NULL && mfn_error_status(failure) == MFN_INVALID);
        EXPECT(strcmp(mfn_error_fault_path(failure, 0), "alpha") == 0);
        return 0;
    }
    EXPECT(failure == NULL && statistics->steps_computed == 10 && features->v_min < features->v_max);
    seen->means[index] = features->v_mean;
    /* The ensemble is busy while it calls back. */
    EXPECT(mfn_ensemble_run(seen->ensemble, NULL, 0, take, seen, NULL) == MFN_INVALID);
    return seen->count == seen->stop_after;
}

static void check_ensemble(void)
{
    struct seen plain = {0, 0, {0}, NULL}, seen;
    mfn_ensemble_options options = {.struct_size = sizeof options};
    mfn_spec specs[RUNS];
    uint32_t threads;
    int i;

    for (i = 0; i < RUNS; i++) {
        CALL(mfn_spec_init(&specs[i], sizeof specs[i], &error), MFN_OK, "");
        specs[i].grid_size = 8 + 8 * (uint64_t)(i % 3);
        specs[i].steps = 10;
        specs[i].random_seed = (uint64_t)i;
    }
    specs[BROKEN].alpha = -1;
    for (threads = 1; threads <= 4; threads++) {
        memset(&seen, 0, sizeof seen);
        options.threads = threads;
        CALL(mfn_ensemble_create(&options, &seen.ensemble, &error), MFN_OK, "");
        CALL(mfn_ensemble_run(seen.ensemble, specs, RUNS, take, &seen, &error), MFN_OK, "");
        EXPECT(seen.count == RUNS);
        if (threads == 1)
            plain = seen;
        EXPECT(memcmp(seen.means, plain.means, sizeof seen.means) == 0);
        seen.count = 0;
        seen.stop_after = 3;
        CALL(mfn_ensemble_run(seen.ensemble, specs, RUNS, take, &seen, &error), MFN_CANCELLED, "");
        EXPECT(seen.count == 3);
        mfn_ensemble_free(seen.ensemble);
    }
}

static int32_t count_result(void *user_data, uint64_t index, const mfn_features *features,
                            const mfn_statistics *statistics, const mfn_error *failure)
{
    (void)index, (void)features, (void)statistics, (void)failure;
    ++*(int *)user_data;
    return 0;
}

static void *cancel(void *ensemble)
{
    EXPECT(mfn_ensemble_cancel(ensemble, NULL) == MFN_OK);
    return NULL;
}

static void check_cancel(void)
{
    const char *endless = "{\"grid_size\": 64, \"steps\": 1000000000}";
    mfn_ensemble *ensemble = NULL;
    pthread_t thread;
    int results = 0;
    CALL(mfn_ensemble_create(NULL, &ensemble, &error), MFN_OK, "");
    EXPECT(pthread_create(&thread, NULL, cancel, ensemble) == 0);
    CALL(mfn_ensemble_run_json(ensemble, &endless, 1, count_result, &results, &error), MFN_CANCELLED, "");
    EXPECT(pthread_join(thread, NULL) == 0 && results == 0);
    mfn_ensemble_free(ensemble);
}

static int32_t stop_at_three(void *user_data, uint64_t done, uint64_t runs, uint64_t failed)
{
    EXPECT(runs == 8 && failed == 0);
    *(uint64_t *)user_data = done;
    return done == 3;
}

static void check_sweep(const char *folder)
{
    const char *plan = "{\"base\": {\"grid_size\": 8, \"steps\": 5}, \"seeds_per_config\": 2,"
                       " \"axes\": [{\"field\": \"alpha\", \"min\": 0.05, \"max\": 0.1, \"points\": 4}]}";
    mfn_sweep_options options = {.struct_size = sizeof options};
    mfn_sweep_report report = {.struct_size = sizeof report};
    char path[4096];
    mfn_sweep *sweep = NULL;
    uint64_t done = 0;

    snprintf(path, sizeof path, "%s/sweep.parquet", folder);
    CALL(mfn_sweep_create(plan, &sweep, &error), MFN_OK, "");
    EXPECT(mfn_sweep_runs(sweep) == 8);
    CALL(mfn_sweep_write(sweep, path, NULL, stop_at_three, &done, &report, &error), MFN_CANCELLED, "");
    EXPECT(done == 3 && report.runs == 0);
    CALL(mfn_sweep_write(sweep, path, NULL, NULL, NULL, &report, &error), MFN_INVALID, "resume");
    options.existing = MFN_SWEEP_RESUME;
    CALL(mfn_sweep_write(sweep, path, &options, NULL, NULL, &report, &error), MFN_OK, "");
    EXPECT(report.runs == 8 && report.resumed == 3 && report.succeeded == 8 && report.failed == 0);
    EXPECT(report.first_failed == -1);
    CALL(mfn_sweep_write(sweep, path, &options, NULL, NULL, &report, &error), MFN_INVALID, "exists");
    options.existing = MFN_SWEEP_REPLACE;
    CALL(mfn_sweep_write(sweep, path, &options, NULL, NULL, NULL, &error), MFN_OK, "");
    mfn_sweep_free(sweep);
}

int main(int argc, char **argv)
{
    EXPECT(argc == 2);
    check_ensemble();
    check_cancel();
    check_sweep(argv[1]);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
