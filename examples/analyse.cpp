// A host with a solver of its own: Gray-Scott on a grid that the program owns (Pearson, 1993). The library reads the
// field where it lies, with its ghost cells around it, every 500 steps; nothing is copied.
#include <mfn.hpp>

#include <array>
#include <cstddef>
#include <cstdio>

namespace {

constexpr std::size_t side = 96, width = side + 2;  // one ghost cell on each side
constexpr int steps = 2000, every = 500;

using grid = std::array<std::array<double, width>, width>;

void wrap(grid& field) {
    for (std::size_t i = 1; i <= side; ++i) {
        field[i][0] = field[i][side];
        field[i][side + 1] = field[i][1];
    }
    field[0] = field[side];
    field[side + 1] = field[1];
}

double laplacian(const grid& field, std::size_t row, std::size_t col) {
    return field[row - 1][col] + field[row + 1][col] + field[row][col - 1] + field[row][col + 1] - 4 * field[row][col];
}

// Two substances, now and one step later.
struct reaction {
    std::array<grid, 2> u, v;
    std::size_t now = 0;

    reaction() {
        for (std::size_t row = 0; row < width; ++row)
            for (std::size_t col = 0; col < width; ++col) {
                const bool seeded = (row + 9 * (col / 32)) % 32 < 12 && (col + 5 * (row / 32)) % 32 < 12;
                u[0][row][col] = seeded ? 0.50 : 1.0;
                v[0][row][col] = seeded ? 0.25 : 0.0;
            }
    }

    void step() {
        const std::size_t next = 1 - now;
        wrap(u[now]);
        wrap(v[now]);
        for (std::size_t row = 1; row <= side; ++row)
            for (std::size_t col = 1; col <= side; ++col) {
                const double a = u[now][row][col], b = v[now][row][col], abb = a * b * b;
                u[next][row][col] = a + 0.16 * laplacian(u[now], row, col) - abb + 0.060 * (1 - a);
                v[next][row][col] = b + 0.08 * laplacian(v[now], row, col) + abb - (0.060 + 0.062) * b;
            }
        now = next;
    }

    // The inner cells of the second substance, where they lie.
    mfn::field_view pattern() const { return {&v[now][1][1], side, side, width, 1}; }
};

}  // namespace

int main() try {
    static reaction solver;
    mfn::feature_config config;
    config.threshold_low_mv = 250;  // the library counts in millivolts: this is v > 0.25

    for (int t = 1; t <= steps; ++t) {
        solver.step();
        if (t % every != 0) continue;
        const auto f = mfn::features::compute(solver.pattern(), config).value_or_throw();
        std::printf("step %4d: active %4.1f %%, %3.0f clusters, D_box %.3f\n", t, 100 * f.f_active, f.n_clusters_low,
                    f.d_box);
    }
} catch (const mfn::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
}
