// The demonstration: a pipeline that a configuration file describes, shown while it works; the twin of pipeline.c. Which
// plugins take part, where requests come from and where results go is all in the configuration.
#include <mfn.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr int exit_work_failed = 1, exit_usage = 2, bar_cells = 32;
constexpr std::size_t rows_max = 1000;
constexpr auto poll_time = 100ms, line_time = 1000ms, drain_time = 10000ms;
constexpr const char* clear_line = "\r\033[K";

constexpr const char* usage =
    "Usage: pipeline CONFIG.toml [--serve] [--plain] [--picture PATH]\n"
    "\n"
    "Runs the pipeline of a configuration file and shows a table of its results.\n"
    "  --serve         stay up when the work is done, until Ctrl-C\n"
    "  --plain         plain lines instead of a progress bar\n"
    "  --picture PATH  where to write the last field (default: pipeline.png)\n"
    "\n"
    "Example: pipeline examples/demo.toml --serve\n"
    "Exit status: 0 done (dead letters are no failure), 1 failed, 2 usage or configuration.\n";

struct options {
    std::string config;
    std::string picture = "pipeline.png";
    bool serve = false;
    bool plain = false;

    // Whether the arguments are understood.
    bool read(int argc, char** argv) {
        for (int i = 1; i < argc; ++i) {
            const std::string argument = argv[i];
            if (argument == "--serve")
                serve = true;
            else if (argument == "--plain")
                plain = true;
            else if (argument == "--picture" && i + 1 < argc)
                picture = argv[++i];
            else if (argument[0] != '-' && config.empty())
                config = argument;
            else
                return false;
        }
        return !config.empty();
    }
};

volatile std::sig_atomic_t interrupted;

void on_signal(int signal_number) {
    interrupted = 1;
    std::signal(signal_number, SIG_DFL);  // a second signal ends the process
}

// Prints an error, each fault of a configuration on a line of its own.
void print(const char* what, const mfn::error& error) {
    const auto faults = error.faults();
    if (faults.empty())
        std::fprintf(stderr, "%s: %s\n", what, error.message());
    else
        std::fprintf(stderr, "%s:\n", what);
    for (const auto& fault : faults)
        std::fprintf(stderr, "  %s%s%s; %s\n", fault.path, *fault.path != '\0' ? ": " : "", fault.message, fault.fix);
}

// Names and reasons come from outside; control characters in them must not reach a terminal.
std::string clean(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

// The progress on stderr: a bar on a terminal, else a line now and then.
class display {
public:
    explicit display(bool bar) : bar_(bar) {}

    void clear() {
        if (shown_) std::fputs(clear_line, stderr);
        shown_ = false;
    }

    // Whether there is nothing to do for now.
    bool show(const mfn::pipeline& pipeline) {
        const auto status = pipeline.get_status();
        if (!status) return false;
        const auto done = status->delivered + status->dead_lettered + status->rejected;
        const auto waiting = status->backlog > 0 ? static_cast<std::uint64_t>(status->backlog) : 0;
        const auto total = done + status->in_flight + waiting;
        // The requests being computed count by their steps.
        const double part = status->active_steps_total > 0
                                ? static_cast<double>(status->active_step) /
                                      static_cast<double>(status->active_steps_total) * status->active_count
                                : 0;
        const int percent =
            total > 0 ? static_cast<int>(100 * (static_cast<double>(done) + part) / static_cast<double>(total)) : 0;
        draw(percent, static_cast<unsigned long>(done), static_cast<unsigned long>(total));
        std::fflush(stderr);
        return done == total;
    }

private:
    void draw(int percent, unsigned long done, unsigned long total) {
        const auto now = std::chrono::steady_clock::now();
        if (bar_) {
            const auto filled = static_cast<std::size_t>(percent * bar_cells / 100);
            const std::string cells = std::string(filled, '#') + std::string(bar_cells - filled, '.');
            std::fprintf(stderr, "\r[%s] %3d %%, %lu of %lu requests\033[K", cells.c_str(), percent, done, total);
            shown_ = true;
        } else if (percent != last_percent_ && now - last_line_ >= line_time) {
            std::fprintf(stderr, "%3d %%, %lu of %lu requests\n", percent, done, total);
            last_percent_ = percent;
            last_line_ = now;
        }
    }

    bool bar_;
    bool shown_ = false;
    int last_percent_ = -1;
    std::chrono::steady_clock::time_point last_line_{};
};

const char* name(mfn::fate::type fate) {
    return fate == mfn::fate::ok ? "ok" : fate == mfn::fate::dead_lettered ? "dead letter" : "rejected";
}

void print(const mfn::outcome& outcome) {
    std::printf("%-32s %-11s ", clean(outcome.request()).c_str(), name(outcome.status()));
    const auto features = outcome.features();
    if (!features) {
        std::printf("%s\n", clean(outcome.reason()).c_str());
        return;
    }
    std::printf("%7.3f %9.2f ", features->d_box, features->v_mean);
    if (const auto statistics = outcome.statistics())
        std::printf("%7lu %11lu ", static_cast<unsigned long>(statistics->growth_events),
                    static_cast<unsigned long>(statistics->turing_activations));
    else
        std::printf("%7s %11s ", "-", "-");
    std::printf("%9.1f\n", outcome.compute_time().count());
}

// Results are held back while there is work, so that the table is not cut up by the progress.
class table {
public:
    explicit table(display& progress) : display_(progress) {}

    // Takes one outcome, if one comes in time.
    mfn::status take(const mfn::pipeline& pipeline, std::chrono::milliseconds timeout) {
        auto outcome = pipeline.next_outcome(timeout);
        if (outcome) {
            held_.push_back(std::move(*outcome));
            if (held_.size() == rows_max) print_held();
        }
        return outcome.code();
    }

    // Takes outcomes until there are no more or a signal comes.
    void follow(const mfn::pipeline& pipeline) {
        mfn::status status = mfn::status::ok;
        while (interrupted == 0 && status != mfn::status::end) {
            status = take(pipeline, poll_time);
            if (display_.show(pipeline) && status == mfn::status::would_block) print_held();
        }
        print_held();
    }

    void print_held() {
        display_.clear();
        if (!held_.empty() && printed_ == 0)
            std::printf("%-32s %-11s %7s %9s %7s %11s %9s\n", "request", "status", "D_box", "V_mean mV", "growth",
                        "activations", "ms");
        for (const auto& outcome : held_) print(outcome);
        printed_ += held_.size();
        held_.clear();
        std::fflush(stdout);
    }

    bool empty() const { return printed_ == 0; }

private:
    display& display_;
    std::vector<mfn::outcome> held_;
    std::size_t printed_ = 0;
};

void print_endpoints(const mfn::pipeline& pipeline) {
    const auto endpoints = pipeline.endpoints();
    if (!endpoints) return;
    for (const mfn::endpoint place : *endpoints)
        // A metrics page ends; a stream goes on, and curl must not hold its lines back.
        std::printf("%-8s %-8s curl %s%s\n", place.component, place.name,
                    std::strcmp(place.name, "metrics") == 0 ? "" : "-N ", place.url);
    std::fflush(stdout);
}

// Writes the field of the last result.
int write_picture(const mfn::pipeline& pipeline, const std::string& path) {
    const auto snapshot = pipeline.last_snapshot();
    if (!snapshot) return EXIT_SUCCESS;
    mfn::picture_options options;
    options.title = snapshot->request();
    const auto field = snapshot->field();
    const auto written = field ? mfn::picture_write(path, *field, options) : field.error();
    if (!written) {
        print("picture", written.error());
        return exit_work_failed;
    }
    std::printf("picture of %s: %s\n", snapshot->request(), path.c_str());
    return EXIT_SUCCESS;
}

// Drains and tells what became of the records.
int finish(table& results, const mfn::pipeline& pipeline) {
    const auto state = pipeline.wait(0ms);
    const auto report = pipeline.drain(drain_time).value_or_throw();
    const auto status = pipeline.get_status().value_or_throw();
    while (results.take(pipeline, 0ms) == mfn::status::ok) continue;
    results.print_held();
    std::printf("%lu received, %lu delivered, %lu dead letters, %lu rejected, %lu given back\n",
                static_cast<unsigned long>(status.received), static_cast<unsigned long>(status.delivered),
                static_cast<unsigned long>(status.dead_lettered), static_cast<unsigned long>(status.rejected),
                static_cast<unsigned long>(status.nacked));
    if (report.complete == 0)
        std::fprintf(stderr, "not everything was finished: %lu records were given back, %lu come again\n",
                     static_cast<unsigned long>(report.returned), static_cast<unsigned long>(report.left));
    if (!state || *state != mfn::pipeline_state::failed) return EXIT_SUCCESS;
    const auto trouble = pipeline.trouble().value_or(std::nullopt).value_or("no reason given");
    std::fprintf(stderr, "the pipeline failed: %s\n", trouble.c_str());
    return exit_work_failed;
}

int run(const options& chosen, display& progress, const mfn::pipeline& pipeline) {
    table results(progress);
    print_endpoints(pipeline);
    results.follow(pipeline);
    if (results.empty() && interrupted == 0) std::puts("no new requests");
    const int picture_status = write_picture(pipeline, chosen.picture);
    if (chosen.serve && interrupted == 0) {
        print_endpoints(pipeline);
        std::puts("serving until Ctrl-C");
        std::fflush(stdout);
        while (interrupted == 0) std::this_thread::sleep_for(poll_time);
    }
    const int exit_status = finish(results, pipeline);
    return exit_status != EXIT_SUCCESS ? exit_status : picture_status;
}

}  // namespace

int main(int argc, char** argv) try {
    options chosen;
    if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
        std::fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (!chosen.read(argc, argv)) {
        std::fputs(usage, stderr);
        return exit_usage;
    }
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    const bool bar = !chosen.plain && isatty(STDERR_FILENO) != 0;
    display progress(bar);

    const auto config = mfn::config::from_file(chosen.config);
    if (!config) {
        print(chosen.config.c_str(), config.error());
        return exit_usage;
    }
    mfn::runtime_options settings;
    settings.log = [bar](const mfn::log_record& record) {
        std::fprintf(stderr, "%s%s: %s%s%s\n", bar ? clear_line : "",
                     record.level == mfn::log_level::error ? "error" : "warning", record.component,
                     *record.component != '\0' ? ": " : "", record.message);
    };
    const auto runtime = mfn::runtime::create(settings).value_or_throw();
    const auto pipeline = mfn::pipeline::start(runtime, *config);
    if (!pipeline) {
        print(chosen.config.c_str(), pipeline.error());
        return pipeline.code() == mfn::status::invalid ? exit_usage : exit_work_failed;
    }
    const int exit_status = run(chosen, progress, *pipeline);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::fprintf(stderr, "standard output could not be written\n");
        return exit_work_failed;
    }
    return exit_status;
} catch (const mfn::exception& failure) {
    print("failed", failure.error());
    return exit_work_failed;
}
