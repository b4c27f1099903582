/* Guards what MyceliumFractalNet 4.1 computed beside its engine, against numbers that v4.1 itself gave. */
#include "expect.h"
#include <math.h>

static mfn_error *error;

static int32_t count(void *user_data, uint64_t step, uint64_t steps_total)
{
    int *left = user_data;

    EXPECT(step >= 1 && step <= steps_total);
    return --*left == 0;
}

/* simulate_mycelium_field() with default_rng(42), bit for bit; its engine refuses all three. */
static void check_model(void)
{
    static const double square[4] = {-0.06577424282819434, -0.06364797175492337, -0.06482468275018417,
                                     -0.06576877124228511};
    double field[64];
    uint64_t events;
    mfn_model_v4_1 model;
    int left = 6;

    CALL(mfn_model_init_v4_1(&model, sizeof model, &error), MFN_OK, "");
    EXPECT(model.grid_size == 64 && model.alpha == 0.18 && model.turing_enabled == 1 && model.random_seed == 42);
    model.steps = 5;
    model.grid_size = 1;
    CALL(mfn_model_run_v4_1(&model, count, &left, field, 1, &events, &error), MFN_OK, "");
    EXPECT(field[0] == -0.03925253177340734 && events == 2 && left == 1);
    model.grid_size = 2;
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, field, 4, NULL, &error), MFN_OK, "");
    EXPECT(memcmp(field, square, sizeof square) == 0);
    /* Beyond the stability limit the clamp carries the run. */
    model.grid_size = 8, model.steps = 30, model.alpha = 0.3;
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, field, 64, &events, &error), MFN_OK, "");
    EXPECT(field[0] == 0.040 && field[1] == -0.095 && field[2] == 0.040 && events == 9);
    left = 3;
    field[0] = 7;
    CALL(mfn_model_run_v4_1(&model, count, &left, field, 64, &events, &error), MFN_CANCELLED, "");
    EXPECT(field[0] == 7 && events == 9);
}

int main(void)
{
    check_model();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
