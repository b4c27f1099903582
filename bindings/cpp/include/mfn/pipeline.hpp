/// \file
/// Pipelines: requests come in through connectors, are computed, and results leave through publishers and transports,
/// on threads of the library's own.
#pragma once

#include <mfn/component.hpp>
#include <mfn/config.hpp>
#include <mfn/outcome.hpp>
#include <mfn/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace mfn {

/// How a pipeline stands.
namespace pipeline_state {
enum type : std::int32_t {
    running = MFN_PIPELINE_RUNNING,    ///< Fetching and computing.
    draining = MFN_PIPELINE_DRAINING,  ///< What is in flight is being finished.
    finished = MFN_PIPELINE_FINISHED,  ///< All sources are at their end and everything is settled.
    stopped = MFN_PIPELINE_STOPPED,    ///< Drained or stopped.
    failed = MFN_PIPELINE_FAILED       ///< A component can not go on: see `pipeline::trouble()`.
};
}

/// Whether a pipeline can do its work.
namespace readiness {
enum type : std::int32_t {
    starting = MFN_READINESS_STARTING,    ///< A component that is needed is not open yet.
    ready = MFN_READINESS_READY,          ///< Everything works.
    degraded = MFN_READINESS_DEGRADED,    ///< Everything that is needed works.
    not_ready = MFN_READINESS_NOT_READY,  ///< Something that is needed does not work; it may come back.
    dead = MFN_READINESS_DEAD             ///< Failed or stopped; it does not come back.
};
}

/// The health of a pipeline, with a reason for each component that is not well, as JSON.
struct pipeline_health {
    readiness::type state;
    std::string report_json;
};

/// What a probe found: whether every component passed, and what each said, as JSON.
struct probe_report {
    bool passed;
    std::string report_json;
};

/// The counters of a pipeline at one moment.
using pipeline_status = sized<mfn_pipeline_status>;
/// What the end of a pipeline left undone.
using drain_report = sized<mfn_drain_report>;

class outcome_range;

/// A started pipeline. All functions are [any-thread].
class pipeline : public detail::handle<mfn_pipeline, mfn_pipeline_free> {
public:
    /// Takes a handle of the C interface over.
    explicit pipeline(mfn_pipeline* raw) noexcept : handle(raw) {}

    /// Checks a configuration as far as that goes without work, and gives what was found as JSON.
    static result<std::string> check(const runtime& host, const config& configuration) {
        return detail::text(mfn_pipeline_check, static_cast<const mfn_runtime*>(host.get()),
                            static_cast<const mfn_config*>(configuration.get()));
    }
    /// As `check()`, and lets every component try the real thing, each at most for timeout. Nothing is consumed.
    static result<probe_report> probe(const runtime& host, const config& configuration,
                                      std::chrono::milliseconds timeout) {
        std::int32_t passed = 0;
        auto report = detail::text(mfn_config_probe, static_cast<const mfn_runtime*>(host.get()),
                                   static_cast<const mfn_config*>(configuration.get()),
                                   detail::milliseconds(timeout), &passed);
        if (!report) return report.error();
        return probe_report{passed == 1, std::move(*report)};
    }
    /// Loads the plugins of a configuration, opens its components and begins to work.
    static result<pipeline> start(const runtime& host, const config& configuration) {
        return detail::make<pipeline>(mfn_pipeline_start, static_cast<const mfn_runtime*>(host.get()),
                                      static_cast<const mfn_config*>(configuration.get()));
    }

    /// Reads the counters; does no I/O and waits for nothing.
    [[nodiscard]] result<pipeline_status> get_status() const {
        return detail::fetch<pipeline_status>(mfn_pipeline_get_status, get());
    }
    /// Whether it lives and can do its work; does no I/O and waits for nothing.
    [[nodiscard]] result<pipeline_health> health() const {
        std::int32_t state = 0;
        auto report = detail::text(mfn_pipeline_health, get(), &state);
        if (!report) return report.error();
        return pipeline_health{static_cast<readiness::type>(state), std::move(*report)};
    }
    /// Lets every component try the real thing while the work goes on, each at most for timeout.
    [[nodiscard]] result<probe_report> probe(std::chrono::milliseconds timeout) const {
        std::int32_t passed = 0;
        auto report = detail::text(mfn_pipeline_probe, get(), detail::milliseconds(timeout), &passed);
        if (!report) return report.error();
        return probe_report{passed == 1, std::move(*report)};
    }
    /// The whole status as a JSON object.
    [[nodiscard]] result<std::string> status_json() const { return detail::text(mfn_pipeline_status_json, get()); }
    /// The last error that a component reported, if there was one.
    [[nodiscard]] result<std::optional<std::string>> trouble() const {
        auto text = detail::text(mfn_pipeline_trouble, get());
        if (text) return std::optional<std::string>(std::move(*text));
        if (text.code() == status::would_block) return std::optional<std::string>();
        return text.error();
    }
    /// Where the components can be reached.
    [[nodiscard]] result<mfn::endpoints> endpoints() const {
        return detail::make<mfn::endpoints>(mfn_pipeline_endpoints, get());
    }

    /// Takes the next outcome. `status::would_block`: none came in time. `status::end`: the work is finished, stopped or
    /// failed, and all were taken.
    [[nodiscard]] result<outcome> next_outcome(std::chrono::milliseconds timeout) const {
        return detail::make<outcome>(mfn_pipeline_next_outcome, get(), detail::milliseconds(timeout));
    }
    /// The outcomes as they come, to the end; see `outcome_range`.
    [[nodiscard]] outcome_range outcomes() const& noexcept;
    outcome_range outcomes() const&& = delete;
    /// The result of the latest request that was computed. `status::would_block`: there is none yet.
    [[nodiscard]] result<snapshot> last_snapshot() const {
        return detail::make<snapshot>(mfn_pipeline_last_snapshot, get());
    }

    /// Waits until the pipeline is finished, stopped or failed, and gives its state then.
    result<pipeline_state::type> wait(std::chrono::milliseconds timeout) const {
        auto state = detail::fetch<std::int32_t>(mfn_pipeline_wait, get(), detail::milliseconds(timeout));
        if (!state) return state.error();
        return static_cast<pipeline_state::type>(*state);
    }
    /// Ends the pipeline in order: finishes and settles what is in flight, closes the components. Returns by the
    /// deadline even when a component hangs.
    result<drain_report> drain(std::chrono::milliseconds deadline) const {
        return detail::fetch<drain_report>(mfn_pipeline_drain, get(), detail::milliseconds(deadline));
    }
    /// Ends the pipeline at once, within two seconds.
    result<drain_report> stop() const { return detail::fetch<drain_report>(mfn_pipeline_stop, get()); }
    /// The last failure of a call with this pipeline.
    [[nodiscard]] std::optional<error> last_error() const {
        return detail::last_error(mfn_pipeline_last_error, get());
    }
};

/// The outcomes of a pipeline as they come: an input range that waits for each and ends when there will be no more. An
/// element is the outcome, or a failure, after which the range ends. It lives as long as the pipeline.
class outcome_range {
public:
    /// Where there will be no more.
    struct sentinel {};

    /// Move-only: there is one place in the stream.
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = result<outcome>;
        using difference_type = std::ptrdiff_t;

        explicit iterator(const pipeline& source) : source_(&source) { advance(); }
        /// The element; moving the outcome out of it is fine.
        [[nodiscard]] value_type& operator*() const noexcept { return *current_; }
        [[nodiscard]] value_type* operator->() const noexcept { return &*current_; }
        iterator& operator++() {
            advance();
            return *this;
        }
        void operator++(int) { advance(); }
        friend bool operator==(const iterator& it, sentinel) noexcept { return !it.current_; }
        friend bool operator!=(const iterator& it, sentinel) noexcept { return it.current_.has_value(); }

    private:
        void advance() {
            // Waits in slices: a pipeline that does nothing for days is no reason to wake up more often.
            constexpr std::chrono::milliseconds slice = std::chrono::minutes(1);
            const bool failed = current_ && !*current_;
            current_.reset();
            if (failed) return;
            auto next = source_->next_outcome(slice);
            while (next.code() == status::would_block) next = source_->next_outcome(slice);
            if (next.code() != status::end) current_.emplace(std::move(next));
        }

        const pipeline* source_;
        mutable std::optional<value_type> current_;
    };

    explicit outcome_range(const pipeline& source) noexcept : source_(&source) {}
    /// Waits for the first outcome.
    [[nodiscard]] iterator begin() const { return iterator(*source_); }
    [[nodiscard]] sentinel end() const noexcept { return {}; }

private:
    const pipeline* source_;
};

inline outcome_range pipeline::outcomes() const& noexcept { return outcome_range(*this); }

}  // namespace mfn
