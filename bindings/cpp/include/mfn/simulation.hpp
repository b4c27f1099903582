/// \file
/// Simulation: one run of the model, from its specification to its fields, with checkpoints, recorders and what a
/// program gives to a run.
#pragma once

#include <mfn/callback.hpp>
#include <mfn/features.hpp>
#include <mfn/lyapunov.hpp>
#include <mfn/kinetics.hpp>
#include <mfn/spec.hpp>
#include <mfn/view.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace mfn {

/// Counters and summary numbers of a run.
struct statistics : sized<mfn_statistics> {
    using sized::sized;
};

/// A field that can be recorded. Several are added up.
namespace plane {
enum type : std::uint32_t {
    field = MFN_PLANE_FIELD,          ///< The membrane potential, V.
    activator = MFN_PLANE_ACTIVATOR,  ///< The activator.
    inhibitor = MFN_PLANE_INHIBITOR   ///< The inhibitor.
};
/// All three.
inline constexpr std::uint32_t all = MFN_PLANE_FIELD | MFN_PLANE_ACTIVATOR | MFN_PLANE_INHIBITOR;
}  // namespace plane

/// A coefficient that may differ from cell to cell.
namespace map {
enum type : std::int32_t {
    alpha = MFN_MAP_ALPHA,
    d_activator = MFN_MAP_D_ACTIVATOR,
    d_inhibitor = MFN_MAP_D_INHIBITOR,
    r_activator = MFN_MAP_R_ACTIVATOR,
    r_inhibitor = MFN_MAP_R_INHIBITOR
};
}

/// Which vector instructions are used.
namespace simd {
enum type : std::int32_t {
    automatic = MFN_SIMD_AUTO,
    baseline = MFN_SIMD_BASELINE,
    avx2 = MFN_SIMD_AVX2,
    avx512 = MFN_SIMD_AVX512
};
}

/// How steps are carried out: speed, never a bit of the result. Begins as one thread, the rest worked out.
struct execution : sized<mfn_execution> {
    execution() noexcept { threads = 1; }
};

/// A frame that a ring keeps.
struct frame {
    std::uint64_t step;  ///< Steps that the run had done.
    field_view view;     ///< Lives until the next call that changes the simulation.
};

/// One run of the model.
///
/// Move-only. Calls that change it are [one-thread-per-handle], const ones [any-thread]: while another call changes the
/// simulation they answer `status::invalid`. A view that it lends lives until the next call that is not const.
class simulation : public detail::handle<mfn_sim, mfn_sim_free> {
public:
    /// Takes a handle of the C interface over.
    explicit simulation(mfn_sim* raw) noexcept : handle(raw) {}
    simulation(simulation&&) noexcept = default;
    simulation& operator=(simulation&& other) noexcept {
        // What was here ends before its callbacks do.
        const simulation before(std::move(*this));
        handle::operator=(std::move(other));
        rates_ = std::move(other.rates_);
        frames_ = std::move(other.frames_);
        return *this;
    }
    ~simulation() { mfn_sim_free(release()); }

    /// Creates a simulation and draws its initial fields from the seed. The error lists every fault.
    static result<simulation> create(const spec& specification) {
        return detail::make<simulation>(mfn_sim_create, static_cast<const mfn_spec*>(&specification));
    }
    /// As `create()`, from a JSON object such as {"grid_size": 128, "steps": 200}.
    static result<simulation> create_json(const std::string& spec_json) {
        return detail::make<simulation>(mfn_sim_create_json, spec_json.c_str());
    }
    /// Makes the simulation whose state `checkpoint_write()` wrote.
    static result<simulation> restore(const std::filesystem::path& path) {
        return detail::make<simulation>(mfn_sim_restore, detail::utf8(path).c_str());
    }
    /// As `restore()`, from bytes.
    static result<simulation> restore_bytes(span<const std::uint8_t> data) {
        return detail::make<simulation>(mfn_sim_restore_bytes, data.data(), data.size());
    }

    /// Does one step. `status::unstable`: it was discarded.
    result<void> step() { return judge([&](mfn_error** error) { return mfn_sim_step(get(), error); }); }

    /// Does `steps` more steps. `status::cancelled`: stopped between two of them; it can go on.
    result<void> run(std::uint64_t steps) {
        return judge([&](mfn_error** error) { return mfn_sim_run(get(), steps, nullptr, nullptr, error); });
    }
    /// As above; `progress(step, steps_total)` runs on this thread every few milliseconds and after the last step.
    template <class F>
    result<void> run(std::uint64_t steps, F&& progress) {
        detail::borrowed<std::remove_reference_t<F>> lent(progress);
        auto done = judge([&](mfn_error** error) {
            return mfn_sim_run(get(), steps, detail::borrowed<std::remove_reference_t<F>>::call, &lent, error);
        }, &lent.keeper);
        return done;
    }

    /// Stops a `run()` of another thread, or the next one, before its next step; in force until `cancel_reset()`.
    result<void> cancel() const { return detail::call(mfn_sim_cancel, get()); }
    /// Withdraws `cancel()`.
    result<void> cancel_reset() const { return detail::call(mfn_sim_cancel_reset, get()); }

    /// Steps done and kept; 0 while another call changes the simulation.
    [[nodiscard]] std::uint64_t step_count() const noexcept { return mfn_sim_step_count(get()); }
    /// Reads back the specification.
    [[nodiscard]] result<mfn::spec> spec() const { return detail::fetch<mfn::spec>(mfn_sim_spec, get()); }
    /// Statistics of the run so far.
    [[nodiscard]] result<mfn::statistics> statistics() const {
        return detail::fetch<mfn::statistics>(mfn_sim_statistics, get());
    }
    /// Features of the current field and, after `follow_features()`, of the run.
    [[nodiscard]] result<mfn::features> features() const {
        return detail::fetch<mfn::features>(mfn_sim_features, get());
    }
    /// Follows the run from here on; costs two grids of memory and one pass a step.
    result<void> follow_features(const feature_config& config = {}) {
        return detail::call(mfn_sim_follow_features, get(), static_cast<const mfn_feature_config*>(&config));
    }

    /// Lends the membrane potential, V.
    [[nodiscard]] result<field_view> field() const& { return detail::view<field_view>(mfn_sim_field, get()); }
    result<field_view> field() const&& = delete;
    /// Lends the activator.
    [[nodiscard]] result<field_view> activator() const& { return detail::view<field_view>(mfn_sim_activator, get()); }
    result<field_view> activator() const&& = delete;
    /// Lends the inhibitor.
    [[nodiscard]] result<field_view> inhibitor() const& { return detail::view<field_view>(mfn_sim_inhibitor, get()); }
    result<field_view> inhibitor() const&& = delete;
    /// Lends the membrane potential of a run in single precision, V.
    [[nodiscard]] result<field_view_f32> field_f32() const& {
        return detail::view<field_view_f32>(mfn_sim_field_f32, get());
    }
    result<field_view_f32> field_f32() const&& = delete;
    /// Lends the activator of a run in single precision.
    [[nodiscard]] result<field_view_f32> activator_f32() const& {
        return detail::view<field_view_f32>(mfn_sim_activator_f32, get());
    }
    result<field_view_f32> activator_f32() const&& = delete;
    /// Lends the inhibitor of a run in single precision.
    [[nodiscard]] result<field_view_f32> inhibitor_f32() const& {
        return detail::view<field_view_f32>(mfn_sim_inhibitor_f32, get());
    }
    result<field_view_f32> inhibitor_f32() const&& = delete;

    /// Replaces the initial potential, before the first step, by a copy of a field in volts.
    result<void> set_initial_field(field_view field) {
        return detail::call(mfn_sim_set_initial_field, get(), &field.get());
    }
    /// Replaces the initial activator.
    result<void> set_initial_activator(field_view field) {
        return detail::call(mfn_sim_set_initial_activator, get(), &field.get());
    }
    /// Replaces the initial inhibitor.
    result<void> set_initial_inhibitor(field_view field) {
        return detail::call(mfn_sim_set_initial_inhibitor, get(), &field.get());
    }
    /// Gives each cell a coefficient of its own; the map is copied. `std::nullopt` takes the map back.
    result<void> set_map(map::type coefficient, std::optional<field_view> values) {
        return detail::call(mfn_sim_set_map, get(), static_cast<std::int32_t>(coefficient),
                            values ? &values->get() : nullptr);
    }
    /// Gives the rates of a run with `kinetics::host`: `rates(span<const double> u, span<const double> v, span<double>
    /// du, span<double> dv)`, called for parts of rows and, with more than one thread, from several at once. The
    /// simulation keeps it. What it throws makes the step fail.
    template <class F>
    result<void> set_kinetics(F rates) {
        using kept = detail::kept<F>;
        auto mine = std::make_unique<kept>(std::move(rates));
        const mfn_rates_fn trampoline = [](void* user_data, const double* u, const double* v, double* du, double* dv,
                                           std::size_t count) -> std::int32_t {
            auto& self = *static_cast<kept*>(user_data);
            return detail::guarded(self.keeper, self.function, span<const double>(u, count),
                                   span<const double>(v, count), span<double>(du, count), span<double>(dv, count));
        };
        auto done = detail::call(mfn_sim_set_kinetics, get(), trampoline, static_cast<void*>(mine.get()));
        if (done) rates_ = std::move(mine);
        return done;
    }
    /// Says how steps are carried out from the next one on.
    result<void> set_execution(const mfn::execution& how) {
        return detail::call(mfn_sim_set_execution, get(), static_cast<const mfn_execution*>(&how));
    }
    /// Tells how steps are carried out.
    [[nodiscard]] result<mfn::execution> execution() const {
        return detail::fetch<mfn::execution>(mfn_sim_execution, get());
    }

    /// Writes the state into a file, whole and durably, replacing what is there.
    result<void> checkpoint_write(const std::filesystem::path& path) const {
        return detail::call(mfn_sim_checkpoint_write, get(), detail::utf8(path).c_str());
    }
    /// The state as bytes; the same state gives the same bytes.
    [[nodiscard]] result<bytes> checkpoint_bytes() const { return detail::binary(mfn_sim_checkpoint_bytes, get()); }

    /// Keeps the newest frames of the run in memory that is reserved now. planes is a sum of `mfn::plane` values.
    result<void> record_ring(std::size_t capacity, std::uint32_t planes) {
        return detail::call(mfn_sim_record_ring, get(), capacity, planes);
    }
    /// Frames that the ring keeps.
    [[nodiscard]] std::size_t record_count() const noexcept { return mfn_sim_record_count(get()); }
    /// Frames that the ring dropped because newer ones came.
    [[nodiscard]] std::uint64_t record_dropped() const noexcept { return mfn_sim_record_dropped(get()); }
    /// Lends a plane of a frame of the ring; 0 is the oldest.
    [[nodiscard]] result<frame> record_frame(std::size_t index, plane::type which) const& {
        std::uint64_t step = 0;
        mfn_field_view raw{};
        auto done = detail::call(mfn_sim_record_frame, get(), index, static_cast<std::uint32_t>(which), &step, &raw);
        if (!done) return done.error();
        return frame{step, field_view(raw)};
    }
    result<frame> record_frame(std::size_t index, plane::type which) const&& = delete;
    /// Records one plane into an NPY file; it has its name after `record_finish()`. resume: go on with the partial file
    /// that a process left.
    result<void> record_file(const std::filesystem::path& path, plane::type which, bool resume = false) {
        return detail::call(mfn_sim_record_file, get(), detail::utf8(path).c_str(), static_cast<std::uint32_t>(which),
                            static_cast<std::int32_t>(resume));
    }
    /// Makes the frames recorded so far durable.
    result<void> record_sync() { return detail::call(mfn_sim_record_sync, get()); }
    /// Completes the recorded file.
    result<void> record_finish() { return detail::call(mfn_sim_record_finish, get()); }
    /// Gives the frames of `run()` to `on_frame(std::uint64_t step, field_view field, field_view activator, field_view
    /// inhibitor)`, on the thread that runs; the views live until it returns. The simulation keeps it.
    template <class F>
    result<void> record_callback(F on_frame) {
        using kept = detail::kept<F>;
        auto mine = std::make_unique<kept>(std::move(on_frame));
        const mfn_frame_fn trampoline = [](void* user_data, std::uint64_t step, const mfn_field_view* field,
                                           const mfn_field_view* activator,
                                           const mfn_field_view* inhibitor) -> std::int32_t {
            auto& self = *static_cast<kept*>(user_data);
            return detail::guarded(self.keeper, self.function, step, field_view(*field), field_view(*activator),
                                   field_view(*inhibitor));
        };
        auto done = detail::call(mfn_sim_record_callback, get(), trampoline, static_cast<void*>(mine.get()));
        if (done) frames_ = std::move(mine);
        return done;
    }
    /// Takes the frame callback back.
    result<void> record_callback(std::nullptr_t) {
        auto done = detail::call(mfn_sim_record_callback, get(), mfn_frame_fn{}, static_cast<void*>(nullptr));
        if (done) frames_.reset();
        return done;
    }

    /// The largest Lyapunov exponent from the current state on, 1 per unit of time; the simulation is not changed.
    /// `progress(interval, intervals)` may stop it.
    template <class F>
    result<lyapunov_estimate> lyapunov(const lyapunov_options& options, F&& progress) const {
        lyapunov_estimate estimate;
        auto done = detail::lend(progress, [&](void* user_data, mfn_error** error) {
            return mfn_sim_lyapunov(get(), &options, detail::borrowed<std::remove_reference_t<F>>::call, user_data,
                                    &estimate, error);
        });
        if (!done) return done.error();
        return estimate;
    }
    [[nodiscard]] result<lyapunov_estimate> lyapunov(const lyapunov_options& options = {}) const {
        return lyapunov(options, [](std::uint64_t, std::uint64_t) {});
    }

    /// The last failure of a call with this simulation.
    [[nodiscard]] std::optional<error> last_error() const { return detail::last_error(mfn_sim_last_error, get()); }

private:
    /// The result of a call that may run callbacks: their exceptions come with it.
    template <class Call>
    result<void> judge(Call&& call, detail::exception_keeper* progress = nullptr) {
        mfn_error* raw = nullptr;
        const mfn_status status = call(&raw);
        std::exception_ptr thrown = progress != nullptr ? progress->take() : nullptr;
        if (thrown == nullptr && rates_ != nullptr) thrown = rates_->keeper.take();
        if (thrown == nullptr && frames_ != nullptr) thrown = frames_->keeper.take();
        return detail::judge(status, raw, std::move(thrown));
    }

    std::unique_ptr<detail::kept_base> rates_;
    std::unique_ptr<detail::kept_base> frames_;
};

}  // namespace mfn
