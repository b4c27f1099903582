/// \file
/// Specification: everything that decides the result of a run, and the constants that stand in it.
///
/// Constants are enumerators in a namespace of their concept, such as `mfn::boundary::neumann`. They convert to the
/// numbers that the structs of the C interface hold.
#pragma once

#include <mfn/handle.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace mfn {

/// What lies outside the grid.
namespace boundary {
enum type : std::int32_t {
    periodic = MFN_BOUNDARY_PERIODIC,   ///< The opposite side.
    neumann = MFN_BOUNDARY_NEUMANN,     ///< A copy of the edge cell.
    dirichlet = MFN_BOUNDARY_DIRICHLET  ///< Zero.
};
}

/// Whose results a run gives.
namespace compat {
enum type : std::int32_t { none = MFN_COMPAT_NONE, v4_1 = MFN_COMPAT_V4_1 };
}

/// Which reaction takes place; also the indices of `kinetics_name()`.
namespace kinetics {
enum type : std::int32_t {
    v4_1 = MFN_KINETICS_V4_1,
    gray_scott = MFN_KINETICS_GRAY_SCOTT,
    schnakenberg = MFN_KINETICS_SCHNAKENBERG,
    gierer_meinhardt = MFN_KINETICS_GIERER_MEINHARDT,
    fitzhugh_nagumo = MFN_KINETICS_FITZHUGH_NAGUMO,
    brusselator = MFN_KINETICS_BRUSSELATOR,
    host = MFN_KINETICS_HOST  ///< Rates given with `simulation::set_kinetics()`.
};
/// Most parameters of a kinetics.
inline constexpr std::size_t parameters_max = MFN_KINETICS_PARAMETERS_MAX;
}  // namespace kinetics

/// How fields are kept.
namespace precision {
enum type : std::int32_t { f64 = MFN_PRECISION_F64, f32 = MFN_PRECISION_F32 };
}

/// Where random numbers come from.
namespace rng {
enum type : std::int32_t { philox = MFN_RNG_PHILOX, pcg64 = MFN_RNG_PCG64 };
}

/// How activator and inhibitor begin.
namespace initial {
enum type : std::int32_t { random = MFN_INITIAL_RANDOM, steady = MFN_INITIAL_STEADY, seeded = MFN_INITIAL_SEEDED };
}

/// Everything that decides the result of a run; begins as the preset "mycelium".
struct spec : sized<mfn_spec> {
    spec() noexcept { detail::initialise<mfn_spec>(*this, mfn_spec_init); }
    /// A copy of a specification of the C interface.
    explicit spec(const mfn_spec& fields) noexcept : sized(fields) {}

    /// A preset, such as "v4.1"; `preset_name()` lists them. [any-thread]
    static result<spec> init_preset(const std::string& name) {
        spec made;
        auto done = detail::call(mfn_spec_init_preset, name.c_str(), static_cast<mfn_spec*>(&made), sizeof(mfn_spec));
        if (!done) return done.error();
        return made;
    }
};
static_assert(sizeof(spec) == sizeof(mfn_spec), "an array of specifications is one of the C interface");

/// The name of a preset; NULL beyond the last. Static text.
[[nodiscard]] inline const char* preset_name(std::size_t index) noexcept { return mfn_preset_name(index); }

/// What to say of a valid specification in JSON that can not form the pattern of its equations: a line for each
/// warning, empty when there is none. [any-thread]
[[nodiscard]] inline result<std::string> spec_warnings_json(const std::string& spec_json) {
    return detail::text(mfn_spec_warnings_json, spec_json.c_str());
}

}  // namespace mfn
