/* Guards operators and histories against arguments that no caller should give: each is refused with a message that names
   the argument, nothing is written, and nothing leaks. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;

static void check_operators(void)
{
    double cells[4] = {0}, out[4] = {7, 7, 7, 7}, more[4] = {7, 7, 7, 7};
    mfn_field_statistics summary = {.struct_size = 8};
    mfn_field_view view = mfn_field_rows(cells, 2, 2), none = mfn_field_rows(cells, 0, 2);

    CALL(mfn_field_laplacian(NULL, 0, out, 4, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_field_laplacian(&none, 0, out, 0, &error), MFN_INVALID, "field.rows = 0");
    CALL(mfn_field_laplacian(&view, 0, NULL, 4, &error), MFN_INVALID, "laplacian is NULL");
    CALL(mfn_field_laplacian(&view, 0, out, 3, &error), MFN_INVALID, "laplacian has room for 3 numbers: give 4");
    CALL(mfn_field_laplacian(&view, 0, MISALIGNED(double *, out), 4, &error), MFN_INVALID, "laplacian is misaligned");
    CALL(mfn_field_laplacian(&view, 3, out, 4, &error), MFN_INVALID, "boundary = 3");
    CALL(mfn_field_laplacian(&view, -1, out, 4, &error), MFN_INVALID, "boundary = -1");
    CALL(mfn_field_gradient(NULL, 0, out, more, 4, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_field_gradient(&view, 0, NULL, more, 4, &error), MFN_INVALID, "along_rows is NULL");
    CALL(mfn_field_gradient(&view, 0, out, NULL, 4, &error), MFN_INVALID, "along_columns is NULL");
    CALL(mfn_field_gradient(&view, 0, out, more, (size_t)-1, &error), MFN_INVALID, "give 4");
    CALL(mfn_field_gradient(&view, 9, out, more, 4, &error), MFN_INVALID, "boundary = 9");
    CALL(mfn_field_summarise(NULL, &summary, &error), MFN_INVALID, "struct_size = 8");
    summary.struct_size = sizeof summary;
    CALL(mfn_field_summarise(NULL, &summary, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_field_summarise(&view, NULL, &error), MFN_INVALID, "statistics is NULL");
    cells[3] = NAN;
    CALL(mfn_field_laplacian(&view, 0, out, 4, &error), MFN_INVALID, "row 1, column 1");
    CALL(mfn_field_gradient(&view, 0, out, more, 4, &error), MFN_INVALID, "row 1, column 1");
    EXPECT(out[0] == 7 && more[0] == 7);
}

static void check_history(void)
{
    double cells[16] = {0};
    mfn_features features = {.struct_size = sizeof features, .d_box = 7};
    mfn_field_view view = mfn_field_rows(cells, 4, 4), other = mfn_field_rows(cells, 2, 8);
    mfn_history *history = NULL;
    mfn_feature_config config;

    CALL(mfn_feature_config_init(&config, sizeof config, &error), MFN_OK, "");
    config.connectivity = 5;
    CALL(mfn_history_create(&config, &history, &error), MFN_INVALID, "connectivity = 5");
    CALL(mfn_history_create(NULL, NULL, &error), MFN_INVALID, "history is NULL");
    EXPECT(history == NULL);
    CALL(mfn_history_create(NULL, &history, &error), MFN_OK, "");
    CALL(mfn_history_features(history, &view, &features, &error), MFN_INVALID, "the 0 frames pushed");
    CALL(mfn_history_push(NULL, &view, &error), MFN_INVALID, "history is NULL");
    CALL(mfn_history_push(history, NULL, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_history_push(history, &view, &error), MFN_OK, "");
    EXPECT(mfn_history_push(history, &other, &error) == MFN_INVALID);
    mfn_error_free(error);
    error = NULL;
    CALL(mfn_history_features(NULL, &view, &features, &error), MFN_INVALID, "history is NULL");
    CALL(mfn_history_features(history, NULL, &features, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_history_features(history, &view, NULL, &error), MFN_INVALID, "features is NULL");
    CALL(mfn_history_features(history, &other, &features, &error), MFN_INVALID, "field is 2 x 8");
    EXPECT(features.d_box == 7);
    CALL(mfn_history_features(history, &view, &features, &error), MFN_OK, "");
    mfn_history_free(history);
    mfn_history_free(NULL);
}

static void check_rates(void)
{
    const double cells[8] = {0};
    mfn_change_rates rates = {.struct_size = sizeof rates, .final_std = 7};

    CALL(mfn_change_rates_compute(NULL, 2, 2, 2, 1, &rates, &error), MFN_INVALID, "frames is NULL");
    CALL(mfn_change_rates_compute(cells, 2, 2, 2, 1, NULL, &error), MFN_INVALID, "rates is NULL");
    CALL(mfn_change_rates_compute(cells, 0, 2, 2, 1, &rates, &error), MFN_INVALID, "no frames");
    CALL(mfn_change_rates_compute(cells, 2, 0, 2, 1, &rates, &error), MFN_INVALID, "0 x 2");
    CALL(mfn_change_rates_compute(cells, 2, 2, 2, 0, &rates, &error), MFN_INVALID, "time");
    CALL(mfn_change_rates_compute(cells, (size_t)-1, 2, 2, 1, &rates, &error), MFN_INVALID, "memory");
    CALL(mfn_change_rates_compute(cells, (size_t)-1, (size_t)-1, 0, 1, &rates, &error), MFN_INVALID, "frames");
    EXPECT(rates.final_std == 7);
}

int main(void)
{
    check_operators();
    check_history();
    check_rates();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
