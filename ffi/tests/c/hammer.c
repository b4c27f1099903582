/* Eight threads use libmfn at once, each with a simulation of its own whose callback counts in the thread's own number,
   and all with one simulation that they only read. For the thread sanitizer: whatever of the host's memory two threads
   touched without an order between them would be a call on a wrong thread, or an answer written to a wrong place. */
#include "expect.h"
#include <pthread.h>

enum { THREADS = 8, ROUNDS = 20 };

struct worker {
    pthread_t thread;
    const mfn_sim *shared;
    uint64_t steps;
    mfn_features features;
};

static int32_t count(void *user_data, uint64_t step, uint64_t steps_total)
{
    struct worker *worker = user_data;
    EXPECT(step <= steps_total);
    if (step == steps_total)
        worker->steps += steps_total;
    return 0;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    mfn_error *error = NULL;
    mfn_field_view view;
    mfn_sim *sim;
    int i;
    for (i = 0; i < ROUNDS; i++) {
        CALL(mfn_sim_create_json("{\"grid_size\": 16}", &sim, &error), MFN_OK, "");
        CALL(mfn_sim_run(sim, 10, count, worker, &error), MFN_OK, "");
        CALL(mfn_sim_run(NULL, 10, count, worker, &error), MFN_INVALID, "NULL");
        CALL(mfn_sim_field(sim, &view, &error), MFN_OK, "");
        EXPECT(view.rows == 16 && view.data[0] < 0);
        mfn_sim_free(sim);
        worker->features.struct_size = sizeof worker->features;
        CALL(mfn_sim_features(worker->shared, &worker->features, &error), MFN_OK, "");
    }
    return NULL;
}

int main(void)
{
    static struct worker workers[THREADS];
    mfn_error *error = NULL;
    mfn_sim *shared = NULL;
    int i;

    CALL(mfn_sim_create_json("{\"grid_size\": 32}", &shared, &error), MFN_OK, "");
    CALL(mfn_sim_run(shared, 20, NULL, NULL, &error), MFN_OK, "");
    for (i = 0; i < THREADS; i++) {
        workers[i].shared = shared;
        EXPECT(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
        EXPECT(workers[i].steps == 10 * ROUNDS);
        EXPECT(memcmp(&workers[i].features, &workers[0].features, sizeof workers[0].features) == 0);
    }
    mfn_sim_free(shared);
    EXPECT(mfn_live_handles() == 0);
    puts("8 threads, no report");
    return 0;
}
