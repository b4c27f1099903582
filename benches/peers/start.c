/* Start-up as a C host has it: libmfn is loaded, runs 64 steps of a 64 x 64 grid, and is done. Timed from outside. */
#include <mfn.h>
#include <stdio.h>

int main(void)
{
    mfn_sim *sim = NULL;
    mfn_error *error = NULL;
    int failed = mfn_sim_create_json("{\"compat\": \"v4.1\"}", &sim, &error)
        || mfn_sim_run(sim, 64, NULL, NULL, &error);

    if (failed) fprintf(stderr, "%s\n", mfn_error_message(error));
    mfn_sim_free(sim);
    mfn_error_free(error);
    return failed;
}
