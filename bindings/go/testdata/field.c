/* Writes the bytes of a field after 200 steps, for comparison with the same run in Go. */
#include <mfn.h>
#include <stdio.h>

int main(void)
{
    mfn_spec spec;
    mfn_sim *sim = NULL;
    mfn_field_view view;

    if (mfn_spec_init(&spec, sizeof spec, NULL)) return 1;
    spec.grid_size = 48;
    spec.random_seed = 7;
    spec.quantum_jitter = 1;
    if (mfn_sim_create(&spec, &sim, NULL) || mfn_sim_run(sim, 200, NULL, NULL, NULL) || mfn_sim_field(sim, &view, NULL))
        return 1;
    fwrite(view.data, sizeof *view.data, view.rows * view.cols, stdout);
    mfn_sim_free(sim);
    return mfn_live_handles() != 0;
}
