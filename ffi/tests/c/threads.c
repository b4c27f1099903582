/* Guards the thread tags: cancel reaches a run of another thread, a second call on a busy handle is refused and
   not a race, reading a const handle works from many threads, and a callback can stop the run. */
#define _POSIX_C_SOURCE 200809L
#include "expect.h"
#include <pthread.h>
#include <time.h>

static void pause_ms(long ms)
{
    struct timespec time = {0, 0};
    time.tv_nsec = ms * 1000000;
    nanosleep(&time, NULL);
}

struct watcher {
    mfn_sim *sim;
    volatile uint64_t steps;
    int stop_at_once;
    int busy_seen;
};

static int32_t watch(void *user_data, uint64_t step, uint64_t steps_total)
{
    struct watcher *watcher = user_data;
    mfn_error *error = NULL;
    mfn_field_view view;
    EXPECT(step >= 1 && step <= steps_total);
    watcher->steps = step;
    if (!watcher->busy_seen) {
        CALL(mfn_sim_step(watcher->sim, &error), MFN_INVALID, "in use by another call");
        CALL(mfn_sim_field(watcher->sim, &view, &error), MFN_INVALID, "in use by another call");
        watcher->busy_seen = 1;
    }
    return watcher->stop_at_once;
}

static void *run_for_ever(void *argument)
{
    struct watcher *watcher = argument;
    mfn_error *error = NULL;
    CALL(mfn_sim_run(watcher->sim, UINT64_MAX, watch, watcher, &error), MFN_CANCELLED, "");
    return NULL;
}

static void *read_many(void *argument)
{
    mfn_error *error = NULL;
    mfn_features first = {.struct_size = sizeof first}, now = {.struct_size = sizeof now};
    int i;
    CALL(mfn_sim_features(argument, &first, &error), MFN_OK, "");
    for (i = 0; i < 20; i++) {
        CALL(mfn_sim_features(argument, &now, &error), MFN_OK, "");
        EXPECT(memcmp(&first, &now, sizeof now) == 0);
    }
    return NULL;
}

static volatile int stepping = 1;

static void *read_meanwhile(void *argument)
{
    mfn_features features = {.struct_size = sizeof features};
    while (stepping) {
        mfn_status status = mfn_sim_features(argument, &features, NULL);
        EXPECT(status == MFN_OK || status == MFN_INVALID);
    }
    return NULL;
}

int main(void)
{
    struct watcher watcher = {NULL, 0, 0, 0};
    mfn_error *error = NULL;
    pthread_t threads[4];
    uint64_t steps;
    int i;

    CALL(mfn_sim_create_json("{\"grid_size\": 48}", &watcher.sim, &error), MFN_OK, "");
    EXPECT(pthread_create(&threads[0], NULL, run_for_ever, &watcher) == 0);
    while (watcher.steps == 0)
        pause_ms(1);
    CALL(mfn_sim_step(watcher.sim, &error), MFN_INVALID, "in use by another call");
    CALL(mfn_sim_cancel(watcher.sim, &error), MFN_OK, "");
    EXPECT(pthread_join(threads[0], NULL) == 0);
    EXPECT(watcher.busy_seen);

    /* A cancellation stays in force until it is withdrawn. */
    steps = mfn_sim_step_count(watcher.sim);
    EXPECT(steps > 0);
    CALL(mfn_sim_run(watcher.sim, 10, NULL, NULL, &error), MFN_CANCELLED, "");
    EXPECT(mfn_sim_step_count(watcher.sim) == steps);
    CALL(mfn_sim_cancel_reset(watcher.sim, &error), MFN_OK, "");
    CALL(mfn_sim_run(watcher.sim, 10, NULL, NULL, &error), MFN_OK, "");
    EXPECT(mfn_sim_step_count(watcher.sim) == steps + 10);

    watcher.stop_at_once = 1;
    CALL(mfn_sim_run(watcher.sim, UINT64_MAX, watch, &watcher, &error), MFN_CANCELLED, "");

    for (i = 0; i < 4; i++)
        EXPECT(pthread_create(&threads[i], NULL, read_many, watcher.sim) == 0);
    for (i = 0; i < 4; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);

    /* Who reads does not make a step fail. */
    for (i = 0; i < 4; i++)
        EXPECT(pthread_create(&threads[i], NULL, read_meanwhile, watcher.sim) == 0);
    for (i = 0; i < 500; i++)
        CALL(mfn_sim_step(watcher.sim, &error), MFN_OK, "");
    stepping = 0;
    for (i = 0; i < 4; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);
    mfn_sim_free(watcher.sim);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
