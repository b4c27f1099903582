/* Guards the descriptors of a host's own array, read in place: a block and a wave whose answers are known. */
#include "expect.h"
#include <math.h>

enum { ROWS = 32, COLS = 64 };

int main(void)
{
    static double cells[ROWS][2 * COLS];
    mfn_descriptors found = {.struct_size = sizeof found};
    mfn_descriptor_config config;
    mfn_error *error = NULL;
    /* Every second number of an array of the host's. */
    mfn_field_view view = mfn_field_rows(&cells[0][0], ROWS, COLS);
    int row, col;

    view.row_stride = 2 * COLS;
    view.col_stride = 2;
    for (row = 0; row < ROWS; row++)
        for (col = 0; col < COLS; col++) {
            cells[row][2 * col] = row >= 16 && col >= 16 && col < 32 ? 0 : -0.080;
            cells[row][2 * col + 1] = NAN;
        }
    CALL(mfn_descriptors_compute(&view, NULL, &found, &error), MFN_OK, "");
    EXPECT(found.area == 256 && found.perimeter == 64 && found.euler == 1);
    EXPECT(fabs(found.d_information - 2) < 1e-12 && fabs(found.d_correlation - 2) < 1e-12);
    EXPECT(fabs(found.d_information_r2 - 1) < 1e-12 && found.lacunarity_2 > found.lacunarity_16);
    /* One eighth of the cells at one level; log2(7). */
    EXPECT(fabs(found.entropy - (3 - 0.875 * 2.807354922057604)) < 1e-12);

    for (row = 0; row < ROWS; row++)
        for (col = 0; col < COLS; col++)
            cells[row][2 * col] = (col / 4) % 2 == 0 ? 0 : -0.080;
    CALL(mfn_descriptor_config_init(&config, sizeof config, &error), MFN_OK, "");
    config.wrap = 1;
    config.histogram_bins = 2;
    CALL(mfn_descriptors_compute(&view, &config, &found, &error), MFN_OK, "");
    EXPECT(fabs(found.wavelength - 8) < 1e-9 && found.entropy == 1 && found.lacunarity_8 == 1);
    EXPECT(found.area == ROWS * COLS / 2 && found.perimeter == ROWS * COLS / 4 && found.euler == 0);
    return 0;
}
