/* Programs with a defect on purpose, one for each word. The sanitizers must report them; where they do not, they are not
   on, and a clean run of other programs proves nothing. */
#include "expect.h"
#include <limits.h>
#include <pthread.h>

/* The documented lifetime of a view: it ends with the simulation. */
static int read_a_view_that_ended(void)
{
    mfn_error *error = NULL;
    mfn_field_view view;
    mfn_sim *sim = NULL;
    CALL(mfn_sim_create_json("{\"grid_size\": 64}", &sim, &error), MFN_OK, "");
    CALL(mfn_sim_field(sim, &view, &error), MFN_OK, "");
    mfn_sim_free(sim);
    return view.data[3] < 0;
}

static int forget_a_handle(void)
{
    mfn_error *error = NULL;
    mfn_sim *volatile sim = NULL;
    mfn_sim *made = NULL;
    CALL(mfn_sim_create_json("{}", &made, &error), MFN_OK, "");
    sim = made;
    made = NULL;
    sim = NULL;
    return sim != NULL;
}

static int overflow(int count)
{
    return INT_MAX + count;
}

static uint64_t steps_of_all;

static int32_t count(void *user_data, uint64_t step, uint64_t steps_total)
{
    (void)user_data, (void)step, (void)steps_total;
    steps_of_all++;
    return 0;
}

static void *run(void *argument)
{
    mfn_error *error = NULL;
    CALL(mfn_sim_run(argument, 200, count, NULL, &error), MFN_OK, "");
    return NULL;
}

/* Two runs call back on their own threads, and both callbacks change one number. */
static int race(void)
{
    mfn_error *error = NULL;
    pthread_t threads[2];
    mfn_sim *sims[2];
    int i;
    for (i = 0; i < 2; i++)
        CALL(mfn_sim_create_json("{\"grid_size\": 16}", &sims[i], &error), MFN_OK, "");
    for (i = 0; i < 2; i++)
        EXPECT(pthread_create(&threads[i], NULL, run, sims[i]) == 0);
    for (i = 0; i < 2; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
        mfn_sim_free(sims[i]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    EXPECT(argc == 2);
    if (strcmp(argv[1], "view") == 0)
        return !read_a_view_that_ended();
    if (strcmp(argv[1], "leak") == 0)
        return forget_a_handle();
    if (strcmp(argv[1], "overflow") == 0)
        return overflow(argc) > 0;
    if (strcmp(argv[1], "race") == 0)
        return race();
    return 0;
}
