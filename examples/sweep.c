/* A dataset for a model: 24 configurations that spread evenly over two parameters, two seeds each, one row of
   features for each run. Stop it with Ctrl-C or kill it, start it again, and it goes on where it was.
   Usage: sweep DATASET.parquet (or .csv) */
#include <mfn.h>
#include <signal.h>
#include <stdio.h>

static const char plan[] = "{\"name\": \"feed\", \"method\": \"sobol\", \"count\": 24, \"seeds_per_config\": 2,"
                           " \"base\": {\"kinetics\": \"gray-scott\", \"grid_size\": 32, \"steps\": 200},"
                           " \"axes\": [{\"field\": \"kinetics.feed\", \"min\": 0.03, \"max\": 0.05},"
                           "            {\"field\": \"alpha\", \"min\": 0.05, \"max\": 0.15}]}";

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* Called after each run; anything but 0 stops the sweep. */
static int32_t show(void *user_data, uint64_t done, uint64_t runs, uint64_t failed)
{
    (void)user_data;
    fprintf(stderr, "\r%llu of %llu runs, %llu failed", (unsigned long long)done, (unsigned long long)runs,
            (unsigned long long)failed);
    return interrupted;
}

int main(int argc, char **argv)
{
    mfn_sweep_options options = {.struct_size = sizeof options, .existing = MFN_SWEEP_RESUME};
    mfn_sweep_report report = {.struct_size = sizeof report};
    mfn_error *error = NULL;
    mfn_sweep *sweep = NULL;
    mfn_status status;

    if (argc != 2) {
        fprintf(stderr, "usage: %s DATASET.parquet\n", argv[0]);
        return 2;
    }
    signal(SIGINT, interrupt);
    status = mfn_sweep_create(plan, &sweep, &error);
    if (status == MFN_OK)
        status = mfn_sweep_write(sweep, argv[1], &options, show, NULL, &report, &error);
    mfn_sweep_free(sweep);
    fprintf(stderr, "\n");
    if (status == MFN_CANCELLED)
        printf("stopped; start again to go on\n");
    else if (status == MFN_OK)
        printf("%llu rows in %s\n", (unsigned long long)report.runs, argv[1]);
    else
        fprintf(stderr, "%s\n", mfn_error_message(error));
    mfn_error_free(error);
    return status != MFN_OK;
}
