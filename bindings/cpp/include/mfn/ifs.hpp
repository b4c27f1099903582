/// \file
/// Iterated function systems: fractal point sets from affine maps of the plane.
#pragma once

#include <mfn/callback.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mfn {

/// The map (x, y) -> (a x + b y + e, c x + d y + f).
using affine_map = mfn_affine_map;
/// The part of the plane that a raster shows.
using ifs_window = mfn_ifs_window;

/// What the generator of MyceliumFractalNet 4.1 draws; begins with its defaults.
struct ifs_config_v4_1 : sized<mfn_ifs_config_v4_1> {
    ifs_config_v4_1() noexcept { detail::initialise<mfn_ifs_config_v4_1>(*this, mfn_ifs_init_v4_1); }
};

/// What that generator drew.
struct ifs_orbit_v4_1 {
    std::vector<affine_map> maps;
    std::vector<double> points;       ///< x, y, x, y, ...
    double mean_log_area_change = 0;  ///< What v4.1 calls the Lyapunov exponent.
    double distance_max = 0;          ///< The largest magnitude of a coordinate.
};

/// Both Lyapunov exponents of a system, 1 per map applied.
struct ifs_exponents {
    double largest = 0;
    double smallest = 0;
};

/// A system: maps, and weights in proportion to which the chaos game chooses them (none: all alike). Results depend on
/// them and the seed alone. All functions are [any-thread] and compute on the calling one.
class ifs {
public:
    explicit ifs(std::vector<affine_map> maps, std::vector<double> weights = {})
        : maps_(std::move(maps)), weights_(std::move(weights)) {}

    [[nodiscard]] const std::vector<affine_map>& maps() const noexcept { return maps_; }

    /// Points (x, y, x, y, ...) of the attractor.
    [[nodiscard]] result<std::vector<double>> points(std::uint64_t random_seed, std::size_t point_count) const {
        if (auto bad = wrong_weights()) return bad;
        constexpr std::size_t points_max = std::size_t{1} << 28;  // refused beyond by the library, before memory is
        std::vector<double> points(point_count <= points_max ? 2 * point_count : 2);
        auto done = detail::call(mfn_ifs_points, maps_.data(), weights(), maps_.size(), random_seed, points.data(),
                                 point_count);
        if (!done) return done.error();
        return points;
    }

    /// The similarity dimension (Moran, 1946).
    [[nodiscard]] result<double> dimension() const {
        return detail::fetch<double>(mfn_ifs_dimension, maps_.data(), maps_.size());
    }

    /// Both Lyapunov exponents, from `steps` maps (1 to 10^9).
    [[nodiscard]] result<ifs_exponents> exponents(std::uint64_t random_seed, std::uint64_t steps) const {
        if (auto bad = wrong_weights()) return bad;
        ifs_exponents found;
        auto done = detail::call(mfn_ifs_exponents, maps_.data(), weights(), maps_.size(), random_seed, steps,
                                 &found.largest, &found.smallest);
        if (!done) return done.error();
        return found;
    }

    /// Marks the cells of a rows x cols grid over a window that points visit with 1, the others with 0. `progress(done,
    /// total)` may stop the work. Gives the number of points in the window.
    template <class F>
    result<std::uint64_t> raster(std::uint64_t random_seed, std::uint64_t point_count, const ifs_window& window,
                                 span<double> cells, std::size_t rows, std::size_t cols, F&& progress) const {
        if (auto bad = wrong_weights()) return bad;
        if (!detail::is_product(cells.size(), {rows, cols}))
            return detail::wrong_size("cells", cells.size(), "rows * cols");
        std::uint64_t inside = 0;
        auto done = detail::lend(progress, [&](void* user_data, mfn_error** error) {
            return mfn_ifs_raster(maps_.data(), weights(), maps_.size(), random_seed, point_count, &window,
                                  detail::borrowed<std::remove_reference_t<F>>::call, user_data, cells.data(), rows,
                                  cols, &inside, error);
        });
        if (!done) return done.error();
        return inside;
    }
    result<std::uint64_t> raster(std::uint64_t random_seed, std::uint64_t point_count, const ifs_window& window,
                                 span<double> cells, std::size_t rows, std::size_t cols) const {
        return raster(random_seed, point_count, window, cells, rows, cols, [](std::uint64_t, std::uint64_t) {});
    }

    /// Draws the maps and the orbit that MyceliumFractalNet 4.1 draws.
    static result<ifs_orbit_v4_1> generate_v4_1(const ifs_config_v4_1& config, std::uint64_t random_seed) {
        // Numbers beyond these are refused by the library; they must not become memory first.
        constexpr std::uint64_t maps_max = 4096, points_max = 100'000'000;
        if (config.map_count > maps_max || config.point_count > points_max)
            return error(status::invalid, "map_count is at most 4096 and point_count at most 10^8");
        ifs_orbit_v4_1 drawn;
        drawn.maps.resize(static_cast<std::size_t>(config.map_count));
        drawn.points.resize(2 * static_cast<std::size_t>(config.point_count));
        auto done = detail::call(mfn_ifs_generate_v4_1, static_cast<const mfn_ifs_config_v4_1*>(&config), random_seed,
                                 drawn.maps.data(), drawn.maps.size(), drawn.points.data(), drawn.points.size() / 2,
                                 &drawn.mean_log_area_change, &drawn.distance_max);
        if (!done) return done.error();
        return drawn;
    }

private:
    [[nodiscard]] const double* weights() const noexcept { return weights_.empty() ? nullptr : weights_.data(); }
    [[nodiscard]] error wrong_weights() const {
        if (weights_.empty() || weights_.size() == maps_.size()) return {};
        return detail::wrong_size("weights", weights_.size(), "one for each map, or none");
    }

    std::vector<affine_map> maps_;
    std::vector<double> weights_;
};

}  // namespace mfn
