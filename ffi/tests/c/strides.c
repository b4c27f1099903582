/* Guards the zero-copy promise: a strided array gives the same bits as its contiguous copy, for the features and
   as an initial field, and stays as it was. */
#include "expect.h"

enum { SIDE = 24, GAP = 3 };

int main(void)
{
    static double packed[SIDE][SIDE], spread[SIDE * GAP][SIDE * GAP], turned[SIDE][SIDE], before[SIDE * GAP][SIDE * GAP];
    mfn_features a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b}, c = {.struct_size = sizeof c};
    mfn_error *error = NULL;
    mfn_field_view views[3], field[3];
    mfn_sim *sims[3];
    mfn_spec spec;
    int i, j;

    for (i = 0; i < SIDE; i++)
        for (j = 0; j < SIDE; j++)
            packed[i][j] = spread[i * GAP][j * GAP] = turned[SIDE - 1 - j][i] = -0.095 + 0.13 * ((i * 31 + j * 17) % 97) / 97;
    memcpy(before, spread, sizeof spread);

    views[0] = mfn_field_rows(&packed[0][0], SIDE, SIDE);
    views[1] = mfn_field_rows(&spread[0][0], SIDE, SIDE);
    views[1].row_stride = SIDE * GAP * GAP;
    views[1].col_stride = GAP;
    views[2] = mfn_field_rows(&turned[SIDE - 1][0], SIDE, SIDE);
    views[2].row_stride = 1;
    views[2].col_stride = -SIDE;

    CALL(mfn_features_compute(&views[0], NULL, &a, &error), MFN_OK, "");
    CALL(mfn_features_compute(&views[1], NULL, &b, &error), MFN_OK, "");
    CALL(mfn_features_compute(&views[2], NULL, &c, &error), MFN_OK, "");
    EXPECT(memcmp(&a, &b, sizeof a) == 0 && memcmp(&a, &c, sizeof a) == 0);
    EXPECT(a.f_active > 0 && a.f_active < 1 && a.n_clusters_low > 0);

    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    spec.grid_size = SIDE;
    for (i = 0; i < 3; i++) {
        CALL(mfn_sim_create(&spec, &sims[i], &error), MFN_OK, "");
        CALL(mfn_sim_set_initial_field(sims[i], &views[i], &error), MFN_OK, "");
        CALL(mfn_sim_run(sims[i], 40, NULL, NULL, &error), MFN_OK, "");
        CALL(mfn_sim_field(sims[i], &field[i], &error), MFN_OK, "");
        EXPECT(field[i].rows == SIDE && field[i].cols == SIDE && field[i].row_stride == SIDE && field[i].col_stride == 1);
        EXPECT(memcmp(field[0].data, field[i].data, sizeof packed) == 0);
    }
    EXPECT(memcmp(field[0].data, packed, sizeof packed) != 0);
    EXPECT(memcmp(before, spread, sizeof spread) == 0);
    for (i = 0; i < 3; i++)
        mfn_sim_free(sims[i]);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
