/* Guards the functions of MyceliumFractalNet 4.1 against arguments that no caller should give: each is refused with a
   message that names the argument, nothing is written, and nothing leaks. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;

static void check_model(void)
{
    double field[4] = {7, 7, 7, 7};
    uint64_t events = 7;
    mfn_model_v4_1 model;

    CALL(mfn_model_init_v4_1(NULL, sizeof model, &error), MFN_INVALID, "model is NULL");
    CALL(mfn_model_init_v4_1(&model, 8, &error), MFN_INVALID, "struct_size = 8");
    CALL(mfn_model_init_v4_1(&model, sizeof model, &error), MFN_OK, "");
    model.grid_size = 2;
    CALL(mfn_model_run_v4_1(NULL, NULL, NULL, field, 4, &events, &error), MFN_INVALID, "model is NULL");
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, NULL, 4, &events, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, field, 3, &events, &error), MFN_INVALID, "give 4");
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, field, 4, MISALIGNED(uint64_t *, &events), &error), MFN_INVALID, "growth_events is misaligned");
    model.turing_enabled = 2;
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, field, 4, &events, &error), MFN_INVALID, "model.turing_enabled = 2");
    model.turing_enabled = 1;
    model.quantum_jitter = -1;
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, field, 4, &events, &error), MFN_INVALID, "model.quantum_jitter = -1");
    model.quantum_jitter = 0;
    model.reserved = 1;
    CALL(mfn_model_run_v4_1(&model, NULL, NULL, field, 4, &events, &error), MFN_INVALID, "model.reserved = 1");
    model.reserved = 0;
    model.grid_size = UINT64_MAX, model.steps = UINT64_MAX, model.alpha = NAN;
    EXPECT(mfn_model_run_v4_1(&model, NULL, NULL, field, 4, &events, &error) == MFN_INVALID);
    EXPECT(mfn_error_fault_count(error) == 3 && strcmp(mfn_error_fault_path(error, 2), "alpha") == 0);
    mfn_error_free(error);
    error = NULL;
    EXPECT(field[0] == 7 && field[3] == 7 && events == 7);
}

int main(void)
{
    check_model();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
