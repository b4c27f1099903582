/// \file
/// Pictures: a field of potentials as a PNG with a perceptual colour map and a scale in millivolts.
#pragma once

#include <mfn/handle.hpp>
#include <mfn/view.hpp>

#include <filesystem>

namespace mfn {

/// How a picture is drawn; begins with no title, the range of the field and 512 pixels. `title` points to a text of the
/// program that lives until the picture is written.
struct picture_options : sized<mfn_picture_options> {
    picture_options() noexcept { detail::initialise<mfn_picture_options>(*this, mfn_picture_options_init); }
};

/// Draws a field in volts, row 0 on top, and writes it as a PNG file, replacing what is there. [any-thread]
inline result<void> picture_write(const std::filesystem::path& path, field_view field,
                                  const picture_options& options = {}) {
    return detail::call(mfn_picture_write, detail::utf8(path).c_str(), &field.get(),
                        static_cast<const mfn_picture_options*>(&options));
}

}  // namespace mfn
