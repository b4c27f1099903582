/* What C calls when the library calls back: functions that hand on to the exported Go functions of callbacks.go. The
   user_data of each is the number of a cgo.Handle and never a pointer to Go memory. */
#ifndef MFN_GO_CALLBACKS_H
#define MFN_GO_CALLBACKS_H

#include <mfn.h>

int32_t go_progress_fn(void *user_data, uint64_t step, uint64_t steps_total);
int32_t go_frame_fn(void *user_data, uint64_t step, const mfn_field_view *field, const mfn_field_view *activator,
                    const mfn_field_view *inhibitor);
int32_t go_rates_fn(void *user_data, const double *u, const double *v, double *du, double *dv, size_t count);
int32_t go_ode_fn(void *user_data, double time, const double *state, double *slope, size_t length);
int32_t go_map_fn(void *user_data, const double *state, double *next, size_t length);
int32_t go_jacobian_fn(void *user_data, const double *state, double *next, size_t length);
int32_t go_ensemble_fn(void *user_data, uint64_t index, const mfn_features *features,
                       const mfn_statistics *statistics, const mfn_error *failure);
int32_t go_sweep_progress_fn(void *user_data, uint64_t done, uint64_t runs, uint64_t failed);
void go_log_fn(void *user_data, const mfn_log_record *record);
void go_destroy_fn(void *user_data);

#endif
