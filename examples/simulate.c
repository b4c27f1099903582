/* The first program: grow a pattern and measure it. */
#include <mfn.h>
#include <stdio.h>

int main(void)
{
    mfn_sim *sim = NULL;
    mfn_error *error = NULL;
    mfn_features features = {.struct_size = sizeof features};
    mfn_status status = mfn_sim_create_json(
        "{\"grid_size\": 128, \"r_activator\": 0.1, \"r_inhibitor\": 0.005}", &sim, &error);

    if (status == MFN_OK) status = mfn_sim_run(sim, 200, NULL, NULL, &error);
    if (status == MFN_OK) status = mfn_sim_features(sim, &features, &error);
    if (status == MFN_OK)
        printf("D_box %.3f, active %.1f %%, mean %.2f mV\n", features.d_box, 100 * features.f_active, features.v_mean);
    else
        fprintf(stderr, "%s\n", mfn_error_message(error));
    mfn_error_free(error);
    mfn_sim_free(sim);
    return status != MFN_OK;
}
