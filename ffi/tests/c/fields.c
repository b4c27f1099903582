/* Guards what a host's own solver asks of its fields: operators against a polynomial whose derivatives are known, and the
   features of a history against those that a run of the library follows itself. */
#include "expect.h"
#include <math.h>

enum { ROWS = 5, COLS = 7, SIDE = 16, STEPS = 12 };

static mfn_error *error;

/* x^2 + 3 y^2: the Laplacian is 8 inside, the gradient (6 y, 2 x). */
static void check_operators(void)
{
    static double cells[ROWS][COLS], laplacian[ROWS][COLS], down[ROWS][COLS], right[ROWS][COLS];
    mfn_field_statistics summary = {.struct_size = sizeof summary};
    mfn_field_view view = mfn_field_rows(&cells[0][0], ROWS, COLS), turned;
    int r, c;

    for (r = 0; r < ROWS; r++)
        for (c = 0; c < COLS; c++)
            cells[r][c] = c * c + 3 * r * r;
    CALL(mfn_field_laplacian(&view, MFN_BOUNDARY_NEUMANN, &laplacian[0][0], ROWS * COLS, &error), MFN_OK, "");
    CALL(mfn_field_gradient(&view, MFN_BOUNDARY_NEUMANN, &down[0][0], &right[0][0], ROWS * COLS, &error), MFN_OK, "");
    for (r = 1; r < ROWS - 1; r++)
        for (c = 1; c < COLS - 1; c++)
            EXPECT(laplacian[r][c] == 8 && down[r][c] == 6 * r && right[r][c] == 2 * c);
    EXPECT(laplacian[0][0] == 4 && down[0][3] == 3 && right[2][COLS - 1] == 11);
    CALL(mfn_field_laplacian(&view, MFN_BOUNDARY_PERIODIC, &laplacian[0][0], ROWS * COLS, &error), MFN_OK, "");
    EXPECT(laplacian[0][0] == 1 + 36 + 3 + 48);
    CALL(mfn_field_laplacian(&view, MFN_BOUNDARY_DIRICHLET, &laplacian[0][0], ROWS * COLS, &error), MFN_OK, "");
    EXPECT(laplacian[0][0] == 1 + 3);
    /* Read by columns, so rows and columns change places. */
    turned = mfn_field_rows(&cells[0][0], COLS, ROWS);
    turned.row_stride = 1, turned.col_stride = COLS;
    CALL(mfn_field_gradient(&turned, MFN_BOUNDARY_NEUMANN, &down[0][0], &right[0][0], ROWS * COLS, &error), MFN_OK, "");
    EXPECT((&down[0][0])[3 * ROWS + 2] == 6 && (&right[0][0])[3 * ROWS + 2] == 12);
    CALL(mfn_field_summarise(&view, &summary, &error), MFN_OK, "");
    EXPECT(summary.min == 0 && summary.max == 84 && fabs(summary.mean - 31) < 1e-13 && summary.finite_fraction == 1);
    cells[1][1] = NAN, cells[2][2] = INFINITY;
    CALL(mfn_field_summarise(&view, &summary, &error), MFN_OK, "");
    EXPECT(isnan(summary.mean) && summary.nan_count == 1 && summary.inf_count == 1 && fabs(summary.finite_fraction - 33. / 35) < 1e-15);
    /* In place. */
    cells[1][1] = cells[2][2] = 0;
    CALL(mfn_field_laplacian(&view, MFN_BOUNDARY_NEUMANN, &laplacian[0][0], ROWS * COLS, &error), MFN_OK, "");
    CALL(mfn_field_laplacian(&view, MFN_BOUNDARY_NEUMANN, &cells[0][0], ROWS * COLS, &error), MFN_OK, "");
    EXPECT(memcmp(cells, laplacian, sizeof cells) == 0);
}

/* The frames of a run, pushed one by one, have the features that the run follows. */
static void check_history(void)
{
    static double frames[STEPS + 1][SIDE * SIDE];
    mfn_features features = {.struct_size = sizeof features}, followed = {.struct_size = sizeof followed};
    mfn_change_rates rates = {.struct_size = sizeof rates};
    mfn_field_view view, last = mfn_field_rows(frames[STEPS], SIDE, SIDE);
    double largest = 0, sum = 0;
    mfn_history *history = NULL;
    mfn_feature_config config;
    mfn_sim *sim = NULL;
    int step, i;

    CALL(mfn_sim_create_json("{\"grid_size\": 16, \"steps\": 12, \"boundary_condition\": \"neumann\"}", &sim, &error), MFN_OK, "");
    CALL(mfn_feature_config_init(&config, sizeof config, &error), MFN_OK, "");
    CALL(mfn_sim_follow_features(sim, &config, &error), MFN_OK, "");
    CALL(mfn_history_create(&config, &history, &error), MFN_OK, "");
    for (step = 0; step <= STEPS; step++) {
        if (step > 0)
            CALL(mfn_sim_step(sim, &error), MFN_OK, "");
        CALL(mfn_sim_field(sim, &view, &error), MFN_OK, "");
        /* A run follows its frames from the first step on. */
        if (step > 0)
            CALL(mfn_history_push(history, &view, &error), MFN_OK, "");
        for (i = 0; i < SIDE * SIDE; i++)
            frames[step][i] = view.data[i / SIDE * view.row_stride + i % SIDE * view.col_stride];
    }
    CALL(mfn_history_features(history, &last, &features, &error), MFN_OK, "");
    CALL(mfn_sim_features(sim, &followed, &error), MFN_OK, "");
    EXPECT(features.dv_mean > 0 && features.dv_max >= features.dv_mean && features.e_trend != 0);
    EXPECT(memcmp(&features, &followed, sizeof features) == 0);
    mfn_history_free(history);
    mfn_sim_free(sim);

    for (step = 0; step < STEPS; step++)
        for (i = 0; i < SIDE * SIDE; i++) {
            double change = fabs(frames[step + 1][i] - frames[step][i]);
            sum += change;
            largest = change > largest ? change : largest;
        }
    CALL(mfn_change_rates_compute(frames[0], STEPS + 1, SIDE, SIDE, 0.5, &rates, &error), MFN_OK, "");
    EXPECT(rates.max_change_rate == largest / 0.5 && isfinite(rates.mean_log_step_change));
    EXPECT(fabs(rates.mean_change_rate / (sum / (STEPS * SIDE * SIDE) / 0.5) - 1) < 1e-12);
    EXPECT(fabs(rates.final_std * 1000 - features.v_std) < 1e-9 && features.v_std > 0);
}

int main(void)
{
    check_operators();
    check_history();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
