/* The way from a callback of the library to Go; see callbacks.h. */
#include "callbacks.h"
#include "_cgo_export.h"

int32_t go_progress_fn(void *user_data, uint64_t step, uint64_t steps_total)
{
    return mfnGoProgress((uintptr_t)user_data, step, steps_total);
}

int32_t go_frame_fn(void *user_data, uint64_t step, const mfn_field_view *field, const mfn_field_view *activator,
                    const mfn_field_view *inhibitor)
{
    return mfnGoFrame((uintptr_t)user_data, step, (mfn_field_view *)field, (mfn_field_view *)activator,
                      (mfn_field_view *)inhibitor);
}

int32_t go_rates_fn(void *user_data, const double *u, const double *v, double *du, double *dv, size_t count)
{
    return mfnGoRates((uintptr_t)user_data, (double *)u, (double *)v, du, dv, count);
}

int32_t go_ode_fn(void *user_data, double time, const double *state, double *slope, size_t length)
{
    return mfnGoODE((uintptr_t)user_data, time, (double *)state, slope, length);
}

int32_t go_map_fn(void *user_data, const double *state, double *next, size_t length)
{
    return mfnGoMap((uintptr_t)user_data, (double *)state, next, length);
}

int32_t go_jacobian_fn(void *user_data, const double *state, double *next, size_t length)
{
    return mfnGoJacobian((uintptr_t)user_data, (double *)state, next, length);
}

int32_t go_ensemble_fn(void *user_data, uint64_t index, const mfn_features *features,
                       const mfn_statistics *statistics, const mfn_error *failure)
{
    return mfnGoEnsemble((uintptr_t)user_data, index, (mfn_features *)features, (mfn_statistics *)statistics,
                         (mfn_error *)failure);
}

int32_t go_sweep_progress_fn(void *user_data, uint64_t done, uint64_t runs, uint64_t failed)
{
    return mfnGoSweepProgress((uintptr_t)user_data, done, runs, failed);
}

void go_log_fn(void *user_data, const mfn_log_record *record)
{
    mfnGoLog((uintptr_t)user_data, (mfn_log_record *)record);
}

void go_destroy_fn(void *user_data)
{
    mfnGoDestroy((uintptr_t)user_data);
}
