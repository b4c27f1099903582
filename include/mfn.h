/*
 * mfn.h: the C interface of libmfn.
 *
 * libmfn embeds the MyceliumFractalNet simulation: three coupled fields on a square grid, and the 18 features
 * that describe them. At run time it loads plugins that bring requests in and carry results out.
 *
 * A first program:
 *
 *     mfn_spec spec;
 *     mfn_sim *sim = NULL;
 *     mfn_error *error = NULL;
 *     mfn_spec_init(&spec, sizeof spec, NULL);
 *     spec.grid_size = 128;
 *     if (mfn_sim_create(&spec, &sim, &error) != MFN_OK || mfn_sim_run(sim, 200, NULL, NULL, &error) != MFN_OK)
 *         fprintf(stderr, "%s\n", mfn_error_message(error));
 *     mfn_error_free(error);
 *     mfn_sim_free(sim);
 *
 * Rules that hold everywhere:
 *  - Handles are opaque. What a function hands over is freed by the function that its comment names.
 *  - Outputs are written only on success. After a failure everything is as it was, unless the comment says more.
 *  - NULL, misaligned pointers, impossible sizes and values out of range give MFN_INVALID with a message.
 *  - Texts are UTF-8 and end with NUL. Lengths, counts and sizes are size_t.
 *  - A struct that begins with struct_size may grow in later versions; programs compiled earlier keep working.
 *  - [any-thread]: may be called from any thread at any time. [one-thread-per-handle]: one call at a time with
 *    this handle; a second one at the same time answers MFN_INVALID. A const handle is always [any-thread].
 *  - Freeing is the end: no call with the handle may be under way or come later.
 *  - The library changes nothing that belongs to the whole process: no signal handlers, no locale, no
 *    environment, no output of its own. (A defect that is caught, MFN_FATAL, is also written to stderr.)
 *
 * This file is generated from the folder ffi by `cargo xtask header`. Do not edit it.
 */
#ifndef MFN_H
#define MFN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ==================================================================================================
 * The library itself: versions, and a count of what the host still holds.
 *
 * A program compiled for one ABI version runs with every libmfn of that version, whatever the release
 * version. Compare mfn_abi_version() with MFN_ABI_VERSION when loading the library by hand.
 */

// Version of this header's ABI. It changes when a compiled program could break.
#define MFN_ABI_VERSION 0

// The release version of the library, such as "0.1.0". The text is static. [any-thread]
const char *mfn_version(void);

// The ABI version of the library that runs; see MFN_ABI_VERSION. [any-thread]
uint32_t mfn_abi_version(void);

// How many objects (handles, errors, strings, byte arrays) this library has handed out and the host
// has not freed. 0 at the end of a program that leaks nothing. [any-thread]
uint64_t mfn_live_handles(void);

/* ==================================================================================================
 * Status codes: what a call says about itself and about what it left behind.
 *
 * A status tells the caller what to do next. MFN_OK, MFN_WOULD_BLOCK, MFN_CANCELLED and MFN_END are
 * answers; every other status is a failure and comes with an error object. Numbers are never reused,
 * and later versions may add some: treat an unknown one as a failure.
 */

// What a call answers: one of the MFN_* constants below.
typedef int32_t mfn_status;

// Done. Outputs are written.
#define MFN_OK 0

// Nothing there yet within the time given. Call again.
#define MFN_WOULD_BLOCK 1

// An argument is wrong. Nothing was changed; the error says which argument, and what is allowed.
#define MFN_INVALID 2

// A simulation step gave NaN or infinity and was discarded. The state is the last good one.
#define MFN_UNSTABLE 3

// A plugin failed or was refused. The error names it; everything else works on.
#define MFN_PLUGIN 4

// Stopped because the host asked for it. The state is that of the last complete step.
#define MFN_CANCELLED 5

// The object was closed or stopped before. Only free it.
#define MFN_CLOSED 6

// A defect inside the library was caught. The handle is poisoned and can only be freed.
#define MFN_FATAL 7

// A file or another resource of the system failed. The error says which and why.
#define MFN_IO 8

// There will be no more: the source is exhausted or the work is finished.
#define MFN_END 9

// The name of a status, such as "MFN_INVALID"; "MFN_UNKNOWN" for a number that is none.
// The text is static. [any-thread]
const char *mfn_status_name(mfn_status status);

/* ==================================================================================================
 * Error objects: what went wrong, where, why, and whether trying again can help.
 *
 * Every function that can fail takes a last argument `mfn_error **error`. It may be NULL. On failure a new
 * error object is written there, which the host frees with mfn_error_free(); on success, and for the
 * answers MFN_WOULD_BLOCK, MFN_CANCELLED and MFN_END, it is left alone. Handles also keep their last
 * failure for hosts that passed NULL: see the mfn_*_last_error() functions. Error objects never change, so
 * any number of threads may read one. Texts that an error lends live as long as the error.
 */

// Trying again later can succeed.
#define MFN_CLASS_RETRYABLE 1

// As retryable, but not before mfn_error_retry_after_ms().
#define MFN_CLASS_THROTTLED 2

// Credentials or a target are missing: keep the data and ask an operator.
#define MFN_CLASS_BLOCKED 3

// Trying the same again can not succeed.
#define MFN_CLASS_PERMANENT 4

// Sent, but not answered: it may have happened. Try again only under the same record id.
#define MFN_CLASS_UNKNOWN 5

// Given up because the host asked for it.
#define MFN_CLASS_CANCELLED 6

// The object is unusable; only close and free it.
#define MFN_CLASS_FATAL 7

// A failure. Freed with mfn_error_free().
typedef struct mfn_error mfn_error;

// The status of the failed call. MFN_OK for NULL. [any-thread]
mfn_status mfn_error_status(const mfn_error *error);

// What went wrong and what to do, in one line; "" for NULL. Lent by the error. [any-thread]
const char *mfn_error_message(const mfn_error *error);

// How many deeper causes the error has. [any-thread]
size_t mfn_error_cause_count(const mfn_error *error);

// A deeper cause; 0 is the nearest. "" beyond the last. Lent by the error. [any-thread]
const char *mfn_error_cause(const mfn_error *error, size_t index);

// The plugin where the error arose, or "". Lent by the error. [any-thread]
const char *mfn_error_plugin(const mfn_error *error);

// The component (the configured instance of a plugin) where the error arose, or "". Lent by the error.
// [any-thread]
const char *mfn_error_component(const mfn_error *error);

// What the caller should do: one of the MFN_CLASS_* constants; 0 for NULL. [any-thread]
int32_t mfn_error_class(const mfn_error *error);

// 1 when the same call can succeed later without a change, else 0. [any-thread]
int32_t mfn_error_retriable(const mfn_error *error);

// How long to wait before trying again, in milliseconds; 0 when the error does not say. [any-thread]
uint64_t mfn_error_retry_after_ms(const mfn_error *error);

// How many single faults a specification or configuration has; 0 for other errors. [any-thread]
size_t mfn_error_fault_count(const mfn_error *error);

// Where a fault lies, such as "limits.threads". "" beyond the last. Lent by the error. [any-thread]
const char *mfn_error_fault_path(const mfn_error *error, size_t index);

// What is wrong there. "" beyond the last. Lent by the error. [any-thread]
const char *mfn_error_fault_message(const mfn_error *error, size_t index);

// How to put it right. "" beyond the last. Lent by the error. [any-thread]
const char *mfn_error_fault_fix(const mfn_error *error, size_t index);

// Frees an error and the texts it lent. NULL is allowed. [any-thread]
void mfn_error_free(mfn_error *error);

/* ==================================================================================================
 * Owned data: strings and byte arrays that are handed to the host for good.
 *
 * Texts that belong to an object are lent as const char * and end with it. What comes as char * or
 * mfn_bytes is the host's, and is freed here, not with free(). Every text is UTF-8 and ends with NUL.
 */

// Bytes that belong to the host. Freed with mfn_bytes_free().
typedef struct mfn_bytes {
    // The first byte. Not NULL, even when len is 0.
    uint8_t *data;
    // The number of bytes.
    size_t len;
} mfn_bytes;

// Frees a string that a function handed over. NULL is allowed. [any-thread]
void mfn_string_free(char *string);

// Frees bytes that a function handed over and sets data to NULL and len to 0. NULL and freed bytes are
// allowed. [any-thread]
void mfn_bytes_free(mfn_bytes *bytes);

/* ==================================================================================================
 * Field views: a grid of doubles where it lies, without a copy.
 *
 * A view is a pointer with a shape and two strides, so a host's own array is read in place whether it is
 * stored by rows, by columns, every second cell or upside down. A view that the library fills is lent: it
 * says at the function how long it lives. A view that the host gives is read during the call only.
 */

// A grid of doubles that is read and not owned. Cell (r, c) is data[r * row_stride + c * col_stride].
typedef struct mfn_field_view {
    // Cell (0, 0).
    const double *data;
    // Number of rows, at least 1.
    size_t rows;
    // Number of columns, at least 1.
    size_t cols;
    // Distance from a row to the next, in doubles; may be negative.
    ptrdiff_t row_stride;
    // Distance from a column to the next, in doubles; may be negative.
    ptrdiff_t col_stride;
} mfn_field_view;

// The view of a row-major array without gaps: strides cols and 1. [any-thread]
mfn_field_view mfn_field_rows(const double *data, size_t rows, size_t cols);

/* ==================================================================================================
 * Features: a field reduced to the 18 numbers of MyceliumFractalNet.
 *
 * mfn_features_compute() reads a square field in volts where it lies, for example an array of the host's
 * own. The four features dv_mean, dv_max, t_stable and e_trend describe a run and are 0 for one field; a
 * simulation has them after mfn_sim_follow_features().
 */

// Number of features.
#define MFN_FEATURE_COUNT 18

// What the features depend on beside the field. Fill it with mfn_feature_config_init().
typedef struct mfn_feature_config {
    // sizeof(mfn_feature_config).
    uint32_t struct_size;
    // Which cells are neighbours in a cluster: 4 or 8.
    int32_t connectivity;
    // Smallest box of the box counting, cells.
    uint64_t min_box_size;
    // Largest box of the box counting, cells; 0: derived from the field.
    uint64_t max_box_size;
    // Number of box sizes before duplicates are dropped.
    uint64_t num_scales;
    // Consecutive quiet steps that count as stable.
    uint64_t stability_window;
    // A cell above it is active, mV.
    double threshold_low_mv;
    // Threshold of n_clusters_med, mV.
    double threshold_med_mv;
    // Threshold of n_clusters_high, mV.
    double threshold_high_mv;
    // A step is quiet when the spatial deviation of the change is below it, mV.
    double stability_threshold_mv;
} mfn_feature_config;

// The 18 features. Set struct_size before the call.
typedef struct mfn_features {
    // sizeof(mfn_features).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Box-counting dimension of the active cells.
    double d_box;
    // Coefficient of determination of its fit.
    double d_r2;
    // Lowest potential, mV.
    double v_min;
    // Highest potential, mV.
    double v_max;
    // Mean potential, mV.
    double v_mean;
    // Standard deviation of the potential, mV.
    double v_std;
    // Skewness of the potential.
    double v_skew;
    // Excess kurtosis of the potential.
    double v_kurt;
    // Mean absolute change of a cell from step to step, mV.
    double dv_mean;
    // Largest absolute change of a cell from step to step, mV.
    double dv_max;
    // Step at which the run became quiet.
    double t_stable;
    // Slope of the sum of squared potentials, mV^2 per step.
    double e_trend;
    // Fraction of active cells.
    double f_active;
    // Clusters above the low threshold.
    double n_clusters_low;
    // Clusters above the medium threshold.
    double n_clusters_med;
    // Clusters above the high threshold.
    double n_clusters_high;
    // Cells of the largest cluster above the low threshold.
    double max_cluster_size;
    // Standard deviation of the sizes of those clusters, cells.
    double cluster_size_std;
} mfn_features;

// Fills a configuration with the defaults. struct_size is sizeof(mfn_feature_config).
// config belongs to the host. [any-thread]
mfn_status mfn_feature_config_init(mfn_feature_config *config, size_t struct_size, mfn_error **error);

// Computes the features of a square field in volts, in place. config may be NULL for the defaults.
// The field is read during the call only; features belongs to the host. [any-thread]
mfn_status mfn_features_compute(const mfn_field_view *field,
                                const mfn_feature_config *config,
                                mfn_features *features,
                                mfn_error **error);

// The name of a feature, such as "D_box", in the order of the fields of mfn_features; NULL beyond the
// last. The text is static. [any-thread]
const char *mfn_feature_name(size_t index);

// The unit of a feature, such as "mV"; "1" for a pure number; NULL beyond the last. The text is static.
// [any-thread]
const char *mfn_feature_unit(size_t index);

/* ==================================================================================================
 * Simulation: one run of the model, from its specification to its fields.
 *
 * Fill a mfn_spec, create, step or run, look at the fields, free. A simulation starts no thread and does
 * no I/O. Equal specifications give equal bits.
 */

// Outside the grid lies its opposite side.
#define MFN_BOUNDARY_PERIODIC 0

// Outside an edge cell lies a copy of it.
#define MFN_BOUNDARY_NEUMANN 1

// Outside the grid everything is zero.
#define MFN_BOUNDARY_DIRICHLET 2

// One run of the model. Freed with mfn_sim_free().
typedef struct mfn_sim mfn_sim;

// Everything that decides the result of a run. Fill it with mfn_spec_init(), then change what differs.
typedef struct mfn_spec {
    // sizeof(mfn_spec).
    uint32_t struct_size;
    // One of the MFN_BOUNDARY_* constants.
    int32_t boundary;
    // 1: activator and inhibitor advance and act on the potential. 0: they do not.
    int32_t turing_enabled;
    // 1: normal noise is added to every cell in every step. 0: none.
    int32_t quantum_jitter;
    // Cells along each side of the square grid.
    uint64_t grid_size;
    // Steps of a complete run.
    uint64_t steps;
    // Seed of the random stream.
    uint64_t random_seed;
    // Diffusion coefficient of the potential, cells^2 per step.
    double alpha;
    // Probability of one growth event in a step.
    double spike_probability;
    // Activator level above which a cell is activated.
    double turing_threshold;
    // Variance of the noise, V^2 per step.
    double jitter_var;
    // Diffusion coefficient of the activator, cells^2 per step.
    double d_activator;
    // Diffusion coefficient of the inhibitor, cells^2 per step.
    double d_inhibitor;
    // Reaction rate of the activator, 1 per step.
    double r_activator;
    // Reaction rate of the inhibitor, 1 per step.
    double r_inhibitor;
    // 1: a step that gives NaN or infinity is discarded with MFN_UNSTABLE. 0: such values stay.
    int32_t check_stability;
    // 0.
    int32_t reserved;
} mfn_spec;

// Hears of the progress of mfn_sim_run(), every few milliseconds and after the last step, on the thread
// that called it. step counts from 1 to steps_total. Return 0 to go on, anything else to stop. It must
// not use the simulation (such calls answer MFN_INVALID), and must return normally: no longjmp, no C++
// exception.
typedef int32_t (*mfn_progress_fn)(void *user_data, uint64_t step, uint64_t steps_total);

// Counters and summary numbers of a run. Set struct_size before the call.
typedef struct mfn_statistics {
    // sizeof(mfn_statistics).
    uint32_t struct_size;
    // 1 when a step was discarded because of NaN, else 0.
    int32_t nan_detected;
    // 1 when a step was discarded because of infinite values, else 0.
    int32_t inf_detected;
    // 0.
    int32_t reserved;
    // Lowest potential, V.
    double field_min_v;
    // Highest potential, V.
    double field_max_v;
    // Mean potential, V.
    double field_mean_v;
    // Standard deviation of the potential, V.
    double field_std_v;
    // Mean of the activator.
    double activator_mean;
    // Mean of the inhibitor.
    double inhibitor_mean;
    // Steps done and kept.
    uint64_t steps_computed;
    // Growth events in those steps.
    uint64_t growth_events;
    // Cell activations in those steps.
    uint64_t turing_activations;
    // Cells changed by the clamp of the potential in those steps.
    uint64_t clamping_events;
    // Index of the discarded step, counted from 0; -1 when there was none.
    int64_t steps_to_instability;
} mfn_statistics;

// Fills a specification with the defaults: grid 64, 64 steps, seed 42. struct_size is sizeof(mfn_spec).
// spec belongs to the host. [any-thread]
mfn_status mfn_spec_init(mfn_spec *spec, size_t struct_size, mfn_error **error);

// Creates a simulation and draws its initial fields from the seed. The error lists every fault of the
// specification. The host owns *sim and frees it with mfn_sim_free(). [any-thread]
mfn_status mfn_sim_create(const mfn_spec *spec, mfn_sim **sim, mfn_error **error);

// As mfn_sim_create(), from a JSON object as pipelines take it, such as {"grid_size": 128, "steps": 200}.
// Absent fields take the defaults, unknown ones are refused. The host owns *sim and frees it with
// mfn_sim_free(). [any-thread]
mfn_status mfn_sim_create_json(const char *spec_json, mfn_sim **sim, mfn_error **error);

// Reads back the specification of the run. spec belongs to the host. [any-thread]
mfn_status mfn_sim_spec(const mfn_sim *sim, mfn_spec *spec, mfn_error **error);

// Replaces the initial potential, before the first step, by a copy of a field in volts that has the shape
// of the grid. The rest of the run draws the same random numbers. The field stays the host's.
// [one-thread-per-handle]
mfn_status mfn_sim_set_initial_field(mfn_sim *sim, const mfn_field_view *field, mfn_error **error);

// Follows the run from here on, so that mfn_sim_features() also gives the features that describe a run.
// config may be NULL for the defaults. Costs two grids of memory and one pass a step. config stays the
// host's. [one-thread-per-handle]
mfn_status mfn_sim_follow_features(mfn_sim *sim, const mfn_feature_config *config, mfn_error **error);

// Does one step. MFN_UNSTABLE: the step was discarded and the state is the one before it. Views lent
// before end. Nothing changes hands. [one-thread-per-handle]
mfn_status mfn_sim_step(mfn_sim *sim, mfn_error **error);

// Does steps more steps. progress may be NULL. MFN_CANCELLED: stopped between two steps by the callback
// or by mfn_sim_cancel(); it can go on. MFN_UNSTABLE: as mfn_sim_step(). Blocks until done. Views lent
// before end. user_data stays the host's. [one-thread-per-handle]
mfn_status mfn_sim_run(mfn_sim *sim,
                       uint64_t steps,
                       mfn_progress_fn progress,
                       void *user_data,
                       mfn_error **error);

// Stops a mfn_sim_run() that is under way, or the next one, before its next step. Works while another
// thread is inside a call with this handle; only mfn_sim_free() must not have begun. Stays in force until
// mfn_sim_cancel_reset(), so that a request that comes early is not lost. [any-thread]
mfn_status mfn_sim_cancel(const mfn_sim *sim, mfn_error **error);

// Withdraws mfn_sim_cancel(), so that the run can go on. [any-thread]
mfn_status mfn_sim_cancel_reset(const mfn_sim *sim, mfn_error **error);

// Steps done and kept; 0 for a handle that is NULL or in use. [any-thread]
uint64_t mfn_sim_step_count(const mfn_sim *sim);

// Lends the membrane potential in volts. The view lives until the next call with this handle that is not
// const. [any-thread]
mfn_status mfn_sim_field(const mfn_sim *sim, mfn_field_view *view, mfn_error **error);

// Lends the activator, 0 to 1. The view lives until the next call with this handle that is not const.
// [any-thread]
mfn_status mfn_sim_activator(const mfn_sim *sim, mfn_field_view *view, mfn_error **error);

// Lends the inhibitor, 0 to 1. The view lives until the next call with this handle that is not const.
// [any-thread]
mfn_status mfn_sim_inhibitor(const mfn_sim *sim, mfn_field_view *view, mfn_error **error);

// Computes the statistics of the run so far. statistics belongs to the host. [any-thread]
mfn_status mfn_sim_statistics(const mfn_sim *sim,
                              mfn_statistics *statistics,
                              mfn_error **error);

// Computes the features of the current field and, after mfn_sim_follow_features(), of the run. features
// belongs to the host. [any-thread]
mfn_status mfn_sim_features(const mfn_sim *sim, mfn_features *features, mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_sim_last_error(const mfn_sim *sim);

// Frees a simulation and the views it lent. NULL is allowed. No other call with it may be under way.
// [one-thread-per-handle]
void mfn_sim_free(mfn_sim *sim);

/* ==================================================================================================
 * Layout checks: sizes and offsets that programs are compiled with. On a machine with pointers of 64
 * bits a compiler that lays a struct out in another way stops here.
 */

#if UINTPTR_MAX == 0xffffffffffffffffu
#if defined(__cplusplus) && __cplusplus >= 201103L
#define MFN_LAYOUT_CHECK(condition, name) static_assert(condition, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MFN_LAYOUT_CHECK(condition, name) _Static_assert(condition, #name)
#else
#define MFN_LAYOUT_CHECK(condition, name) typedef char mfn_layout_##name[(condition) ? 1 : -1]
#endif
MFN_LAYOUT_CHECK(sizeof(mfn_bytes) == 16, mfn_bytes_size);
MFN_LAYOUT_CHECK(offsetof(mfn_bytes, data) == 0, mfn_bytes_data);
MFN_LAYOUT_CHECK(offsetof(mfn_bytes, len) == 8, mfn_bytes_len);
MFN_LAYOUT_CHECK(sizeof(mfn_field_view) == 40, mfn_field_view_size);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view, data) == 0, mfn_field_view_data);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view, rows) == 8, mfn_field_view_rows);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view, cols) == 16, mfn_field_view_cols);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view, row_stride) == 24, mfn_field_view_row_stride);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view, col_stride) == 32, mfn_field_view_col_stride);
MFN_LAYOUT_CHECK(sizeof(mfn_feature_config) == 72, mfn_feature_config_size);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, struct_size) == 0, mfn_feature_config_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, connectivity) == 4, mfn_feature_config_connectivity);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, min_box_size) == 8, mfn_feature_config_min_box_size);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, max_box_size) == 16, mfn_feature_config_max_box_size);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, num_scales) == 24, mfn_feature_config_num_scales);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, stability_window) == 32, mfn_feature_config_stability_window);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, threshold_low_mv) == 40, mfn_feature_config_threshold_low_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, threshold_med_mv) == 48, mfn_feature_config_threshold_med_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, threshold_high_mv) == 56, mfn_feature_config_threshold_high_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, stability_threshold_mv) == 64, mfn_feature_config_stability_threshold_mv);
MFN_LAYOUT_CHECK(sizeof(mfn_features) == 152, mfn_features_size);
MFN_LAYOUT_CHECK(offsetof(mfn_features, struct_size) == 0, mfn_features_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_features, reserved) == 4, mfn_features_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_features, d_box) == 8, mfn_features_d_box);
MFN_LAYOUT_CHECK(offsetof(mfn_features, d_r2) == 16, mfn_features_d_r2);
MFN_LAYOUT_CHECK(offsetof(mfn_features, v_min) == 24, mfn_features_v_min);
MFN_LAYOUT_CHECK(offsetof(mfn_features, v_max) == 32, mfn_features_v_max);
MFN_LAYOUT_CHECK(offsetof(mfn_features, v_mean) == 40, mfn_features_v_mean);
MFN_LAYOUT_CHECK(offsetof(mfn_features, v_std) == 48, mfn_features_v_std);
MFN_LAYOUT_CHECK(offsetof(mfn_features, v_skew) == 56, mfn_features_v_skew);
MFN_LAYOUT_CHECK(offsetof(mfn_features, v_kurt) == 64, mfn_features_v_kurt);
MFN_LAYOUT_CHECK(offsetof(mfn_features, dv_mean) == 72, mfn_features_dv_mean);
MFN_LAYOUT_CHECK(offsetof(mfn_features, dv_max) == 80, mfn_features_dv_max);
MFN_LAYOUT_CHECK(offsetof(mfn_features, t_stable) == 88, mfn_features_t_stable);
MFN_LAYOUT_CHECK(offsetof(mfn_features, e_trend) == 96, mfn_features_e_trend);
MFN_LAYOUT_CHECK(offsetof(mfn_features, f_active) == 104, mfn_features_f_active);
MFN_LAYOUT_CHECK(offsetof(mfn_features, n_clusters_low) == 112, mfn_features_n_clusters_low);
MFN_LAYOUT_CHECK(offsetof(mfn_features, n_clusters_med) == 120, mfn_features_n_clusters_med);
MFN_LAYOUT_CHECK(offsetof(mfn_features, n_clusters_high) == 128, mfn_features_n_clusters_high);
MFN_LAYOUT_CHECK(offsetof(mfn_features, max_cluster_size) == 136, mfn_features_max_cluster_size);
MFN_LAYOUT_CHECK(offsetof(mfn_features, cluster_size_std) == 144, mfn_features_cluster_size_std);
MFN_LAYOUT_CHECK(sizeof(mfn_spec) == 112, mfn_spec_size);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, struct_size) == 0, mfn_spec_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, boundary) == 4, mfn_spec_boundary);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, turing_enabled) == 8, mfn_spec_turing_enabled);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, quantum_jitter) == 12, mfn_spec_quantum_jitter);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, grid_size) == 16, mfn_spec_grid_size);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, steps) == 24, mfn_spec_steps);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, random_seed) == 32, mfn_spec_random_seed);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, alpha) == 40, mfn_spec_alpha);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, spike_probability) == 48, mfn_spec_spike_probability);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, turing_threshold) == 56, mfn_spec_turing_threshold);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, jitter_var) == 64, mfn_spec_jitter_var);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, d_activator) == 72, mfn_spec_d_activator);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, d_inhibitor) == 80, mfn_spec_d_inhibitor);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, r_activator) == 88, mfn_spec_r_activator);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, r_inhibitor) == 96, mfn_spec_r_inhibitor);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, check_stability) == 104, mfn_spec_check_stability);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, reserved) == 108, mfn_spec_reserved);
MFN_LAYOUT_CHECK(sizeof(mfn_statistics) == 104, mfn_statistics_size);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, struct_size) == 0, mfn_statistics_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, nan_detected) == 4, mfn_statistics_nan_detected);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, inf_detected) == 8, mfn_statistics_inf_detected);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, reserved) == 12, mfn_statistics_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, field_min_v) == 16, mfn_statistics_field_min_v);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, field_max_v) == 24, mfn_statistics_field_max_v);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, field_mean_v) == 32, mfn_statistics_field_mean_v);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, field_std_v) == 40, mfn_statistics_field_std_v);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, activator_mean) == 48, mfn_statistics_activator_mean);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, inhibitor_mean) == 56, mfn_statistics_inhibitor_mean);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, steps_computed) == 64, mfn_statistics_steps_computed);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, growth_events) == 72, mfn_statistics_growth_events);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, turing_activations) == 80, mfn_statistics_turing_activations);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, clamping_events) == 88, mfn_statistics_clamping_events);
MFN_LAYOUT_CHECK(offsetof(mfn_statistics, steps_to_instability) == 96, mfn_statistics_steps_to_instability);
#undef MFN_LAYOUT_CHECK
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MFN_H */
