/* Written only from mfn.h: an embedding that sets an initial field, watches, looks and handles an error. */
#include <mfn.h>
#include <stdio.h>
#include <stdlib.h>

#define GRID 32

static int32_t watch(void *user_data, uint64_t step, uint64_t steps_total)
{
    *(uint64_t *)user_data = step;
    return step > steps_total;
}

static int failed(const char *what, mfn_error *error)
{
    fprintf(stderr, "%s: %s: %s\n", what, mfn_status_name(mfn_error_status(error)), mfn_error_message(error));
    mfn_error_free(error);
    return 1;
}

int main(void)
{
    double *initial = malloc(GRID * GRID * sizeof *initial);
    mfn_statistics statistics = {.struct_size = sizeof statistics};
    mfn_features features = {.struct_size = sizeof features};
    mfn_field_view view;
    mfn_error *error = NULL;
    mfn_sim *sim = NULL;
    mfn_spec spec;
    uint64_t seen = 0;
    size_t i;

    for (i = 0; i < GRID * GRID; i++)
        initial[i] = -0.070 + 0.001 * (double)(i % 7);
    view = mfn_field_rows(initial, GRID, GRID);

    mfn_spec_init(&spec, sizeof spec, NULL);
    spec.grid_size = 0; /* too small on purpose */
    if (mfn_sim_create(&spec, &sim, &error) != MFN_INVALID || mfn_error_fault_count(error) != 1)
        return failed("the small grid was not refused", error);
    mfn_error_free(error);
    error = NULL;

    spec.grid_size = GRID;
    spec.boundary = MFN_BOUNDARY_NEUMANN;
    if (mfn_sim_create(&spec, &sim, &error) || mfn_sim_set_initial_field(sim, &view, &error)
        || mfn_sim_follow_features(sim, NULL, &error) || mfn_sim_run(sim, 50, watch, &seen, &error)
        || mfn_sim_statistics(sim, &statistics, &error) || mfn_sim_features(sim, &features, &error)
        || mfn_sim_field(sim, &view, &error))
        return failed("run", error);
    printf("%u steps, last reported %u, mean %.3f mV, first cell %.3f mV, %g active\n",
           (unsigned)statistics.steps_computed, (unsigned)seen, 1e3 * statistics.field_mean_v, 1e3 * view.data[0],
           features.f_active);
    mfn_sim_free(sim);
    free(initial);
    return seen != 50 || statistics.steps_computed != 50 || mfn_live_handles() != 0;
}
