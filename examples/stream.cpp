// A pipeline as a stream: results and log records are taken as they come, on one thread and without a callback, as an
// event loop does it. Who connects to the endpoints that are listed sees the same results live.
// Usage: stream CONFIG.toml
#include <mfn.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace std::chrono_literals;

void print(const char* what, const mfn::error& error) {
    std::fprintf(stderr, "%s: %s\n", what, error.message());
    for (const auto& fault : error.faults())
        std::fprintf(stderr, "  %s: %s; %s\n", fault.path, fault.message, fault.fix);
}

// Names and reasons come from outside; control characters in them must not reach a terminal.
std::string clean(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

void print(const mfn::outcome& outcome) {
    const std::string request = clean(outcome.request());
    if (const auto features = outcome.features())
        std::printf("%s: D_box %.3f, mean %.2f mV\n", request.c_str(), features->d_box, features->v_mean);
    else
        std::printf("%s: refused: %s\n", request.c_str(), clean(outcome.reason()).c_str());
    std::fflush(stdout);
}

// Prints the log records that wait.
void print_log(const mfn::runtime& runtime) {
    while (const auto entry = runtime.next_log(0ms)) std::fprintf(stderr, "log: %s\n", entry->record().message);
}

int follow(const mfn::runtime& runtime, const mfn::pipeline& pipeline) {
    const auto endpoints = pipeline.endpoints().value_or_throw();
    for (const mfn::endpoint place : endpoints)
        std::fprintf(stderr, "%s %s: %s\n", place.component, place.name, place.url);
    for (;;) {
        const auto outcome = pipeline.next_outcome(100ms);
        if (outcome)
            print(*outcome);
        else if (outcome.code() == mfn::status::end)
            break;
        else if (outcome.code() != mfn::status::would_block)
            outcome.error().raise();
        print_log(runtime);
    }
    const auto state = pipeline.wait(0ms).value_or_throw();  // how it ended; draining makes it stopped
    pipeline.drain(10s).value_or_throw();
    print_log(runtime);
    const auto counters = pipeline.get_status().value_or_throw();
    std::printf("%llu received, %llu delivered, %llu dead letters\n",
                static_cast<unsigned long long>(counters.received),
                static_cast<unsigned long long>(counters.delivered),
                static_cast<unsigned long long>(counters.dead_lettered));
    return state == mfn::pipeline_state::failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CONFIG.toml\n", argv[0]);
        return 2;
    }
    mfn::runtime_options options;
    options.log_queue_max = 256;
    const auto runtime = mfn::runtime::create(options).value_or_throw();
    const auto config = mfn::config::from_file(argv[1]).value_or_throw();
    return follow(runtime, mfn::pipeline::start(runtime, config).value_or_throw());
} catch (const mfn::exception& failure) {
    print(argv[1], failure.error());
    return EXIT_FAILURE;
}
