/// \file
/// Callbacks: any callable of the program, called by the library without letting an exception through.
///
/// A callback returns nothing, or `mfn::flow` to say whether the work goes on. What it throws is caught at the boundary
/// and stops the work; the call then fails with an error that keeps the exception, and `value_or_throw()` throws it. That
/// is so even when the work was done by then, which only counters such as `simulation::step_count()` tell.
#pragma once

#include <mfn/handle.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace mfn {

/// What a callback wants to happen next.
enum class flow { go_on, stop };

namespace detail {

/// Keeps the first exception of a callback, which may run on several threads at once.
class exception_keeper {
public:
    /// Keeps the exception that is being handled, unless there is one already.
    void keep() noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (thrown_ == nullptr) thrown_ = std::current_exception();
    }
    /// Gives the exception away.
    std::exception_ptr take() noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        return std::exchange(thrown_, nullptr);
    }

private:
    std::mutex mutex_;
    std::exception_ptr thrown_;
};

/// Calls a callable and turns what it does into 0 to go on and 1 to stop.
template <class F, class... A>
std::int32_t guarded(exception_keeper& keeper, F& function, A&&... arguments) noexcept {
    using answer = std::invoke_result_t<F&, A...>;
    static_assert(std::is_void_v<answer> || std::is_same_v<answer, flow>,
                  "a callback returns nothing, or mfn::flow::go_on or mfn::flow::stop");
    try {
        if constexpr (std::is_void_v<answer>) {
            function(std::forward<A>(arguments)...);
            return 0;
        } else {
            return function(std::forward<A>(arguments)...) == flow::stop ? 1 : 0;
        }
    } catch (...) {
        keeper.keep();
        return 1;
    }
}

/// A callable that is lent to the library for one call.
template <class F>
struct borrowed {
    F& function;
    exception_keeper keeper;

    explicit borrowed(F& callable) noexcept : function(callable) {}

    /// What the library calls: hands the arguments on as they come.
    template <class... A>
    static std::int32_t call(void* user_data, A... arguments) noexcept {
        auto& self = *static_cast<borrowed*>(user_data);
        return guarded(self.keeper, self.function, arguments...);
    }

    /// The result of the call during which it was lent.
    result<void> judge(mfn_status status, mfn_error* raw) { return detail::judge(status, raw, keeper.take()); }
};

/// Lends a callable to one call: `call(user_data, &error)` makes it, with `borrowed<F>::call` as the function.
template <class F, class Call>
result<void> lend(F& callable, Call&& call) {
    borrowed<F> lent(callable);
    mfn_error* raw = nullptr;
    const mfn_status status = call(static_cast<void*>(&lent), &raw);
    return lent.judge(status, raw);
}

/// A callable that an object keeps for the library.
struct kept_base {
    exception_keeper keeper;
    kept_base() = default;
    kept_base(const kept_base&) = delete;
    kept_base& operator=(const kept_base&) = delete;
    virtual ~kept_base() = default;
};
template <class F>
struct kept : kept_base {
    F function;
    explicit kept(F callable) : function(std::move(callable)) {}
};

}  // namespace detail
}  // namespace mfn
