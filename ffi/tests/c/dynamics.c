/* Shows that a host's own equations and maps can be integrated and measured, that results agree with what is known
   in closed form, and that a callback can stop the work. */
#include "expect.h"
#include <math.h>

static mfn_error *error;

struct decay {
    double rate;
    int calls, calls_max;
};

static int32_t decay(void *user_data, double time, const double *state, double *slope, size_t length)
{
    struct decay *given = user_data;
    size_t i;

    (void)time;
    for (i = 0; i < length; i++)
        slope[i] = -given->rate * state[i];
    return ++given->calls == given->calls_max;
}

static int32_t henon(void *user_data, const double *state, double *next, size_t length)
{
    int *stop = user_data;

    EXPECT(length == 2);
    next[0] = 1 - 1.4 * state[0] * state[0] + state[1];
    next[1] = 0.3 * state[0];
    return *stop;
}

static int32_t henon_derivatives(void *user_data, const double *state, double *matrix, size_t length)
{
    EXPECT(length == 2 && user_data != NULL);
    matrix[0] = -2.8 * state[0], matrix[1] = 1;
    matrix[2] = 0.3, matrix[3] = 0;
    return 0;
}

static int32_t flatten(void *user_data, const double *state, double *matrix, size_t length)
{
    (void)state;
    memset(matrix, 0, length * length * sizeof *matrix);
    matrix[0] = 0.5;
    return *(int *)user_data == 2;
}

static void check_potentials(void)
{
    static const double outside[2] = {0.005, 0.145}, inside[2] = {0.140, 0.012};
    const mfn_permeation ions[2] = {{1, 0, 1, 0.005, 0.140}, {1, 0, 0, 0.145, 0.012}};
    double potential_v, potentials_v[2];

    CALL(mfn_nernst(1, 0.005, 0.140, 310, &potential_v, &error), MFN_OK, "");
    EXPECT(fabs(potential_v + 0.0890107) < 1e-7);
    CALL(mfn_nernst_array(1, outside, inside, 2, 310, potentials_v, &error), MFN_OK, "");
    EXPECT(potentials_v[0] == potential_v && fabs(potentials_v[1] - 0.0665623) < 1e-7);
    /* An ion that can not cross does not count: the potential is that of the other. */
    CALL(mfn_ghk(ions, 2, 310, &potential_v, &error), MFN_OK, "");
    EXPECT(fabs(potential_v - potentials_v[0]) < 1e-12);
}

static void check_integration(void)
{
    static const int32_t methods[3] = {MFN_ODE_EULER, MFN_ODE_RK4, MFN_ODE_DORMAND_PRINCE};
    static const double tolerances[3] = {1e-3, 1e-12, 1e-8};
    mfn_ode_report report = {.struct_size = sizeof report};
    struct decay given = {2, 0, 0};
    mfn_ode_options options;
    double state[3];
    int i;

    CALL(mfn_ode_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.time_step = 1e-3;
    options.steps = 1000;
    options.relative_tolerance = options.absolute_tolerance = 1e-9;
    for (i = 0; i < 3; i++) {
        state[0] = 1, state[1] = -2, state[2] = 0;
        options.method = methods[i];
        given.calls = 0;
        CALL(mfn_ode_integrate(decay, &given, state, 3, &options, &report, &error), MFN_OK, "");
        EXPECT(fabs(state[0] - exp(-2)) < tolerances[i] && fabs(state[1] + 2 * exp(-2)) < 2 * tolerances[i]);
        EXPECT(state[2] == 0 && fabs(report.time - 1) < 1e-12 && report.evaluations == (uint64_t)given.calls);
        EXPECT(report.accepted == 1000 || (i == 2 && report.accepted < 100));

        /* Stopped by the callback: the state is as before. */
        state[0] = 1;
        given.calls = 0, given.calls_max = 10;
        CALL(mfn_ode_integrate(decay, &given, state, 3, &options, NULL, &error), MFN_CANCELLED, "");
        EXPECT(given.calls == 10 && state[0] == 1);
        given.calls_max = 0;
    }
    given.rate = NAN;
    CALL(mfn_ode_integrate(decay, &given, state, 3, &options, &report, &error), MFN_UNSTABLE, "component 0 became NaN");
    given.rate = 1e7, options.time_end = 100;
    CALL(mfn_ode_integrate(decay, &given, state, 1, &options, &report, &error), MFN_UNSTABLE, "stiff");
    EXPECT(state[0] == 1 && state[1] != 0);
}

static void check_systems(void)
{
    const mfn_affine_map triangle[3] = {
        {0.5, 0, 0, 0.5, 0, 0}, {0.5, 0, 0, 0.5, 0.5, 0}, {0.5, 0, 0, 0.5, 0, 0.5}};
    const double only_first[3] = {1, 0, 0};
    static double points[2000], again[20];
    double dimension, largest, smallest;
    int i;

    CALL(mfn_ifs_dimension(triangle, 3, &dimension, &error), MFN_OK, "");
    EXPECT(fabs(dimension - log(3) / log(2)) < 1e-14);
    CALL(mfn_ifs_exponents(triangle, NULL, 3, 1, 1000, &largest, &smallest, &error), MFN_OK, "");
    EXPECT(fabs(largest + log(2)) < 1e-12 && fabs(smallest + log(2)) < 1e-12);
    CALL(mfn_ifs_points(triangle, NULL, 3, 1, points, 1000, &error), MFN_OK, "");
    for (i = 0; i < 1000; i++)
        EXPECT(points[2 * i] >= 0 && points[2 * i + 1] >= 0 && points[2 * i] + points[2 * i + 1] <= 1);
    CALL(mfn_ifs_points(triangle, NULL, 3, 1, again, 10, &error), MFN_OK, "");
    EXPECT(memcmp(points, again, sizeof again) == 0);
    CALL(mfn_ifs_points(triangle, only_first, 3, 1, again, 10, &error), MFN_OK, "");
    EXPECT(again[0] == 0 && again[19] == 0);
}

static int32_t count_down(void *user_data, uint64_t step, uint64_t steps_total)
{
    int *left = user_data;

    EXPECT(step <= steps_total);
    return --*left == 0;
}

static void check_simulation(void)
{
    mfn_lyapunov_estimate estimate = {.struct_size = sizeof estimate};
    mfn_lyapunov_options options;
    int left = 1000000;
    mfn_sim *sim;

    CALL(mfn_sim_create_json("{\"compat\": \"v4.1\", \"grid_size\": 8, \"alpha\": 0.2, \"turing_enabled\": false, "
                             "\"spike_probability\": 0, \"boundary_condition\": \"dirichlet\"}", &sim, &error), MFN_OK, "");
    CALL(mfn_lyapunov_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.transient = 100;
    options.intervals = 50;
    CALL(mfn_sim_lyapunov(sim, &options, count_down, &left, &estimate, &error), MFN_OK, "");
    EXPECT(left == 1000000 - 150 && estimate.intervals == 50);
    EXPECT(fabs(estimate.exponent - log(1 - 1.6 * pow(sin(3.14159265358979 / 18), 2))) < 1e-3);
    left = 20;
    CALL(mfn_sim_lyapunov(sim, NULL, count_down, &left, &estimate, &error), MFN_CANCELLED, "");
    EXPECT(left == 0 && mfn_sim_step_count(sim) == 0);
    mfn_sim_free(sim);
}

static void check_exponents(void)
{
    mfn_lyapunov_estimate estimate = {.struct_size = sizeof estimate};
    const double start[2] = {0.1, 0.1};
    struct decay given = {3, 0, 0};
    mfn_lyapunov_options options;
    int stop = 0;

    CALL(mfn_lyapunov_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.intervals = 20000;
    CALL(mfn_lyapunov_map(henon, &stop, start, 2, &options, &estimate, &error), MFN_OK, "");
    EXPECT(fabs(estimate.exponent - 0.419) < 0.02 && estimate.intervals == 20000 && estimate.standard_error < 0.02);
    stop = 1;
    CALL(mfn_lyapunov_map(henon, &stop, start, 2, &options, &estimate, &error), MFN_CANCELLED, "");
    options.intervals = 200;
    for (options.method = MFN_ODE_EULER; options.method <= MFN_ODE_DORMAND_PRINCE; options.method++) {
        given.calls_max = 0;
        CALL(mfn_lyapunov_flow(decay, &given, start, 2, &options, &estimate, &error), MFN_OK, "");
        EXPECT(fabs(estimate.exponent + 3) < (options.method == MFN_ODE_EULER ? 0.05 : 1e-4));
        given.calls_max = given.calls + 5;
        CALL(mfn_lyapunov_flow(decay, &given, start, 2, &options, &estimate, &error), MFN_CANCELLED, "");
    }
}

/* The raster of the Sierpinski carpet: 8^k of 9^k cells of side 3^-k, whose box-counting dimension is ln 8 / ln 3. */
static void check_raster(void)
{
    static double cells[27][27], part[27][27];
    const mfn_ifs_window unit = {0, 1, 0, 1}, lower = {0, 1, 0, 1. / 3};
    const mfn_field_view view = mfn_field_rows(&cells[0][0], 27, 27);
    mfn_field_statistics summary = {.struct_size = sizeof summary};
    mfn_affine_map carpet[8];
    uint64_t inside;
    int i, count = 0, left = 1;

    for (i = 0; i < 9; i++)
        if (i != 4) {
            mfn_affine_map map = {1. / 3, 0, 0, 1. / 3, i % 3 / 3., i / 3 / 3.};
            carpet[count++] = map;
        }
    CALL(mfn_ifs_raster(carpet, NULL, 8, 5, 40000, &unit, NULL, NULL, &cells[0][0], 27, 27, &inside, &error), MFN_OK, "");
    EXPECT(inside == 40000 && cells[13][13] == 0 && cells[0][0] == 1 && cells[4][4] == 0 && cells[10][16] == 0);
    CALL(mfn_field_summarise(&view, &summary, &error), MFN_OK, "");
    EXPECT(fabs(summary.mean - 512. / 729) < 1e-12 && summary.min == 0 && summary.max == 1);
    /* A third of the window: the lowest nine rows, three times as high. */
    CALL(mfn_ifs_raster(carpet, NULL, 8, 5, 40000, &lower, NULL, NULL, &part[0][0], 9, 27, &inside, &error), MFN_OK, "");
    EXPECT(memcmp(part, cells, 9 * sizeof cells[0]) == 0 && inside > 14000 && inside < 16000);
    part[0][0] = 7;
    CALL(mfn_ifs_raster(carpet, NULL, 8, 5, 2000000, &unit, count_down, &left, &part[0][0], 27, 27, &inside, &error), MFN_CANCELLED, "");
    EXPECT(left == 0 && part[0][0] == 7);
}

/* The exponents of the Henon map, whose sum is the logarithm of its area change; a direction that is annihilated. */
static void check_spectra(void)
{
    const double start[2] = {0.1, 0.1};
    double exponents[2] = {7, 7}, dimension = 7;
    int stop = 0;

    CALL(mfn_lyapunov_spectrum(henon, henon_derivatives, &stop, start, 2, 1000, 20000, exponents, &dimension, &error), MFN_OK, "");
    EXPECT(fabs(exponents[0] - 0.419) < 0.02 && fabs(exponents[0] + exponents[1] - log(0.3)) < 1e-9);
    EXPECT(fabs(dimension - (1 - exponents[0] / exponents[1])) < 1e-12 && fabs(dimension - 1.258) < 0.02);
    CALL(mfn_lyapunov_spectrum(henon, flatten, &stop, start, 2, 0, 10, exponents, NULL, &error), MFN_OK, "");
    EXPECT(fabs(exponents[0] + log(2)) < 1e-12 && isinf(exponents[1]) && exponents[1] < 0);
    /* Either function can stop the work. */
    for (stop = 1; stop <= 2; stop++) {
        exponents[0] = 7;
        CALL(mfn_lyapunov_spectrum(henon, flatten, &stop, start, 2, 0, 10, exponents, &dimension, &error), MFN_CANCELLED, "");
        EXPECT(exponents[0] == 7);
    }
}

int main(void)
{
    check_potentials();
    check_spectra();
    check_raster();
    check_integration();
    check_systems();
    check_exponents();
    check_simulation();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
