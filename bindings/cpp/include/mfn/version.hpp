/// \file
/// The library itself: versions, and a count of what the program still holds.
#pragma once

#include <mfn.h>

#include <cstdint>

namespace mfn {

/// The release version of the library that runs, such as "0.1.0". Static text.
[[nodiscard]] inline const char* version() noexcept { return mfn_version(); }

/// The ABI version of the library that runs. Equal to `header_abi_version` unless it was loaded by hand.
[[nodiscard]] inline std::uint32_t abi_version() noexcept { return mfn_abi_version(); }

/// The ABI version that this program is compiled for.
inline constexpr std::uint32_t header_abi_version = MFN_ABI_VERSION;

/// How many objects the library has handed out that are not freed yet; 0 at the end of a program that leaks nothing.
[[nodiscard]] inline std::uint64_t live_handles() noexcept { return mfn_live_handles(); }

}  // namespace mfn
