/* Guards the functions of kinetics: what they give for real specifications, and that each wrong argument is
   refused with a message that names it, with nothing written and nothing leaked. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;

/* The names lead to the parameters, and each default lies in its range. */
static void check_names(void)
{
    mfn_kinetics_parameter parameter = {.struct_size = sizeof parameter};
    size_t kinetics, index, count = 0;
    EXPECT(strcmp(mfn_kinetics_name(0), "v4.1") == 0 && strcmp(mfn_kinetics_name(1), "gray-scott") == 0);
    EXPECT(strcmp(mfn_preset_name(0), "mycelium") == 0 && mfn_preset_name((size_t)-1) == NULL);
    for (kinetics = 0; mfn_kinetics_name(kinetics) != NULL; kinetics++)
        for (index = 0; mfn_kinetics_parameter_get(kinetics, index, &parameter, &error) == MFN_OK; index++) {
            EXPECT(*parameter.name != 0 && *parameter.meaning != 0 && parameter.min < parameter.max);
            EXPECT(parameter.default_value >= parameter.min && parameter.default_value <= parameter.max);
            count++;
        }
    EXPECT(kinetics == 7 && count == 14 && error == NULL);
    CALL(mfn_kinetics_parameter_get(1, 0, &parameter, &error), MFN_OK, "");
    EXPECT(strcmp(parameter.name, "feed") == 0 && parameter.max == 1 && parameter.min_inclusive == 1);

    CALL(mfn_kinetics_parameter_get(1, 2, &parameter, &error), MFN_END, "");
    CALL(mfn_kinetics_parameter_get((size_t)-1, 0, &parameter, &error), MFN_END, "");
    CALL(mfn_kinetics_parameter_get(1, 0, NULL, &error), MFN_INVALID, "parameter is NULL");
    parameter.struct_size = 4;
    CALL(mfn_kinetics_parameter_get(1, 0, &parameter, &error), MFN_INVALID, "struct_size = 4");
}

/* The default preset is unstable in Turing's sense; its fastest wave is where the dispersion relation is highest. */
static void check_analysis(void)
{
    mfn_turing turing = {.struct_size = sizeof turing}, state = {.struct_size = sizeof state};
    double wavenumbers[200], rates[200], steps[200];
    size_t index, best = 0;
    mfn_spec spec;

    CALL(mfn_turing_analyse_json("{}", MFN_STATE_MAIN, &turing, &error), MFN_OK, "");
    EXPECT(turing.stability == MFN_STABILITY_TURING && turing.state_count == 3 && turing.state == 0);
    EXPECT(turing.wavelength_cells > 10 && turing.wavelength_cells < 11 && turing.mode_count > 100);
    EXPECT(turing.q_min < turing.fastest_q && turing.fastest_q < turing.q_max);
    EXPECT(turing.critical_ratio < turing.d_inhibitor / turing.d_activator);
    for (index = 0; index < 200; index++)
        wavenumbers[index] = 0.01 * (double)index;
    CALL(mfn_turing_growth(&turing, wavenumbers, 200, rates, steps, &error), MFN_OK, "");
    for (index = 0; index < 200; index++) {
        if (rates[index] > rates[best])
            best = index;
        EXPECT(isfinite(steps[index]) && rates[index] <= turing.fastest_growth_rate + 1e-12);
    }
    EXPECT(fabs(wavenumbers[best] - sqrt(turing.fastest_q)) <= 0.005);

    CALL(mfn_turing_analyse_json("{}", 2, &state, &error), MFN_OK, "");
    EXPECT(state.stability == MFN_STABILITY_STABLE && state.activator == 0 && isnan(state.wavelength_cells));
    CALL(mfn_turing_analyse_json("{\"compat\": \"v4.1\"}", 0, &state, &error), MFN_OK, "");
    EXPECT(state.stability == MFN_STABILITY_MARGINAL && fabs(state.critical_ratio - 2) < 1e-12 && state.mode_count == 0);
    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    CALL(mfn_turing_analyse(&spec, MFN_STATE_MAIN, &state, &error), MFN_OK, "");
    EXPECT(memcmp(&state, &turing, sizeof state) == 0);
}

static void check_wrong_arguments(void)
{
    mfn_turing turing = {.struct_size = sizeof turing}, before = turing;
    double k = 0.5, rate = 7;
    mfn_spec spec;

    CALL(mfn_turing_analyse_json("{}", 3, &turing, &error), MFN_INVALID, "has 3 steady states");
    CALL(mfn_turing_analyse_json(NULL, 0, &turing, &error), MFN_INVALID, "spec_json is NULL");
    CALL(mfn_turing_analyse_json("{\"kinetics\": \"mould\"}", 0, &turing, &error), MFN_INVALID, "mould");
    CALL(mfn_turing_analyse_json("{}", 0, NULL, &error), MFN_INVALID, "turing is NULL");
    CALL(mfn_turing_analyse_json("{\"kinetics\": \"host\", \"initial_condition\": \"random\"}", 0, &turing, &error),
         MFN_INVALID, "callback");
    CALL(mfn_turing_analyse(NULL, 0, &turing, &error), MFN_INVALID, "spec is NULL");
    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    spec.d_activator = NAN;
    CALL(mfn_turing_analyse(&spec, 0, &turing, &error), MFN_INVALID, "d_activator = NaN");
    EXPECT(memcmp(&turing, &before, sizeof turing) == 0);

    CALL(mfn_turing_growth(NULL, &k, 1, &rate, NULL, &error), MFN_INVALID, "turing is NULL");
    CALL(mfn_turing_growth(&turing, NULL, 1, &rate, NULL, &error), MFN_INVALID, "wavenumbers is NULL");
    CALL(mfn_turing_growth(&turing, &k, 1, NULL, NULL, &error), MFN_INVALID, "growth_rates is NULL");
    CALL(mfn_turing_growth(&turing, &k, (size_t)-1, &rate, NULL, &error), MFN_INVALID, "memory");
    CALL(mfn_turing_growth(&turing, &k, 1, &rate, MISALIGNED(double *, &rate), &error), MFN_INVALID, "misaligned");
    EXPECT(rate == 7);
    CALL(mfn_turing_growth(&turing, NULL, 0, NULL, NULL, &error), MFN_OK, "");
    k = NAN;
    CALL(mfn_turing_growth(&turing, &k, 1, &rate, NULL, &error), MFN_OK, "");
    EXPECT(isnan(rate));
}

/* Schnakenberg's kinetics with a = 0.1 and b = 0.9, whose steady state (1, 0.9) and derivatives are known. */
static int32_t schnakenberg(void *user_data, const double *u, const double *v, double *du, double *dv, size_t count)
{
    int *calls = user_data;
    size_t i;

    for (i = 0; i < count; i++) {
        du[i] = 0.1 - u[i] + u[i] * u[i] * v[i];
        dv[i] = 0.9 - u[i] * u[i] * v[i];
    }
    return ++*calls < 0;
}

static int32_t constant(void *user_data, const double *u, const double *v, double *du, double *dv, size_t count)
{
    (void)u, (void)v;
    while (count-- > 0)
        du[count] = dv[count] = 1;
    return user_data != NULL;
}

/* A host's kinetics is analysed like the same one of the library. */
static void check_host_analysis(void)
{
    static const char json[] = "{\"kinetics\": {\"name\": \"schnakenberg\", \"a\": 0.1, \"b\": 0.9}, \"d_activator\": 0.01, "
                               "\"d_inhibitor\": 0.2, \"r_activator\": 1, \"r_inhibitor\": 1}";
    mfn_turing turing = {.struct_size = sizeof turing}, known = {.struct_size = sizeof known}, before;
    int calls = 0;
    mfn_spec spec;

    CALL(mfn_spec_init(&spec, sizeof spec, &error), MFN_OK, "");
    spec.d_activator = 0.01, spec.d_inhibitor = 0.2;
    spec.r_activator = spec.r_inhibitor = 1;
    CALL(mfn_turing_analyse_host(&spec, schnakenberg, &calls, 1.5, 1.5, &turing, &error), MFN_OK, "");
    EXPECT(calls > 5 && turing.state_count == 1 && turing.state == 0 && turing.stability == MFN_STABILITY_TURING);
    EXPECT(fabs(turing.activator - 1) < 1e-8 && fabs(turing.inhibitor - 0.9) < 1e-8);
    EXPECT(fabs(turing.f_u - 0.8) < 1e-8 && fabs(turing.f_v - 1) < 1e-8);
    EXPECT(fabs(turing.g_u + 1.8) < 1e-8 && fabs(turing.g_v + 1) < 1e-8);
    CALL(mfn_turing_analyse_json(json, MFN_STATE_MAIN, &known, &error), MFN_OK, "");
    EXPECT(fabs(turing.wavelength_cells / known.wavelength_cells - 1) < 1e-6 && turing.mode_count == known.mode_count);
    EXPECT(fabs(turing.critical_ratio / known.critical_ratio - 1) < 1e-6);

    before = turing;
    CALL(mfn_turing_analyse_host(NULL, schnakenberg, &calls, 1, 1, &turing, &error), MFN_INVALID, "spec is NULL");
    CALL(mfn_turing_analyse_host(&spec, NULL, &calls, 1, 1, &turing, &error), MFN_INVALID, "rates is NULL");
    CALL(mfn_turing_analyse_host(&spec, schnakenberg, &calls, 1, 1, NULL, &error), MFN_INVALID, "turing is NULL");
    CALL(mfn_turing_analyse_host(&spec, schnakenberg, &calls, NAN, 1, &turing, &error), MFN_INVALID, "no steady state");
    CALL(mfn_turing_analyse_host(&spec, constant, NULL, 1, 1, &turing, &error), MFN_INVALID, "no steady state");
    CALL(mfn_turing_analyse_host(&spec, constant, &calls, 1, 1, &turing, &error), MFN_INVALID, "no steady state");
    spec.d_inhibitor = -1;
    CALL(mfn_turing_analyse_host(&spec, schnakenberg, &calls, 1, 1, &turing, &error), MFN_INVALID, "d_inhibitor = -1");
    EXPECT(memcmp(&turing, &before, sizeof turing) == 0);
}

static void check_warnings(void)
{
    char *warnings = NULL;
    CALL(mfn_spec_warnings_json("{}", &warnings, &error), MFN_OK, "");
    EXPECT(*warnings == 0);
    mfn_string_free(warnings);
    CALL(mfn_spec_warnings_json("{\"compat\": \"v4.1\"}", &warnings, &error), MFN_OK, "");
    EXPECT(strstr(warnings, "it would need more than 2.0000: raise d_inhibitor / d_activator") != NULL);
    mfn_string_free(warnings);
    CALL(mfn_spec_warnings_json("{}", NULL, &error), MFN_INVALID, "warnings is NULL");
    CALL(mfn_spec_warnings_json("[]", &warnings, &error), MFN_INVALID, "spec_json");
}

int main(void)
{
    check_names();
    check_analysis();
    check_wrong_arguments();
    check_host_analysis();
    check_warnings();
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
