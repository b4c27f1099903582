/* Guards what a host gives to a run: specifications of both versions, presets, initial fields, maps, kinetics, threads
   and single precision; that each works, and that wrong arguments are refused by name and change nothing. */
#include "expect.h"
#include <math.h>

static mfn_error *error;
static double cells[6 * 9];

static mfn_field_view grid(void)
{
    return mfn_field_rows(cells, 6, 9);
}

static mfn_sim *create(mfn_spec *spec)
{
    mfn_sim *sim = NULL;
    spec->rows = 6;
    spec->cols = 9;
    CALL(mfn_sim_create(spec, &sim, &error), MFN_OK, "");
    return sim;
}

static void check_presets(void)
{
    mfn_spec spec, first;

    CALL(mfn_spec_init_preset("v4.1", &spec, sizeof spec, &error), MFN_OK, "");
    EXPECT(spec.compat == MFN_COMPAT_V4_1 && spec.rng == MFN_RNG_PCG64 && spec.kinetics == MFN_KINETICS_V4_1);
    CALL(mfn_spec_init_preset("mycelium", &first, sizeof first, &error), MFN_OK, "");
    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    EXPECT(memcmp(&first, &spec, sizeof spec) == 0 && spec.kinetics == MFN_KINETICS_GRAY_SCOTT);
    EXPECT(strcmp(mfn_kinetics_name(MFN_KINETICS_HOST), "host") == 0 && mfn_kinetics_name(MFN_KINETICS_HOST + 1) == NULL);
    EXPECT(spec.kinetics_parameters[0] > 0 && spec.kinetics_parameters[2] == 0);
    CALL(mfn_spec_init_preset(NULL, &spec, sizeof spec, &error), MFN_INVALID, "name is NULL");
    CALL(mfn_spec_init_preset("moss", &spec, sizeof spec, &error), MFN_INVALID, "mycelium");
    CALL(mfn_spec_init_preset("mycelium", NULL, sizeof spec, &error), MFN_INVALID, "spec is NULL");
    CALL(mfn_spec_init_preset("mycelium", &spec, 112, &error), MFN_INVALID, "struct_size = 112");
}

/* A program that was compiled when the struct ended at reserved. */
static void check_first_version(void)
{
    mfn_sim *sim = NULL;
    mfn_spec old, now;

    memset(&old, 0x5a, sizeof old);
    CALL(mfn_spec_init(&old, 112, &error), MFN_OK, "");
    EXPECT(old.struct_size == 112 && old.grid_size == 64 && old.compat == 0x5a5a5a5a);
    CALL(mfn_sim_create(&old, &sim, &error), MFN_OK, "");
    now.struct_size = sizeof now;
    CALL(mfn_sim_spec(sim, &now, &error), MFN_OK, "");
    EXPECT(now.compat == MFN_COMPAT_V4_1 && now.time_step == 1.0 && now.rows == 0);
    mfn_sim_free(sim);
}

static void check_choices(void)
{
    mfn_sim *sim = NULL;
    mfn_spec good, spec;

    CALL(mfn_spec_init(&good, sizeof good, &error), MFN_OK, "");
#define REFUSED(field, value, text) \
    spec = good; \
    spec.field = value; \
    CALL(mfn_sim_create(&spec, &sim, &error), MFN_INVALID, text)
    REFUSED(compat, 2, "spec.compat = 2");
    REFUSED(compat, MFN_COMPAT_V4_1, "v4.1");
    REFUSED(kinetics, -1, "spec.kinetics = -1");
    REFUSED(kinetics, 7, "MFN_KINETICS_");
    REFUSED(precision, 2, "spec.precision = 2");
    REFUSED(rng, 9, "spec.rng = 9");
    REFUSED(initial_condition, 3, "spec.initial_condition = 3");
    REFUSED(reserved2, 1, "spec.reserved2 = 1");
    REFUSED(rows, 65537, "rows");
    REFUSED(cols, UINT64_MAX, "cols");
    REFUSED(time_step, 0.0, "time_step");
    REFUSED(leak_rate, NAN, "leak_rate");
    REFUSED(kinetics_parameters[0], NAN, "kinetics.feed");
    REFUSED(kinetics_parameters[3], 1.0, "spec.kinetics_parameters[3] = 1");
    EXPECT(sim == NULL);
}

static void check_fields_and_maps(void)
{
    mfn_field_view view = grid(), turned = mfn_field_rows(cells, 9, 6), lent;
    mfn_spec spec;
    mfn_sim *sim;
    size_t i;

    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    sim = create(&spec);
    for (i = 0; i < 6 * 9; i++)
        cells[i] = 0.001 * (double)i;
    CALL(mfn_sim_set_initial_activator(NULL, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_set_initial_activator(sim, NULL, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_sim_set_initial_activator(sim, &turned, &error), MFN_INVALID, "9 x 6");
    CALL(mfn_sim_set_initial_activator(sim, &view, &error), MFN_OK, "");
    CALL(mfn_sim_set_initial_inhibitor(NULL, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_set_initial_inhibitor(sim, &turned, &error), MFN_INVALID, "9 x 6");
    CALL(mfn_sim_set_initial_inhibitor(sim, &view, &error), MFN_OK, "");
    CALL(mfn_sim_inhibitor(sim, &lent, &error), MFN_OK, "");
    EXPECT(lent.rows == 6 && lent.cols == 9 && lent.data[10] == cells[10]);

    CALL(mfn_sim_set_map(NULL, MFN_MAP_ALPHA, &view, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_set_map(sim, 5, &view, &error), MFN_INVALID, "coefficient = 5");
    CALL(mfn_sim_set_map(sim, -1, &view, &error), MFN_INVALID, "MFN_MAP_");
    CALL(mfn_sim_set_map(sim, MFN_MAP_D_ACTIVATOR, &turned, &error), MFN_INVALID, "d_activator");
    cells[40] = 0.25;
    CALL(mfn_sim_set_map(sim, MFN_MAP_D_INHIBITOR, &view, &error), MFN_INVALID, "row 4, column 4");
    cells[40] = 0.04;
    CALL(mfn_sim_set_map(sim, MFN_MAP_D_INHIBITOR, &view, &error), MFN_OK, "");
    CALL(mfn_sim_set_map(sim, MFN_MAP_R_ACTIVATOR, &view, &error), MFN_OK, "");
    CALL(mfn_sim_step(sim, &error), MFN_OK, "");
    CALL(mfn_sim_set_map(sim, MFN_MAP_D_INHIBITOR, NULL, &error), MFN_OK, "");
    mfn_sim_free(sim);
}

static int32_t decay(void *user_data, const double *u, const double *v, double *du, double *dv, size_t count)
{
    int *calls_left = user_data;
    size_t i;

    if (*calls_left == 0)
        return 17;
    --*calls_left;
    for (i = 0; i < count; i++) {
        du[i] = -0.5 * u[i];
        dv[i] = -0.25 * v[i];
    }
    return 0;
}

static void check_kinetics(void)
{
    mfn_field_view view = grid(), lent;
    int calls_left = 12;
    mfn_spec spec;
    mfn_sim *sim;
    size_t i;

    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    sim = create(&spec);
    CALL(mfn_sim_set_kinetics(sim, decay, &calls_left, &error), MFN_INVALID, "gray-scott");
    mfn_sim_free(sim);
    spec.kinetics = MFN_KINETICS_HOST;
    memset(spec.kinetics_parameters, 0, sizeof spec.kinetics_parameters);
    spec.initial_condition = MFN_INITIAL_RANDOM;
    sim = create(&spec);
    CALL(mfn_sim_step(sim, &error), MFN_INVALID, "no kinetics");
    CALL(mfn_sim_set_kinetics(NULL, decay, &calls_left, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_set_kinetics(sim, NULL, NULL, &error), MFN_INVALID, "rates is NULL");
    CALL(mfn_sim_set_kinetics(sim, decay, &calls_left, &error), MFN_OK, "");
    for (i = 0; i < 6 * 9; i++)
        cells[i] = 1.0;
    CALL(mfn_sim_set_initial_activator(sim, &view, &error), MFN_OK, "");
    CALL(mfn_sim_step(sim, &error), MFN_OK, "");
    CALL(mfn_sim_step(sim, &error), MFN_OK, "");
    /* Six rows make six calls in a step. */
    EXPECT(calls_left == 0);
    CALL(mfn_sim_activator(sim, &lent, &error), MFN_OK, "");
    EXPECT(lent.data[0] == 0.25 && mfn_sim_step_count(sim) == 2);
    CALL(mfn_sim_step(sim, &error), MFN_INVALID, "returned 17");
    EXPECT(mfn_sim_step_count(sim) == 2);
    mfn_sim_free(sim);
}

static void check_execution(void)
{
    mfn_execution execution = {.struct_size = sizeof execution, .threads = 3, .band_rows = 1, .strip_cols = 2};
    mfn_execution used = {0};
    mfn_field_view one, many;
    mfn_sim *plain, *cut;
    mfn_spec spec;

    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    plain = create(&spec);
    cut = create(&spec);
    CALL(mfn_sim_set_execution(NULL, &execution, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_set_execution(cut, NULL, &error), MFN_INVALID, "execution is NULL");
    execution.simd = 4;
    CALL(mfn_sim_set_execution(cut, &execution, &error), MFN_INVALID, "execution.simd = 4");
    execution.simd = MFN_SIMD_BASELINE;
    execution.threads = 1025;
    CALL(mfn_sim_set_execution(cut, &execution, &error), MFN_INVALID, "threads = 1025");
    execution.threads = 3;
    CALL(mfn_sim_set_execution(cut, &execution, &error), MFN_OK, "");
    CALL(mfn_sim_execution(NULL, &used, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_execution(cut, NULL, &error), MFN_INVALID, "execution is NULL");
    CALL(mfn_sim_execution(cut, &used, &error), MFN_INVALID, "struct_size = 0");
    used.struct_size = sizeof used;
    CALL(mfn_sim_execution(cut, &used, &error), MFN_OK, "");
    EXPECT(used.simd == MFN_SIMD_BASELINE && used.threads == 3);
    EXPECT(used.band_rows > 0 && used.strip_cols > 0 && used.block_steps > 0);
    CALL(mfn_sim_run(plain, 20, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_run(cut, 20, NULL, NULL, &error), MFN_OK, "");
    CALL(mfn_sim_field(plain, &one, &error), MFN_OK, "");
    CALL(mfn_sim_field(cut, &many, &error), MFN_OK, "");
    EXPECT(memcmp(one.data, many.data, sizeof cells) == 0);
    mfn_sim_free(plain);
    mfn_sim_free(cut);
}

static void check_single_precision(void)
{
    mfn_field_view_f32 narrow;
    mfn_field_view wide;
    mfn_sim *single, *twice;
    mfn_spec spec;

    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    twice = create(&spec);
    spec.precision = MFN_PRECISION_F32;
    single = create(&spec);
    CALL(mfn_sim_step(single, &error), MFN_OK, "");
    CALL(mfn_sim_field_f32(NULL, &narrow, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_field_f32(single, NULL, &error), MFN_INVALID, "view is NULL");
    CALL(mfn_sim_field_f32(twice, &narrow, &error), MFN_INVALID, "double precision");
    CALL(mfn_sim_activator_f32(twice, &narrow, &error), MFN_INVALID, "double precision");
    CALL(mfn_sim_inhibitor_f32(twice, &narrow, &error), MFN_INVALID, "double precision");
    CALL(mfn_sim_field(single, &wide, &error), MFN_INVALID, "_f32");
    CALL(mfn_sim_activator_f32(single, &narrow, &error), MFN_OK, "");
    CALL(mfn_sim_inhibitor_f32(single, &narrow, &error), MFN_OK, "");
    CALL(mfn_sim_field_f32(single, &narrow, &error), MFN_OK, "");
    EXPECT(narrow.rows == 6 && narrow.cols == 9 && narrow.row_stride == 9 && narrow.col_stride == 1);
    EXPECT(narrow.data[53] > -0.095f && narrow.data[53] < 0.040f);
    mfn_sim_free(single);
    mfn_sim_free(twice);
}

int main(void)
{
    check_presets();
    check_first_version();
    check_choices();
    check_fields_and_maps();
    check_kinetics();
    check_execution();
    check_single_precision();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
