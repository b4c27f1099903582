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
 *    this handle; a second one at the same time answers MFN_INVALID. A const handle is always [any-thread]; while
 *    another call changes it, what would read it answers MFN_INVALID.
 *  - A call computes on the thread that makes it, unless its comment or its options speak of threads.
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
 * mfn_features_compute() reads a field in volts where it lies, for example an array of the host's
 * own. The four features dv_mean, dv_max, t_stable and e_trend describe a run: for one field
 * t_stable is NaN and the others are 0; a
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
    // A step is quiet when the root mean square of the change is below it, mV.
    double stability_threshold_mv;
    // 1: the definitions of MyceliumFractalNet 4.1 with their faults, square fields only; 0: the right ones.
    int32_t compat_v4_1;
    // Whether clusters go on across the edges of the grid: 0 as the grid does (a simulation with the
    // periodic boundary), 1 yes, 2 no.
    int32_t wrap;
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
    // Step at which the run became quiet; NaN if it did not, and for one field.
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

// Computes the features of a field in volts, in place. config may be NULL for the defaults. A cell that is not
// finite is refused by its place; with compat_v4_1 NaN cells are not active and make v_min to v_kurt NaN. The field is read during the call only; features belongs to the host. [any-thread]
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
 * Histories: the temporal features of a host's own frames, one frame at a time, and rates of change.
 *
 * A run of the library follows its own features (mfn_sim_follow_features()); here a solver of the host's does. A
 * history holds one grid of memory, however many frames it has seen.
 */

// What a stream of frames has shown so far. Freed with mfn_history_free().
typedef struct mfn_history mfn_history;

// Rates of change of a history. Set struct_size before the call. Lengths are in the unit of the field.
typedef struct mfn_change_rates {
    // sizeof(mfn_change_rates).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Mean of the logarithm of the Euclidean size of a step's change, per unit of time. MyceliumFractalNet 4.1 calls
    // it the Lyapunov exponent, which it is not: it depends on the unit of the field and on the grid.
    double mean_log_step_change;
    // Mean absolute change of a cell per unit of time.
    double mean_change_rate;
    // Largest absolute change of a cell per unit of time.
    double max_change_rate;
    // Standard deviation of the last frame.
    double final_std;
} mfn_change_rates;

// Begins a history without a frame. config, which may be NULL for the defaults, decides when a history is stable. The
// host owns *history and frees it with mfn_history_free(). [any-thread]
mfn_status mfn_history_create(const mfn_feature_config *config,
                              mfn_history **history,
                              mfn_error **error);

// Adds the next frame, in volts and of the shape of the first. The field is read during the call only.
// [one-thread-per-handle]
mfn_status mfn_history_push(mfn_history *history, const mfn_field_view *field, mfn_error **error);

// The 18 features of a history: those of field, which is the last frame that was pushed, with dv_mean, dv_max, t_stable
// and e_trend of all frames. The history goes on. The field is read during the call only; features belongs to the host.
// [any-thread]
mfn_status mfn_history_features(const mfn_history *history,
                                const mfn_field_view *field,
                                mfn_features *features,
                                mfn_error **error);

// Frees a history; NULL is allowed. history must not be used afterwards. [one-thread-per-handle]
void mfn_history_free(mfn_history *history);

// Measures how fast frames of rows x cols cells change that lie time_step apart. frames has frame_count * rows * cols
// numbers, frame after frame, each row by row, and is read during the call only. rates belongs to the host.
// [any-thread]
mfn_status mfn_change_rates_compute(const double *frames,
                                    size_t frame_count,
                                    size_t rows,
                                    size_t cols,
                                    double time_step,
                                    mfn_change_rates *rates,
                                    mfn_error **error);

/* ==================================================================================================
 * Descriptors: what else tells the pattern of a field from another, beside the features.
 *
 * mfn_descriptors_compute() reads a field of 1 to 65,536 cells on a side in volts where it lies: dimensions of its mass,
 * lacunarity, area, perimeter and Euler number of the pattern, which are the cells above a threshold, and wavelength and
 * entropy of the field.
 */

// Number of descriptors.
#define MFN_DESCRIPTOR_COUNT 13

// What the descriptors depend on beside the field. Fill it with mfn_descriptor_config_init().
typedef struct mfn_descriptor_config {
    // sizeof(mfn_descriptor_config).
    uint32_t struct_size;
    // 1: opposite edges of the grid touch, for lacunarity, perimeter and Euler number; 0: they do not.
    int32_t wrap;
    // A cell above it is part of the pattern, mV.
    double threshold_mv;
    // Smallest box of the dimensions, cells.
    uint64_t min_box_size;
    // Largest box of the dimensions, cells; 0: half the shorter side.
    uint64_t max_box_size;
    // Ratio of a box to the next smaller one.
    uint64_t box_ratio;
    // Bins of the histogram between the lowest and the highest value.
    uint64_t histogram_bins;
    // Which cells of the pattern hang together, for the Euler number: 4 or 8.
    int32_t connectivity;
    // 0.
    uint32_t reserved;
} mfn_descriptor_config;

// The descriptors. Set struct_size before the call.
typedef struct mfn_descriptors {
    // sizeof(mfn_descriptors).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Information dimension of the pattern; NaN without a pattern or with fewer than two boxes.
    double d_information;
    // Coefficient of determination of its fit.
    double d_information_r2;
    // Correlation dimension of the pattern; NaN without a pattern or with fewer than two boxes.
    double d_correlation;
    // Coefficient of determination of its fit.
    double d_correlation_r2;
    // Lacunarity for boxes of 2 x 2 cells; NaN without a pattern or room for a box, as the next three.
    double lacunarity_2;
    // Lacunarity for boxes of 4 x 4 cells.
    double lacunarity_4;
    // Lacunarity for boxes of 8 x 8 cells.
    double lacunarity_8;
    // Lacunarity for boxes of 16 x 16 cells.
    double lacunarity_16;
    // Cells of the pattern.
    double area;
    // Edges between the pattern and its background, cells.
    double perimeter;
    // Pieces of the pattern less its holes.
    double euler;
    // Wavelength at the peak of the power spectrum, cells; NaN for a flat field.
    double wavelength;
    // Entropy of the histogram, bit.
    double entropy;
} mfn_descriptors;

// Fills a configuration with the defaults. struct_size is sizeof(mfn_descriptor_config).
// config belongs to the host. [any-thread]
mfn_status mfn_descriptor_config_init(mfn_descriptor_config *config,
                                      size_t struct_size,
                                      mfn_error **error);

// Computes the descriptors of a field in volts, in place. config may be NULL for the defaults. MFN_INVALID names the
// first cell that is NaN or infinite. Takes 8 bytes of memory per cell, 16 per row and 250 per cell of the longer side.
// The field is read during the call only; descriptors belongs to the host. [any-thread]
mfn_status mfn_descriptors_compute(const mfn_field_view *field,
                                   const mfn_descriptor_config *config,
                                   mfn_descriptors *descriptors,
                                   mfn_error **error);

// The name of a descriptor, such as "area", in the order of the fields of mfn_descriptors; NULL beyond the
// last. The text is static. [any-thread]
const char *mfn_descriptor_name(size_t index);

// The unit of a descriptor, such as "cells"; "1" for a pure number; NULL beyond the last. The text is static.
// [any-thread]
const char *mfn_descriptor_unit(size_t index);

/* ==================================================================================================
 * Networks: the skeleton of a pattern as nodes and branches, and what their loss would do.
 *
 * mfn_graph_from_field() cuts a field at a threshold, thins the pattern to lines of one cell and follows the lines.
 * The network that it gives is immutable: any number of threads may ask it at once, and what it lends lives as long
 * as the network. mfn_graph_from_edges() takes a network of the host's own. Nodes and branches are numbered from 0. The work is done on the calling thread.
 */

// A piece without a branch (degree 0).
#define MFN_NODE_ISOLATED 0

// A free end (degree 1).
#define MFN_NODE_TIP 1

// The place where a ring without any other node was cut open (degree 2).
#define MFN_NODE_RING 2

// Where three or more branches meet.
#define MFN_NODE_JUNCTION 3

// GraphML, as networkx, igraph, Gephi and Cytoscape read it.
#define MFN_GRAPH_GRAPHML 0

// One JSON object with the summary, the nodes, the branches and the cells along each branch.
#define MFN_GRAPH_JSON 1

// The network of a pattern. Freed with mfn_graph_free().
typedef struct mfn_graph mfn_graph;

// How the network of a field is made. Fill it with mfn_graph_config_init().
typedef struct mfn_graph_config {
    // sizeof(mfn_graph_config).
    uint32_t struct_size;
    // 1 when opposite edges of the grid touch, as in a periodic simulation, else 0.
    int32_t wrap;
    // A cell above it is part of the pattern, mV.
    double threshold_mv;
    // Branches with a free end that are shorter than this are taken off, cells.
    double prune_length_cells;
    // Branches with a free end that are shorter than so many radii of the pattern at their inner end are taken off.
    double prune_radii;
} mfn_graph_config;

// What a network measures as a whole. Set struct_size before the call.
typedef struct mfn_graph_summary {
    // sizeof(mfn_graph_summary).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Cells of the pattern.
    uint64_t pattern_cells;
    // Cells of its skeleton.
    uint64_t skeleton_cells;
    // Nodes.
    uint64_t nodes;
    // Nodes where three or more branches meet.
    uint64_t junctions;
    // Free ends.
    uint64_t tips;
    // Pieces without a branch.
    uint64_t isolated;
    // Rings without a junction.
    uint64_t rings;
    // Branches.
    uint64_t branches;
    // Components.
    uint64_t components;
    // Independent loops: branches - nodes + components.
    uint64_t loops;
    // Length of all branches, cells.
    double total_length;
    // Mean length of a branch, cells.
    double mean_length;
    // Mean width of the branches, weighted by their lengths, cells.
    double mean_width;
    // Mean degree of the nodes.
    double mean_degree;
} mfn_graph_summary;

// A node of a network.
typedef struct mfn_graph_node {
    // One of the MFN_NODE_* constants.
    int32_t kind;
    // Ends of branches at it; a branch from the node to itself counts twice.
    uint32_t degree;
    // Number of its component.
    uint32_t component;
    // Cells that make it up.
    uint32_t cells;
    // Middle of its cells along the rows.
    double row;
    // Middle of its cells along the columns.
    double col;
    // Width of the pattern there, cells.
    double width;
} mfn_graph_node;

// A branch of a network.
typedef struct mfn_graph_branch {
    // Number of the node where it begins.
    uint32_t from;
    // Number of the node where it ends; may be the same.
    uint32_t to;
    // Cells between its two nodes.
    uint32_t cells;
    // 0.
    uint32_t reserved;
    // Length from cell to cell, cells.
    double length;
    // Mean width of the pattern along it, cells.
    double mean_width;
    // Smallest width along it, cells.
    double min_width;
} mfn_graph_branch;

// Fills a configuration with the defaults: -60 mV, no wrapping, spurs of less than 1.5 radii taken off. struct_size
// is sizeof(mfn_graph_config). config belongs to the host. [any-thread]
mfn_status mfn_graph_config_init(mfn_graph_config *config,
                                 size_t struct_size,
                                 mfn_error **error);

// Makes the network of the cells of a field in volts that are above the threshold. config may be NULL for the
// defaults. The field may have any shape up to 65536 cells a side and 2^28 in all, and is read during the call only. The
// host owns *graph and frees it with mfn_graph_free(). [any-thread]
mfn_status mfn_graph_from_field(const mfn_field_view *field,
                                const mfn_graph_config *config,
                                mfn_graph **graph,
                                mfn_error **error);

// The figures of the whole network. summary belongs to the host. [any-thread]
mfn_status mfn_graph_summarise(const mfn_graph *graph,
                               mfn_graph_summary *summary,
                               mfn_error **error);

// The nodes, by number. *array is lent by the network. [any-thread]
mfn_status mfn_graph_nodes(const mfn_graph *graph,
                           const mfn_graph_node **array,
                           size_t *count,
                           mfn_error **error);

// The branches, by number. *array is lent by the network. [any-thread]
mfn_status mfn_graph_branches(const mfn_graph *graph,
                              const mfn_graph_branch **array,
                              size_t *count,
                              mfn_error **error);

// The cells along a branch, each as row * columns + column, from a cell of its first node to one of its last. *array
// is lent by the network. [any-thread]
mfn_status mfn_graph_path(const mfn_graph *graph,
                          size_t branch,
                          const uint32_t **array,
                          size_t *count,
                          mfn_error **error);

// The skeleton as one byte for each cell, row by row: 1 on the cells of nodes and branches, else 0. The host owns
// *skeleton and frees it with mfn_bytes_free(). [any-thread]
mfn_status mfn_graph_skeleton(const mfn_graph *graph,
                              mfn_bytes *skeleton,
                              mfn_error **error);

// The whole network as a text in one of the MFN_GRAPH_* formats. The host owns *text and frees it with
// mfn_string_free(). [any-thread]
mfn_status mfn_graph_export(const mfn_graph *graph, int32_t format, char **text, mfn_error **error);

// The last failure of a call on the network; NULL when there was none. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_graph_last_error(const mfn_graph *graph);

// Frees a network and what it lent. NULL is allowed. [any-thread]
void mfn_graph_free(mfn_graph *graph);

/* ==================================================================================================
 * Networks of a host's own: nodes and edges from anywhere, with the same questions as the network of a pattern.
 *
 * Such a network knows lengths and no places: mfn_graph_summarise(), mfn_graph_nodes(), mfn_graph_branches(), the
 * cuts, betweenness and percolation work; what is measured in cells is 0, the places and widths of nodes and branches
 * are NaN, and mfn_graph_path(), mfn_graph_skeleton() and mfn_graph_export() answer MFN_INVALID.
 */

// Makes a network of node_count nodes, numbered from 0, and edge_count edges. ends holds two nodes for each edge, one
// edge after the other, and lengths a length for each, above 0, in any unit; edge i becomes branch i. lengths may be
// NULL: every edge has length 1. Several edges between two nodes and edges from a node to itself are allowed. A node is
// a tip with one end of an edge, a junction with three or more, isolated with none, and MFN_NODE_RING with two. At most
// 2^28 nodes and edges. ends and lengths are read during the call only. The host owns *graph and frees it with
// mfn_graph_free(). [any-thread]
mfn_status mfn_graph_from_edges(size_t node_count,
                                const uint32_t *ends,
                                const double *lengths,
                                size_t edge_count,
                                mfn_graph **graph,
                                mfn_error **error);

/* ==================================================================================================
 * Robustness: what the loss of nodes and branches does to a network.
 *
 * Three questions, from cheap to costly: mfn_graph_node_cuts() and mfn_graph_branch_cuts() name what cuts something
 * off, mfn_graph_betweenness() says where the shortest paths run, and mfn_graph_percolate() lets the network fall
 * apart. The last two may take long: they are sampled where a network is large, and stop when another thread calls
 * mfn_graph_cancel().
 */

// Nodes are lost at random; the mean of several trials.
#define MFN_ATTACK_RANDOM_NODES 0

// Branches are lost at random; the mean of several trials.
#define MFN_ATTACK_RANDOM_BRANCHES 1

// Nodes by their degree in the whole network.
#define MFN_ATTACK_DEGREE 2

// Nodes by their degree among those that are left.
#define MFN_ATTACK_DEGREE_ADAPTIVE 3

// Nodes by their betweenness in the whole network.
#define MFN_ATTACK_BETWEENNESS 4

// Nodes by their betweenness among those that are left, in batches.
#define MFN_ATTACK_BETWEENNESS_ADAPTIVE 5

// Branches by their betweenness in the whole network.
#define MFN_ATTACK_BRANCH_BETWEENNESS 6

// How much work the robustness figures may cost. Fill it with mfn_graph_robustness_init().
typedef struct mfn_graph_robustness {
    // sizeof(mfn_graph_robustness).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Sources of shortest paths at most; a network with more nodes is sampled.
    uint64_t sources_max;
    // Trials of random removal that are averaged.
    uint64_t trials;
    // How often the order of an adaptive attack by betweenness is worked out anew, at most.
    uint64_t recomputations_max;
    // Seed of the sources drawn and of the random removals.
    uint64_t random_seed;
} mfn_graph_robustness;

// A node or branch whose loss cuts something off, and what: all pieces but the largest.
typedef struct mfn_graph_cut {
    // Number of the node or branch.
    uint32_t part;
    // Pieces into which its component falls; at least 2.
    uint32_t pieces;
    // Nodes cut off.
    uint64_t nodes;
    // Cells of the skeleton cut off.
    uint64_t cells;
    // Length of the branches cut off, cells.
    double length;
} mfn_graph_cut;

// How a network falls apart. Set struct_size before the call.
typedef struct mfn_graph_percolation {
    // sizeof(mfn_graph_percolation).
    uint32_t struct_size;
    // One of the MFN_ATTACK_* constants.
    int32_t attack;
    // Mean fraction of the nodes in the largest component after 1, 2, ... losses (Schneider et al., 2011).
    double robustness;
    // The fraction lost at which the components other than the largest are largest.
    double critical_fraction;
    // Nodes or branches that were there to lose. The curve has one number more.
    uint64_t losses;
    // Trials averaged.
    uint64_t trials;
    // Sources of shortest paths in each computation of betweenness; 0 when none was needed.
    uint64_t sources;
    // How often betweenness was computed.
    uint64_t recomputations;
} mfn_graph_percolation;

// Fills a configuration with the defaults: 1024 sources, 100 trials, 64 recomputations, seed 42. struct_size is
// sizeof(mfn_graph_robustness). config belongs to the host. [any-thread]
mfn_status mfn_graph_robustness_init(mfn_graph_robustness *config,
                                     size_t struct_size,
                                     mfn_error **error);

// The nodes whose loss cuts something off (articulation nodes; Tarjan, 1972), ascending. *array is lent by the
// network. [any-thread]
mfn_status mfn_graph_node_cuts(const mfn_graph *graph,
                               const mfn_graph_cut **array,
                               size_t *count,
                               mfn_error **error);

// The branches whose loss cuts something off (bridges), ascending. *array is lent by the network. [any-thread]
mfn_status mfn_graph_branch_cuts(const mfn_graph *graph,
                                 const mfn_graph_cut **array,
                                 size_t *count,
                                 mfn_error **error);

// The share of the shortest paths that run through each node and along each branch, over all pairs of nodes, in
// [0, 1] (Freeman, 1977; Brandes, 2001), and the mean of 1 / length of the shortest path (global efficiency, 1/cell).
// node_values has room for all nodes, branch_values for all branches; either may be NULL with a count of 0. config
// may be NULL for the defaults. efficiency and sources (the sources searched from; with fewer than there are nodes the
// figures are estimates) may be NULL. MFN_CANCELLED: see mfn_graph_cancel(). What is written belongs to the host.
// [any-thread]
mfn_status mfn_graph_betweenness(const mfn_graph *graph,
                                 const mfn_graph_robustness *config,
                                 double *node_values,
                                 size_t node_count,
                                 double *branch_values,
                                 size_t branch_count,
                                 double *efficiency,
                                 size_t *sources,
                                 mfn_error **error);

// Takes nodes or branches away until none is left; attack is one of the MFN_ATTACK_* constants. config may be NULL for
// the defaults. largest is the curve: the fraction of the nodes in the largest component after 0, 1, 2, ... losses; it
// has room for one number more than there are nodes or branches, or is NULL with a count of 0. MFN_CANCELLED: see
// mfn_graph_cancel(). percolation and largest belong to the host. [any-thread]
mfn_status mfn_graph_percolate(const mfn_graph *graph,
                               int32_t attack,
                               const mfn_graph_robustness *config,
                               mfn_graph_percolation *percolation,
                               double *largest,
                               size_t largest_count,
                               mfn_error **error);

// Asks the betweenness and percolation of a network to stop with MFN_CANCELLED, those under way and all later ones
// until mfn_graph_cancel_reset(). Nothing changes hands. [any-thread]
mfn_status mfn_graph_cancel(const mfn_graph *graph,
                            mfn_error **error);

// Withdraws mfn_graph_cancel(). Nothing changes hands. [any-thread]
mfn_status mfn_graph_cancel_reset(const mfn_graph *graph, mfn_error **error);

/* ==================================================================================================
 * Membrane: Nernst and GHK potentials, and the integration of equations of the host's own.
 *
 * mfn_ode_integrate() calls a derivative that the host writes, with fixed steps (Euler, RK4) or with steps that meet
 * a tolerance (Dormand-Prince 5(4)). Everything runs on the calling thread. Potentials are in volts, concentrations
 * in mol/L, temperatures in kelvin.
 */

// Explicit Euler with fixed steps, order 1.
#define MFN_ODE_EULER 1

// The classical Runge-Kutta scheme with fixed steps, order 4.
#define MFN_ODE_RK4 2

// Dormand and Prince's pair of orders 5 and 4, with steps that meet the tolerances.
#define MFN_ODE_DORMAND_PRINCE 3

// One kind of monovalent ion.
typedef struct mfn_permeation {
    // 1 for a cation, -1 for an anion.
    int32_t valence;
    // 0.
    int32_t reserved;
    // Permeability in any unit that all ions share, at least 0.
    double permeability;
    // Concentration outside, mol/L.
    double outside_molar;
    // Concentration inside, mol/L.
    double inside_molar;
} mfn_permeation;

// How an equation is integrated. Fill it with mfn_ode_options_init().
typedef struct mfn_ode_options {
    // sizeof(mfn_ode_options).
    uint32_t struct_size;
    // MFN_ODE_EULER, MFN_ODE_RK4 or MFN_ODE_DORMAND_PRINCE.
    int32_t method;
    // Time of the initial state.
    double time_start;
    // Time of the final state, met exactly; Dormand-Prince only.
    double time_end;
    // Length of a step; Euler and RK4 only.
    double time_step;
    // Number of steps; Euler and RK4 only.
    uint64_t steps;
    // Error of a step relative to the size of a component; Dormand-Prince only.
    double relative_tolerance;
    // Error of a step beside the relative one; Dormand-Prince only.
    double absolute_tolerance;
    // Length of the first step; 0: estimated. Dormand-Prince only.
    double step_first;
    // Longest step; 0: the whole interval. Dormand-Prince only.
    double step_max;
    // Most steps; Dormand-Prince only.
    uint64_t steps_max;
    // 1: after each step every component is moved into clamp_min to clamp_max, else 0; Euler and RK4 only. With -0.15
    // and 0.15 V, Euler or RK4 is the membrane engine of MyceliumFractalNet 4.1, bit for bit.
    int32_t clamp;
    // 1: go on when a component becomes NaN or infinite, else 0; Euler and RK4 only.
    int32_t allow_not_finite;
    // Lower limit of the clamp.
    double clamp_min;
    // Upper limit of the clamp.
    double clamp_max;
} mfn_ode_options;

// The derivative y' = f(time, state): writes the slope of each of the length components. Returns 0 to go on,
// anything else to stop with MFN_CANCELLED. Called on the thread of the integration. state and slope are valid
// during the call only. It must return normally: no longjmp, no C++ exception.
typedef int32_t (*mfn_ode_fn)(void *user_data, double time, const double *state, double *slope, size_t length);

// What an integration did. Set struct_size before the call.
typedef struct mfn_ode_report {
    // sizeof(mfn_ode_report).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Steps kept.
    uint64_t accepted;
    // Steps repeated with a shorter length; 0 for fixed steps.
    uint64_t rejected;
    // Calls of the derivative.
    uint64_t evaluations;
    // Time of the state.
    double time;
    // Components changed by the clamp, added up over the steps.
    uint64_t clamping_events;
} mfn_ode_report;

// The Nernst potential of an ion in volts. valence is in -4..4 without 0, concentrations in (0, 100] mol/L, the
// temperature in [200, 400] K. potential_v belongs to the host. [any-thread]
mfn_status mfn_nernst(int32_t valence,
                      double outside_molar,
                      double inside_molar,
                      double temperature_k,
                      double *potential_v,
                      mfn_error **error);

// The Nernst potentials of count pairs of concentrations, with ranges as in mfn_nernst(). The error names the
// first refused element; nothing is written then. All arrays belong to the host. [any-thread]
mfn_status mfn_nernst_array(int32_t valence,
                            const double *outside_molar,
                            const double *inside_molar,
                            size_t count,
                            double temperature_k,
                            double *potentials_v,
                            mfn_error **error);

// The Nernst potentials that MyceliumFractalNet 4.1 computes: concentrations below ion_clamp_min (0 to 100 mol/L,
// v4.1: 1e-6) are raised to it, temperatures are not checked, and the valence is -2, -1, 1 or 2. The resting calcium
// of a cell, 1e-7 mol/L, comes out wrong by 31 mV: new work uses mfn_nernst_array(). clamping_events, which may be
// NULL, becomes the number of concentrations raised. All arrays belong to the host. [any-thread]
mfn_status mfn_nernst_array_v4_1(int32_t valence,
                                 const double *outside_molar,
                                 const double *inside_molar,
                                 size_t count,
                                 double temperature_k,
                                 double ion_clamp_min,
                                 double *potentials_v,
                                 uint64_t *clamping_events,
                                 mfn_error **error);

// The GHK potential in volts of a membrane that count kinds of monovalent ions can cross (Goldman, 1943; Hodgkin
// and Katz, 1949). ions is read during the call only; potential_v belongs to the host. [any-thread]
mfn_status mfn_ghk(const mfn_permeation *ions,
                   size_t count,
                   double temperature_k,
                   double *potential_v,
                   mfn_error **error);

// Fills options with the defaults: Dormand-Prince from 0 to 1. struct_size is sizeof(mfn_ode_options).
// options belongs to the host. [any-thread]
mfn_status mfn_ode_options_init(mfn_ode_options *options, size_t struct_size, mfn_error **error);

// Integrates length equations from the state given to the end of the options, and replaces the state. report may
// be NULL. MFN_CANCELLED: the derivative stopped it. MFN_UNSTABLE: a component became NaN or infinite, the equations
// are stiff, or no step is short enough; the error says where. In both cases, and for MFN_INVALID, state and report
// are as before. state and user_data stay the host's. [any-thread]
mfn_status mfn_ode_integrate(mfn_ode_fn derivative,
                             void *user_data,
                             double *state,
                             size_t length,
                             const mfn_ode_options *options,
                             mfn_ode_report *report,
                             mfn_error **error);

/* ==================================================================================================
 * Specification: everything that decides the result of a run.
 *
 * Fill one with mfn_spec_init() or mfn_spec_init_preset(), change what differs, and create a simulation from
 * it. Equal specifications give equal bits.
 */

// Outside the grid lies its opposite side.
#define MFN_BOUNDARY_PERIODIC 0

// Outside an edge cell lies a copy of it.
#define MFN_BOUNDARY_NEUMANN 1

// Outside the grid everything is zero.
#define MFN_BOUNDARY_DIRICHLET 2

// libmfn's own results.
#define MFN_COMPAT_NONE 0

// The results of MyceliumFractalNet 4.1, bit for bit.
#define MFN_COMPAT_V4_1 1

// The kinetics of MyceliumFractalNet 4.1. These constants are the indices of mfn_kinetics_name().
#define MFN_KINETICS_V4_1 0

// Gray-Scott: feed, kill.
#define MFN_KINETICS_GRAY_SCOTT 1

// Schnakenberg: a, b.
#define MFN_KINETICS_SCHNAKENBERG 2

// Gierer-Meinhardt: source, decay_activator, decay_inhibitor, saturation.
#define MFN_KINETICS_GIERER_MEINHARDT 3

// FitzHugh-Nagumo: epsilon, a, b, current.
#define MFN_KINETICS_FITZHUGH_NAGUMO 4

// Brusselator: a, b.
#define MFN_KINETICS_BRUSSELATOR 5

// Rates that the host gives with mfn_sim_set_kinetics().
#define MFN_KINETICS_HOST 6

// Fields in double precision.
#define MFN_PRECISION_F64 0

// Fields in single precision.
#define MFN_PRECISION_F32 1

// Random numbers that are a function of seed, step and cell.
#define MFN_RNG_PHILOX 0

// The random stream of NumPy's default_rng().
#define MFN_RNG_PCG64 1

// Activator and inhibitor uniform in [0, 0.1).
#define MFN_INITIAL_RANDOM 0

// The homogeneous steady state with noise.
#define MFN_INITIAL_STEADY 1

// Patches on the state of rest, for Gray-Scott.
#define MFN_INITIAL_SEEDED 2

// Most parameters of a kinetics.
#define MFN_KINETICS_PARAMETERS_MAX 4

// Everything that decides the result of a run. Fill it with mfn_spec_init(), then change what differs. A
// program that was compiled when the struct ended at reserved gets the specification of MyceliumFractalNet 4.1.
typedef struct mfn_spec {
    // sizeof(mfn_spec).
    uint32_t struct_size;
    // One of the MFN_BOUNDARY_* constants.
    int32_t boundary;
    // 1: activator and inhibitor advance and act on the potential. 0: they do not.
    int32_t turing_enabled;
    // 1: normal noise is added to every cell in every step. 0: none.
    int32_t quantum_jitter;
    // Cells along each side of a square grid.
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
    // One of the MFN_COMPAT_* constants.
    int32_t compat;
    // One of the MFN_KINETICS_* constants.
    int32_t kinetics;
    // One of the MFN_PRECISION_* constants.
    int32_t precision;
    // One of the MFN_RNG_* constants.
    int32_t rng;
    // One of the MFN_INITIAL_* constants.
    int32_t initial_condition;
    // 0.
    int32_t reserved2;
    // Rows of the grid; 0: grid_size.
    uint64_t rows;
    // Columns of the grid; 0: grid_size.
    uint64_t cols;
    // Steps between two recorded frames; 0: none.
    uint64_t record_every;
    // Time that passes in a step.
    double time_step;
    // Rate at which the potential relaxes to rest, 1 per unit of time.
    double leak_rate;
    // Standard deviation of the initial noise of activator and inhibitor.
    double initial_noise;
    // The parameters of the kinetics in the order of mfn_kinetics_parameter_get(), then 0.
    double kinetics_parameters[4];
} mfn_spec;

// Fills a specification with the default preset, mycelium. struct_size is sizeof(mfn_spec). spec belongs to the
// host. [any-thread]
mfn_status mfn_spec_init(mfn_spec *spec,
                         size_t struct_size,
                         mfn_error **error);

// Fills a specification with a preset, such as "mycelium" or "v4.1"; mfn_preset_name() lists them. spec belongs
// to the host. [any-thread]
mfn_status mfn_spec_init_preset(const char *name,
                                mfn_spec *spec,
                                size_t struct_size,
                                mfn_error **error);

/* ==================================================================================================
 * Grid operators: Laplacian, gradient and summary numbers of a host's own field.
 *
 * Fields have any shape and any strides and are read in place; results are written row by row. Spacing is one cell.
 */

// Summary numbers of a field, in its unit. Set struct_size before the call.
typedef struct mfn_field_statistics {
    // sizeof(mfn_field_statistics).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Lowest cell; NaN when a cell is NaN.
    double min;
    // Highest cell; NaN when a cell is NaN.
    double max;
    // Mean of the cells.
    double mean;
    // Population standard deviation.
    double std;
    // Cells that are NaN.
    uint64_t nan_count;
    // Cells that are infinite.
    uint64_t inf_count;
    // Share of finite cells.
    double finite_fraction;
} mfn_field_statistics;

// Computes the five-point Laplacian of a field, in its unit per cell^2. boundary is one of the MFN_BOUNDARY_* constants.
// laplacian has room for cell_count = rows * cols numbers. MFN_INVALID names the first cell that is NaN or infinite.
// The field is read during the call only; laplacian belongs to the host and may be the field's own array. [any-thread]
mfn_status mfn_field_laplacian(const mfn_field_view *field,
                               int32_t boundary,
                               double *laplacian,
                               size_t cell_count,
                               mfn_error **error);

// Computes the gradient of a field, in its unit per cell: central differences, one-sided ones at edges that do not wrap.
// along_rows becomes the change from row to row, along_columns that from column to column; each has room for
// cell_count = rows * cols numbers. Otherwise as mfn_field_laplacian(). What is written belongs to the host. [any-thread]
mfn_status mfn_field_gradient(const mfn_field_view *field,
                              int32_t boundary,
                              double *along_rows,
                              double *along_columns,
                              size_t cell_count,
                              mfn_error **error);

// Computes summary numbers of a field, whose cells may be NaN or infinite. The field is read during the call only;
// statistics belongs to the host. [any-thread]
mfn_status mfn_field_summarise(const mfn_field_view *field,
                               mfn_field_statistics *statistics,
                               mfn_error **error);

/* ==================================================================================================
 * Kinetics: which reactions there are, and whether a specification can form patterns.
 *
 * mfn_turing_analyse() linearises a specification at a homogeneous steady state (Turing, 1952) and says what
 * grows there: the fastest wave, the unstable band, the waves that fit the grid. mfn_turing_growth() is its
 * dispersion relation. Nothing is simulated. Where a number does not exist it is NaN.
 */

// All small perturbations decay.
#define MFN_STABILITY_STABLE 0

// None grows; the homogeneous one neither grows nor decays to first order.
#define MFN_STABILITY_MARGINAL 1

// Unstable in Turing's sense: waves grow, the homogeneous perturbation does not.
#define MFN_STABILITY_TURING 2

// The homogeneous perturbation grows and oscillates.
#define MFN_STABILITY_HOPF 3

// The homogeneous perturbation grows without oscillating.
#define MFN_STABILITY_UNSTABLE 4

// For mfn_turing_analyse(): the state that is unstable in Turing's sense and on which waves grow fastest, or
// the first where there is none.
#define MFN_STATE_MAIN 4294967295

// A parameter of a kinetics. Set struct_size before the call. Texts are static.
typedef struct mfn_kinetics_parameter {
    // sizeof(mfn_kinetics_parameter).
    uint32_t struct_size;
    // 1 when min itself is allowed, else 0. max always is.
    int32_t min_inclusive;
    // Its name in JSON, such as "feed".
    const char *name;
    // What it means.
    const char *meaning;
    // Lower end of its range.
    double min;
    // Upper end of its range.
    double max;
    // Its value when it is left out.
    double default_value;
} mfn_kinetics_parameter;

// What small perturbations of one homogeneous steady state do. Set struct_size before the call. Rates are in 1
// per unit of time, lengths in cells; q is minus the eigenvalue of the Laplacian, k^2 for a wave in the plane.
typedef struct mfn_turing {
    // sizeof(mfn_turing).
    uint32_t struct_size;
    // One of the MFN_STABILITY_* constants.
    int32_t stability;
    // Steady states of the kinetics.
    uint32_t state_count;
    // Index of this one.
    uint32_t state;
    // Activator at the steady state.
    double activator;
    // Inhibitor at the steady state.
    double inhibitor;
    // Derivative of the activator's rate with respect to the activator.
    double f_u;
    // Derivative of the activator's rate with respect to the inhibitor.
    double f_v;
    // Derivative of the inhibitor's rate with respect to the activator.
    double g_u;
    // Derivative of the inhibitor's rate with respect to the inhibitor.
    double g_v;
    // Diffusion coefficient of the activator, cells^2 per unit of time.
    double d_activator;
    // Diffusion coefficient of the inhibitor, cells^2 per unit of time.
    double d_inhibitor;
    // Length of a step, units of time.
    double time_step;
    // d_inhibitor / d_activator above which waves grow; NaN when no ratio does it.
    double critical_ratio;
    // Lower end of the unstable band of q; NaN without a band.
    double q_min;
    // Upper end of the unstable band of q; NaN without a band.
    double q_max;
    // q of the mode that grows fastest, in [0, 8].
    double fastest_q;
    // Its growth rate; negative when all decay.
    double fastest_growth_rate;
    // Its wavelength; NaN when no wave grows.
    double wavelength_cells;
    // Growing waves that fit the grid.
    uint64_t mode_count;
} mfn_turing;

// The name of a kinetics, such as "gray-scott"; NULL beyond the last. The text is static. [any-thread]
const char *mfn_kinetics_name(size_t index);

// A parameter of a kinetics, both by index from 0; MFN_END beyond the last of either. parameter belongs to the
// host. [any-thread]
mfn_status mfn_kinetics_parameter_get(size_t kinetics,
                                      size_t index,
                                      mfn_kinetics_parameter *parameter,
                                      mfn_error **error);

// The name of a preset, such as "mycelium", which a specification in JSON can start from
// ({"preset": "mycelium"}); NULL beyond the last. The text is static. [any-thread]
const char *mfn_preset_name(size_t index);

// Analyses the linear stability of a specification at one of its steady states: an index from 0, or
// MFN_STATE_MAIN. turing belongs to the host. [any-thread]
mfn_status mfn_turing_analyse(const mfn_spec *spec,
                              uint32_t state,
                              mfn_turing *turing,
                              mfn_error **error);

// As mfn_turing_analyse(), of a specification in JSON. [any-thread]
mfn_status mfn_turing_analyse_json(const char *spec_json,
                                   uint32_t state,
                                   mfn_turing *turing,
                                   mfn_error **error);

// The dispersion relation at count wavenumbers, radians per cell, from the derivatives, coefficients and step
// in turing. growth_rates gets the growth rate of the equations in the plane; growth_per_step, which may be NULL,
// the logarithm of the factor per step of the scheme for a wave along the rows or columns of the grid. Each has
// room for count numbers. [any-thread]
mfn_status mfn_turing_growth(const mfn_turing *turing,
                             const double *wavenumbers,
                             size_t count,
                             double *growth_rates,
                             double *growth_per_step,
                             mfn_error **error);

// What to say of a specification in JSON that is valid but can not form the pattern of its equations: one line for
// each warning with what was found and what to change; empty when there is none. The host owns *warnings and
// frees it with mfn_string_free(). [any-thread]
mfn_status mfn_spec_warnings_json(const char *spec_json,
                                  char **warnings,
                                  mfn_error **error);

/* ==================================================================================================
 * Simulation: one run of the model, from its specification to its fields.
 *
 * Create it from a mfn_spec or from JSON, step or run, look at the fields, free. A simulation starts no
 * thread and does no I/O unless it is asked to record a file.
 */

// One run of the model. Freed with mfn_sim_free().
typedef struct mfn_sim mfn_sim;

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
 * Checkpoints: the state of a run as bytes or in a file, from which any process continues it.
 *
 * A restored simulation goes on with the bits that the run would have had without the interruption. It has
 * no recorders and is not cancelled. A run whose kinetics are the host's must be given them again before its
 * next step.
 */

// Writes the state of a run into a file, whole and durably, replacing what is there. MFN_IO: it can not be
// written; what was there is still there. Takes a copy of the state meanwhile. Nothing changes hands.
// [any-thread]
mfn_status mfn_sim_checkpoint_write(const mfn_sim *sim, const char *path, mfn_error **error);

// Gives the state of a run as bytes; the same state gives the same bytes. The host owns bytes and frees them
// with mfn_bytes_free(). [any-thread]
mfn_status mfn_sim_checkpoint_bytes(const mfn_sim *sim, mfn_bytes *bytes, mfn_error **error);

// Makes the simulation whose state mfn_sim_checkpoint_write() wrote. MFN_IO: the file can not be read.
// MFN_INVALID: it is no checkpoint, is damaged, or of a newer version. The host owns *sim and frees it with
// mfn_sim_free(). [any-thread]
mfn_status mfn_sim_restore(const char *path, mfn_sim **sim, mfn_error **error);

// As mfn_sim_restore(), from bytes. They stay the host's. [any-thread]
mfn_status mfn_sim_restore_bytes(const uint8_t *data, size_t len, mfn_sim **sim, mfn_error **error);

/* ==================================================================================================
 * Recording: a frame after every record_every steps of a specification, to the newest of a ring, a file or
 * a function of the host.
 *
 * Frames are those after the steps k, 2k, 3k of the run, in whatever calls it is done; mfn_sim_run() records
 * them, mfn_sim_step() does not. A ring, a file and a function can be there at once. The memory of a ring is
 * reserved when it is made; a file takes none that grows.
 */

// The membrane potential, volts.
#define MFN_PLANE_FIELD 1

// The activator.
#define MFN_PLANE_ACTIVATOR 2

// The inhibitor.
#define MFN_PLANE_INHIBITOR 4

// Hears of the frames of mfn_sim_run(), on the thread that called it. step counts the steps since the start
// of the run. The views live until it returns. Return 0 to go on, anything else to stop after this step. It
// must not use the simulation (such calls answer MFN_INVALID), and must return normally: no longjmp, no C++
// exception.
typedef int32_t (*mfn_frame_fn)(void *user_data,
                                uint64_t step,
                                const mfn_field_view *field,
                                const mfn_field_view *activator,
                                const mfn_field_view *inhibitor);

// Keeps the newest frames of the run, at most capacity of them, in a new ring of the simulation; what an
// earlier one kept is gone. planes is a sum of MFN_PLANE_* constants. Reserves capacity * (planes * rows *
// cols + 1) * 8 bytes at once; MFN_INVALID where they are not to be had. Nothing changes hands.
// [one-thread-per-handle]
mfn_status mfn_sim_record_ring(mfn_sim *sim, size_t capacity, uint32_t planes, mfn_error **error);

// Records one plane of the run, an MFN_PLANE_* constant, into the file path: an NPY array of shape (frames,
// rows, cols), <f8 or, for a run in single precision, <f4. Until mfn_sim_record_finish() the frames are in
// path with ".partial" behind it. resume 0 begins anew; 1 continues the partial file that a process left,
// behind the frames of the steps that this simulation has done. MFN_IO: the file can not be written.
// Nothing changes hands. [one-thread-per-handle]
mfn_status mfn_sim_record_file(mfn_sim *sim,
                               const char *path,
                               uint32_t plane,
                               int32_t resume,
                               mfn_error **error);

// Gives the frames of the run to a function of the host; NULL takes it back. user_data stays the host's and
// must live until then. [one-thread-per-handle]
mfn_status mfn_sim_record_callback(mfn_sim *sim, mfn_frame_fn on_frame, void *user_data, mfn_error **error);

// Makes the frames recorded so far durable in the partial file, before a checkpoint that counts on them.
// MFN_IO: that fails. MFN_INVALID: no file is recorded. [one-thread-per-handle]
mfn_status mfn_sim_record_sync(mfn_sim *sim, mfn_error **error);

// Completes the recorded file: it has its name, replacing what stood there, and is whole. Without this call
// the partial file is left. MFN_IO: that fails; the partial file is left. [one-thread-per-handle]
mfn_status mfn_sim_record_finish(mfn_sim *sim, mfn_error **error);

// Frames that the ring keeps; 0 without a ring. [any-thread]
size_t mfn_sim_record_count(const mfn_sim *sim);

// Frames that the ring dropped because newer ones came; 0 without a ring. [any-thread]
uint64_t mfn_sim_record_dropped(const mfn_sim *sim);

// Lends a plane of a frame that the ring keeps. index counts from 0, the oldest; step becomes the steps that
// the run had done. The view lives until the next call with this handle that is not const. [any-thread]
mfn_status mfn_sim_record_frame(const mfn_sim *sim,
                                size_t index,
                                uint32_t plane,
                                uint64_t *step,
                                mfn_field_view *view,
                                mfn_error **error);

/* ==================================================================================================
 * Simulation input: what a host gives to a run beside its specification, and runs in single precision.
 *
 * Initial activator and inhibitor, maps of coefficients, kinetics of the host's own, threads and vector
 * instructions. The functions that end in _f32 are for a run in single precision.
 */

// The diffusion coefficient of the potential.
#define MFN_MAP_ALPHA 0

// The diffusion coefficient of the activator.
#define MFN_MAP_D_ACTIVATOR 1

// The diffusion coefficient of the inhibitor.
#define MFN_MAP_D_INHIBITOR 2

// The factor of the rate of the activator.
#define MFN_MAP_R_ACTIVATOR 3

// The factor of the rate of the inhibitor.
#define MFN_MAP_R_INHIBITOR 4

// The widest vector instructions of the machine.
#define MFN_SIMD_AUTO 0

// What every machine of the architecture has.
#define MFN_SIMD_BASELINE 1

// AVX2.
#define MFN_SIMD_AVX2 2

// AVX-512 (F, BW, DQ and VL).
#define MFN_SIMD_AVX512 3

// Computes the rates of the activator into du and of the inhibitor into dv, for count cells with activator u and
// inhibitor v. Return 0, or anything else to have the step discarded. It is called during mfn_sim_step() and
// mfn_sim_run(), for parts of rows in any order, and from several threads at once when the execution has more
// than one; a cell must get the same bits whatever the part. It must not use the simulation, and must return
// normally: no longjmp, no C++ exception.
typedef int32_t (*mfn_rates_fn)(void *user_data,
                                const double *u,
                                const double *v,
                                double *du,
                                double *dv,
                                size_t count);

// How steps are carried out. It decides the speed and never a bit of the result. All zero but struct_size and
// threads = 1 is how a simulation begins.
typedef struct mfn_execution {
    // sizeof(mfn_execution).
    uint32_t struct_size;
    // One of the MFN_SIMD_* constants.
    int32_t simd;
    // Threads: 1 computes on the calling thread; more are threads of the simulation's own, at most 1024; 0 is as
    // many as the machine has.
    uint64_t threads;
    // Rows that a thread takes at least, or 8 fewer at an edge of the grid; 0: worked out from the grid.
    uint64_t band_rows;
    // Columns that are swept together, rounded up to a multiple of 16; 0: worked out from the grid and the cache.
    uint64_t strip_cols;
    // Steps that are computed while a row is in the cache, at most 16; 0: worked out from the grid and the cache.
    uint64_t block_steps;
} mfn_execution;

// A grid of floats that is lent by a run in single precision. Cell (r, c) is data[r * row_stride + c * col_stride].
typedef struct mfn_field_view_f32 {
    // Cell (0, 0).
    const float *data;
    // Number of rows.
    size_t rows;
    // Number of columns.
    size_t cols;
    // Distance from a row to the next, in floats.
    ptrdiff_t row_stride;
    // Distance from a column to the next, in floats.
    ptrdiff_t col_stride;
} mfn_field_view_f32;

// Replaces the initial activator, as mfn_sim_set_initial_field() does the potential. The field stays the
// host's. [one-thread-per-handle]
mfn_status mfn_sim_set_initial_activator(mfn_sim *sim, const mfn_field_view *field, mfn_error **error);

// Replaces the initial inhibitor, as mfn_sim_set_initial_field() does the potential. The field stays the
// host's. [one-thread-per-handle]
mfn_status mfn_sim_set_initial_inhibitor(mfn_sim *sim, const mfn_field_view *field, mfn_error **error);

// Gives each cell a coefficient of its own from the next step on: coefficient is one of the MFN_MAP_* constants,
// map has the shape of the grid and is copied. NULL takes the map back. The map stays the host's.
// [one-thread-per-handle]
mfn_status mfn_sim_set_map(mfn_sim *sim,
                           int32_t coefficient,
                           const mfn_field_view *map,
                           mfn_error **error);

// Gives the rates of a run whose specification says MFN_KINETICS_HOST. The function is called until the
// simulation is freed or gets another one; user_data stays the host's and must live as long. Slower than a
// kinetics of the library. [one-thread-per-handle]
mfn_status mfn_sim_set_kinetics(mfn_sim *sim, mfn_rates_fn rates, void *user_data, mfn_error **error);

// Analyses the linear stability of a host's kinetics, as mfn_turing_analyse() does that of the library's, at the
// steady state to which Newton's method leads from (activator, inhibitor). spec gives the factors of the rates, the
// coefficients, the step and the grid; its kinetics does not matter. The derivatives are central differences, good
// to about nine digits. MFN_INVALID: no steady state was found, or a rate was NaN or refused by the function; the
// error says where. rates is called on this thread, for one cell at a time. user_data and turing stay the host's.
// [any-thread]
mfn_status mfn_turing_analyse_host(const mfn_spec *spec,
                                   mfn_rates_fn rates,
                                   void *user_data,
                                   double activator,
                                   double inhibitor,
                                   mfn_turing *turing,
                                   mfn_error **error);

// Says how steps are carried out from the next one on. Threads of the simulation's own end with it. execution
// stays the host's. [one-thread-per-handle]
mfn_status mfn_sim_set_execution(mfn_sim *sim, const mfn_execution *execution, mfn_error **error);

// Tells how steps are carried out: what was worked out where mfn_sim_set_execution() was given 0, and the vector
// instructions in use. execution belongs to the host, which sets its struct_size. [any-thread]
mfn_status mfn_sim_execution(const mfn_sim *sim,
                             mfn_execution *execution,
                             mfn_error **error);

// Lends the potential of a run in single precision, volts. The view lives until the next call with this handle
// that is not const. [any-thread]
mfn_status mfn_sim_field_f32(const mfn_sim *sim,
                             mfn_field_view_f32 *view,
                             mfn_error **error);

// Lends the activator of a run in single precision. The view lives until the next call with this handle that is
// not const. [any-thread]
mfn_status mfn_sim_activator_f32(const mfn_sim *sim,
                                 mfn_field_view_f32 *view,
                                 mfn_error **error);

// Lends the inhibitor of a run in single precision. The view lives until the next call with this handle that is
// not const. [any-thread]
mfn_status mfn_sim_inhibitor_f32(const mfn_sim *sim,
                                 mfn_field_view_f32 *view,
                                 mfn_error **error);

/* ==================================================================================================
 * Lyapunov exponents: how fast nearby trajectories separate, for maps and equations of the host's own.
 *
 * The largest exponent is measured by two trajectories whose distance is set back again and again (Benettin and
 * others, 1980). Above 0 it means chaos, below 0 a stable state. Everything runs on the calling thread.
 */

// How an exponent is measured. Fill it with mfn_lyapunov_options_init().
typedef struct mfn_lyapunov_options {
    // sizeof(mfn_lyapunov_options).
    uint32_t struct_size;
    // How equations are integrated: one of MFN_ODE_*; not used for maps and simulations.
    int32_t method;
    // Distance to which the trajectories are set back, in the unit of the state.
    double separation;
    // Steps between two such moments.
    uint64_t steps_per_interval;
    // Intervals before the ones that count.
    uint64_t transient;
    // Intervals that count.
    uint64_t intervals;
    // Time of the initial state of equations.
    double time_start;
    // Length of a step of equations; with Dormand-Prince the time that counts as one.
    double time_step;
    // Error of a step relative to the size of a component; Dormand-Prince only.
    double relative_tolerance;
    // Error of a step beside the relative one; Dormand-Prince only.
    double absolute_tolerance;
} mfn_lyapunov_options;

// A map: writes the image of a state of length components. Returns 0 to go on, anything else to stop with
// MFN_CANCELLED. Called on the thread of the measurement. state and next are valid during the call only. It must
// return normally: no longjmp, no C++ exception.
typedef int32_t (*mfn_map_fn)(void *user_data, const double *state, double *next, size_t length);

// A measured exponent. Set struct_size before the call.
typedef struct mfn_lyapunov_estimate {
    // sizeof(mfn_lyapunov_estimate).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // The largest Lyapunov exponent, 1 per unit of time; per step for maps.
    double exponent;
    // Its standard error, from the means of twenty parts; NaN for fewer than forty intervals.
    double standard_error;
    // Intervals that counted.
    uint64_t intervals;
} mfn_lyapunov_estimate;

// Fills options with the defaults. struct_size is sizeof(mfn_lyapunov_options). options belongs to the host.
// [any-thread]
mfn_status mfn_lyapunov_options_init(mfn_lyapunov_options *options,
                                     size_t struct_size,
                                     mfn_error **error);

// Measures the largest exponent of a map along the trajectory of a state of length components. MFN_UNSTABLE: the
// trajectory became NaN or infinite, or both became the same; the error says in which interval. state and options
// are read during the call only; estimate and user_data stay the host's. [any-thread]
mfn_status mfn_lyapunov_map(mfn_map_fn map,
                            void *user_data,
                            const double *state,
                            size_t length,
                            const mfn_lyapunov_options *options,
                            mfn_lyapunov_estimate *estimate,
                            mfn_error **error);

// Measures all exponents of a map along the trajectory of a state of length components, at most 256, by its
// derivatives (Eckmann and Ruelle, 1985). jacobian is told a state and writes length * length numbers, row by row:
// number i * length + j is the change of component i with component j. transient steps are done before the steps
// that count. exponents has room for length numbers: from the largest to the smallest, 1 per step, -INFINITY for
// directions that a singular Jacobian annihilates. dimension, which may be NULL, becomes the dimension that they imply
// (Kaplan and Yorke, 1979). MFN_CANCELLED: one of the functions stopped it. MFN_UNSTABLE: a component or a derivative
// became NaN or infinite; the error says in which step. state is read during the call only; what is written and
// user_data, which both functions get, stay the host's. [any-thread]
mfn_status mfn_lyapunov_spectrum(mfn_map_fn map,
                                 mfn_map_fn jacobian,
                                 void *user_data,
                                 const double *state,
                                 size_t length,
                                 uint64_t transient,
                                 uint64_t steps,
                                 double *exponents,
                                 double *dimension,
                                 mfn_error **error);

// Measures the largest exponent of equations along the trajectory of a state of length components. MFN_UNSTABLE:
// as mfn_lyapunov_map() and mfn_ode_integrate(). state and options are read during the call only; estimate and
// user_data stay the host's. [any-thread]
mfn_status mfn_lyapunov_flow(mfn_ode_fn derivative,
                             void *user_data,
                             const double *state,
                             size_t length,
                             const mfn_lyapunov_options *options,
                             mfn_lyapunov_estimate *estimate,
                             mfn_error **error);

// Measures the largest exponent of a simulation from its current state on, 1 per unit of time, by two copies that
// see the same random numbers; the simulation is not changed. options may be NULL for the defaults. progress
// hears of intervals and may stop the measurement (MFN_CANCELLED); it may be NULL. MFN_UNSTABLE: as mfn_sim_step()
// and mfn_lyapunov_map(). Needs f64 and no kinetics of the host's. estimate and user_data stay the host's.
// [any-thread]
mfn_status mfn_sim_lyapunov(const mfn_sim *sim,
                            const mfn_lyapunov_options *options,
                            mfn_progress_fn progress,
                            void *user_data,
                            mfn_lyapunov_estimate *estimate,
                            mfn_error **error);

/* ==================================================================================================
 * Iterated function systems: fractal point sets from affine maps of the plane.
 *
 * A system is an array of contracting maps, with weights in proportion to which the chaos game chooses them; NULL
 * for the weights makes all maps equally probable. Results depend on the maps, the weights and the seed alone.
 * The work is done on the calling thread.
 */

// The map (x, y) -> (a x + b y + e, c x + d y + f).
typedef struct mfn_affine_map {
    // Weight of x in the new x.
    double a;
    // Weight of y in the new x.
    double b;
    // Weight of x in the new y.
    double c;
    // Weight of y in the new y.
    double d;
    // Shift of x.
    double e;
    // Shift of y.
    double f;
} mfn_affine_map;

// The part of the plane that a raster shows.
typedef struct mfn_ifs_window {
    // Left end.
    double x_min;
    // Right end.
    double x_max;
    // Lower end.
    double y_min;
    // Upper end.
    double y_max;
} mfn_ifs_window;

// What the generator of MyceliumFractalNet 4.1 draws. Fill it with mfn_ifs_init_v4_1().
typedef struct mfn_ifs_config_v4_1 {
    // sizeof(mfn_ifs_config_v4_1).
    uint32_t struct_size;
    // 0: as its growth engine, with the ranges here. 1: as its model.generate_fractal_ifs(), which takes 1 to 10^8
    // points and 1 to 4096 maps, leaves the three numbers below at their defaults and does not look how far points
    // reach.
    int32_t of_model;
    // Points of the orbit, 1000 to 100000.
    uint64_t point_count;
    // Number of maps, 2 to 8.
    uint64_t map_count;
    // Smallest ratio of a map, above 0.
    double scale_min;
    // Largest ratio of a map, below 1.
    double scale_max;
    // Largest shift of a map along an axis, 0 to 2.
    double translation_range;
} mfn_ifs_config_v4_1;

// Writes point_count points (x, y) of the attractor of count maps to points, which has room for 2 * point_count
// doubles. Refuses maps whose largest singular value is 1 or more. At most 2^28 points; needs 16 bytes a point
// beside the host's. maps and weights are read during the call only; points belongs to the host. [any-thread]
mfn_status mfn_ifs_points(const mfn_affine_map *maps,
                          const double *weights,
                          size_t count,
                          uint64_t random_seed,
                          double *points,
                          size_t point_count,
                          mfn_error **error);

// The similarity dimension of count maps: the d with sum of ratio^d = 1 (Moran, 1946). Refuses maps that are no
// similarities. maps is read during the call only; dimension belongs to the host. [any-thread]
mfn_status mfn_ifs_dimension(const mfn_affine_map *maps,
                             size_t count,
                             double *dimension,
                             mfn_error **error);

// Both Lyapunov exponents of count maps, 1 per map applied, from steps maps (1 to 10^9). *smallest is -INFINITY
// when a map that can be chosen is singular. maps and weights are read during the call only; largest and
// smallest belong to the host. [any-thread]
mfn_status mfn_ifs_exponents(const mfn_affine_map *maps,
                             const double *weights,
                             size_t count,
                             uint64_t random_seed,
                             uint64_t steps,
                             double *largest,
                             double *smallest,
                             mfn_error **error);

// Marks the cells of a rows x cols grid over window that the first point_count points of mfn_ifs_points() visit, for
// box counting and pictures, without keeping the points. cells has rows * cols numbers, row by row, with row 0 at
// y_min: 1 for a visited cell, else 0, so that functions which take a field in volts want a threshold of 500 mV.
// Sides are 1 to 65536 cells, at most 2^28 in all; at most 2^28 points; needs two bytes a cell beside the host's.
// progress is told every million points and may stop the work (MFN_CANCELLED, nothing is written); it may be NULL.
// inside, which may be NULL, becomes the number of points in the window. maps, weights and window are read during the
// call only; cells, inside and user_data stay the host's. [any-thread]
mfn_status mfn_ifs_raster(const mfn_affine_map *maps,
                          const double *weights,
                          size_t count,
                          uint64_t random_seed,
                          uint64_t point_count,
                          const mfn_ifs_window *window,
                          mfn_progress_fn progress,
                          void *user_data,
                          double *cells,
                          size_t rows,
                          size_t cols,
                          uint64_t *inside,
                          mfn_error **error);

// Fills config with the defaults of v4.1: 10000 points of 4 maps. struct_size is sizeof(mfn_ifs_config_v4_1). config
// belongs to the host. [any-thread]
mfn_status mfn_ifs_init_v4_1(mfn_ifs_config_v4_1 *config,
                             size_t struct_size,
                             mfn_error **error);

// Draws the maps and the orbit that MyceliumFractalNet 4.1 draws from default_rng(random_seed). maps has room for
// map_count maps; points for 2 * point_count doubles (x, y), or is NULL with a point_count of 0: both are the
// numbers in config. mean_log_area_change, which may be NULL, becomes what v4.1 calls the Lyapunov exponent: the
// mean of ln |determinant|, the sum of both exponents of mfn_ifs_exponents(). distance_max, which may be NULL, becomes
// the largest magnitude of a coordinate; the engine refuses 100 and more. config is read during the call only; what is
// written belongs to the host. [any-thread]
mfn_status mfn_ifs_generate_v4_1(const mfn_ifs_config_v4_1 *config,
                                 uint64_t random_seed,
                                 mfn_affine_map *maps,
                                 size_t map_count,
                                 double *points,
                                 size_t point_count,
                                 double *mean_log_area_change,
                                 double *distance_max,
                                 mfn_error **error);

/* ==================================================================================================
 * The second simulator of MyceliumFractalNet 4.1, for numbers that its REST service and its validation made.
 *
 * It means the same model as mfn_sim in the mode "v4.1" and differs in three things: activator and inhibitor are
 * drawn only when the reaction is on, they are advanced by one sum each, and a coefficient beyond the stability limit
 * is allowed. The potential is equal bit for bit to v4.1's. New work uses mfn_sim.
 */

// The arguments of v4.1's simulate_mycelium_field(). Fill it with mfn_model_init_v4_1().
typedef struct mfn_model_v4_1 {
    // sizeof(mfn_model_v4_1).
    uint32_t struct_size;
    // 1 when activator and inhibitor are drawn and advance, else 0.
    int32_t turing_enabled;
    // Cells along each side of the square, periodic grid, 1 to 1024.
    uint64_t grid_size;
    // Steps of the run, 0 to 10^9.
    uint64_t steps;
    // Diffusion coefficient of the potential, cells^2 per step, 0 to 1. From 0.25 on only the clamp bounds the field.
    double alpha;
    // Probability of one growth event in a step, 0 to 1.
    double spike_probability;
    // Activator level above which a cell is activated, 0 to below 1.
    double turing_threshold;
    // Variance of the noise added to each cell in each step, 0 to 1 V^2.
    double jitter_var;
    // 1 with that noise, else 0.
    int32_t quantum_jitter;
    // 0.
    int32_t reserved;
    // Seed of NumPy's default_rng.
    uint64_t random_seed;
} mfn_model_v4_1;

// Fills model with the defaults of v4.1 and seed 42. struct_size is sizeof(mfn_model_v4_1). model belongs to the
// host. [any-thread]
mfn_status mfn_model_init_v4_1(mfn_model_v4_1 *model,
                               size_t struct_size,
                               mfn_error **error);

// Runs v4.1's second simulator from its first step to its last and writes the potential in volts to field, row by
// row: cell_count is grid_size * grid_size. progress is told of every step and may stop the run (MFN_CANCELLED, nothing
// is written); it may be NULL. growth_events, which may be NULL, becomes the number of growth events. Needs six more
// grids of memory. model is read during the call only; field, growth_events and user_data stay the host's. [any-thread]
mfn_status mfn_model_run_v4_1(const mfn_model_v4_1 *model,
                              mfn_progress_fn progress,
                              void *user_data,
                              double *field,
                              size_t cell_count,
                              uint64_t *growth_events,
                              mfn_error **error);

/* ==================================================================================================
 * Ensembles: many runs over one pool of threads, with the results in order.
 *
 * mfn_ensemble_run() computes any number of specifications in bounded memory and gives each result to a callback,
 * in the order of the specifications, on the thread that called. Threads change no result. A run that fails is
 * reported in its place and does not end the others. Sweeps, further below, write such runs to files.
 */

// The settings with which many specifications are run. Freed with mfn_ensemble_free().
typedef struct mfn_ensemble mfn_ensemble;

// The settings of an ensemble; all fields but struct_size may be 0. None of them changes a result.
typedef struct mfn_ensemble_options {
    // sizeof(mfn_ensemble_options).
    uint32_t struct_size;
    // Threads that compute, at most 1024; 0: one for each core.
    uint32_t threads;
    // Runs that may be unfinished, or wait for one before them, at once, at most 65536; 0: four for each thread.
    uint64_t window_runs;
    // The most memory of the runs that are computed at once, bytes; 0: no limit. A run that alone needs more fails.
    uint64_t memory_bytes_max;
} mfn_ensemble_options;

// Hears of the result of run index, counted from 0, in order, on the thread that called. failure is NULL when the
// run is complete; else it says why it is not, and features and statistics are NULL. All three are lent until the
// function returns. Return 0 to go on, anything else to stop. It must not use the ensemble (such calls answer
// MFN_INVALID), and must return normally: no longjmp, no C++ exception.
typedef int32_t (*mfn_ensemble_fn)(void *user_data,
                                   uint64_t index,
                                   const mfn_features *features,
                                   const mfn_statistics *statistics,
                                   const mfn_error *failure);

// Creates an ensemble. options may be NULL. The host owns *ensemble and frees it with mfn_ensemble_free().
// [any-thread]
mfn_status mfn_ensemble_create(const mfn_ensemble_options *options,
                               mfn_ensemble **ensemble,
                               mfn_error **error);

// Runs count specifications that lie in a row, as many bytes apart as struct_size of the first says, each from its
// beginning to its end, and gives each result to the function. MFN_CANCELLED: stopped by it or by
// mfn_ensemble_cancel(). Blocks until no run is under way. specs and user_data stay the host's.
// [one-thread-per-handle]
mfn_status mfn_ensemble_run(mfn_ensemble *ensemble,
                            const mfn_spec *specs,
                            size_t count,
                            mfn_ensemble_fn result,
                            void *user_data,
                            mfn_error **error);

// As mfn_ensemble_run(), from count JSON objects as mfn_sim_create_json() takes them. One that can not be read is
// a failed run. [one-thread-per-handle]
mfn_status mfn_ensemble_run_json(mfn_ensemble *ensemble,
                                 const char *const *specs_json,
                                 size_t count,
                                 mfn_ensemble_fn result,
                                 void *user_data,
                                 mfn_error **error);

// Stops a run of the ensemble that is under way, or the next one, within milliseconds. Works while another thread is
// inside a call with this handle; only mfn_ensemble_free() must not have begun. Stays in force until
// mfn_ensemble_cancel_reset(). [any-thread]
mfn_status mfn_ensemble_cancel(const mfn_ensemble *ensemble,
                               mfn_error **error);

// Withdraws mfn_ensemble_cancel(). [any-thread]
mfn_status mfn_ensemble_cancel_reset(const mfn_ensemble *ensemble, mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with mfn_error_free().
// [any-thread]
mfn_error *mfn_ensemble_last_error(const mfn_ensemble *ensemble);

// Frees an ensemble. NULL is allowed. No other call with it may be under way. [one-thread-per-handle]
void mfn_ensemble_free(mfn_ensemble *ensemble);

/* ==================================================================================================
 * Sweeps: runs over a range of parameters, written as a dataset.
 *
 * A plan, in JSON, says what varies (a grid, a Latin hypercube, a Sobol sequence) and how many seeds each
 * configuration gets. mfn_sweep_write() computes the runs and writes one row for each to a Parquet or CSV file,
 * which appears when it is complete. What is done is kept beside it until then, so that a sweep that was stopped or
 * killed goes on where it was and leaves the same bytes.
 */

// Refuse a target that exists, or that an interrupted sweep has begun.
#define MFN_SWEEP_REFUSE 0

// Go on with an interrupted sweep; begin where there is none. A finished target is refused.
#define MFN_SWEEP_RESUME 1

// Throw an interrupted sweep away and replace a finished target.
#define MFN_SWEEP_REPLACE 2

// A checked plan: a numbered list of runs. Freed with mfn_sweep_free().
typedef struct mfn_sweep mfn_sweep;

// How a sweep is written; all fields but struct_size may be 0. None of them changes a byte of the dataset.
typedef struct mfn_sweep_options {
    // sizeof(mfn_sweep_options).
    uint32_t struct_size;
    // Threads that compute, at most 1024; 0: one for each core.
    uint32_t threads;
    // The most memory of the runs that are computed at once, bytes; 0: no limit. A run that alone needs more fails.
    uint64_t memory_bytes_max;
    // What to do with what is there: one of the MFN_SWEEP_* constants.
    int32_t existing;
    // 0.
    uint32_t reserved;
} mfn_sweep_options;

// Hears of the progress of mfn_sweep_write() after each run, on the thread that called: runs that are done, those
// taken over included, runs of the sweep, and runs of those done that failed. Return 0 to go on, anything else to
// stop. It must return normally: no longjmp, no C++ exception.
typedef int32_t (*mfn_sweep_progress_fn)(void *user_data, uint64_t done, uint64_t runs, uint64_t failed);

// What was written. Set struct_size before the call.
typedef struct mfn_sweep_report {
    // sizeof(mfn_sweep_report).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Runs of the sweep.
    uint64_t runs;
    // Runs that were taken over from an interrupted sweep.
    uint64_t resumed;
    // Runs with a result.
    uint64_t succeeded;
    // Runs that failed.
    uint64_t failed;
    // Index of the first run that failed; -1 when there is none.
    int64_t first_failed;
} mfn_sweep_report;

// Checks a plan and makes a sweep of it. plan_json is an object such as {"base": {"steps": 100}, "axes": [{"field":
// "alpha", "min": 0.05, "max": 0.15, "points": 5}], "seeds_per_config": 3}. The error lists every fault of the
// plan. The host owns *sweep and frees it with mfn_sweep_free(). [any-thread]
mfn_status mfn_sweep_create(const char *plan_json,
                            mfn_sweep **sweep,
                            mfn_error **error);

// As mfn_sweep_create(), with the plan of a dataset of MyceliumFractalNet 4.1: "small", "medium", "large" or
// "benchmark". The host owns *sweep and frees it with mfn_sweep_free(). [any-thread]
mfn_status mfn_sweep_create_preset(const char *name, mfn_sweep **sweep, mfn_error **error);

// Runs of a sweep; 0 for NULL. [any-thread]
uint64_t mfn_sweep_runs(const mfn_sweep *sweep);

// The specification of run index as JSON, for example for mfn_sim_create_json(). The host owns *json and frees it
// with mfn_string_free(). [any-thread]
mfn_status mfn_sweep_spec_json(const mfn_sweep *sweep,
                               uint64_t index,
                               char **json,
                               mfn_error **error);

// Computes every run and writes the dataset to path, a name that ends in .parquet or .csv; the folders above it are
// made. options, progress and report may be NULL. A run that fails is a row with its error and does not end the
// sweep. MFN_CANCELLED: stopped by the callback or by mfn_sweep_cancel(); what is done is kept in PATH.partial
// and MFN_SWEEP_RESUME goes on with it. MFN_IO: the system refused something, or another process writes the same
// target. Blocks until done. user_data and report stay the host's. [one-thread-per-handle]
mfn_status mfn_sweep_write(mfn_sweep *sweep,
                           const char *path,
                           const mfn_sweep_options *options,
                           mfn_sweep_progress_fn progress,
                           void *user_data,
                           mfn_sweep_report *report,
                           mfn_error **error);

// Stops a mfn_sweep_write() that is under way, or the next one, within milliseconds. Works while another thread is
// inside a call with this handle; only mfn_sweep_free() must not have begun. Stays in force until
// mfn_sweep_cancel_reset(). [any-thread]
mfn_status mfn_sweep_cancel(const mfn_sweep *sweep,
                            mfn_error **error);

// Withdraws mfn_sweep_cancel(). [any-thread]
mfn_status mfn_sweep_cancel_reset(const mfn_sweep *sweep, mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with mfn_error_free().
// [any-thread]
mfn_error *mfn_sweep_last_error(const mfn_sweep *sweep);

// Frees a sweep. NULL is allowed. No other call with it may be under way. [one-thread-per-handle]
void mfn_sweep_free(mfn_sweep *sweep);

/* ==================================================================================================
 * Robust aggregation: one gradient out of many, although some clients lie.
 *
 * Gradients are a view with one row per client and one column per coordinate, read where they lie. A
 * coordinate that is NaN, infinite or beyond 1e140 is refused with the index of its client. The functions
 * with v4_1 in their name give the results of MyceliumFractalNet 4.1 in single precision, faults included.
 * The work is done on the calling thread.
 */

// The gradient with the lowest Krum score. Needs n >= 2 f + 3.
#define MFN_METHOD_KRUM 0

// The mean of the gradients with the lowest Krum scores. Needs n >= 2 f + 3.
#define MFN_METHOD_MULTI_KRUM 1

// In each coordinate the mean without the f lowest and f highest values. Needs n >= 2 f + 1.
#define MFN_METHOD_TRIMMED_MEAN 2

// The median of each coordinate. Needs n >= 2 f + 1.
#define MFN_METHOD_MEDIAN 3

// The point with the smallest sum of distances. Needs n >= 2 f + 1.
#define MFN_METHOD_GEOMETRIC_MEDIAN 4

// How gradients are aggregated. Fill it with mfn_aggregation_options_init().
typedef struct mfn_aggregation_options {
    // sizeof(mfn_aggregation_options).
    uint32_t struct_size;
    // One of the MFN_METHOD_* constants.
    int32_t method;
    // Attackers to be survived: f above.
    uint64_t byzantine;
    // Gradients that Multi-Krum averages, at most n - f - 2; 0: so many.
    uint64_t selected;
    // Most iterations of the geometric median, 1 to 100000.
    uint64_t iterations_max;
    // Its radius of smoothing as a part of the median distance, 1e-12 to 0.1.
    double smoothing;
    // Its relative bound on the sum of distances that ends the iteration, 1e-14 to 1.
    double tolerance;
} mfn_aggregation_options;

// What an aggregation did. Set struct_size before the call.
typedef struct mfn_aggregation {
    // sizeof(mfn_aggregation).
    uint32_t struct_size;
    // 1 when the geometric median is within its tolerance, and for all other methods; else 0.
    int32_t converged;
    // Gradients that were averaged; 0 for methods that select none.
    uint64_t selected_count;
    // The first of them; 0 when there is none.
    uint64_t selected_index;
    // Iterations of the geometric median.
    uint64_t iterations;
    // Its sum of distances exceeds the smallest possible one by at most this part.
    double relative_gap_max;
} mfn_aggregation;

// How hierarchical Krum works. Fill it with mfn_hierarchical_options_init().
typedef struct mfn_hierarchical_options {
    // sizeof(mfn_hierarchical_options).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // The most clusters, 1 to 65536.
    uint64_t num_clusters;
    // Above this number of clients a sample is used; 0: all always are.
    uint64_t sample_above;
    // Seed of the random dealing into clusters. An attacker must not know it.
    uint64_t seed;
    // Fraction of attackers to be survived, 0 to below 0.5.
    double byzantine_fraction;
    // Fraction of the clients in the sample, above 0 to 1.
    double sample_fraction;
    // Weight of Krum beside the median of the winners, 0 to 1.
    double krum_weight;
} mfn_hierarchical_options;

// Fills options with the defaults: Krum for no attackers. struct_size is sizeof(mfn_aggregation_options).
// options belongs to the host. [any-thread]
mfn_status mfn_aggregation_options_init(mfn_aggregation_options *options,
                                        size_t struct_size,
                                        mfn_error **error);

// Aggregates gradients. value has value_count places, one per coordinate. scores (may be NULL) has one place
// per client for the Krum scores, with a relative error of at most 2.5e-4 and only that of rounding where more
// might decide; 0 for methods without. selected (may be NULL) has one place per client: 1 for those whose mean
// the result is, else 0. report may be NULL. The gradients are read during the call only; the outputs belong to
// the host. [any-thread]
mfn_status mfn_aggregate(const mfn_field_view *gradients,
                         const mfn_aggregation_options *options,
                         double *value,
                         size_t value_count,
                         double *scores,
                         int32_t *selected,
                         mfn_aggregation *report,
                         mfn_error **error);

// Fills options with the defaults. struct_size is sizeof(mfn_hierarchical_options). options belongs to the
// host. [any-thread]
mfn_status mfn_hierarchical_options_init(mfn_hierarchical_options *options,
                                         size_t struct_size,
                                         mfn_error **error);

// Aggregates gradients in two levels, for more clients than Krum can take at once: Multi-Krum in balanced
// clusters, then Krum and the median of the winners. value has value_count places, one per coordinate.
// clusters (may be NULL) becomes the number of clusters. The gradients are read during the call only; the
// outputs belong to the host. [any-thread]
mfn_status mfn_aggregate_hierarchical(const mfn_field_view *gradients,
                                      const mfn_hierarchical_options *options,
                                      double *value,
                                      size_t value_count,
                                      uint64_t *clusters,
                                      mfn_error **error);

// The index that krum_select of MyceliumFractalNet 4.1 chooses, in single precision: a client with a NaN
// wins, and the number of attackers is not checked. The gradients are read during the call only; index
// belongs to the host. [any-thread]
mfn_status mfn_krum_select_v4_1(const mfn_field_view *gradients,
                                uint64_t byzantine,
                                uint64_t *index,
                                mfn_error **error);

// Aggregates as HierarchicalKrumAggregator of MyceliumFractalNet 4.1, in single precision. Of the options,
// num_clusters, byzantine_fraction, sample_fraction and seed (42 there) are used; NULL: the defaults. value
// has value_count places, one per coordinate. The gradients are read during the call only; value belongs to
// the host. [any-thread]
mfn_status mfn_aggregate_hierarchical_v4_1(const mfn_field_view *gradients,
                                           const mfn_hierarchical_options *options,
                                           double *value,
                                           size_t value_count,
                                           mfn_error **error);

/* ==================================================================================================
 * Plasticity: how the times of spikes change the weights between neurons.
 *
 * A synapse grows when its input fires before its output and shrinks when it fires after (Song, Miller and Abbott,
 * 2000). mfn_stdp_update() takes the times of whole trials; traces follow a simulation step by step and count every
 * pair of spikes (Morrison, Diesmann and Gerstner, 2008). Weights are inputs x outputs, row by row.
 */

// Weights are clipped to their range.
#define MFN_WEIGHT_BOUNDS_HARD 0

// Changes shrink towards the ends of the range.
#define MFN_WEIGHT_BOUNDS_SOFT 1

// The traces of the neurons on both sides of a matrix of weights. Freed with mfn_stdp_traces_free().
typedef struct mfn_stdp_traces mfn_stdp_traces;

// The rule of spike-timing plasticity. Fill it with mfn_stdp_rule_init().
typedef struct mfn_stdp_rule {
    // sizeof(mfn_stdp_rule).
    uint32_t struct_size;
    // One of the MFN_WEIGHT_BOUNDS_* constants.
    int32_t bounds;
    // Time constant of potentiation, 0.005 to 0.1 s.
    double tau_plus_s;
    // Time constant of depression, 0.005 to 0.1 s.
    double tau_minus_s;
    // Largest potentiation of a pair of spikes, 0.001 to 0.1.
    double a_plus;
    // Largest depression of a pair of spikes, 0.001 to 0.1.
    double a_minus;
    // Smallest weight.
    double weight_min;
    // Largest weight.
    double weight_max;
} mfn_stdp_rule;

// Fills a rule with the defaults. struct_size is sizeof(mfn_stdp_rule). rule belongs to the host.
// [any-thread]
mfn_status mfn_stdp_rule_init(mfn_stdp_rule *rule, size_t struct_size, mfn_error **error);

// Changes weights by one spike of each neuron in each trial, averaged over the trials. pre_times_s is trials
// x inputs and post_times_s trials x outputs, in seconds; NaN: the neuron was silent. weights is inputs x
// outputs, row by row, weight_count numbers in the range of the rule, before and after. rule may be NULL for
// the defaults. The weights stay the host's; the rest is read during the call only. [any-thread]
mfn_status mfn_stdp_update(const mfn_field_view *pre_times_s,
                           const mfn_field_view *post_times_s,
                           const mfn_stdp_rule *rule,
                           double *weights,
                           size_t weight_count,
                           mfn_error **error);

// The change that MyceliumFractalNet 4.1 computes, which does not depend on the weights. Arguments as for
// mfn_stdp_update(); changes is inputs x outputs. changes belongs to the host. [any-thread]
mfn_status mfn_stdp_change_v4_1(const mfn_field_view *pre_times_s,
                                const mfn_field_view *post_times_s,
                                const mfn_stdp_rule *rule,
                                double *changes,
                                size_t change_count,
                                mfn_error **error);

// Creates the traces of inputs and outputs neurons, each 0 to 2^24, that have not fired yet. rule may be NULL for the
// defaults. The host owns *traces and frees it with mfn_stdp_traces_free(). [any-thread]
mfn_status mfn_stdp_traces_create(const mfn_stdp_rule *rule,
                                  size_t inputs,
                                  size_t outputs,
                                  mfn_stdp_traces **traces,
                                  mfn_error **error);

// Lets time_step_s pass and then takes the spikes of this moment: one byte for each neuron, 0 for silence and anything
// else for a spike. weights has weight_count = pre_count * post_count numbers in the range of the rule, before and
// after. Spikes of one moment do not pair with each other. The weights stay the host's; the spikes are read during the
// call only. [one-thread-per-handle]
mfn_status mfn_stdp_traces_advance(mfn_stdp_traces *traces,
                                   double time_step_s,
                                   const uint8_t *pre_spikes,
                                   size_t pre_count,
                                   const uint8_t *post_spikes,
                                   size_t post_count,
                                   double *weights,
                                   size_t weight_count,
                                   mfn_error **error);

// Frees traces; NULL is allowed. traces must not be used afterwards. [one-thread-per-handle]
void mfn_stdp_traces_free(mfn_stdp_traces *traces);

/* ==================================================================================================
 * Learning: sparse attention, and a small network trained with Adam.
 *
 * Arrays are contiguous, row by row: tokens are batch x sequence x numbers in a token. A call that is
 * refused changes nothing. Attention and networks compute in double precision. The work is done on the calling
 * thread.
 */

// A layer of sparse attention. Freed with mfn_attention_free().
typedef struct mfn_attention mfn_attention;

// A network with its training. Freed with mfn_network_free().
typedef struct mfn_network mfn_network;

// Shape of an attention layer. Set struct_size and all other fields.
typedef struct mfn_attention_config {
    // sizeof(mfn_attention_config).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Numbers in a token, 1 to 4096.
    uint64_t embed_dim;
    // Heads, a divisor of embed_dim.
    uint64_t num_heads;
    // Keys that a query attends to, 1 to 65536.
    uint64_t top_k;
} mfn_attention_config;

// Shape and training of a network. Fill it with mfn_network_config_init().
typedef struct mfn_network_config {
    // sizeof(mfn_network_config).
    uint32_t struct_size;
    // 1 with an attention layer, 0 without.
    int32_t use_sparse_attention;
    // Numbers in an input token, 1 to 4096.
    uint64_t input_dim;
    // Width of the hidden layers, 2 to 1024.
    uint64_t hidden_dim;
    // Heads of the attention, a divisor of hidden_dim.
    uint64_t num_heads;
    // Keys that a query attends to.
    uint64_t top_k;
    // Step size of Adam.
    double learning_rate;
    // Decay of the mean of the gradients.
    double beta1;
    // Decay of the mean of their squares.
    double beta2;
    // Guard against division by zero.
    double epsilon;
} mfn_network_config;

// Creates a layer. parameters are weight (outputs x inputs) and bias of the query, key, value and output
// layers, in this order: parameter_count = 4 * embed_dim * (embed_dim + 1) numbers, which are copied. With
// NULL and 0 they are drawn from seed. The host owns *attention and frees it with mfn_attention_free().
// [any-thread]
mfn_status mfn_attention_create(const mfn_attention_config *config,
                                const double *parameters,
                                size_t parameter_count,
                                uint64_t seed,
                                mfn_attention **attention,
                                mfn_error **error);

// Computes the output for batch sequences of length tokens each. tokens and output have batch x length x
// embed_dim numbers; number_count is that number. The tokens are read during the call only; output belongs
// to the host. [any-thread]
mfn_status mfn_attention_forward(const mfn_attention *attention,
                                 const double *tokens,
                                 size_t batch,
                                 size_t length,
                                 double *output,
                                 size_t number_count,
                                 mfn_error **error);

// Frees a layer; NULL is allowed. attention must not be used afterwards. [one-thread-per-handle]
void mfn_attention_free(mfn_attention *attention);

// Fills a configuration with the defaults. struct_size is sizeof(mfn_network_config). config belongs to the
// host. [any-thread]
mfn_status mfn_network_config_init(mfn_network_config *config, size_t struct_size, mfn_error **error);

// Creates a network whose parameters are drawn from seed. config may be NULL for the defaults. The host owns
// *network and frees it with mfn_network_free(). [any-thread]
mfn_status mfn_network_create(const mfn_network_config *config,
                              uint64_t seed,
                              mfn_network **network,
                              mfn_error **error);

// Computes one number for each of batch sequences of length tokens. x has batch x length x input_dim numbers,
// output batch. x is read during the call only; output belongs to the host. [any-thread]
mfn_status mfn_network_forward(const mfn_network *network,
                               const double *x,
                               size_t batch,
                               size_t length,
                               double *output,
                               mfn_error **error);

// Does one step of Adam on the mean squared error between the outputs for x and the batch numbers of y. loss
// (may be NULL) becomes the error before the step. x and y are read during the call only; loss belongs to
// the host. [one-thread-per-handle]
mfn_status mfn_network_train_step(mfn_network *network,
                                  const double *x,
                                  size_t batch,
                                  size_t length,
                                  const double *y,
                                  double *loss,
                                  mfn_error **error);

// The number of parameters; 0 for NULL. [any-thread]
size_t mfn_network_parameter_count(const mfn_network *network);

// Copies the parameters: for the input layer, then with attention its query, key, value and output layers,
// then the three last layers, the weight (outputs x inputs) and the bias. parameter_count is
// mfn_network_parameter_count(). parameters belongs to the host. [any-thread]
mfn_status mfn_network_parameters(const mfn_network *network,
                                  double *parameters,
                                  size_t parameter_count,
                                  mfn_error **error);

// Replaces the parameters, in the order of mfn_network_parameters(), and starts Adam anew. parameters stays
// the host's. [one-thread-per-handle]
mfn_status mfn_network_set_parameters(mfn_network *network,
                                      const double *parameters,
                                      size_t parameter_count,
                                      mfn_error **error);

// Frees a network; NULL is allowed. network must not be used afterwards. [one-thread-per-handle]
void mfn_network_free(mfn_network *network);

/* ==================================================================================================
 * Validation: one cycle through simulation, features, membrane, fractals and learning, and its numbers.
 *
 * The work is done on the calling thread.
 */

// Settings of a validation. Fill it with mfn_validation_config_init().
typedef struct mfn_validation_config {
    // sizeof(mfn_validation_config).
    uint32_t struct_size;
    // 1: the cycle of MyceliumFractalNet 4.1; 0: the one whose loss is measured on samples held out.
    int32_t compat_v4_1;
    // Seed of everything that is random.
    uint64_t seed;
    // Passes over the training samples, 1 to 100.
    uint64_t epochs;
    // Samples of one step of training, 1 to 64.
    uint64_t batch_size;
    // Cells along each side of the simulated grids, 8 to 256.
    uint64_t grid_size;
    // Steps of each simulation, 1 to 1000; without compat_v4_1 at least 16.
    uint64_t steps;
    // 1 when activator and inhibitor take part, else 0.
    int32_t turing_enabled;
    // 1 for noise in each cell in each step, else 0.
    int32_t quantum_jitter;
    // 1 for a network with an attention layer, else 0.
    int32_t use_sparse_attention;
    // 0.
    int32_t reserved;
} mfn_validation_config;

// The numbers of a validation. Set struct_size before the call.
typedef struct mfn_validation {
    // sizeof(mfn_validation).
    uint32_t struct_size;
    // 0.
    uint32_t reserved;
    // Loss before training, of samples held out; compat: of the first batch.
    double loss_start;
    // Loss after training, of the same samples; compat: of the last batch.
    double loss_final;
    // loss_start - loss_final.
    double loss_drop;
    // Lowest potential of the final fields, mV.
    double pot_min_mv;
    // Highest potential of the final fields, mV.
    double pot_max_mv;
    // Box-counting dimension of an example run.
    double example_fractal_dim;
    // Largest Lyapunov exponent of an iterated function system; compat: the sum of both.
    double lyapunov_exponent;
    // The mean of the same number over the samples.
    double lyapunov_mean;
    // Growth events of the example run.
    double growth_events;
    // Nernst potential of potassium, mV.
    double nernst_symbolic_mv;
    // The same by the GHK equation, mV; compat: by the same formula.
    double nernst_numeric_mv;
    // R T / F, mV.
    double nernst_rtfz_mv;
    // Loss of the best constant on the samples held out; compat: NaN.
    double loss_constant;
} mfn_validation;

// Fills a configuration with the defaults of MyceliumFractalNet 4.1 (compat_v4_1 = 1) or of this library (0).
// struct_size is sizeof(mfn_validation_config). config belongs to the host. [any-thread]
mfn_status mfn_validation_config_init(mfn_validation_config *config,
                                      size_t struct_size,
                                      int32_t compat_v4_1,
                                      mfn_error **error);

// Runs a validation on the calling thread. config may be NULL for the defaults. progress (may be NULL) hears of
// every simulation and every pass over the samples; MFN_CANCELLED: it ended the validation. Blocks until done,
// seconds with the defaults. user_data stays the host's; validation belongs to the host. [any-thread]
mfn_status mfn_validate(const mfn_validation_config *config,
                        mfn_progress_fn progress,
                        void *user_data,
                        mfn_validation *validation,
                        mfn_error **error);

/* ==================================================================================================
 * Pictures: a field of potentials as a PNG with a perceptual colour map and a scale in millivolts.
 */

// How a picture is drawn. Fill it with mfn_picture_options_init().
typedef struct mfn_picture_options {
    // sizeof(mfn_picture_options).
    uint32_t struct_size;
    // Small fields are enlarged up to this length of their longer side, pixels.
    uint32_t side_px;
    // The line above the field, or NULL for none. Characters that are not ASCII become "?".
    const char *title;
    // Potential at the lower end of the colour map, mV. NaN in both: the range of the field.
    double range_low_mv;
    // Potential at the upper end of the colour map, mV.
    double range_high_mv;
} mfn_picture_options;

// Fills picture options with the defaults: no title, the range of the field, 512 pixels. struct_size is
// sizeof(mfn_picture_options). options belongs to the host. [any-thread]
mfn_status mfn_picture_options_init(mfn_picture_options *options,
                                    size_t struct_size,
                                    mfn_error **error);

// Draws a field in volts, row 0 on top, and writes it as a PNG file, replacing what is there. options may
// be NULL for the defaults. MFN_IO: the file can not be written. Nothing changes hands. [any-thread]
mfn_status mfn_picture_write(const char *path,
                             const mfn_field_view *field,
                             const mfn_picture_options *options,
                             mfn_error **error);

/* ==================================================================================================
 * Log: what the runtime and its plugins say, by callback or by polling.
 *
 * A host chooses in mfn_runtime_options: a callback, a queue that it polls (for event loops and languages
 * that do not like to be called back), both, or none. Without one nothing is logged.
 */

// Log nothing.
#define MFN_LOG_OFF 0

// Work was lost or given up.
#define MFN_LOG_ERROR 1

// Something needs a look.
#define MFN_LOG_WARN 2

// What the runtime does.
#define MFN_LOG_INFO 3

// Details for a developer.
#define MFN_LOG_DEBUG 4

// Everything.
#define MFN_LOG_TRACE 5

// A log record that was polled. Freed with mfn_log_entry_free().
typedef struct mfn_log_entry mfn_log_entry;

// One log record, lent. The texts live as long as the record.
typedef struct mfn_log_record {
    // sizeof(mfn_log_record) of the library; later versions may have more fields.
    uint32_t struct_size;
    // How grave it is: MFN_LOG_ERROR to MFN_LOG_TRACE.
    int32_t level;
    // The part of the program that speaks.
    const char *target;
    // One sentence, then fields as name=value.
    const char *message;
    // The component that speaks, or "".
    const char *component;
    // The plugin that speaks, or "" for the runtime itself.
    const char *plugin;
} mfn_log_record;

// Ends a user_data. Called once, when the library will not use it again.
typedef void (*mfn_destroy_fn)(void *user_data);

// Takes a log record, which is lent for the length of the call. Called on whatever thread speaks, on
// several at once. It should return soon, and must not call functions of a runtime, a component or a
// pipeline. What is logged during the call on the same thread is dropped, so logging does not re-enter.
typedef void (*mfn_log_fn)(void *user_data, const mfn_log_record *record);

// The record of a polled entry; NULL for NULL. Lent by the entry. [any-thread]
const mfn_log_record *mfn_log_entry_record(const mfn_log_entry *entry);

// Frees a polled entry and the record it lent. NULL is allowed. [any-thread]
void mfn_log_entry_free(mfn_log_entry *entry);

/* ==================================================================================================
 * Runtime: the threads, the log, the metrics and the loaded plugins of one host.
 *
 * Two runtimes share nothing. A plugin is loaded only when the host names its file or directory, here or
 * in a pipeline's configuration. A loaded library stays in memory until the process ends.
 */

// What one host has of libmfn. Freed with mfn_runtime_free().
typedef struct mfn_runtime mfn_runtime;

// How a runtime is set up. Fill it with mfn_runtime_options_init().
typedef struct mfn_runtime_options {
    // sizeof(mfn_runtime_options).
    uint32_t struct_size;
    // Threads for computing; 0: one for each core. Results do not depend on it.
    uint32_t threads;
    // How much is logged: MFN_LOG_OFF to MFN_LOG_TRACE.
    int32_t log_level;
    // 1: refuse plugins without a manifest beside them. 0: do not.
    int32_t require_manifest;
    // Log records kept for mfn_runtime_next_log(); the oldest go when it is full. 0: no queue.
    uint64_t log_queue_max;
    // Called for each log record, or NULL.
    mfn_log_fn log;
    // Given to log. It stays the host's when mfn_runtime_create() fails.
    void *log_user_data;
    // Called with log_user_data by mfn_runtime_free(), or NULL.
    mfn_destroy_fn log_destroy;
} mfn_runtime_options;

// Fills options with the defaults: all cores, warnings and errors, no log. struct_size is
// sizeof(mfn_runtime_options). options belongs to the host. [any-thread]
mfn_status mfn_runtime_options_init(mfn_runtime_options *options,
                                    size_t struct_size,
                                    mfn_error **error);

// Creates a runtime. options may be NULL for the defaults. The host owns *runtime and frees it with
// mfn_runtime_free(). [any-thread]
mfn_status mfn_runtime_create(const mfn_runtime_options *options,
                              mfn_runtime **runtime,
                              mfn_error **error);

// Changes how much is logged, here and in the loaded plugins. Nothing changes hands. [any-thread]
mfn_status mfn_runtime_set_log_level(const mfn_runtime *runtime, int32_t log_level, mfn_error **error);

// Takes the oldest record of the log queue, and waits for one at most timeout_ms. MFN_WOULD_BLOCK: none
// came. The host owns *entry and frees it with mfn_log_entry_free(). [any-thread]
mfn_status mfn_runtime_next_log(const mfn_runtime *runtime,
                                uint64_t timeout_ms,
                                mfn_log_entry **entry,
                                mfn_error **error);

// How many log records the queue had no room for; 0 for a handle that is NULL. [any-thread]
uint64_t mfn_runtime_log_dropped(const mfn_runtime *runtime);

// Loads one plugin library. One that is loaded already is fine. MFN_PLUGIN: refused, and the message says
// why. name may be NULL; else the host owns *name, the plugin's name, and frees it with
// mfn_string_free(). [any-thread]
mfn_status mfn_runtime_load_plugin(const mfn_runtime *runtime,
                                   const char *path,
                                   char **name,
                                   mfn_error **error);

// Loads every plugin library in a directory. Those that are refused are no failure: see the load report.
// loaded may be NULL; else it is set to the number of libraries that can be used. [any-thread]
mfn_status mfn_runtime_scan_directory(const mfn_runtime *runtime,
                                      const char *directory,
                                      size_t *loaded,
                                      mfn_error **error);

// Lists the loaded plugins as a JSON array, sorted by name: path, sha256, manifest, and descriptor with
// name, version, about and kinds, each kind with the JSON Schema of its configuration. The host owns
// *json and frees it with mfn_string_free(). [any-thread]
mfn_status mfn_runtime_plugins(const mfn_runtime *runtime, char **json, mfn_error **error);

// Describes one loaded plugin as a JSON object, as in mfn_runtime_plugins(). The host owns *json and
// frees it with mfn_string_free(). [any-thread]
mfn_status mfn_runtime_plugin_describe(const mfn_runtime *runtime,
                                       const char *name,
                                       char **json,
                                       mfn_error **error);

// Every path that was tried and what became of it: one line each, or with as_json = 1 a JSON object.
// The host owns *report and frees it with mfn_string_free(). [any-thread]
mfn_status mfn_runtime_load_report(const mfn_runtime *runtime,
                                   int32_t as_json,
                                   char **report,
                                   mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_runtime_last_error(const mfn_runtime *runtime);

// Frees a runtime: waits for log callbacks under way, then calls log_destroy. Components and pipelines
// made from it live on and stop logging. NULL is allowed. [one-thread-per-handle]
void mfn_runtime_free(mfn_runtime *runtime);

/* ==================================================================================================
 * Components: what connectors, publishers, transports and exporters have in common.
 *
 * A component is a configured instance of a plugin. The functions mfn_*_component() lend its common face;
 * it lives as long as the connector, publisher, transport or exporter that lent it.
 */

// Created, not opened yet.
#define MFN_HEALTH_STARTING 1

// Working.
#define MFN_HEALTH_READY 2

// Working with losses or delays.
#define MFN_HEALTH_DEGRADED 3

// Not working.
#define MFN_HEALTH_DOWN 4

// The common face of a component. Lent; never freed by the host.
typedef struct mfn_component mfn_component;

// Where components can be reached. Freed with mfn_endpoints_free().
typedef struct mfn_endpoints mfn_endpoints;

// The component's name; "" for NULL. Lent by the component. [any-thread]
const char *mfn_component_name(const mfn_component *component);

// The plugin it is an instance of; "" for NULL. Lent by the component. [any-thread]
const char *mfn_component_plugin(const mfn_component *component);

// The last known health, one of the MFN_HEALTH_* constants; never waits. detail may be NULL; else the host
// owns *detail and frees it with mfn_string_free(). [any-thread]
mfn_status mfn_component_health(const mfn_component *component,
                                int32_t *health,
                                char **detail,
                                mfn_error **error);

// Tries the real thing without side effects: the error says what an operator has to put right. Nothing
// changes hands. [any-thread]
mfn_status mfn_component_check(const mfn_component *component, mfn_error **error);

// Where the component can be reached. The host owns *endpoints and frees it with mfn_endpoints_free().
// [any-thread]
mfn_status mfn_component_endpoints(const mfn_component *component,
                                   mfn_endpoints **endpoints,
                                   mfn_error **error);

// Finishes what was accepted, at most for timeout_ms. records_left may be NULL; else it is set to the
// number of records that the component still holds. [any-thread]
mfn_status mfn_component_drain(const mfn_component *component,
                               uint64_t timeout_ms,
                               uint64_t *records_left,
                               mfn_error **error);

// Closes the component early; freeing its owner does it too. Later calls that would use it answer
// MFN_CLOSED. Safe twice. Nothing changes hands. [any-thread]
mfn_status mfn_component_close(const mfn_component *component, mfn_error **error);

// The last failure of a call with this component, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_component_last_error(const mfn_component *component);

// How many endpoints there are; 0 for NULL. [any-thread]
size_t mfn_endpoints_count(const mfn_endpoints *endpoints);

// The component that listens; "" beyond the last. Lent by endpoints. [any-thread]
const char *mfn_endpoints_component(const mfn_endpoints *endpoints, size_t index);

// What is there, such as "stream" or "metrics"; "" beyond the last. Lent by endpoints. [any-thread]
const char *mfn_endpoints_name(const mfn_endpoints *endpoints, size_t index);

// The URL; "" beyond the last. Lent by endpoints. [any-thread]
const char *mfn_endpoints_url(const mfn_endpoints *endpoints, size_t index);

// Frees a list of endpoints and the texts it lent. NULL is allowed. [any-thread]
void mfn_endpoints_free(mfn_endpoints *endpoints);

/* ==================================================================================================
 * Records: one message as bytes, as connectors bring it and publishers and transports take it.
 */

// One further field of a record.
typedef struct mfn_header {
    // Its name.
    const char *name;
    // Its value; bytes, without a NUL at the end.
    const uint8_t *value;
    // Length of the value.
    size_t value_len;
} mfn_header;

// One message. Whoever receives it does not own it: see the function that lends it.
typedef struct mfn_record {
    // sizeof(mfn_record).
    uint32_t struct_size;
    // 1 when timestamp_ms holds a time, else 0.
    int32_t has_timestamp;
    // Identity; the same message has the same id after a restart. Not empty.
    const char *id;
    // Media type of the payload, such as "application/json". NULL or "" when unknown.
    const char *content_type;
    // W3C traceparent of the operation that caused the message. NULL or "" when there is none.
    const char *trace_parent;
    // Ordering key, bytes; NULL when there is none.
    const uint8_t *key;
    // Length of the key.
    size_t key_len;
    // The message itself, bytes. NULL when payload_len is 0.
    const uint8_t *payload;
    // Length of the payload.
    size_t payload_len;
    // Further fields; NULL when header_count is 0.
    const mfn_header *headers;
    // Number of further fields.
    size_t header_count;
    // When the message arose, milliseconds since the Unix epoch.
    int64_t timestamp_ms;
} mfn_record;

/* ==================================================================================================
 * Connectors: read records in, and are told the fate of each.
 *
 * Fetch a batch, work on its records, settle the batch with one verdict for each record, free the batch. A
 * batch that is freed without being settled comes again when the connector is opened anew.
 */

// Everything that had to be done is done and durable.
#define MFN_VERDICT_ACK 1

// Not done: bring the record again, not before delay_ms.
#define MFN_VERDICT_NACK 2

// Never to be done, for the reason given.
#define MFN_VERDICT_REJECT 3

// Records that were fetched together and are settled together. Freed with mfn_batch_free().
typedef struct mfn_batch mfn_batch;

// An open connector. Freed with mfn_connector_free().
typedef struct mfn_connector mfn_connector;

// The fate of one record.
typedef struct mfn_verdict {
    // One of the MFN_VERDICT_* constants.
    int32_t fate;
    // For MFN_VERDICT_NACK: how long to hold the record back, milliseconds.
    uint32_t delay_ms;
    // For MFN_VERDICT_REJECT: what is wrong with the record. Else NULL.
    const char *reason;
} mfn_verdict;

// Makes a connector of a loaded plugin and opens it. config_json may be NULL for {}; base_dir, where
// relative paths of the configuration start, may be NULL for the working directory. The host owns
// *connector and frees it with mfn_connector_free(). [any-thread]
mfn_status mfn_connector_open(const mfn_runtime *runtime,
                              const char *plugin,
                              const char *name,
                              const char *config_json,
                              const char *base_dir,
                              mfn_connector **connector,
                              mfn_error **error);

// Lends the common face; NULL for NULL. It lives as long as the connector. [any-thread]
const mfn_component *mfn_connector_component(const mfn_connector *connector);

// Brings the next records: at most records_max (1 or more) with at most bytes_max of payload, but always
// one when there is one; waits for the first at most timeout_ms. MFN_WOULD_BLOCK: none came. MFN_END:
// none will come any more. The host owns *batch and frees it with mfn_batch_free(). [any-thread]
mfn_status mfn_connector_fetch(const mfn_connector *connector,
                               uint32_t records_max,
                               uint64_t bytes_max,
                               uint64_t timeout_ms,
                               mfn_batch **batch,
                               mfn_error **error);

// Tells the fate of every record of a batch of this connector: count verdicts in the order of the records.
// The batch stays the host's and can not be settled again. [any-thread]
mfn_status mfn_connector_settle(const mfn_connector *connector,
                                const mfn_batch *batch,
                                const mfn_verdict *verdicts,
                                size_t count,
                                mfn_error **error);

// The position behind the contiguous settled prefix of a partition. The host owns *position and frees it
// with mfn_bytes_free(). [any-thread]
mfn_status mfn_connector_position(const mfn_connector *connector,
                                  const char *partition,
                                  mfn_bytes *position,
                                  mfn_error **error);

// How many records wait to be fetched; -1 when the source can not tell. [any-thread]
mfn_status mfn_connector_backlog(const mfn_connector *connector, int64_t *backlog, mfn_error **error);

// Stops bringing records. Nothing changes hands. [any-thread]
mfn_status mfn_connector_pause(const mfn_connector *connector, mfn_error **error);

// Brings records again. Nothing changes hands. [any-thread]
mfn_status mfn_connector_resume(const mfn_connector *connector, mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_connector_last_error(const mfn_connector *connector);

// Closes and frees a connector. NULL is allowed. [one-thread-per-handle]
void mfn_connector_free(mfn_connector *connector);

// The number of records of a batch, at least 1; 0 for NULL. [any-thread]
size_t mfn_batch_count(const mfn_batch *batch);

// The partition of a batch; "" for NULL. Lent by the batch. [any-thread]
const char *mfn_batch_partition(const mfn_batch *batch);

// Counts the assignments of the partition; 0 for NULL. [any-thread]
uint64_t mfn_batch_epoch(const mfn_batch *batch);

// Lends a record of a batch. Set record->struct_size before. What it points to lives as long as the
// batch. [any-thread]
mfn_status mfn_batch_record(const mfn_batch *batch,
                            size_t index,
                            mfn_record *record,
                            mfn_error **error);

// Frees a batch and the records it lent. NULL is allowed. [any-thread]
void mfn_batch_free(mfn_batch *batch);

/* ==================================================================================================
 * Publishers: dial out and deliver records durably, with an answer for each.
 */

// No order is kept, or a repeated record looks like two.
#define MFN_TRAIT_NONE 0

// Ordering: among records of one key. Idempotence: a reader can tell a repeated record by its id.
#define MFN_TRAIT_KEY 1

// Ordering: among all records. Idempotence: the target keeps one copy by its own means.
#define MFN_TRAIT_ALL 2

// An open publisher. Freed with mfn_publisher_free().
typedef struct mfn_publisher mfn_publisher;

// What a publisher can take and promise. Set struct_size before the call.
typedef struct mfn_publisher_traits {
    // sizeof(mfn_publisher_traits).
    uint32_t struct_size;
    // The most records in one call.
    uint32_t records_max;
    // The most payload bytes in one call.
    uint64_t bytes_max;
    // Which order it keeps: one of the MFN_TRAIT_* constants.
    int32_t ordering;
    // What a repeated id does: one of the MFN_TRAIT_* constants.
    int32_t idempotence;
} mfn_publisher_traits;

// Makes a publisher of a loaded plugin and opens it; arguments as in mfn_connector_open(). The host owns
// *publisher and frees it with mfn_publisher_free(). [any-thread]
mfn_status mfn_publisher_open(const mfn_runtime *runtime,
                              const char *plugin,
                              const char *name,
                              const char *config_json,
                              const char *base_dir,
                              mfn_publisher **publisher,
                              mfn_error **error);

// Lends the common face; NULL for NULL. It lives as long as the publisher. [any-thread]
const mfn_component *mfn_publisher_component(const mfn_publisher *publisher);

// Tells what the publisher can take and promise. traits belongs to the host. [any-thread]
mfn_status mfn_publisher_get_traits(const mfn_publisher *publisher,
                                    mfn_publisher_traits *traits,
                                    mfn_error **error);

// Delivers count records (1 or more) and answers for each. MFN_OK: each was tried; results, an array of
// count pointers of the host's, then has NULL for a record that was taken and an error for one that was
// not; the host owns these errors and frees each with mfn_error_free(). Any other status: none was tried.
// attempt is 1 for the first try of these records, then counts. The records are read during the call
// only. [any-thread]
mfn_status mfn_publisher_publish(const mfn_publisher *publisher,
                                 const mfn_record *records,
                                 size_t count,
                                 uint32_t attempt,
                                 uint64_t timeout_ms,
                                 mfn_error **results,
                                 mfn_error **error);

// Makes durable what was taken, within timeout_ms. Nothing changes hands. [any-thread]
mfn_status mfn_publisher_flush(const mfn_publisher *publisher, uint64_t timeout_ms, mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_publisher_last_error(const mfn_publisher *publisher);

// Closes and frees a publisher. NULL is allowed. [one-thread-per-handle]
void mfn_publisher_free(mfn_publisher *publisher);

/* ==================================================================================================
 * Transports and exporters: hand events to whoever is connected, and show the runtime's metrics.
 *
 * A transport listens and is best effort: it never holds work back, and tells a client exactly which events
 * it missed. A metrics exporter reads the runtime's counters by itself; opening one is all there is to do.
 */

// An open metrics exporter. Freed with mfn_exporter_free().
typedef struct mfn_exporter mfn_exporter;

// An open transport. Freed with mfn_transport_free().
typedef struct mfn_transport mfn_transport;

// Makes a transport of a loaded plugin and opens it; arguments as in mfn_connector_open(). The host owns
// *transport and frees it with mfn_transport_free(). [any-thread]
mfn_status mfn_transport_open(const mfn_runtime *runtime,
                              const char *plugin,
                              const char *name,
                              const char *config_json,
                              const char *base_dir,
                              mfn_transport **transport,
                              mfn_error **error);

// Lends the common face; NULL for NULL. It lives as long as the transport. [any-thread]
const mfn_component *mfn_transport_component(const mfn_transport *transport);

// Offers an event to the clients of a topic. The event is read during the call only. cursor may be NULL;
// else the host owns *cursor, where the event stands in the stream, and frees it with mfn_string_free().
// [any-thread]
mfn_status mfn_transport_publish(const mfn_transport *transport,
                                 const char *topic,
                                 const mfn_record *event,
                                 char **cursor,
                                 mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_transport_last_error(const mfn_transport *transport);

// Closes and frees a transport. NULL is allowed. [one-thread-per-handle]
void mfn_transport_free(mfn_transport *transport);

// Makes a metrics exporter of a loaded plugin and opens it; arguments as in mfn_connector_open(). The host
// owns *exporter and frees it with mfn_exporter_free(). [any-thread]
mfn_status mfn_exporter_open(const mfn_runtime *runtime,
                             const char *plugin,
                             const char *name,
                             const char *config_json,
                             const char *base_dir,
                             mfn_exporter **exporter,
                             mfn_error **error);

// Lends the common face; NULL for NULL. It lives as long as the exporter. [any-thread]
const mfn_component *mfn_exporter_component(const mfn_exporter *exporter);

// Sends what is held back, within timeout_ms. Nothing changes hands. [any-thread]
mfn_status mfn_exporter_flush(const mfn_exporter *exporter, uint64_t timeout_ms, mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_exporter_last_error(const mfn_exporter *exporter);

// Closes and frees an exporter. NULL is allowed. [one-thread-per-handle]
void mfn_exporter_free(mfn_exporter *exporter);

/* ==================================================================================================
 * Configuration of a pipeline: one document, in TOML or JSON, that names plugins, components and routes.
 *
 * The error of a refused document lists every fault with its place and its remedy: see
 * mfn_error_fault_count().
 */

// A configuration that was read and holds together. Freed with mfn_config_free().
typedef struct mfn_config mfn_config;

// Reads a file: JSON when its name ends in .json, TOML otherwise. Relative paths in it start at the
// file's directory. The host owns *config and frees it with mfn_config_free(). [any-thread]
mfn_status mfn_config_from_file(const char *path, mfn_config **config, mfn_error **error);

// Reads a TOML text. Relative paths in it start at base_dir; NULL: at the working directory. The host
// owns *config and frees it with mfn_config_free(). [any-thread]
mfn_status mfn_config_from_toml(const char *text,
                                const char *base_dir,
                                mfn_config **config,
                                mfn_error **error);

// As mfn_config_from_toml(), from the same document as JSON. The host owns *config and frees it with
// mfn_config_free(). [any-thread]
mfn_status mfn_config_from_json(const char *text,
                                const char *base_dir,
                                mfn_config **config,
                                mfn_error **error);

// Frees a configuration. NULL is allowed. [any-thread]
void mfn_config_free(mfn_config *config);

/* ==================================================================================================
 * Outcomes and snapshots: what became of each request of a pipeline, and its result.
 */

// Computed, delivered and settled.
#define MFN_OUTCOME_OK 0

// Can not be done; it lies with the dead-letter publisher, with the reason.
#define MFN_OUTCOME_DEAD_LETTERED 1

// Can not be done; the route has no dead letters.
#define MFN_OUTCOME_REJECTED 2

// What became of one request. Freed with mfn_outcome_free().
typedef struct mfn_outcome mfn_outcome;

// The immutable result of one request. Freed with mfn_snapshot_free().
typedef struct mfn_snapshot mfn_snapshot;

// One of the MFN_OUTCOME_* constants; -1 for NULL. [any-thread]
int32_t mfn_outcome_status(const mfn_outcome *outcome);

// The request's id; "" for NULL. Lent by the outcome. [any-thread]
const char *mfn_outcome_request(const mfn_outcome *outcome);

// The route it took; "" for NULL. Lent by the outcome. [any-thread]
const char *mfn_outcome_route(const mfn_outcome *outcome);

// Why it could not be done; "" when it was. Lent by the outcome. [any-thread]
const char *mfn_outcome_reason(const mfn_outcome *outcome);

// The id of the result; "" when there is none. Lent by the outcome. [any-thread]
const char *mfn_outcome_snapshot_id(const mfn_outcome *outcome);

// How long the computation took, milliseconds; 0 for NULL. [any-thread]
double mfn_outcome_compute_ms(const mfn_outcome *outcome);

// The features. MFN_INVALID: nothing was computed. features belongs to the host. [any-thread]
mfn_status mfn_outcome_features(const mfn_outcome *outcome, mfn_features *features, mfn_error **error);

// The statistics of the run. MFN_INVALID: nothing was simulated. statistics belongs to the host.
// [any-thread]
mfn_status mfn_outcome_statistics(const mfn_outcome *outcome,
                                  mfn_statistics *statistics,
                                  mfn_error **error);

// Frees an outcome and the texts it lent. NULL is allowed. [any-thread]
void mfn_outcome_free(mfn_outcome *outcome);

// The id of the result, the same whenever the same request is computed; "" for NULL. Lent by the
// snapshot. [any-thread]
const char *mfn_snapshot_id(const mfn_snapshot *snapshot);

// The request's id; "" for NULL. Lent by the snapshot. [any-thread]
const char *mfn_snapshot_request(const mfn_snapshot *snapshot);

// The route that computed it; "" for NULL. Lent by the snapshot. [any-thread]
const char *mfn_snapshot_route(const mfn_snapshot *snapshot);

// The features. features belongs to the host. [any-thread]
mfn_status mfn_snapshot_features(const mfn_snapshot *snapshot,
                                 mfn_features *features,
                                 mfn_error **error);

// The statistics of the run. MFN_INVALID: nothing was simulated. statistics belongs to the host.
// [any-thread]
mfn_status mfn_snapshot_statistics(const mfn_snapshot *snapshot,
                                   mfn_statistics *statistics,
                                   mfn_error **error);

// Lends the final potential in volts. The view lives as long as the snapshot. [any-thread]
mfn_status mfn_snapshot_field(const mfn_snapshot *snapshot, mfn_field_view *view, mfn_error **error);

// Lends the final activator. MFN_INVALID: nothing was simulated. The view lives as long as the snapshot.
// [any-thread]
mfn_status mfn_snapshot_activator(const mfn_snapshot *snapshot,
                                  mfn_field_view *view,
                                  mfn_error **error);

// Lends the final inhibitor. MFN_INVALID: nothing was simulated. The view lives as long as the snapshot.
// [any-thread]
mfn_status mfn_snapshot_inhibitor(const mfn_snapshot *snapshot,
                                  mfn_field_view *view,
                                  mfn_error **error);

// The snapshot as one line of JSON, as publishers get it; include_field = 1 adds the final field. The
// host owns *json and frees it with mfn_string_free(). [any-thread]
mfn_status mfn_snapshot_json(const mfn_snapshot *snapshot,
                             int32_t include_field,
                             char **json,
                             mfn_error **error);

// Frees a snapshot and what it lent. NULL is allowed. [any-thread]
void mfn_snapshot_free(mfn_snapshot *snapshot);

/* ==================================================================================================
 * Pipelines: requests come in through connectors, are computed, and results leave through publishers and
 * transports, on threads of the library's own.
 *
 * Read a configuration, start, take outcomes until MFN_END, drain, free. Every request that was accepted is
 * delivered, rejected with a reason, or given back to its connector; the counters always add up:
 * received = delivered + rejected + dead_lettered + nacked + in_flight + spooled.
 */

// Fetching and computing.
#define MFN_PIPELINE_RUNNING 1

// No longer fetching; what is in flight is being finished.
#define MFN_PIPELINE_DRAINING 2

// All sources are at their end and everything is settled. Streams and metrics can still be read.
#define MFN_PIPELINE_FINISHED 3

// Drained or stopped; all components were closed or given up.
#define MFN_PIPELINE_STOPPED 4

// A component can not go on: see mfn_pipeline_trouble().
#define MFN_PIPELINE_FAILED 5

// A started pipeline. Freed with mfn_pipeline_free().
typedef struct mfn_pipeline mfn_pipeline;

// The state of a pipeline at one moment. Set struct_size before the call.
typedef struct mfn_pipeline_status {
    // sizeof(mfn_pipeline_status).
    uint32_t struct_size;
    // One of the MFN_PIPELINE_* constants.
    int32_t state;
    // Records fetched. One that was given back and came again counts twice.
    uint64_t received;
    // Records whose result is durable with all publishers, and that are settled.
    uint64_t delivered;
    // Records that can not be done, without a dead letter.
    uint64_t rejected;
    // Records that can not be done and lie with the dead-letter publisher.
    uint64_t dead_lettered;
    // Records given back to their connector, to come again.
    uint64_t nacked;
    // Records fetched and not settled yet.
    uint64_t in_flight;
    // Memory in use of the budget, bytes.
    uint64_t bytes_in_flight;
    // The most that ever was in use, bytes.
    uint64_t bytes_in_flight_peak;
    // Records waiting with the connectors; -1 when one of them can not tell.
    int64_t backlog;
    // Outcomes that the host did not take in time.
    uint64_t outcomes_dropped;
    // Events that transports did not take in time.
    uint64_t events_dropped;
    // Requests being computed.
    uint32_t active_count;
    // 0.
    uint32_t reserved;
    // Steps done of these requests together.
    uint64_t active_step;
    // Steps of these requests together.
    uint64_t active_steps_total;
    // Records settled that not every publisher has yet: in a spool, or in memory where they are accepted.
    uint64_t spooled;
    // Records that wait at a publisher for another attempt, or behind such a record.
    uint64_t backing_off;
} mfn_pipeline_status;

// What the end of a pipeline left undone. Set struct_size before the call.
typedef struct mfn_drain_report {
    // sizeof(mfn_drain_report).
    uint32_t struct_size;
    // 1 when everything in flight was finished and settled and every component closed, else 0.
    int32_t complete;
    // Records that were in flight and were given back to their connectors.
    uint64_t returned;
    // Records that could not be given back in time; they come again after a restart.
    uint64_t left;
    // Components that did not close in time and were given up.
    uint64_t components_left;
    // How long it took, milliseconds.
    uint64_t elapsed_ms;
    // Records that wait in spools for the next start.
    uint64_t spooled;
} mfn_drain_report;

// Checks a configuration as far as that goes without work: loads its plugins and lets each component
// check its part. The error lists every fault. report_json may be NULL; else the host owns *report_json,
// what was found in order, and frees it with mfn_string_free(). [any-thread]
mfn_status mfn_pipeline_check(const mfn_runtime *runtime,
                              const mfn_config *config,
                              char **report_json,
                              mfn_error **error);

// Loads the plugins of a configuration, opens its components and begins to work. The configuration stays
// the host's. The host owns *pipeline and frees it with mfn_pipeline_free(). [any-thread]
mfn_status mfn_pipeline_start(const mfn_runtime *runtime,
                              const mfn_config *config,
                              mfn_pipeline **pipeline,
                              mfn_error **error);

// Reads the counters; does no I/O and waits for nothing. status belongs to the host. [any-thread]
mfn_status mfn_pipeline_get_status(const mfn_pipeline *pipeline,
                                   mfn_pipeline_status *status,
                                   mfn_error **error);

// The whole status as a JSON object: the counters, active requests, endpoints, components with their
// health, the last error. The host owns *json and frees it with mfn_string_free(). [any-thread]
mfn_status mfn_pipeline_status_json(const mfn_pipeline *pipeline, char **json, mfn_error **error);

// The last error that a component reported. MFN_WOULD_BLOCK: there was none. The host owns *text and
// frees it with mfn_string_free(). [any-thread]
mfn_status mfn_pipeline_trouble(const mfn_pipeline *pipeline, char **text, mfn_error **error);

// Where the components can be reached. The host owns *endpoints and frees it with mfn_endpoints_free().
// [any-thread]
mfn_status mfn_pipeline_endpoints(const mfn_pipeline *pipeline,
                                  mfn_endpoints **endpoints,
                                  mfn_error **error);

// Takes the next outcome, and waits for one at most timeout_ms. MFN_WOULD_BLOCK: none came.
// MFN_END: the work is finished, stopped or failed, and all outcomes were taken. The last 4096 outcomes
// are kept. Records that a route forwards have none when they are delivered. The host owns *outcome and frees it with mfn_outcome_free(). [any-thread]
mfn_status mfn_pipeline_next_outcome(const mfn_pipeline *pipeline,
                                     uint64_t timeout_ms,
                                     mfn_outcome **outcome,
                                     mfn_error **error);

// The result of the latest request that was computed. MFN_WOULD_BLOCK: there is none yet. The host owns
// *snapshot and frees it with mfn_snapshot_free(). [any-thread]
mfn_status mfn_pipeline_last_snapshot(const mfn_pipeline *pipeline,
                                      mfn_snapshot **snapshot,
                                      mfn_error **error);

// Waits at most timeout_ms until the pipeline is finished, stopped or failed. state is set to its state
// then, one of the MFN_PIPELINE_* constants. [any-thread]
mfn_status mfn_pipeline_wait(const mfn_pipeline *pipeline,
                             uint64_t timeout_ms,
                             int32_t *state,
                             mfn_error **error);

// Ends the pipeline in order: fetches no more, finishes and settles what is in flight, closes the
// components. Near deadline_ms, what is not done is given back to its connector. Returns by then even
// when a component hangs. report may be NULL; else it belongs to the host. [any-thread]
mfn_status mfn_pipeline_drain(const mfn_pipeline *pipeline,
                              uint64_t deadline_ms,
                              mfn_drain_report *report,
                              mfn_error **error);

// Ends the pipeline at once, within two seconds: gives back what is in flight, closes the components. Cuts
// short what a mfn_pipeline_drain() of another thread would wait for. report may be NULL; else it belongs to the host. [any-thread]
mfn_status mfn_pipeline_stop(const mfn_pipeline *pipeline,
                             mfn_drain_report *report,
                             mfn_error **error);

// The last failure of a call with this handle, or NULL. The host owns it and frees it with
// mfn_error_free(). [any-thread]
mfn_error *mfn_pipeline_last_error(const mfn_pipeline *pipeline);

// Stops and frees a pipeline. Outcomes and snapshots taken from it live on. NULL is allowed.
// [one-thread-per-handle]
void mfn_pipeline_free(mfn_pipeline *pipeline);

/* ==================================================================================================
 * Health: whether a pipeline lives and can do its work, and probes that try the real thing.
 *
 * mfn_pipeline_health() is for a supervisor that asks often: it does no I/O and waits for nothing. The probes
 * reach targets and list directories, with a deadline and without side effects.
 */

// A component that is needed is not open yet.
#define MFN_READINESS_STARTING 1

// Everything works.
#define MFN_READINESS_READY 2

// Everything that is needed works, something else does not, or not well.
#define MFN_READINESS_DEGRADED 3

// Something that is needed does not work, or nothing is fetched any more; it may come back.
#define MFN_READINESS_NOT_READY 4

// The pipeline has failed or was stopped; it does not come back.
#define MFN_READINESS_DEAD 5

// Tells whether the pipeline lives and can do its work. state is set to one of the MFN_READINESS_*
// constants: send work while it is READY or DEGRADED, restart when it is DEAD. report_json may be NULL; else
// the host owns *report_json, the state with a reason for each component that is not well, and frees it with
// mfn_string_free(). [any-thread]
mfn_status mfn_pipeline_health(const mfn_pipeline *pipeline,
                               int32_t *state,
                               char **report_json,
                               mfn_error **error);

// Lets every component of a running pipeline try the real thing, all at once and each at most for
// timeout_ms; the work goes on meanwhile. passed is set to 1 when all passed, else 0. report_json may be
// NULL; else the host owns *report_json, what each component said, and frees it with mfn_string_free().
// [any-thread]
mfn_status mfn_pipeline_probe(const mfn_pipeline *pipeline,
                              uint64_t timeout_ms,
                              int32_t *passed,
                              char **report_json,
                              mfn_error **error);

// As mfn_pipeline_probe(), of a configuration that does not run: loads its plugins, makes its components and
// drops them again. Nothing is opened or consumed. MFN_INVALID: the configuration has faults, and the error
// lists all of them. The host owns *report_json and frees it with mfn_string_free(). [any-thread]
mfn_status mfn_config_probe(const mfn_runtime *runtime,
                            const mfn_config *config,
                            uint64_t timeout_ms,
                            int32_t *passed,
                            char **report_json,
                            mfn_error **error);

// As mfn_component_check(), at most for timeout_ms: a check that does not answer by then is a failure of class
// MFN_CLASS_UNKNOWN. It goes on in the background and holds up later calls of this component until it is
// done. Nothing changes hands. [any-thread]
mfn_status mfn_component_probe(const mfn_component *component,
                               uint64_t timeout_ms,
                               mfn_error **error);

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
MFN_LAYOUT_CHECK(sizeof(mfn_feature_config) == 80, mfn_feature_config_size);
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
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, compat_v4_1) == 72, mfn_feature_config_compat_v4_1);
MFN_LAYOUT_CHECK(offsetof(mfn_feature_config, wrap) == 76, mfn_feature_config_wrap);
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
MFN_LAYOUT_CHECK(sizeof(mfn_descriptor_config) == 56, mfn_descriptor_config_size);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, struct_size) == 0, mfn_descriptor_config_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, wrap) == 4, mfn_descriptor_config_wrap);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, threshold_mv) == 8, mfn_descriptor_config_threshold_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, min_box_size) == 16, mfn_descriptor_config_min_box_size);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, max_box_size) == 24, mfn_descriptor_config_max_box_size);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, box_ratio) == 32, mfn_descriptor_config_box_ratio);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, histogram_bins) == 40, mfn_descriptor_config_histogram_bins);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, connectivity) == 48, mfn_descriptor_config_connectivity);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptor_config, reserved) == 52, mfn_descriptor_config_reserved);
MFN_LAYOUT_CHECK(sizeof(mfn_descriptors) == 112, mfn_descriptors_size);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, struct_size) == 0, mfn_descriptors_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, reserved) == 4, mfn_descriptors_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, d_information) == 8, mfn_descriptors_d_information);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, d_information_r2) == 16, mfn_descriptors_d_information_r2);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, d_correlation) == 24, mfn_descriptors_d_correlation);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, d_correlation_r2) == 32, mfn_descriptors_d_correlation_r2);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, lacunarity_2) == 40, mfn_descriptors_lacunarity_2);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, lacunarity_4) == 48, mfn_descriptors_lacunarity_4);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, lacunarity_8) == 56, mfn_descriptors_lacunarity_8);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, lacunarity_16) == 64, mfn_descriptors_lacunarity_16);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, area) == 72, mfn_descriptors_area);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, perimeter) == 80, mfn_descriptors_perimeter);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, euler) == 88, mfn_descriptors_euler);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, wavelength) == 96, mfn_descriptors_wavelength);
MFN_LAYOUT_CHECK(offsetof(mfn_descriptors, entropy) == 104, mfn_descriptors_entropy);
MFN_LAYOUT_CHECK(sizeof(mfn_spec) == 216, mfn_spec_size);
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
MFN_LAYOUT_CHECK(offsetof(mfn_spec, compat) == 112, mfn_spec_compat);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, kinetics) == 116, mfn_spec_kinetics);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, precision) == 120, mfn_spec_precision);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, rng) == 124, mfn_spec_rng);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, initial_condition) == 128, mfn_spec_initial_condition);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, reserved2) == 132, mfn_spec_reserved2);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, rows) == 136, mfn_spec_rows);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, cols) == 144, mfn_spec_cols);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, record_every) == 152, mfn_spec_record_every);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, time_step) == 160, mfn_spec_time_step);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, leak_rate) == 168, mfn_spec_leak_rate);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, initial_noise) == 176, mfn_spec_initial_noise);
MFN_LAYOUT_CHECK(offsetof(mfn_spec, kinetics_parameters) == 184, mfn_spec_kinetics_parameters);
MFN_LAYOUT_CHECK(sizeof(mfn_kinetics_parameter) == 48, mfn_kinetics_parameter_size);
MFN_LAYOUT_CHECK(offsetof(mfn_kinetics_parameter, struct_size) == 0, mfn_kinetics_parameter_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_kinetics_parameter, min_inclusive) == 4, mfn_kinetics_parameter_min_inclusive);
MFN_LAYOUT_CHECK(offsetof(mfn_kinetics_parameter, name) == 8, mfn_kinetics_parameter_name);
MFN_LAYOUT_CHECK(offsetof(mfn_kinetics_parameter, meaning) == 16, mfn_kinetics_parameter_meaning);
MFN_LAYOUT_CHECK(offsetof(mfn_kinetics_parameter, min) == 24, mfn_kinetics_parameter_min);
MFN_LAYOUT_CHECK(offsetof(mfn_kinetics_parameter, max) == 32, mfn_kinetics_parameter_max);
MFN_LAYOUT_CHECK(offsetof(mfn_kinetics_parameter, default_value) == 40, mfn_kinetics_parameter_default_value);
MFN_LAYOUT_CHECK(sizeof(mfn_turing) == 144, mfn_turing_size);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, struct_size) == 0, mfn_turing_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, stability) == 4, mfn_turing_stability);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, state_count) == 8, mfn_turing_state_count);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, state) == 12, mfn_turing_state);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, activator) == 16, mfn_turing_activator);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, inhibitor) == 24, mfn_turing_inhibitor);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, f_u) == 32, mfn_turing_f_u);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, f_v) == 40, mfn_turing_f_v);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, g_u) == 48, mfn_turing_g_u);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, g_v) == 56, mfn_turing_g_v);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, d_activator) == 64, mfn_turing_d_activator);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, d_inhibitor) == 72, mfn_turing_d_inhibitor);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, time_step) == 80, mfn_turing_time_step);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, critical_ratio) == 88, mfn_turing_critical_ratio);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, q_min) == 96, mfn_turing_q_min);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, q_max) == 104, mfn_turing_q_max);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, fastest_q) == 112, mfn_turing_fastest_q);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, fastest_growth_rate) == 120, mfn_turing_fastest_growth_rate);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, wavelength_cells) == 128, mfn_turing_wavelength_cells);
MFN_LAYOUT_CHECK(offsetof(mfn_turing, mode_count) == 136, mfn_turing_mode_count);
MFN_LAYOUT_CHECK(sizeof(mfn_execution) == 40, mfn_execution_size);
MFN_LAYOUT_CHECK(offsetof(mfn_execution, struct_size) == 0, mfn_execution_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_execution, simd) == 4, mfn_execution_simd);
MFN_LAYOUT_CHECK(offsetof(mfn_execution, threads) == 8, mfn_execution_threads);
MFN_LAYOUT_CHECK(offsetof(mfn_execution, band_rows) == 16, mfn_execution_band_rows);
MFN_LAYOUT_CHECK(offsetof(mfn_execution, strip_cols) == 24, mfn_execution_strip_cols);
MFN_LAYOUT_CHECK(offsetof(mfn_execution, block_steps) == 32, mfn_execution_block_steps);
MFN_LAYOUT_CHECK(sizeof(mfn_field_view_f32) == 40, mfn_field_view_f32_size);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view_f32, data) == 0, mfn_field_view_f32_data);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view_f32, rows) == 8, mfn_field_view_f32_rows);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view_f32, cols) == 16, mfn_field_view_f32_cols);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view_f32, row_stride) == 24, mfn_field_view_f32_row_stride);
MFN_LAYOUT_CHECK(offsetof(mfn_field_view_f32, col_stride) == 32, mfn_field_view_f32_col_stride);
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
MFN_LAYOUT_CHECK(sizeof(mfn_graph_config) == 32, mfn_graph_config_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_config, struct_size) == 0, mfn_graph_config_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_config, wrap) == 4, mfn_graph_config_wrap);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_config, threshold_mv) == 8, mfn_graph_config_threshold_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_config, prune_length_cells) == 16, mfn_graph_config_prune_length_cells);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_config, prune_radii) == 24, mfn_graph_config_prune_radii);
MFN_LAYOUT_CHECK(sizeof(mfn_graph_summary) == 120, mfn_graph_summary_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, struct_size) == 0, mfn_graph_summary_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, reserved) == 4, mfn_graph_summary_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, pattern_cells) == 8, mfn_graph_summary_pattern_cells);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, skeleton_cells) == 16, mfn_graph_summary_skeleton_cells);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, nodes) == 24, mfn_graph_summary_nodes);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, junctions) == 32, mfn_graph_summary_junctions);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, tips) == 40, mfn_graph_summary_tips);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, isolated) == 48, mfn_graph_summary_isolated);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, rings) == 56, mfn_graph_summary_rings);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, branches) == 64, mfn_graph_summary_branches);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, components) == 72, mfn_graph_summary_components);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, loops) == 80, mfn_graph_summary_loops);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, total_length) == 88, mfn_graph_summary_total_length);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, mean_length) == 96, mfn_graph_summary_mean_length);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, mean_width) == 104, mfn_graph_summary_mean_width);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_summary, mean_degree) == 112, mfn_graph_summary_mean_degree);
MFN_LAYOUT_CHECK(sizeof(mfn_graph_node) == 40, mfn_graph_node_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_node, kind) == 0, mfn_graph_node_kind);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_node, degree) == 4, mfn_graph_node_degree);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_node, component) == 8, mfn_graph_node_component);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_node, cells) == 12, mfn_graph_node_cells);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_node, row) == 16, mfn_graph_node_row);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_node, col) == 24, mfn_graph_node_col);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_node, width) == 32, mfn_graph_node_width);
MFN_LAYOUT_CHECK(sizeof(mfn_graph_branch) == 40, mfn_graph_branch_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_branch, from) == 0, mfn_graph_branch_from);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_branch, to) == 4, mfn_graph_branch_to);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_branch, cells) == 8, mfn_graph_branch_cells);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_branch, reserved) == 12, mfn_graph_branch_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_branch, length) == 16, mfn_graph_branch_length);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_branch, mean_width) == 24, mfn_graph_branch_mean_width);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_branch, min_width) == 32, mfn_graph_branch_min_width);
MFN_LAYOUT_CHECK(sizeof(mfn_graph_robustness) == 40, mfn_graph_robustness_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_robustness, struct_size) == 0, mfn_graph_robustness_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_robustness, reserved) == 4, mfn_graph_robustness_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_robustness, sources_max) == 8, mfn_graph_robustness_sources_max);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_robustness, trials) == 16, mfn_graph_robustness_trials);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_robustness, recomputations_max) == 24, mfn_graph_robustness_recomputations_max);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_robustness, random_seed) == 32, mfn_graph_robustness_random_seed);
MFN_LAYOUT_CHECK(sizeof(mfn_graph_cut) == 32, mfn_graph_cut_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_cut, part) == 0, mfn_graph_cut_part);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_cut, pieces) == 4, mfn_graph_cut_pieces);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_cut, nodes) == 8, mfn_graph_cut_nodes);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_cut, cells) == 16, mfn_graph_cut_cells);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_cut, length) == 24, mfn_graph_cut_length);
MFN_LAYOUT_CHECK(sizeof(mfn_graph_percolation) == 56, mfn_graph_percolation_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, struct_size) == 0, mfn_graph_percolation_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, attack) == 4, mfn_graph_percolation_attack);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, robustness) == 8, mfn_graph_percolation_robustness);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, critical_fraction) == 16, mfn_graph_percolation_critical_fraction);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, losses) == 24, mfn_graph_percolation_losses);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, trials) == 32, mfn_graph_percolation_trials);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, sources) == 40, mfn_graph_percolation_sources);
MFN_LAYOUT_CHECK(offsetof(mfn_graph_percolation, recomputations) == 48, mfn_graph_percolation_recomputations);
MFN_LAYOUT_CHECK(sizeof(mfn_ensemble_options) == 24, mfn_ensemble_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ensemble_options, struct_size) == 0, mfn_ensemble_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ensemble_options, threads) == 4, mfn_ensemble_options_threads);
MFN_LAYOUT_CHECK(offsetof(mfn_ensemble_options, window_runs) == 8, mfn_ensemble_options_window_runs);
MFN_LAYOUT_CHECK(offsetof(mfn_ensemble_options, memory_bytes_max) == 16, mfn_ensemble_options_memory_bytes_max);
MFN_LAYOUT_CHECK(sizeof(mfn_sweep_options) == 24, mfn_sweep_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_options, struct_size) == 0, mfn_sweep_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_options, threads) == 4, mfn_sweep_options_threads);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_options, memory_bytes_max) == 8, mfn_sweep_options_memory_bytes_max);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_options, existing) == 16, mfn_sweep_options_existing);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_options, reserved) == 20, mfn_sweep_options_reserved);
MFN_LAYOUT_CHECK(sizeof(mfn_sweep_report) == 48, mfn_sweep_report_size);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_report, struct_size) == 0, mfn_sweep_report_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_report, reserved) == 4, mfn_sweep_report_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_report, runs) == 8, mfn_sweep_report_runs);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_report, resumed) == 16, mfn_sweep_report_resumed);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_report, succeeded) == 24, mfn_sweep_report_succeeded);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_report, failed) == 32, mfn_sweep_report_failed);
MFN_LAYOUT_CHECK(offsetof(mfn_sweep_report, first_failed) == 40, mfn_sweep_report_first_failed);
MFN_LAYOUT_CHECK(sizeof(mfn_aggregation_options) == 48, mfn_aggregation_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation_options, struct_size) == 0, mfn_aggregation_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation_options, method) == 4, mfn_aggregation_options_method);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation_options, byzantine) == 8, mfn_aggregation_options_byzantine);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation_options, selected) == 16, mfn_aggregation_options_selected);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation_options, iterations_max) == 24, mfn_aggregation_options_iterations_max);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation_options, smoothing) == 32, mfn_aggregation_options_smoothing);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation_options, tolerance) == 40, mfn_aggregation_options_tolerance);
MFN_LAYOUT_CHECK(sizeof(mfn_aggregation) == 40, mfn_aggregation_size);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation, struct_size) == 0, mfn_aggregation_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation, converged) == 4, mfn_aggregation_converged);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation, selected_count) == 8, mfn_aggregation_selected_count);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation, selected_index) == 16, mfn_aggregation_selected_index);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation, iterations) == 24, mfn_aggregation_iterations);
MFN_LAYOUT_CHECK(offsetof(mfn_aggregation, relative_gap_max) == 32, mfn_aggregation_relative_gap_max);
MFN_LAYOUT_CHECK(sizeof(mfn_hierarchical_options) == 56, mfn_hierarchical_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, struct_size) == 0, mfn_hierarchical_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, reserved) == 4, mfn_hierarchical_options_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, num_clusters) == 8, mfn_hierarchical_options_num_clusters);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, sample_above) == 16, mfn_hierarchical_options_sample_above);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, seed) == 24, mfn_hierarchical_options_seed);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, byzantine_fraction) == 32, mfn_hierarchical_options_byzantine_fraction);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, sample_fraction) == 40, mfn_hierarchical_options_sample_fraction);
MFN_LAYOUT_CHECK(offsetof(mfn_hierarchical_options, krum_weight) == 48, mfn_hierarchical_options_krum_weight);
MFN_LAYOUT_CHECK(sizeof(mfn_stdp_rule) == 56, mfn_stdp_rule_size);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, struct_size) == 0, mfn_stdp_rule_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, bounds) == 4, mfn_stdp_rule_bounds);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, tau_plus_s) == 8, mfn_stdp_rule_tau_plus_s);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, tau_minus_s) == 16, mfn_stdp_rule_tau_minus_s);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, a_plus) == 24, mfn_stdp_rule_a_plus);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, a_minus) == 32, mfn_stdp_rule_a_minus);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, weight_min) == 40, mfn_stdp_rule_weight_min);
MFN_LAYOUT_CHECK(offsetof(mfn_stdp_rule, weight_max) == 48, mfn_stdp_rule_weight_max);
MFN_LAYOUT_CHECK(sizeof(mfn_attention_config) == 32, mfn_attention_config_size);
MFN_LAYOUT_CHECK(offsetof(mfn_attention_config, struct_size) == 0, mfn_attention_config_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_attention_config, reserved) == 4, mfn_attention_config_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_attention_config, embed_dim) == 8, mfn_attention_config_embed_dim);
MFN_LAYOUT_CHECK(offsetof(mfn_attention_config, num_heads) == 16, mfn_attention_config_num_heads);
MFN_LAYOUT_CHECK(offsetof(mfn_attention_config, top_k) == 24, mfn_attention_config_top_k);
MFN_LAYOUT_CHECK(sizeof(mfn_network_config) == 72, mfn_network_config_size);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, struct_size) == 0, mfn_network_config_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, use_sparse_attention) == 4, mfn_network_config_use_sparse_attention);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, input_dim) == 8, mfn_network_config_input_dim);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, hidden_dim) == 16, mfn_network_config_hidden_dim);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, num_heads) == 24, mfn_network_config_num_heads);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, top_k) == 32, mfn_network_config_top_k);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, learning_rate) == 40, mfn_network_config_learning_rate);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, beta1) == 48, mfn_network_config_beta1);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, beta2) == 56, mfn_network_config_beta2);
MFN_LAYOUT_CHECK(offsetof(mfn_network_config, epsilon) == 64, mfn_network_config_epsilon);
MFN_LAYOUT_CHECK(sizeof(mfn_validation_config) == 64, mfn_validation_config_size);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, struct_size) == 0, mfn_validation_config_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, compat_v4_1) == 4, mfn_validation_config_compat_v4_1);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, seed) == 8, mfn_validation_config_seed);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, epochs) == 16, mfn_validation_config_epochs);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, batch_size) == 24, mfn_validation_config_batch_size);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, grid_size) == 32, mfn_validation_config_grid_size);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, steps) == 40, mfn_validation_config_steps);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, turing_enabled) == 48, mfn_validation_config_turing_enabled);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, quantum_jitter) == 52, mfn_validation_config_quantum_jitter);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, use_sparse_attention) == 56, mfn_validation_config_use_sparse_attention);
MFN_LAYOUT_CHECK(offsetof(mfn_validation_config, reserved) == 60, mfn_validation_config_reserved);
MFN_LAYOUT_CHECK(sizeof(mfn_validation) == 112, mfn_validation_size);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, struct_size) == 0, mfn_validation_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, reserved) == 4, mfn_validation_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, loss_start) == 8, mfn_validation_loss_start);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, loss_final) == 16, mfn_validation_loss_final);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, loss_drop) == 24, mfn_validation_loss_drop);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, pot_min_mv) == 32, mfn_validation_pot_min_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, pot_max_mv) == 40, mfn_validation_pot_max_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, example_fractal_dim) == 48, mfn_validation_example_fractal_dim);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, lyapunov_exponent) == 56, mfn_validation_lyapunov_exponent);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, lyapunov_mean) == 64, mfn_validation_lyapunov_mean);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, growth_events) == 72, mfn_validation_growth_events);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, nernst_symbolic_mv) == 80, mfn_validation_nernst_symbolic_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, nernst_numeric_mv) == 88, mfn_validation_nernst_numeric_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, nernst_rtfz_mv) == 96, mfn_validation_nernst_rtfz_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_validation, loss_constant) == 104, mfn_validation_loss_constant);
MFN_LAYOUT_CHECK(sizeof(mfn_permeation) == 32, mfn_permeation_size);
MFN_LAYOUT_CHECK(offsetof(mfn_permeation, valence) == 0, mfn_permeation_valence);
MFN_LAYOUT_CHECK(offsetof(mfn_permeation, reserved) == 4, mfn_permeation_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_permeation, permeability) == 8, mfn_permeation_permeability);
MFN_LAYOUT_CHECK(offsetof(mfn_permeation, outside_molar) == 16, mfn_permeation_outside_molar);
MFN_LAYOUT_CHECK(offsetof(mfn_permeation, inside_molar) == 24, mfn_permeation_inside_molar);
MFN_LAYOUT_CHECK(sizeof(mfn_ode_options) == 104, mfn_ode_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, struct_size) == 0, mfn_ode_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, method) == 4, mfn_ode_options_method);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, time_start) == 8, mfn_ode_options_time_start);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, time_end) == 16, mfn_ode_options_time_end);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, time_step) == 24, mfn_ode_options_time_step);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, steps) == 32, mfn_ode_options_steps);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, relative_tolerance) == 40, mfn_ode_options_relative_tolerance);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, absolute_tolerance) == 48, mfn_ode_options_absolute_tolerance);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, step_first) == 56, mfn_ode_options_step_first);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, step_max) == 64, mfn_ode_options_step_max);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, steps_max) == 72, mfn_ode_options_steps_max);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, clamp) == 80, mfn_ode_options_clamp);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, allow_not_finite) == 84, mfn_ode_options_allow_not_finite);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, clamp_min) == 88, mfn_ode_options_clamp_min);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_options, clamp_max) == 96, mfn_ode_options_clamp_max);
MFN_LAYOUT_CHECK(sizeof(mfn_ode_report) == 48, mfn_ode_report_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_report, struct_size) == 0, mfn_ode_report_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_report, reserved) == 4, mfn_ode_report_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_report, accepted) == 8, mfn_ode_report_accepted);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_report, rejected) == 16, mfn_ode_report_rejected);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_report, evaluations) == 24, mfn_ode_report_evaluations);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_report, time) == 32, mfn_ode_report_time);
MFN_LAYOUT_CHECK(offsetof(mfn_ode_report, clamping_events) == 40, mfn_ode_report_clamping_events);
MFN_LAYOUT_CHECK(sizeof(mfn_affine_map) == 48, mfn_affine_map_size);
MFN_LAYOUT_CHECK(offsetof(mfn_affine_map, a) == 0, mfn_affine_map_a);
MFN_LAYOUT_CHECK(offsetof(mfn_affine_map, b) == 8, mfn_affine_map_b);
MFN_LAYOUT_CHECK(offsetof(mfn_affine_map, c) == 16, mfn_affine_map_c);
MFN_LAYOUT_CHECK(offsetof(mfn_affine_map, d) == 24, mfn_affine_map_d);
MFN_LAYOUT_CHECK(offsetof(mfn_affine_map, e) == 32, mfn_affine_map_e);
MFN_LAYOUT_CHECK(offsetof(mfn_affine_map, f) == 40, mfn_affine_map_f);
MFN_LAYOUT_CHECK(sizeof(mfn_ifs_window) == 32, mfn_ifs_window_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_window, x_min) == 0, mfn_ifs_window_x_min);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_window, x_max) == 8, mfn_ifs_window_x_max);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_window, y_min) == 16, mfn_ifs_window_y_min);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_window, y_max) == 24, mfn_ifs_window_y_max);
MFN_LAYOUT_CHECK(sizeof(mfn_ifs_config_v4_1) == 48, mfn_ifs_config_v4_1_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_config_v4_1, struct_size) == 0, mfn_ifs_config_v4_1_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_config_v4_1, of_model) == 4, mfn_ifs_config_v4_1_of_model);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_config_v4_1, point_count) == 8, mfn_ifs_config_v4_1_point_count);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_config_v4_1, map_count) == 16, mfn_ifs_config_v4_1_map_count);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_config_v4_1, scale_min) == 24, mfn_ifs_config_v4_1_scale_min);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_config_v4_1, scale_max) == 32, mfn_ifs_config_v4_1_scale_max);
MFN_LAYOUT_CHECK(offsetof(mfn_ifs_config_v4_1, translation_range) == 40, mfn_ifs_config_v4_1_translation_range);
MFN_LAYOUT_CHECK(sizeof(mfn_change_rates) == 40, mfn_change_rates_size);
MFN_LAYOUT_CHECK(offsetof(mfn_change_rates, struct_size) == 0, mfn_change_rates_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_change_rates, reserved) == 4, mfn_change_rates_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_change_rates, mean_log_step_change) == 8, mfn_change_rates_mean_log_step_change);
MFN_LAYOUT_CHECK(offsetof(mfn_change_rates, mean_change_rate) == 16, mfn_change_rates_mean_change_rate);
MFN_LAYOUT_CHECK(offsetof(mfn_change_rates, max_change_rate) == 24, mfn_change_rates_max_change_rate);
MFN_LAYOUT_CHECK(offsetof(mfn_change_rates, final_std) == 32, mfn_change_rates_final_std);
MFN_LAYOUT_CHECK(sizeof(mfn_field_statistics) == 64, mfn_field_statistics_size);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, struct_size) == 0, mfn_field_statistics_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, reserved) == 4, mfn_field_statistics_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, min) == 8, mfn_field_statistics_min);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, max) == 16, mfn_field_statistics_max);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, mean) == 24, mfn_field_statistics_mean);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, std) == 32, mfn_field_statistics_std);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, nan_count) == 40, mfn_field_statistics_nan_count);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, inf_count) == 48, mfn_field_statistics_inf_count);
MFN_LAYOUT_CHECK(offsetof(mfn_field_statistics, finite_fraction) == 56, mfn_field_statistics_finite_fraction);
MFN_LAYOUT_CHECK(sizeof(mfn_lyapunov_options) == 72, mfn_lyapunov_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, struct_size) == 0, mfn_lyapunov_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, method) == 4, mfn_lyapunov_options_method);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, separation) == 8, mfn_lyapunov_options_separation);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, steps_per_interval) == 16, mfn_lyapunov_options_steps_per_interval);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, transient) == 24, mfn_lyapunov_options_transient);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, intervals) == 32, mfn_lyapunov_options_intervals);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, time_start) == 40, mfn_lyapunov_options_time_start);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, time_step) == 48, mfn_lyapunov_options_time_step);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, relative_tolerance) == 56, mfn_lyapunov_options_relative_tolerance);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_options, absolute_tolerance) == 64, mfn_lyapunov_options_absolute_tolerance);
MFN_LAYOUT_CHECK(sizeof(mfn_lyapunov_estimate) == 32, mfn_lyapunov_estimate_size);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_estimate, struct_size) == 0, mfn_lyapunov_estimate_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_estimate, reserved) == 4, mfn_lyapunov_estimate_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_estimate, exponent) == 8, mfn_lyapunov_estimate_exponent);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_estimate, standard_error) == 16, mfn_lyapunov_estimate_standard_error);
MFN_LAYOUT_CHECK(offsetof(mfn_lyapunov_estimate, intervals) == 24, mfn_lyapunov_estimate_intervals);
MFN_LAYOUT_CHECK(sizeof(mfn_model_v4_1) == 72, mfn_model_v4_1_size);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, struct_size) == 0, mfn_model_v4_1_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, turing_enabled) == 4, mfn_model_v4_1_turing_enabled);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, grid_size) == 8, mfn_model_v4_1_grid_size);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, steps) == 16, mfn_model_v4_1_steps);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, alpha) == 24, mfn_model_v4_1_alpha);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, spike_probability) == 32, mfn_model_v4_1_spike_probability);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, turing_threshold) == 40, mfn_model_v4_1_turing_threshold);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, jitter_var) == 48, mfn_model_v4_1_jitter_var);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, quantum_jitter) == 56, mfn_model_v4_1_quantum_jitter);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, reserved) == 60, mfn_model_v4_1_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_model_v4_1, random_seed) == 64, mfn_model_v4_1_random_seed);
MFN_LAYOUT_CHECK(sizeof(mfn_picture_options) == 32, mfn_picture_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_picture_options, struct_size) == 0, mfn_picture_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_picture_options, side_px) == 4, mfn_picture_options_side_px);
MFN_LAYOUT_CHECK(offsetof(mfn_picture_options, title) == 8, mfn_picture_options_title);
MFN_LAYOUT_CHECK(offsetof(mfn_picture_options, range_low_mv) == 16, mfn_picture_options_range_low_mv);
MFN_LAYOUT_CHECK(offsetof(mfn_picture_options, range_high_mv) == 24, mfn_picture_options_range_high_mv);
MFN_LAYOUT_CHECK(sizeof(mfn_log_record) == 40, mfn_log_record_size);
MFN_LAYOUT_CHECK(offsetof(mfn_log_record, struct_size) == 0, mfn_log_record_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_log_record, level) == 4, mfn_log_record_level);
MFN_LAYOUT_CHECK(offsetof(mfn_log_record, target) == 8, mfn_log_record_target);
MFN_LAYOUT_CHECK(offsetof(mfn_log_record, message) == 16, mfn_log_record_message);
MFN_LAYOUT_CHECK(offsetof(mfn_log_record, component) == 24, mfn_log_record_component);
MFN_LAYOUT_CHECK(offsetof(mfn_log_record, plugin) == 32, mfn_log_record_plugin);
MFN_LAYOUT_CHECK(sizeof(mfn_runtime_options) == 48, mfn_runtime_options_size);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, struct_size) == 0, mfn_runtime_options_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, threads) == 4, mfn_runtime_options_threads);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, log_level) == 8, mfn_runtime_options_log_level);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, require_manifest) == 12, mfn_runtime_options_require_manifest);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, log_queue_max) == 16, mfn_runtime_options_log_queue_max);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, log) == 24, mfn_runtime_options_log);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, log_user_data) == 32, mfn_runtime_options_log_user_data);
MFN_LAYOUT_CHECK(offsetof(mfn_runtime_options, log_destroy) == 40, mfn_runtime_options_log_destroy);
MFN_LAYOUT_CHECK(sizeof(mfn_header) == 24, mfn_header_size);
MFN_LAYOUT_CHECK(offsetof(mfn_header, name) == 0, mfn_header_name);
MFN_LAYOUT_CHECK(offsetof(mfn_header, value) == 8, mfn_header_value);
MFN_LAYOUT_CHECK(offsetof(mfn_header, value_len) == 16, mfn_header_value_len);
MFN_LAYOUT_CHECK(sizeof(mfn_record) == 88, mfn_record_size);
MFN_LAYOUT_CHECK(offsetof(mfn_record, struct_size) == 0, mfn_record_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_record, has_timestamp) == 4, mfn_record_has_timestamp);
MFN_LAYOUT_CHECK(offsetof(mfn_record, id) == 8, mfn_record_id);
MFN_LAYOUT_CHECK(offsetof(mfn_record, content_type) == 16, mfn_record_content_type);
MFN_LAYOUT_CHECK(offsetof(mfn_record, trace_parent) == 24, mfn_record_trace_parent);
MFN_LAYOUT_CHECK(offsetof(mfn_record, key) == 32, mfn_record_key);
MFN_LAYOUT_CHECK(offsetof(mfn_record, key_len) == 40, mfn_record_key_len);
MFN_LAYOUT_CHECK(offsetof(mfn_record, payload) == 48, mfn_record_payload);
MFN_LAYOUT_CHECK(offsetof(mfn_record, payload_len) == 56, mfn_record_payload_len);
MFN_LAYOUT_CHECK(offsetof(mfn_record, headers) == 64, mfn_record_headers);
MFN_LAYOUT_CHECK(offsetof(mfn_record, header_count) == 72, mfn_record_header_count);
MFN_LAYOUT_CHECK(offsetof(mfn_record, timestamp_ms) == 80, mfn_record_timestamp_ms);
MFN_LAYOUT_CHECK(sizeof(mfn_verdict) == 16, mfn_verdict_size);
MFN_LAYOUT_CHECK(offsetof(mfn_verdict, fate) == 0, mfn_verdict_fate);
MFN_LAYOUT_CHECK(offsetof(mfn_verdict, delay_ms) == 4, mfn_verdict_delay_ms);
MFN_LAYOUT_CHECK(offsetof(mfn_verdict, reason) == 8, mfn_verdict_reason);
MFN_LAYOUT_CHECK(sizeof(mfn_publisher_traits) == 24, mfn_publisher_traits_size);
MFN_LAYOUT_CHECK(offsetof(mfn_publisher_traits, struct_size) == 0, mfn_publisher_traits_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_publisher_traits, records_max) == 4, mfn_publisher_traits_records_max);
MFN_LAYOUT_CHECK(offsetof(mfn_publisher_traits, bytes_max) == 8, mfn_publisher_traits_bytes_max);
MFN_LAYOUT_CHECK(offsetof(mfn_publisher_traits, ordering) == 16, mfn_publisher_traits_ordering);
MFN_LAYOUT_CHECK(offsetof(mfn_publisher_traits, idempotence) == 20, mfn_publisher_traits_idempotence);
MFN_LAYOUT_CHECK(sizeof(mfn_pipeline_status) == 136, mfn_pipeline_status_size);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, struct_size) == 0, mfn_pipeline_status_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, state) == 4, mfn_pipeline_status_state);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, received) == 8, mfn_pipeline_status_received);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, delivered) == 16, mfn_pipeline_status_delivered);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, rejected) == 24, mfn_pipeline_status_rejected);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, dead_lettered) == 32, mfn_pipeline_status_dead_lettered);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, nacked) == 40, mfn_pipeline_status_nacked);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, in_flight) == 48, mfn_pipeline_status_in_flight);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, bytes_in_flight) == 56, mfn_pipeline_status_bytes_in_flight);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, bytes_in_flight_peak) == 64, mfn_pipeline_status_bytes_in_flight_peak);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, backlog) == 72, mfn_pipeline_status_backlog);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, outcomes_dropped) == 80, mfn_pipeline_status_outcomes_dropped);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, events_dropped) == 88, mfn_pipeline_status_events_dropped);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, active_count) == 96, mfn_pipeline_status_active_count);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, reserved) == 100, mfn_pipeline_status_reserved);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, active_step) == 104, mfn_pipeline_status_active_step);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, active_steps_total) == 112, mfn_pipeline_status_active_steps_total);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, spooled) == 120, mfn_pipeline_status_spooled);
MFN_LAYOUT_CHECK(offsetof(mfn_pipeline_status, backing_off) == 128, mfn_pipeline_status_backing_off);
MFN_LAYOUT_CHECK(sizeof(mfn_drain_report) == 48, mfn_drain_report_size);
MFN_LAYOUT_CHECK(offsetof(mfn_drain_report, struct_size) == 0, mfn_drain_report_struct_size);
MFN_LAYOUT_CHECK(offsetof(mfn_drain_report, complete) == 4, mfn_drain_report_complete);
MFN_LAYOUT_CHECK(offsetof(mfn_drain_report, returned) == 8, mfn_drain_report_returned);
MFN_LAYOUT_CHECK(offsetof(mfn_drain_report, left) == 16, mfn_drain_report_left);
MFN_LAYOUT_CHECK(offsetof(mfn_drain_report, components_left) == 24, mfn_drain_report_components_left);
MFN_LAYOUT_CHECK(offsetof(mfn_drain_report, elapsed_ms) == 32, mfn_drain_report_elapsed_ms);
MFN_LAYOUT_CHECK(offsetof(mfn_drain_report, spooled) == 40, mfn_drain_report_spooled);
#undef MFN_LAYOUT_CHECK
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MFN_H */
