/* A host with a solver of its own: Gray-Scott on a grid that the program owns (Pearson, 1993). The library
   reads the field where it lies, with its ghost cells around it, every 500 steps; nothing is copied. */
#include <mfn.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 96, WIDTH = SIDE + 2, STEPS = 2000, EVERY = 500 };

static double u[2][WIDTH][WIDTH], v[2][WIDTH][WIDTH]; /* one ghost cell on each side */

static void wrap(double field[WIDTH][WIDTH])
{
    int i;

    for (i = 1; i <= SIDE; i++) {
        field[i][0] = field[i][SIDE];
        field[i][SIDE + 1] = field[i][1];
    }
    memcpy(field[0], field[SIDE], sizeof field[0]);
    memcpy(field[SIDE + 1], field[1], sizeof field[0]);
}

static double laplacian(double field[WIDTH][WIDTH], int row, int col)
{
    return field[row - 1][col] + field[row + 1][col] + field[row][col - 1] + field[row][col + 1]
        - 4 * field[row][col];
}

static void step(int now)
{
    int row, col;

    wrap(u[now]);
    wrap(v[now]);
    for (row = 1; row <= SIDE; row++) {
        for (col = 1; col <= SIDE; col++) {
            double a = u[now][row][col], b = v[now][row][col], abb = a * b * b;
            u[!now][row][col] = a + 0.16 * laplacian(u[now], row, col) - abb + 0.060 * (1 - a);
            v[!now][row][col] = b + 0.08 * laplacian(v[now], row, col) + abb - (0.060 + 0.062) * b;
        }
    }
}

int main(void)
{
    mfn_error *error = NULL;
    mfn_feature_config config;
    int row, col, t;

    for (row = 0; row < WIDTH; row++)
        for (col = 0; col < WIDTH; col++) {
            int seeded = (row + 9 * (col / 32)) % 32 < 12 && (col + 5 * (row / 32)) % 32 < 12;
            u[0][row][col] = seeded ? 0.50 : 1.0;
            v[0][row][col] = seeded ? 0.25 : 0.0;
        }
    if (mfn_feature_config_init(&config, sizeof config, &error)) goto failed;
    config.threshold_low_mv = 250; /* the library counts in millivolts: this is v > 0.25 */

    for (t = 1; t <= STEPS; t++) {
        step((t - 1) % 2);
        if (t % EVERY == 0) {
            mfn_features f = {.struct_size = sizeof f};
            mfn_field_view view = {&v[t % 2][1][1], SIDE, SIDE, WIDTH, 1};
            if (mfn_features_compute(&view, &config, &f, &error)) goto failed;
            printf("step %4d: active %4.1f %%, %3.0f clusters, D_box %.3f\n", t, 100 * f.f_active,
                   f.n_clusters_low, f.d_box);
        }
    }
    return 0;

failed:
    fprintf(stderr, "%s\n", mfn_error_message(error));
    mfn_error_free(error);
    return 1;
}
