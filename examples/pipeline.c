/* The demonstration: a pipeline that a configuration file describes, shown while it works.
 *
 * Plain C99 with mfn.h, the C library and POSIX. Which plugins take part, where requests come from and where
 * results go is all in the configuration: the same binary publishes elsewhere with another file.
 */
#define _POSIX_C_SOURCE 200809L
#include <mfn.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_WORK_FAILED = 1, EXIT_USAGE = 2 };
enum { DRAIN_MS = 10000, POLL_MS = 100, LINE_MS = 1000, BAR_CELLS = 32, ROWS_MAX = 1000 };

static const char USAGE[] =
    "Usage: pipeline CONFIG.toml [--serve] [--plain] [--picture PATH]\n"
    "\n"
    "Runs the pipeline of a configuration file and shows a table of its results.\n"
    "  --serve         stay up when the work is done, until Ctrl-C\n"
    "  --plain         plain lines instead of a progress bar\n"
    "  --picture PATH  where to write the last field (default: pipeline.png)\n"
    "\n"
    "Example: pipeline examples/demo.toml --serve\n"
    "Exit status: 0 done (dead letters are no failure), 1 failed, 2 usage or configuration.\n";

/* ---- options and signals ---- */

struct options {
    const char *config;
    const char *picture;
    int serve;
    int plain;
};

/* Returns 0 when the arguments are understood. */
static int read_options(struct options *options, int argc, char **argv)
{
    int i;
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--serve") == 0)
            options->serve = 1;
        else if (strcmp(argv[i], "--plain") == 0)
            options->plain = 1;
        else if (strcmp(argv[i], "--picture") == 0 && i + 1 < argc)
            options->picture = argv[++i];
        else if (argv[i][0] != '-' && options->config == NULL)
            options->config = argv[i];
        else
            return -1;
    }
    return options->config == NULL ? -1 : 0;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static void watch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESETHAND; /* a second signal ends the process */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- errors ---- */

/* Prints an error, each fault of a configuration on a line of its own, and frees it. */
static void print_error(const char *what, mfn_error *error)
{
    size_t i, faults = mfn_error_fault_count(error);
    if (faults == 0)
        fprintf(stderr, "%s: %s\n", what, mfn_error_message(error));
    else
        fprintf(stderr, "%s:\n", what);
    for (i = 0; i < faults; i++)
        fprintf(stderr, "  %s%s%s; %s\n", mfn_error_fault_path(error, i), *mfn_error_fault_path(error, i) ? ": " : "",
                mfn_error_fault_message(error, i), mfn_error_fault_fix(error, i));
    mfn_error_free(error);
}

/* ---- progress ---- */

#define CLEAR_LINE "\r\033[K"

struct display {
    int bar;
    int bar_shown;
    int last_percent;
    double last_line_ms;
};

/* Warnings and errors of the library and its plugins. Called on any of their threads. */
static void on_log(void *user_data, const mfn_log_record *record)
{
    const struct display *display = user_data;
    fprintf(stderr, "%s%s: %s%s%s\n", display->bar ? CLEAR_LINE : "", record->level == MFN_LOG_ERROR ? "error" : "warning",
            record->component, *record->component != '\0' ? ": " : "", record->message);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static void clear_bar(struct display *display)
{
    if (display->bar_shown)
        fputs(CLEAR_LINE, stderr);
    display->bar_shown = 0;
}

/* Returns 1 when there is nothing to do for now. */
static int show_progress(struct display *display, const mfn_pipeline *pipeline)
{
    mfn_pipeline_status status = {.struct_size = sizeof status};
    uint64_t done, total;
    double part;
    int i, percent;

    if (mfn_pipeline_get_status(pipeline, &status, NULL) != MFN_OK)
        return 0;
    done = status.delivered + status.dead_lettered + status.rejected;
    total = done + status.in_flight + (uint64_t)(status.backlog > 0 ? status.backlog : 0);
    /* The requests being computed count by their steps. */
    part = status.active_steps_total > 0
               ? (double)status.active_step / (double)status.active_steps_total * status.active_count
               : 0;
    percent = total > 0 ? (int)(100 * ((double)done + part) / (double)total) : 0;
    if (display->bar) {
        fputs("\r[", stderr);
        for (i = 0; i < BAR_CELLS; i++)
            fputc(i < percent * BAR_CELLS / 100 ? '#' : '.', stderr);
        fprintf(stderr, "] %3d %%, %lu of %lu requests\033[K", percent, (unsigned long)done, (unsigned long)total);
        display->bar_shown = 1;
    } else if (percent != display->last_percent && now_ms() - display->last_line_ms >= LINE_MS) {
        fprintf(stderr, "%3d %%, %lu of %lu requests\n", percent, (unsigned long)done, (unsigned long)total);
        display->last_percent = percent;
        display->last_line_ms = now_ms();
    }
    fflush(stderr);
    return done == total;
}

/* ---- results ---- */

static const char *status_name(const mfn_outcome *outcome)
{
    switch (mfn_outcome_status(outcome)) {
    case MFN_OUTCOME_OK:
        return "ok";
    case MFN_OUTCOME_DEAD_LETTERED:
        return "dead letter";
    default:
        return "rejected";
    }
}

/* Names and reasons come from outside; control characters in them must not reach a terminal. */
static void print_text(const char *format, const char *text)
{
    char clean[512];
    size_t i;

    for (i = 0; text[i] != '\0' && i + 1 < sizeof clean; i++)
        clean[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    clean[i] = '\0';
    printf(format, clean);
}

static void print_outcome(const mfn_outcome *outcome)
{
    mfn_features features = {.struct_size = sizeof features};
    mfn_statistics statistics = {.struct_size = sizeof statistics};

    print_text("%-32s ", mfn_outcome_request(outcome));
    printf("%-11s ", status_name(outcome));
    if (mfn_outcome_features(outcome, &features, NULL) != MFN_OK) {
        print_text("%s\n", mfn_outcome_reason(outcome));
        return;
    }
    printf("%7.3f %9.2f ", features.d_box, features.v_mean);
    if (mfn_outcome_statistics(outcome, &statistics, NULL) == MFN_OK)
        printf("%7lu %11lu ", (unsigned long)statistics.growth_events, (unsigned long)statistics.turing_activations);
    else
        printf("%7s %11s ", "-", "-");
    printf("%9.1f\n", mfn_outcome_compute_ms(outcome));
}

/* Results are held back while there is work, so that the table is not cut up by the progress. */
struct table {
    mfn_outcome *held[ROWS_MAX];
    size_t held_count;
    size_t printed_count;
};

static void print_table(struct table *table, struct display *display)
{
    size_t i;

    clear_bar(display);
    if (table->held_count > 0 && table->printed_count == 0)
        printf("%-32s %-11s %7s %9s %7s %11s %9s\n", "request", "status", "D_box", "V_mean mV", "growth", "activations",
               "ms");
    for (i = 0; i < table->held_count; i++) {
        print_outcome(table->held[i]);
        mfn_outcome_free(table->held[i]);
    }
    table->printed_count += table->held_count;
    table->held_count = 0;
    fflush(stdout);
}

/* Takes one outcome, if one comes in time. */
static mfn_status take_outcome(struct table *table, struct display *display, const mfn_pipeline *pipeline,
                               uint64_t timeout_ms)
{
    mfn_status status = mfn_pipeline_next_outcome(pipeline, timeout_ms, &table->held[table->held_count], NULL);
    if (status == MFN_OK && ++table->held_count == ROWS_MAX)
        print_table(table, display);
    return status;
}

/* Takes outcomes until there are no more or a signal comes. */
static void follow(struct table *table, struct display *display, const mfn_pipeline *pipeline)
{
    mfn_status status = MFN_OK;

    while (!interrupted && status != MFN_END) {
        status = take_outcome(table, display, pipeline, POLL_MS);
        if (show_progress(display, pipeline) && status == MFN_WOULD_BLOCK)
            print_table(table, display);
    }
    print_table(table, display);
}

static void print_endpoints(const mfn_pipeline *pipeline)
{
    mfn_endpoints *endpoints = NULL;
    size_t i;

    if (mfn_pipeline_endpoints(pipeline, &endpoints, NULL) != MFN_OK)
        return;
    for (i = 0; i < mfn_endpoints_count(endpoints); i++) {
        const char *name = mfn_endpoints_name(endpoints, i);
        /* A metrics page ends; a stream goes on, and curl must not hold its lines back. */
        printf("%-8s %-8s curl %s%s\n", mfn_endpoints_component(endpoints, i), name,
               strcmp(name, "metrics") == 0 ? "" : "-N ", mfn_endpoints_url(endpoints, i));
    }
    mfn_endpoints_free(endpoints);
    fflush(stdout);
}

/* Writes the field of the last result. Returns 0 unless that fails. */
static int write_picture(const mfn_pipeline *pipeline, const char *path)
{
    mfn_picture_options options;
    mfn_snapshot *snapshot = NULL;
    mfn_field_view field;
    mfn_error *error = NULL;
    char title[96];

    if (mfn_pipeline_last_snapshot(pipeline, &snapshot, NULL) != MFN_OK)
        return 0;
    mfn_picture_options_init(&options, sizeof options, NULL);
    snprintf(title, sizeof title, "%s", mfn_snapshot_request(snapshot));
    options.title = title;
    if (mfn_snapshot_field(snapshot, &field, &error) == MFN_OK && mfn_picture_write(path, &field, &options, &error) == MFN_OK)
        printf("picture of %s: %s\n", mfn_snapshot_request(snapshot), path);
    mfn_snapshot_free(snapshot);
    if (error == NULL)
        return 0;
    print_error("picture", error);
    return EXIT_WORK_FAILED;
}

/* ---- the run ---- */

static void serve(const mfn_pipeline *pipeline)
{
    struct timespec moment = {0, POLL_MS * 1000000L};
    print_endpoints(pipeline);
    printf("serving until Ctrl-C\n");
    fflush(stdout);
    while (!interrupted)
        nanosleep(&moment, NULL);
}

/* Drains and tells what became of the records. Returns the exit status. */
static int finish(struct table *table, struct display *display, const mfn_pipeline *pipeline)
{
    mfn_pipeline_status status = {.struct_size = sizeof status};
    mfn_drain_report report = {.struct_size = sizeof report};
    mfn_error *error = NULL;
    char *trouble = NULL;
    int32_t state = 0;

    mfn_pipeline_wait(pipeline, 0, &state, NULL);
    if (mfn_pipeline_drain(pipeline, DRAIN_MS, &report, &error) != MFN_OK
        || mfn_pipeline_get_status(pipeline, &status, &error) != MFN_OK) {
        print_error("drain", error);
        return EXIT_WORK_FAILED;
    }
    while (take_outcome(table, display, pipeline, 0) == MFN_OK)
        continue;
    print_table(table, display);
    printf("%lu received, %lu delivered, %lu dead letters, %lu rejected, %lu given back\n",
           (unsigned long)status.received, (unsigned long)status.delivered, (unsigned long)status.dead_lettered,
           (unsigned long)status.rejected, (unsigned long)status.nacked);
    if (!report.complete)
        fprintf(stderr, "not everything was finished: %lu records were given back, %lu come again\n",
                (unsigned long)report.returned, (unsigned long)report.left);
    if (state != MFN_PIPELINE_FAILED)
        return EXIT_SUCCESS;
    mfn_pipeline_trouble(pipeline, &trouble, NULL);
    fprintf(stderr, "the pipeline failed: %s\n", trouble != NULL ? trouble : "no reason given");
    mfn_string_free(trouble);
    return EXIT_WORK_FAILED;
}

static int run(const struct options *options, struct display *display, const mfn_runtime *runtime,
               const mfn_config *config)
{
    mfn_pipeline *pipeline = NULL;
    mfn_error *error = NULL;
    struct table table;
    int picture_status, exit_status;
    mfn_status status;

    status = mfn_pipeline_start(runtime, config, &pipeline, &error);
    if (status != MFN_OK) {
        print_error(options->config, error);
        return status == MFN_INVALID ? EXIT_USAGE : EXIT_WORK_FAILED;
    }
    table.held_count = table.printed_count = 0;
    print_endpoints(pipeline);
    follow(&table, display, pipeline);
    if (table.printed_count == 0 && !interrupted)
        printf("no new requests\n");
    picture_status = write_picture(pipeline, options->picture);
    if (options->serve && !interrupted)
        serve(pipeline);
    exit_status = finish(&table, display, pipeline);
    mfn_pipeline_free(pipeline);
    return exit_status != EXIT_SUCCESS ? exit_status : picture_status;
}

int main(int argc, char **argv)
{
    struct options options = {NULL, "pipeline.png", 0, 0};
    struct display display = {0, 0, -1, 0};
    mfn_runtime_options runtime_options;
    mfn_runtime *runtime = NULL;
    mfn_config *config = NULL;
    mfn_error *error = NULL;
    int exit_status;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(USAGE, stdout);
        return EXIT_SUCCESS;
    }
    if (read_options(&options, argc, argv) != 0) {
        fputs(USAGE, stderr);
        return EXIT_USAGE;
    }
    watch_signals();
    mfn_runtime_options_init(&runtime_options, sizeof runtime_options, NULL);
    display.bar = !options.plain && isatty(STDERR_FILENO);
    runtime_options.log = on_log;
    runtime_options.log_user_data = &display;
    if (mfn_config_from_file(options.config, &config, &error) != MFN_OK) {
        print_error(options.config, error);
        return EXIT_USAGE;
    }
    if (mfn_runtime_create(&runtime_options, &runtime, &error) == MFN_OK) {
        exit_status = run(&options, &display, runtime, config);
    } else {
        print_error("runtime", error);
        exit_status = EXIT_WORK_FAILED;
    }
    mfn_config_free(config);
    mfn_runtime_free(runtime);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "standard output could not be written\n");
        return EXIT_WORK_FAILED;
    }
    return exit_status;
}
