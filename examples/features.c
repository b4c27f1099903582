/* Features of an array that the program owns, in place: a 64 x 64 window of a larger image whose rows are stored
   bottom up. Nothing is copied; the view only says where the cells lie. */
#include <mfn.h>
#include <math.h>
#include <stdio.h>

enum { WIDTH = 100, HEIGHT = 80, WINDOW = 64 };

static double image[HEIGHT][WIDTH];

int main(void)
{
    mfn_features features = {.struct_size = sizeof features};
    mfn_error *error = NULL;
    mfn_field_view window;
    const double *values;
    size_t i;
    int row, col;

    /* A ripple between -90 and -30 mV around the middle of the image. */
    for (row = 0; row < HEIGHT; row++)
        for (col = 0; col < WIDTH; col++)
            image[row][col] = -0.060 + 0.030 * cos(hypot(row - HEIGHT / 2, col - WIDTH / 2) / 4);

    window.data = &image[HEIGHT - 1][10]; /* the upper left cell of the window is in the last row stored */
    window.rows = WINDOW;
    window.cols = WINDOW;
    window.row_stride = -WIDTH;
    window.col_stride = 1;
    if (mfn_features_compute(&window, NULL, &features, &error) != MFN_OK) {
        fprintf(stderr, "%s\n", mfn_error_message(error));
        mfn_error_free(error);
        return 1;
    }
    values = &features.d_box;
    for (i = 0; i < MFN_FEATURE_COUNT; i++)
        printf("%-18s %14.6g %s\n", mfn_feature_name(i), values[i], mfn_feature_unit(i));
    return 0;
}
