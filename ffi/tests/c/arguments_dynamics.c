/* Guards the functions of membranes, iterated function systems and Lyapunov exponents against arguments that no
   caller should give: each is refused with a message that names the argument, nothing is written, and nothing leaks. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;

static int32_t still(void *user_data, double time, const double *state, double *slope, size_t length)
{
    (void)user_data, (void)time, (void)state;
    memset(slope, 0, length * sizeof *slope);
    return 0;
}

static int32_t halve(void *user_data, const double *state, double *next, size_t length)
{
    (void)user_data;
    while (length-- > 0)
        next[length] = state[length] / 2;
    return 0;
}

static void check_potentials(void)
{
    const mfn_permeation calcium = {2, 0, 1, 1, 1}, inside_only = {1, 0, 1, 0, 1}, wrong = {1, 0, -1, 1, 1};
    double v = 7, array[2] = {0.1, NAN}, out[2] = {7, 7};

    CALL(mfn_nernst(1, 1, 1, 310, NULL, &error), MFN_INVALID, "potential_v is NULL");
    CALL(mfn_nernst(1, 1, 1, 310, MISALIGNED(double *, out), &error), MFN_INVALID, "potential_v is misaligned");
    CALL(mfn_nernst(0, 1, 1, 310, &v, &error), MFN_INVALID, "valence = 0");
    CALL(mfn_nernst(INT32_MIN, 1, 1, 310, &v, &error), MFN_INVALID, "valence = -2147483648");
    CALL(mfn_nernst(1, 0, 1, 310, &v, &error), MFN_INVALID, "outside_molar = 0");
    CALL(mfn_nernst(1, 1, INFINITY, 310, &v, &error), MFN_INVALID, "inside_molar = inf");
    EXPECT(mfn_nernst(1, NAN, -1, 0, &v, &error) == MFN_INVALID && mfn_error_fault_count(error) == 3);
    mfn_error_free(error);
    error = NULL;
    CALL(mfn_nernst_array(1, NULL, array, 2, 310, out, &error), MFN_INVALID, "outside_molar is NULL");
    CALL(mfn_nernst_array(1, array, NULL, 2, 310, out, &error), MFN_INVALID, "inside_molar is NULL");
    CALL(mfn_nernst_array(1, array, array, 2, 310, NULL, &error), MFN_INVALID, "potentials_v is NULL");
    CALL(mfn_nernst_array(1, array, array, SIZE_MAX, 310, out, &error), MFN_INVALID, "memory");
    CALL(mfn_nernst_array(1, array, array, 2, 310, out, &error), MFN_INVALID, "element 1");
    CALL(mfn_ghk(NULL, 1, 310, &v, &error), MFN_INVALID, "ions is NULL");
    CALL(mfn_ghk(&calcium, 1, 310, NULL, &error), MFN_INVALID, "potential_v is NULL");
    CALL(mfn_ghk(&calcium, 1, 310, &v, &error), MFN_INVALID, "valence = 2");
    CALL(mfn_ghk(&inside_only, 1, 310, &v, &error), MFN_INVALID, "inward");
    CALL(mfn_ghk(&wrong, 1, 310, &v, &error), MFN_INVALID, "element 0");
    CALL(mfn_ghk(NULL, 0, 310, &v, &error), MFN_INVALID, "infinite");
    EXPECT(v == 7 && out[0] == 7 && out[1] == 7);
}

static void check_integration(void)
{
    mfn_ode_report report = {.struct_size = sizeof report};
    double state[2] = {1, 2}, bad[2] = {1, NAN};
    mfn_ode_options options;

    CALL(mfn_ode_options_init(NULL, sizeof options, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_ode_options_init(&options, 3, &error), MFN_INVALID, "struct_size = 3");
    CALL(mfn_ode_options_init(&options, sizeof options, &error), MFN_OK, "");
    CALL(mfn_ode_integrate(NULL, NULL, state, 2, &options, &report, &error), MFN_INVALID, "derivative is NULL");
    CALL(mfn_ode_integrate(still, NULL, NULL, 2, &options, &report, &error), MFN_INVALID, "state is NULL");
    CALL(mfn_ode_integrate(still, NULL, state, SIZE_MAX, &options, &report, &error), MFN_INVALID, "memory");
    CALL(mfn_ode_integrate(still, NULL, state, 0, &options, &report, &error), MFN_INVALID, "0 components");
    CALL(mfn_ode_integrate(still, NULL, bad, 2, &options, &report, &error), MFN_INVALID, "component 1");
    CALL(mfn_ode_integrate(still, NULL, state, 2, NULL, &report, &error), MFN_INVALID, "options is NULL");
    report.struct_size = 2;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, &report, &error), MFN_INVALID, "sizeof(mfn_ode_report)");
    options.time_end = -1;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "time_end = -1");
    options.time_end = NAN;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "time_end = NaN");
    options.time_end = 1;
    options.steps_max = 0;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "steps_max = 0");
    options.method = MFN_ODE_RK4;
    options.time_step = -1;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "time_step = -1");
    options.method = 4;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "options.method = 4");
    options.method = MFN_ODE_DORMAND_PRINCE, options.clamp = 1;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "options.clamp and");
    options.clamp = 2;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "options.clamp = 2");
    options.clamp = 0, options.allow_not_finite = -1;
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "options.allow_not_finite = -1");
    options.allow_not_finite = 0, options.clamp = 1, options.clamp_max = NAN;
    options.method = MFN_ODE_EULER, options.time_step = 1;
    EXPECT(mfn_ode_integrate(still, NULL, state, 2, &options, NULL, &error) == MFN_INVALID);
    mfn_error_free(error);
    error = NULL;
    EXPECT(state[0] == 1 && state[1] == 2);
    /* A host compiled before the clamp was there. */
    options.struct_size = 80, options.clamp = 0, options.clamp_max = 0.15;
    report.struct_size = 40, report.clamping_events = 7;
    options.steps = 2;
    memset(&options.clamp, 0, sizeof options - 80);
    CALL(mfn_ode_integrate(still, NULL, state, 2, &options, &report, &error), MFN_OK, "");
    EXPECT(report.accepted == 2 && report.clamping_events == 7);
}

static void check_systems(void)
{
    const mfn_affine_map half = {0.5, 0, 0, 0.5, 0, 0}, whole = {1, 0, 0, 1, 0, 0}, bad = {0.5, 0, 0, NAN, 0, 0},
                         flat = {0.5, 0, 0, 0.1, 0, 0};
    const double negative = -1;
    double points[4] = {7, 7, 7, 7}, d = 7, low = 7;

    CALL(mfn_ifs_points(NULL, NULL, 1, 0, points, 2, &error), MFN_INVALID, "maps is NULL");
    CALL(mfn_ifs_points(&half, NULL, 0, 0, points, 2, &error), MFN_INVALID, "0 maps");
    CALL(mfn_ifs_points(&half, NULL, 1, 0, NULL, 2, &error), MFN_INVALID, "points is NULL");
    CALL(mfn_ifs_points(&half, NULL, 1, 0, points, SIZE_MAX, &error), MFN_INVALID, "memory");
    CALL(mfn_ifs_points(&half, NULL, 1, 0, points, (size_t)1 << 29, &error), MFN_INVALID, "536870912 points");
    CALL(mfn_ifs_points(&half, &negative, 1, 0, points, 2, &error), MFN_INVALID, "weight 0 = -1");
    CALL(mfn_ifs_points(&whole, NULL, 1, 0, points, 2, &error), MFN_INVALID, "stretches");
    CALL(mfn_ifs_points(&bad, NULL, 1, 0, points, 2, &error), MFN_INVALID, "d = NaN");
    CALL(mfn_ifs_dimension(NULL, 1, &d, &error), MFN_INVALID, "maps is NULL");
    CALL(mfn_ifs_dimension(&half, 1, NULL, &error), MFN_INVALID, "dimension is NULL");
    CALL(mfn_ifs_dimension(&flat, 1, &d, &error), MFN_INVALID, "no similarity");
    CALL(mfn_ifs_exponents(NULL, NULL, 1, 0, 10, &d, &low, &error), MFN_INVALID, "maps is NULL");
    CALL(mfn_ifs_exponents(&half, NULL, 1, 0, 0, &d, &low, &error), MFN_INVALID, "steps = 0");
    CALL(mfn_ifs_exponents(&half, NULL, 1, 0, UINT64_MAX, &d, &low, &error), MFN_INVALID, "steps");
    CALL(mfn_ifs_exponents(&half, NULL, 1, 0, 10, NULL, &low, &error), MFN_INVALID, "largest is NULL");
    CALL(mfn_ifs_exponents(&half, NULL, 1, 0, 10, &d, NULL, &error), MFN_INVALID, "smallest is NULL");
    EXPECT(d == 7 && low == 7 && points[0] == 7);
}

static void check_raster(void)
{
    const mfn_affine_map half = {0.5, 0, 0, 0.5, 0, 0};
    const mfn_ifs_window unit = {0, 1, 0, 1}, empty = {0, 1, 1, 1};
    double cells[4] = {7, 7, 7, 7};
    uint64_t inside = 7;

    CALL(mfn_ifs_raster(NULL, NULL, 1, 0, 9, &unit, NULL, NULL, cells, 2, 2, &inside, &error), MFN_INVALID, "maps is NULL");
    CALL(mfn_ifs_raster(&half, NULL, 0, 0, 9, &unit, NULL, NULL, cells, 2, 2, &inside, &error), MFN_INVALID, "0 maps");
    CALL(mfn_ifs_raster(&half, NULL, 1, 0, 9, NULL, NULL, NULL, cells, 2, 2, &inside, &error), MFN_INVALID, "window is NULL");
    CALL(mfn_ifs_raster(&half, NULL, 1, 0, 9, &empty, NULL, NULL, cells, 2, 2, &inside, &error), MFN_INVALID, "window");
    CALL(mfn_ifs_raster(&half, NULL, 1, 0, 9, &unit, NULL, NULL, NULL, 2, 2, &inside, &error), MFN_INVALID, "cells is NULL");
    CALL(mfn_ifs_raster(&half, NULL, 1, 0, 9, &unit, NULL, NULL, cells, 0, 2, &inside, &error), MFN_INVALID, "raster of 0 x 2");
    CALL(mfn_ifs_raster(&half, NULL, 1, 0, 9, &unit, NULL, NULL, cells, SIZE_MAX, 2, &inside, &error), MFN_INVALID, "memory");
    CALL(mfn_ifs_raster(&half, NULL, 1, 0, UINT64_MAX, &unit, NULL, NULL, cells, 2, 2, &inside, &error), MFN_INVALID, "points");
    CALL(mfn_ifs_raster(&half, NULL, 1, 0, 9, &unit, NULL, NULL, cells, 2, 2, MISALIGNED(uint64_t *, &inside), &error), MFN_INVALID, "inside is misaligned");
    EXPECT(cells[0] == 7 && inside == 7);
}

static void check_exponents(void)
{
    mfn_lyapunov_estimate estimate = {.struct_size = sizeof estimate};
    mfn_lyapunov_options options;
    const double state[2] = {1, 2};
    mfn_sim *sim = NULL;

    CALL(mfn_lyapunov_options_init(NULL, sizeof options, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_lyapunov_options_init(&options, 1 << 20, &error), MFN_INVALID, "struct_size");
    CALL(mfn_lyapunov_options_init(&options, sizeof options, &error), MFN_OK, "");
    CALL(mfn_lyapunov_map(NULL, NULL, state, 2, &options, &estimate, &error), MFN_INVALID, "map is NULL");
    CALL(mfn_lyapunov_map(halve, NULL, NULL, 2, &options, &estimate, &error), MFN_INVALID, "state is NULL");
    CALL(mfn_lyapunov_map(halve, NULL, state, 0, &options, &estimate, &error), MFN_INVALID, "0 components");
    CALL(mfn_lyapunov_map(halve, NULL, state, 2, NULL, &estimate, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_lyapunov_map(halve, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "estimate is NULL");
    CALL(mfn_lyapunov_flow(NULL, NULL, state, 2, &options, &estimate, &error), MFN_INVALID, "derivative is NULL");
    CALL(mfn_lyapunov_flow(still, NULL, NULL, 2, &options, &estimate, &error), MFN_INVALID, "state is NULL");
    CALL(mfn_lyapunov_flow(still, NULL, state, 2, NULL, &estimate, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_lyapunov_flow(still, NULL, state, 2, &options, NULL, &error), MFN_INVALID, "estimate is NULL");
    options.method = 0;
    CALL(mfn_lyapunov_flow(still, NULL, state, 2, &options, &estimate, &error), MFN_INVALID, "options.method = 0");
    options.method = MFN_ODE_RK4;
    options.time_step = INFINITY;
    CALL(mfn_lyapunov_flow(still, NULL, state, 2, &options, &estimate, &error), MFN_INVALID, "time_step = inf");
    CALL(mfn_sim_lyapunov(NULL, &options, NULL, NULL, &estimate, &error), MFN_INVALID, "sim is NULL");
    CALL(mfn_sim_create_json("{\"grid_size\": 8}", &sim, &error), MFN_OK, "");
    CALL(mfn_sim_lyapunov(sim, NULL, NULL, NULL, NULL, &error), MFN_INVALID, "estimate is NULL");
    options.intervals = 0;
    CALL(mfn_sim_lyapunov(sim, &options, NULL, NULL, &estimate, &error), MFN_INVALID, "intervals = 0");
    mfn_sim_free(sim);
    options.separation = NAN;
    CALL(mfn_lyapunov_map(halve, NULL, state, 2, &options, &estimate, &error), MFN_INVALID, "separation = NaN");
}

static void check_spectra(void)
{
    static const double many[300];
    double state[2] = {1, 2}, out[2] = {7, 7}, d = 7;

    CALL(mfn_lyapunov_spectrum(NULL, halve, NULL, state, 2, 0, 9, out, &d, &error), MFN_INVALID, "map is NULL");
    CALL(mfn_lyapunov_spectrum(halve, NULL, NULL, state, 2, 0, 9, out, &d, &error), MFN_INVALID, "jacobian is NULL");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, NULL, 2, 0, 9, out, &d, &error), MFN_INVALID, "state is NULL");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, state, 2, 0, 9, NULL, &d, &error), MFN_INVALID, "exponents is NULL");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, state, 2, 0, 9, out, MISALIGNED(double *, &d), &error), MFN_INVALID, "dimension is misaligned");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, state, 0, 0, 9, out, &d, &error), MFN_INVALID, "0 components");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, many, 300, 0, 9, out, &d, &error), MFN_INVALID, "300 components");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, state, SIZE_MAX, 0, 9, out, &d, &error), MFN_INVALID, "memory");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, state, 2, 0, 0, out, &d, &error), MFN_INVALID, "steps = 0");
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, state, 2, UINT64_MAX, 9, out, &d, &error), MFN_INVALID, "transient");
    state[1] = NAN;
    CALL(mfn_lyapunov_spectrum(halve, halve, NULL, state, 2, 0, 9, out, &d, &error), MFN_INVALID, "component 1");
    EXPECT(out[0] == 7 && d == 7);
}

int main(void)
{
    check_spectra();
    check_raster();
    check_potentials();
    check_integration();
    check_systems();
    check_exponents();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
