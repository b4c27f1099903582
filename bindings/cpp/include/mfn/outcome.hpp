/// \file
/// Outcomes and snapshots: what became of each request of a pipeline, and its result.
#pragma once

#include <mfn/features.hpp>
#include <mfn/simulation.hpp>
#include <mfn/view.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace mfn {

/// What became of a request.
namespace fate {
enum type : std::int32_t {
    ok = MFN_OUTCOME_OK,                        ///< Computed, delivered and settled.
    dead_lettered = MFN_OUTCOME_DEAD_LETTERED,  ///< It lies with the dead-letter publisher, with the reason.
    rejected = MFN_OUTCOME_REJECTED             ///< Can not be done; the route has no dead letters.
};
}

/// What became of one request. Texts live as long as the outcome. All functions are [any-thread].
class outcome : public detail::handle<mfn_outcome, mfn_outcome_free> {
public:
    /// Takes a handle of the C interface over.
    explicit outcome(mfn_outcome* raw) noexcept : handle(raw) {}

    [[nodiscard]] fate::type status() const noexcept { return static_cast<fate::type>(mfn_outcome_status(get())); }
    /// The request's id.
    [[nodiscard]] const char* request() const noexcept { return mfn_outcome_request(get()); }
    /// The route it took.
    [[nodiscard]] const char* route() const noexcept { return mfn_outcome_route(get()); }
    /// Why it could not be done; "" when it was.
    [[nodiscard]] const char* reason() const noexcept { return mfn_outcome_reason(get()); }
    /// The id of the result; "" when there is none.
    [[nodiscard]] const char* snapshot_id() const noexcept { return mfn_outcome_snapshot_id(get()); }
    /// How long the computation took.
    [[nodiscard]] std::chrono::duration<double, std::milli> compute_time() const noexcept {
        return std::chrono::duration<double, std::milli>(mfn_outcome_compute_ms(get()));
    }
    /// The features. `status::invalid`: nothing was computed.
    [[nodiscard]] result<mfn::features> features() const {
        return detail::fetch<mfn::features>(mfn_outcome_features, get());
    }
    /// The statistics of the run. `status::invalid`: nothing was simulated.
    [[nodiscard]] result<mfn::statistics> statistics() const {
        return detail::fetch<mfn::statistics>(mfn_outcome_statistics, get());
    }
};

/// The immutable result of one request. Texts and views live as long as the snapshot. All functions are [any-thread].
class snapshot : public detail::handle<mfn_snapshot, mfn_snapshot_free> {
public:
    /// Takes a handle of the C interface over.
    explicit snapshot(mfn_snapshot* raw) noexcept : handle(raw) {}

    /// The id of the result, the same whenever the same request is computed.
    [[nodiscard]] const char* id() const noexcept { return mfn_snapshot_id(get()); }
    /// The request's id.
    [[nodiscard]] const char* request() const noexcept { return mfn_snapshot_request(get()); }
    /// The route that computed it.
    [[nodiscard]] const char* route() const noexcept { return mfn_snapshot_route(get()); }
    /// The features.
    [[nodiscard]] result<mfn::features> features() const {
        return detail::fetch<mfn::features>(mfn_snapshot_features, get());
    }
    /// The statistics of the run. `status::invalid`: nothing was simulated.
    [[nodiscard]] result<mfn::statistics> statistics() const {
        return detail::fetch<mfn::statistics>(mfn_snapshot_statistics, get());
    }
    /// Lends the final potential, V.
    [[nodiscard]] result<field_view> field() const& { return detail::view<field_view>(mfn_snapshot_field, get()); }
    result<field_view> field() const&& = delete;
    /// Lends the final activator. `status::invalid`: nothing was simulated.
    [[nodiscard]] result<field_view> activator() const& { return detail::view<field_view>(mfn_snapshot_activator, get()); }
    result<field_view> activator() const&& = delete;
    /// Lends the final inhibitor. `status::invalid`: nothing was simulated.
    [[nodiscard]] result<field_view> inhibitor() const& { return detail::view<field_view>(mfn_snapshot_inhibitor, get()); }
    result<field_view> inhibitor() const&& = delete;
    /// The snapshot as one line of JSON, as publishers get it.
    [[nodiscard]] result<std::string> json(bool include_field = false) const {
        return detail::text(mfn_snapshot_json, get(), static_cast<std::int32_t>(include_field));
    }
};

}  // namespace mfn
