// What the tests share: small simulations, folders that go away, and bits to compare.
#pragma once

#include <gtest/gtest.h>
#include <mfn.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace support {

// A small simulation that takes milliseconds.
inline mfn::spec small_spec(std::uint64_t seed = 7) {
    mfn::spec spec;
    spec.grid_size = 32;
    spec.steps = 40;
    spec.random_seed = seed;
    return spec;
}

// A small simulation whose kinetics are the program's.
inline mfn::spec host_spec() {
    mfn::spec spec = small_spec();
    spec.kinetics = mfn::kinetics::host;
    spec.initial_condition = mfn::initial::random;
    std::fill(std::begin(spec.kinetics_parameters), std::end(spec.kinetics_parameters), 0.0);
    return spec;
}

inline mfn::simulation small_simulation(std::uint64_t seed = 7) {
    return mfn::simulation::create(small_spec(seed)).value_or_throw();
}

// A wave in volts, with a pattern above -60 mV.
inline std::vector<double> wave(std::size_t rows, std::size_t cols) {
    std::vector<double> cells(rows * cols);
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t col = 0; col < cols; ++col)
            cells[row * cols + col] =
                -0.060 + 0.020 * std::sin(static_cast<double>(row) / 3) * std::cos(static_cast<double>(col) / 5);
    return cells;
}

// Whether all cells have the same bits.
template <class View>
bool same_bits(const View& view, const std::vector<typename View::value_type>& cells) {
    const auto copy = view.to_vector();
    return copy.size() == cells.size() &&
           std::memcmp(copy.data(), cells.data(), copy.size() * sizeof(typename View::value_type)) == 0;
}

// A folder that is removed at the end.
class folder {
public:
    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "mfn-cpp-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

inline void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline std::size_t line_count(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// A plugin of this build.
inline std::filesystem::path plugin(const std::string& name) {
    return std::filesystem::path(MFN_PLUGINS) / ("libmfn_plugin_" + name + ".so");
}

}  // namespace support
