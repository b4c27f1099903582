/* The first program: grow a pattern and measure it. */
#include <mfn.h>
#include <stdio.h>

int main(void)
{
    const char *spec = "{\"random_seed\": 7}"; /* the rest is the preset "mycelium" */
    mfn_features f = {.struct_size = sizeof f};
    mfn_error *error = NULL;
    mfn_sim *sim = NULL;
    int failed = mfn_sim_create_json(spec, &sim, &error) || mfn_sim_run(sim, 1000, NULL, NULL, &error)
        || mfn_sim_features(sim, &f, &error);

    if (failed) fprintf(stderr, "%s\n", mfn_error_message(error));
    else printf("D_box %.3f, active %.1f %%, mean %.2f mV\n", f.d_box, 100 * f.f_active, f.v_mean);
    mfn_sim_free(sim);
    mfn_error_free(error);
    return failed;
}
