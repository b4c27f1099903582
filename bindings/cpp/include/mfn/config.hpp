/// \file
/// Configuration of a pipeline: one document, in TOML or JSON, that names plugins, components and routes.
#pragma once

#include <mfn/handle.hpp>

#include <filesystem>
#include <string>

namespace mfn {

/// A configuration that was read and holds together. The error of a refused one lists every fault: `error::faults()`.
class config : public detail::handle<mfn_config, mfn_config_free> {
public:
    /// Takes a handle of the C interface over.
    explicit config(mfn_config* raw) noexcept : handle(raw) {}

    /// Reads a file: JSON when its name ends in .json, TOML otherwise. Relative paths in it start at its directory.
    /// [any-thread]
    static result<config> from_file(const std::filesystem::path& path) {
        return detail::make<config>(mfn_config_from_file, detail::utf8(path).c_str());
    }
    /// Reads a TOML text. Relative paths in it start at base_dir; empty: at the working directory. [any-thread]
    static result<config> from_toml(const std::string& text, const std::filesystem::path& base_dir = {}) {
        return from_text(mfn_config_from_toml, text, base_dir);
    }
    /// As `from_toml()`, from the same document as JSON. [any-thread]
    static result<config> from_json(const std::string& text, const std::filesystem::path& base_dir = {}) {
        return from_text(mfn_config_from_json, text, base_dir);
    }

private:
    template <class F>
    static result<config> from_text(F* function, const std::string& text, const std::filesystem::path& base_dir) {
        const std::string base = detail::utf8(base_dir);
        return detail::make<config>(function, text.c_str(), detail::optional_text(base));
    }
};

}  // namespace mfn
