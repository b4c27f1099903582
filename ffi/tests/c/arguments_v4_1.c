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

static void check_systems(void)
{
    double points[4] = {7, 7, 7, 7}, area = 7, distance = 7;
    mfn_affine_map maps[4] = {{.a = 7}};
    mfn_ifs_config_v4_1 config;

    CALL(mfn_ifs_init_v4_1(NULL, sizeof config, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_ifs_init_v4_1(&config, 4, &error), MFN_INVALID, "struct_size = 4");
    CALL(mfn_ifs_init_v4_1(&config, sizeof config, &error), MFN_OK, "");
    config.point_count = 1000;
    CALL(mfn_ifs_generate_v4_1(NULL, 1, maps, 4, NULL, 0, &area, &distance, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_ifs_generate_v4_1(&config, 1, NULL, 4, NULL, 0, &area, &distance, &error), MFN_INVALID, "maps is NULL");
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 3, NULL, 0, &area, &distance, &error), MFN_INVALID, "maps has room for 3 numbers: give 4");
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, points, 2, &area, &distance, &error), MFN_INVALID, "points has room for 2 points: give 1000");
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 1000, &area, &distance, &error), MFN_INVALID, "points is NULL");
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 0, MISALIGNED(double *, points), &distance, &error), MFN_INVALID, "mean_log_area_change is misaligned");
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 0, &area, MISALIGNED(double *, points), &error), MFN_INVALID, "distance_max is misaligned");
    config.of_model = 2;
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 0, &area, &distance, &error), MFN_INVALID, "config.of_model = 2");
    config.of_model = 1, config.point_count = UINT64_MAX;
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 0, &area, &distance, &error), MFN_INVALID, "num_points");
    config.of_model = 0, config.point_count = 999;
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 0, &area, &distance, &error), MFN_INVALID, "num_points = 999");
    config.point_count = 1000, config.scale_max = 1;
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 0, &area, &distance, &error), MFN_INVALID, "scale_max = 1");
    config.scale_max = 0.1;
    CALL(mfn_ifs_generate_v4_1(&config, 1, maps, 4, NULL, 0, &area, &distance, &error), MFN_INVALID, "scale_min = 0.2");
    EXPECT(points[0] == 7 && maps[0].a == 7 && area == 7 && distance == 7);
}

static void check_potentials(void)
{
    double ok[2] = {0.1, 0.2}, bad[2] = {0.1, NAN}, out[2] = {7, 7};
    uint64_t raised = 7;

    CALL(mfn_nernst_array_v4_1(1, NULL, ok, 2, 310, 1e-6, out, &raised, &error), MFN_INVALID, "outside_molar is NULL");
    CALL(mfn_nernst_array_v4_1(1, ok, NULL, 2, 310, 1e-6, out, &raised, &error), MFN_INVALID, "inside_molar is NULL");
    CALL(mfn_nernst_array_v4_1(1, ok, ok, 2, 310, 1e-6, NULL, &raised, &error), MFN_INVALID, "potentials_v is NULL");
    CALL(mfn_nernst_array_v4_1(1, ok, ok, SIZE_MAX, 310, 1e-6, out, &raised, &error), MFN_INVALID, "memory");
    CALL(mfn_nernst_array_v4_1(1, ok, ok, 2, 310, 1e-6, out, MISALIGNED(uint64_t *, &raised), &error), MFN_INVALID, "clamping_events is misaligned");
    CALL(mfn_nernst_array_v4_1(3, ok, ok, 2, 310, 1e-6, out, &raised, &error), MFN_INVALID, "valence = 3");
    CALL(mfn_nernst_array_v4_1(1, ok, ok, 2, 310, 0, out, &raised, &error), MFN_INVALID, "ion_clamp_min = 0");
    CALL(mfn_nernst_array_v4_1(1, bad, ok, 2, 310, 1e-6, out, &raised, &error), MFN_INVALID, "1 NaN");
    EXPECT(out[0] == 7 && out[1] == 7 && raised == 7);
}

int main(void)
{
    check_model();
    check_systems();
    check_potentials();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
