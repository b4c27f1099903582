/* Guards the functions of descriptors against arguments that no caller should give: each is refused with a message that
   names the argument, nothing is written, and nothing leaks. */
#include "expect.h"
#include <math.h>

#define MISALIGNED(type, pointer) ((type)(void *)((char *)(pointer) + 1))

static mfn_error *error;
static double cells[32];

static void check_config(const mfn_field_view *view, mfn_descriptors *found)
{
    mfn_descriptor_config config, defaults;

    CALL(mfn_descriptor_config_init(NULL, sizeof config, &error), MFN_INVALID, "config is NULL");
    CALL(mfn_descriptor_config_init(&config, 3, &error), MFN_INVALID, "struct_size = 3");
    CALL(mfn_descriptor_config_init(&defaults, sizeof defaults, &error), MFN_OK, "");
    EXPECT(defaults.threshold_mv == -60 && defaults.wrap == 0 && defaults.connectivity == 8 && defaults.max_box_size == 0);
    config = defaults;
    config.struct_size = 8;
    CALL(mfn_descriptors_compute(view, &config, found, &error), MFN_INVALID, "sizeof(mfn_descriptor_config)");
    config = defaults;
    config.wrap = 2;
    CALL(mfn_descriptors_compute(view, &config, found, &error), MFN_INVALID, "config.wrap = 2");
    config = defaults;
    config.connectivity = 6;
    CALL(mfn_descriptors_compute(view, &config, found, &error), MFN_INVALID, "config.connectivity = 6");
    config = defaults;
    config.reserved = 1;
    CALL(mfn_descriptors_compute(view, &config, found, &error), MFN_INVALID, "config.reserved = 1");
    config = defaults;
    config.threshold_mv = NAN;
    config.min_box_size = 0;
    config.max_box_size = UINT64_MAX;
    config.box_ratio = 1;
    config.histogram_bins = 0;
    CALL(mfn_descriptors_compute(view, &config, found, &error), MFN_INVALID, "threshold_mv = NaN");
    EXPECT(mfn_descriptors_compute(view, &config, found, &error) == MFN_INVALID && mfn_error_fault_count(error) == 5);
    mfn_error_free(error);
    error = NULL;
}

int main(void)
{
    mfn_field_view view = mfn_field_rows(cells, 4, 8), bad;
    mfn_descriptors found = {.struct_size = sizeof found, .area = 7}, before = found;

    CALL(mfn_descriptors_compute(NULL, NULL, &found, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_descriptors_compute(&view, NULL, NULL, &error), MFN_INVALID, "descriptors is NULL");
    CALL(mfn_descriptors_compute(&view, MISALIGNED(mfn_descriptor_config *, cells), &found, &error), MFN_INVALID, "misaligned");
    CALL(mfn_descriptors_compute(&view, NULL, MISALIGNED(mfn_descriptors *, &found), &error), MFN_INVALID, "misaligned");
    EXPECT(mfn_descriptors_compute(NULL, NULL, NULL, NULL) == MFN_INVALID);
    check_config(&view, &found);
    bad = mfn_field_rows(cells, 0, 4);
    CALL(mfn_descriptors_compute(&bad, NULL, &found, &error), MFN_INVALID, "field.rows = 0");
    cells[13] = INFINITY;
    CALL(mfn_descriptors_compute(&view, NULL, &found, &error), MFN_INVALID, "cell (1, 5) of the field is inf");
    EXPECT(memcmp(&found, &before, sizeof found) == 0);
    found.struct_size = 4;
    CALL(mfn_descriptors_compute(&view, NULL, &found, &error), MFN_INVALID, "sizeof(mfn_descriptors)");

    EXPECT(strcmp(mfn_descriptor_name(8), "area") == 0 && mfn_descriptor_name(MFN_DESCRIPTOR_COUNT) == NULL);
    EXPECT(strcmp(mfn_descriptor_unit(12), "bit") == 0 && mfn_descriptor_unit((size_t)-1) == NULL);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
