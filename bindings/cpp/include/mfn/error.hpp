/// \file
/// Errors: what went wrong, where, why, and whether trying again can help.
///
/// An `mfn::error` is a value: cheap to copy, immutable, safe to hand to other threads. `mfn::exception` is the same as
/// something to throw; nothing here throws unless the program asks for it with `value_or_throw()`.
#pragma once

#include <mfn.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mfn {

/// What a call says about itself and about what it left behind. Later versions may have more: treat an unknown one as
/// a failure.
enum class status : std::int32_t {
    ok = MFN_OK,                    ///< Done.
    would_block = MFN_WOULD_BLOCK,  ///< Nothing there yet within the time given. Call again.
    invalid = MFN_INVALID,          ///< An argument is wrong. Nothing was changed.
    unstable = MFN_UNSTABLE,        ///< A step gave NaN or infinity and was discarded.
    plugin = MFN_PLUGIN,            ///< A plugin failed or was refused.
    cancelled = MFN_CANCELLED,      ///< Stopped because the program asked for it, or because its callback threw.
    closed = MFN_CLOSED,            ///< The object was closed or stopped before.
    fatal = MFN_FATAL,              ///< A defect inside the library was caught; the handle can only be freed.
    io = MFN_IO,                    ///< A file or another resource of the system failed.
    end = MFN_END                   ///< There will be no more.
};

/// The name of a status, such as "MFN_INVALID". Static text.
[[nodiscard]] inline const char* status_name(status code) noexcept {
    return mfn_status_name(static_cast<mfn_status>(code));
}

/// What the caller of a failed call should do.
enum class failure_class : std::int32_t {
    none = 0,                         ///< Not a failure.
    retryable = MFN_CLASS_RETRYABLE,  ///< Trying again later can succeed.
    throttled = MFN_CLASS_THROTTLED,  ///< As retryable, but not before `retry_after()`.
    blocked = MFN_CLASS_BLOCKED,      ///< Keep the data and ask an operator.
    permanent = MFN_CLASS_PERMANENT,  ///< Trying the same again can not succeed.
    unknown = MFN_CLASS_UNKNOWN,      ///< It may have happened. Try again only under the same record id.
    cancelled = MFN_CLASS_CANCELLED,  ///< Given up because the program asked for it.
    fatal = MFN_CLASS_FATAL           ///< The object is unusable.
};

/// One fault of a specification or a configuration. The texts live as long as the error that lent them.
struct fault {
    const char* path;     ///< Where it lies, such as "limits.threads".
    const char* message;  ///< What is wrong there.
    const char* fix;      ///< How to put it right.
};

/// An error that somebody else owns, for the length of a callback; see `error` for one to keep. Made from NULL it says
/// that nothing is wrong.
class error_view {
public:
    /// Looks at an error of the C interface.
    explicit error_view(const mfn_error* raw = nullptr) noexcept : raw_(raw) {}

    /// Whether there is an error.
    explicit operator bool() const noexcept { return raw_ != nullptr; }
    /// The status of the failed call; `status::ok` without one.
    [[nodiscard]] mfn::status status() const noexcept { return static_cast<mfn::status>(mfn_error_status(raw_)); }
    /// What went wrong and what to do, in one line.
    [[nodiscard]] const char* message() const noexcept { return mfn_error_message(raw_); }
    /// How many deeper causes there are.
    [[nodiscard]] std::size_t cause_count() const noexcept { return mfn_error_cause_count(raw_); }
    /// A deeper cause; 0 is the nearest, "" is beyond the last.
    [[nodiscard]] const char* cause(std::size_t index) const noexcept { return mfn_error_cause(raw_, index); }
    /// The plugin where it arose, or "".
    [[nodiscard]] const char* plugin() const noexcept { return mfn_error_plugin(raw_); }
    /// The component (the configured instance of a plugin) where it arose, or "".
    [[nodiscard]] const char* component() const noexcept { return mfn_error_component(raw_); }
    /// What the caller should do.
    [[nodiscard]] failure_class error_class() const noexcept {
        return static_cast<failure_class>(mfn_error_class(raw_));
    }
    /// Whether the same call can succeed later without a change.
    [[nodiscard]] bool retriable() const noexcept { return mfn_error_retriable(raw_) != 0; }
    /// How long to wait before trying again; 0 when the error does not say.
    [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept {
        return std::chrono::milliseconds(static_cast<std::int64_t>(mfn_error_retry_after_ms(raw_)));
    }
    /// How many single faults a specification or configuration has; 0 for other errors.
    [[nodiscard]] std::size_t fault_count() const noexcept { return mfn_error_fault_count(raw_); }
    /// A single fault; empty texts beyond the last.
    [[nodiscard]] mfn::fault fault(std::size_t index) const noexcept {
        return {mfn_error_fault_path(raw_, index), mfn_error_fault_message(raw_, index),
                mfn_error_fault_fix(raw_, index)};
    }
    /// The error as the C interface knows it; NULL without one.
    [[nodiscard]] const mfn_error* get() const noexcept { return raw_; }

private:
    const mfn_error* raw_;
};

/// Why a call did not do what it was asked. It keeps the library's error object, and the exception where a callback of
/// the program threw one. Copies share both.
class error {
public:
    /// Nothing is wrong: `code()` is `status::ok`.
    error() noexcept = default;

    /// A failure that is found before the library is asked.
    error(mfn::status code, std::string message) : code_(code) {
        auto body = std::make_shared<contents>(nullptr);
        body->what = std::move(message);
        contents_ = std::move(body);
    }

    /// What a call of the C interface left. Takes `raw`, which may be NULL, over, also when memory runs out.
    static error adopt(mfn::status code, mfn_error* raw, std::exception_ptr thrown = nullptr) {
        error made;
        made.code_ = code;
        std::unique_ptr<mfn_error, void (*)(mfn_error*)> owned(raw, mfn_error_free);
        if (raw != nullptr || thrown != nullptr) {
            auto body = std::make_shared<contents>(std::move(thrown));
            body->raw = owned.release();
            made.contents_ = std::move(body);
        }
        return made;
    }

    /// Whether there is an error.
    explicit operator bool() const noexcept { return code_ != mfn::status::ok; }
    /// What the call answered.
    [[nodiscard]] mfn::status code() const noexcept { return code_; }
    /// Whether this is an answer to go on with (would_block, cancelled, end) rather than a failure.
    [[nodiscard]] bool is_answer() const noexcept {
        return code_ == mfn::status::would_block || code_ == mfn::status::cancelled || code_ == mfn::status::end;
    }

    /// What went wrong and what to do, in one line. Lives as long as this error or a copy of it.
    [[nodiscard]] const char* message() const noexcept {
        if (view()) return view().message();
        if (contents_ != nullptr) return contents_->what.c_str();
        switch (code_) {
            case mfn::status::ok: return "";
            case mfn::status::would_block: return "nothing came within the time given; call again";
            case mfn::status::cancelled: return "stopped because the program asked for it";
            case mfn::status::end: return "there will be no more";
            default: return status_name(code_);
        }
    }

    /// The deeper causes, the nearest first.
    [[nodiscard]] std::vector<std::string> causes() const {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < view().cause_count(); ++i) all.emplace_back(view().cause(i));
        return all;
    }

    /// The single faults of a specification or configuration. Their texts live as long as this error or a copy of it.
    [[nodiscard]] std::vector<mfn::fault> faults() const {
        std::vector<mfn::fault> all;
        for (std::size_t i = 0; i < view().fault_count(); ++i) all.push_back(view().fault(i));
        return all;
    }

    /// The plugin where it arose, or "".
    [[nodiscard]] const char* plugin() const noexcept { return view().plugin(); }
    /// The component where it arose, or "".
    [[nodiscard]] const char* component() const noexcept { return view().component(); }
    /// Whether the same call can succeed later without a change.
    [[nodiscard]] bool retriable() const noexcept { return view().retriable(); }
    /// How long to wait before trying again; 0 when the error does not say.
    [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept { return view().retry_after(); }
    /// What the caller should do.
    [[nodiscard]] failure_class error_class() const noexcept { return view().error_class(); }

    /// The exception that a callback of the program threw during the call, or NULL.
    [[nodiscard]] std::exception_ptr callback_exception() const noexcept {
        return contents_ != nullptr ? contents_->thrown : nullptr;
    }

    /// The library's error object; empty for answers.
    [[nodiscard]] error_view view() const noexcept {
        return error_view(contents_ != nullptr ? contents_->raw : nullptr);
    }

    /// Throws: what a callback threw if one did, else an `mfn::exception`.
    [[noreturn]] void raise() const;

private:
    struct contents {
        explicit contents(std::exception_ptr from_callback) : thrown(std::move(from_callback)) {
            if (thrown == nullptr) return;
            try {
                std::rethrow_exception(thrown);
            } catch (const std::exception& exception) {
                what = std::string("a callback threw: ") + exception.what();
            } catch (...) {
                what = "a callback threw something that is no std::exception";
            }
        }
        contents(const contents&) = delete;
        contents& operator=(const contents&) = delete;
        ~contents() { mfn_error_free(raw); }

        mfn_error* raw = nullptr;
        std::exception_ptr thrown;
        std::string what;
    };

    std::shared_ptr<const contents> contents_;
    mfn::status code_ = mfn::status::ok;
};

/// An error that was thrown because the program asked for it.
class exception : public std::exception {
public:
    /// Wraps an error.
    explicit exception(mfn::error error) noexcept : error_(std::move(error)) {}
    /// The error's message.
    [[nodiscard]] const char* what() const noexcept override { return error_.message(); }
    /// The error.
    [[nodiscard]] const mfn::error& error() const noexcept { return error_; }
    /// What the call answered.
    [[nodiscard]] mfn::status code() const noexcept { return error_.code(); }

private:
    mfn::error error_;
};

inline void error::raise() const {
    if (auto thrown = callback_exception()) std::rethrow_exception(thrown);
    throw exception(*this);
}

}  // namespace mfn
