/* The first program: run a simulation and print what it became. */
#include <mfn.h>
#include <stdio.h>

int main(void)
{
    mfn_spec spec;
    mfn_sim *sim = NULL;
    mfn_error *error = NULL;
    mfn_features features = {.struct_size = sizeof features};

    mfn_spec_init(&spec, sizeof spec, NULL);
    spec.grid_size = 128;
    if (mfn_sim_create(&spec, &sim, &error) == MFN_OK && mfn_sim_run(sim, 200, NULL, NULL, &error) == MFN_OK
        && mfn_sim_features(sim, &features, &error) == MFN_OK)
        printf("after 200 steps: D_box %.3f, V_mean %.2f mV\n", features.d_box, features.v_mean);
    else
        fprintf(stderr, "%s\n", mfn_error_message(error));
    mfn_sim_free(sim);
    mfn_error_free(error);
    return error != NULL;
}
