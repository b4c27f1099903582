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

/* FractalGrowthEngine.generate_ifs() with seed 42 and model.generate_fractal_ifs() with default_rng(3). */
static void check_systems(void)
{
    static const double first[6] = {-0.40070600639693615, -0.16192633857037156, 0.16192633857037156,
                                    -0.40070600639693615, 0.7171958398227649, 0.3947360581187278};
    static double points[2000];
    double area, distance;
    mfn_affine_map maps[4];
    mfn_ifs_config_v4_1 config;

    CALL(mfn_ifs_init_v4_1(&config, sizeof config, &error), MFN_OK, "");
    EXPECT(config.point_count == 10000 && config.map_count == 4 && config.scale_min == 0.2 && config.of_model == 0);
    config.point_count = 1000;
    CALL(mfn_ifs_generate_v4_1(&config, 42, maps, 4, points, 1000, &area, &distance, &error), MFN_OK, "");
    EXPECT(fabs(area + 2.3317039324074043) < 1e-12 && fabs(distance - 1.0448220101518477) < 1e-12);
    EXPECT(fabs(maps[0].a - first[0]) < 1e-12 && fabs(maps[0].b - first[1]) < 1e-12 && fabs(maps[0].c - first[2]) < 1e-12);
    EXPECT(fabs(maps[0].d - first[3]) < 1e-12 && fabs(maps[0].e - first[4]) < 1e-12 && fabs(maps[0].f - first[5]) < 1e-12);
    EXPECT(fabs(maps[3].f + 0.5455225564304462) < 1e-12);
    EXPECT(fabs(points[0] - first[4]) < 1e-12 && fabs(points[2] + 0.45003310373185895) < 1e-12);
    config.of_model = 1, config.point_count = 64, config.map_count = 1;
    CALL(mfn_ifs_generate_v4_1(&config, 3, maps, 1, points, 64, &area, NULL, &error), MFN_OK, "");
    EXPECT(fabs(area + 2.977143711522169) < 1e-12 && fabs(points[0] - 0.6025489304127938) < 1e-12);
    CALL(mfn_ifs_generate_v4_1(&config, 3, maps, 1, NULL, 0, NULL, NULL, &error), MFN_OK, "");
}

static int32_t rise(void *user_data, double time, const double *v, double *slope, size_t length)
{
    (void)user_data, (void)time;
    while (length-- > 0)
        slope[length] = v[length] * 0.0 + 3.0;
    return 0;
}

static int32_t relax(void *user_data, double time, const double *v, double *slope, size_t length)
{
    (void)user_data, (void)time;
    while (length-- > 0)
        slope[length] = -(v[length] - -0.07) / 0.02;
    return 0;
}

/* MembraneEngine: integrate_ode() with and without its clamp, bit for bit, and the floor of concentrations. */
static void check_membrane(void)
{
    static const double start[5] = {-0.1, -0.05, 0.0, 0.05000000000000002, 0.1};
    static const double relaxed[5] = {-0.08817311309472183, -0.05788459127018543, -0.027596069445649032,
                                      0.0026924523788873843, 0.03298097420342377};
    static const double outside[2] = {0.002, 0.005}, inside[2] = {1e-7, 0.140};
    mfn_ode_report report = {.struct_size = sizeof report};
    double v[5], potentials_v[2];
    mfn_ode_options options;
    uint64_t raised;
    int i;

    CALL(mfn_ode_options_init(&options, sizeof options, &error), MFN_OK, "");
    EXPECT(options.clamp == 0 && options.clamp_min == -0.150 && options.clamp_max == 0.150);
    options.method = MFN_ODE_EULER, options.clamp = 1;
    options.time_step = 1e-4, options.steps = 100;
    memcpy(v, start, sizeof v);
    CALL(mfn_ode_integrate(relax, NULL, v, 5, &options, &report, &error), MFN_OK, "");
    EXPECT(memcmp(v, relaxed, sizeof v) == 0 && report.clamping_events == 0);
    options.time_step = 1e-2, options.steps = 30;
    memcpy(v, start, sizeof v);
    CALL(mfn_ode_integrate(rise, NULL, v, 5, &options, &report, &error), MFN_OK, "");
    for (i = 0; i < 5; i++)
        EXPECT(v[i] == 0.15);
    EXPECT(report.clamping_events == 127 && report.accepted == 30);
    options.clamp = 0;
    memcpy(v, start, sizeof v);
    CALL(mfn_ode_integrate(rise, NULL, v, 5, &options, &report, &error), MFN_OK, "");
    EXPECT(v[0] == 0.8000000000000005 && v[4] == 1.0000000000000007 && report.clamping_events == 0);

    CALL(mfn_nernst_array_v4_1(2, outside, inside, 2, 310, 1e-6, potentials_v, &raised, &error), MFN_OK, "");
    EXPECT(fabs(potentials_v[0] - 0.10151859103677918) < 1e-12 && raised == 1);
    CALL(mfn_nernst_array_v4_1(1, outside + 1, inside + 1, 1, 310, 1e-6, potentials_v, NULL, &error), MFN_OK, "");
    EXPECT(fabs(potentials_v[0] + 0.08901066911987907) < 1e-12);
}

/* ConfigSampler with base seed 42, as a method of plans. */
static void check_sampler(void)
{
    mfn_sweep *sweep = NULL;
    char *json;

    CALL(mfn_sweep_create("{\"base\": {\"compat\": \"v4.1\"}, \"method\": \"config-sampler\", \"count\": 20}", &sweep, &error),
         MFN_OK, "");
    EXPECT(mfn_sweep_runs(sweep) == 20);
    CALL(mfn_sweep_spec_json(sweep, 1, &json, &error), MFN_OK, "");
    EXPECT(strstr(json, "\"alpha\":0.1761139701990353,") != NULL && strstr(json, "\"steps\":129,") != NULL);
    EXPECT(strstr(json, "\"spike_probability\":0.30721286105539075,") != NULL && strstr(json, "\"random_seed\":43") != NULL);
    EXPECT(strstr(json, "\"turing_enabled\":false") != NULL);
    mfn_string_free(json);
    mfn_sweep_free(sweep);
    CALL(mfn_sweep_create_preset("large", &sweep, &error), MFN_OK, "");
    EXPECT(mfn_sweep_runs(sweep) == 500);
    CALL(mfn_sweep_spec_json(sweep, 5, &json, &error), MFN_OK, "");
    EXPECT(strstr(json, "\"alpha\":0.12,") != NULL && strstr(json, "\"random_seed\":47") != NULL);
    mfn_string_free(json);
    mfn_sweep_free(sweep);
}

int main(void)
{
    check_model();
    check_systems();
    check_membrane();
    check_sampler();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
