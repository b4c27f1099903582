/* A pipeline as a stream: results and log records are taken as they come, on one thread and without a callback, as an
   event loop does it. Who connects to the endpoints that are listed sees the same results live.
   Usage: stream CONFIG.toml */
#include <mfn.h>
#include <stdio.h>

enum { POLL_MS = 100, DRAIN_MS = 10000, LOG_RECORDS_MAX = 256 };

static int fail(const char *what, mfn_error *error)
{
    size_t i;

    fprintf(stderr, "%s: %s\n", what, mfn_error_message(error));
    for (i = 0; i < mfn_error_fault_count(error); i++)
        fprintf(stderr, "  %s: %s; %s\n", mfn_error_fault_path(error, i), mfn_error_fault_message(error, i),
                mfn_error_fault_fix(error, i));
    mfn_error_free(error);
    return 1;
}

/* Names and reasons come from outside; control characters in them must not reach a terminal. */
static void print_clean(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_endpoints(const mfn_pipeline *pipeline)
{
    mfn_endpoints *endpoints = NULL;
    size_t i;

    if (mfn_pipeline_endpoints(pipeline, &endpoints, NULL) != MFN_OK) return;
    for (i = 0; i < mfn_endpoints_count(endpoints); i++)
        fprintf(stderr, "%s %s: %s\n", mfn_endpoints_component(endpoints, i), mfn_endpoints_name(endpoints, i),
                mfn_endpoints_url(endpoints, i));
    mfn_endpoints_free(endpoints);
}

static void print_outcome(const mfn_outcome *outcome)
{
    mfn_features features = {.struct_size = sizeof features};

    print_clean(mfn_outcome_request(outcome));
    if (mfn_outcome_features(outcome, &features, NULL) == MFN_OK) {
        printf(": D_box %.3f, mean %.2f mV\n", features.d_box, features.v_mean);
    } else {
        fputs(": refused: ", stdout);
        print_clean(mfn_outcome_reason(outcome));
        putchar('\n');
    }
    fflush(stdout);
}

/* Prints the log records that wait. */
static void print_log(const mfn_runtime *runtime)
{
    mfn_log_entry *entry = NULL;

    while (mfn_runtime_next_log(runtime, 0, &entry, NULL) == MFN_OK) {
        fprintf(stderr, "log: %s\n", mfn_log_entry_record(entry)->message);
        mfn_log_entry_free(entry);
    }
}

static int follow(const mfn_runtime *runtime, const mfn_pipeline *pipeline)
{
    mfn_pipeline_status counters = {.struct_size = sizeof counters};
    mfn_outcome *outcome = NULL;
    mfn_error *error = NULL;
    mfn_status status;
    int32_t state = 0;

    print_endpoints(pipeline);
    while ((status = mfn_pipeline_next_outcome(pipeline, POLL_MS, &outcome, &error)) == MFN_OK
           || status == MFN_WOULD_BLOCK) {
        if (status == MFN_OK) {
            print_outcome(outcome);
            mfn_outcome_free(outcome);
        }
        print_log(runtime);
    }
    if (status != MFN_END) return fail("outcomes", error);
    mfn_pipeline_wait(pipeline, 0, &state, NULL); /* how it ended; draining makes it STOPPED */
    if (mfn_pipeline_drain(pipeline, DRAIN_MS, NULL, &error) || mfn_pipeline_get_status(pipeline, &counters, &error))
        return fail("drain", error);
    print_log(runtime);
    printf("%llu received, %llu delivered, %llu dead letters\n", (unsigned long long)counters.received,
           (unsigned long long)counters.delivered, (unsigned long long)counters.dead_lettered);
    return state == MFN_PIPELINE_FAILED;
}

int main(int argc, char **argv)
{
    mfn_runtime_options options;
    mfn_runtime *runtime = NULL;
    mfn_config *config = NULL;
    mfn_pipeline *pipeline = NULL;
    mfn_error *error = NULL;
    int failed;

    if (argc != 2) {
        fprintf(stderr, "usage: %s CONFIG.toml\n", argv[0]);
        return 2;
    }
    failed = mfn_runtime_options_init(&options, sizeof options, &error);
    options.log_queue_max = LOG_RECORDS_MAX;
    if (failed || mfn_runtime_create(&options, &runtime, &error) || mfn_config_from_file(argv[1], &config, &error)
        || mfn_pipeline_start(runtime, config, &pipeline, &error))
        failed = fail(argv[1], error);
    else
        failed = follow(runtime, pipeline);
    mfn_pipeline_free(pipeline);
    mfn_config_free(config);
    mfn_runtime_free(runtime);
    return failed;
}
