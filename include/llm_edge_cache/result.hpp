// Result<T>: what every fallible call of the library returns. No exception leaves a call that is
// made after set-up.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace llm_edge_cache {

enum class ErrorCode {
  kInvalidArgument,   // the caller's request cannot be used; the message names the field
  kUnavailable,       // a dependency is down or its circuit breaker is open
  kDeadlineExceeded,  // no answer within the deadline
  kOverloaded,        // a bounded queue is full; nothing was done
  kTooLarge,          // over a configured limit in bytes
  kCorruptData,       // stored bytes that do not verify
  kProtocol,          // a peer broke its protocol
  kCancelled,         // the cache is shutting down
  kIo,                // an operating-system call failed
  kInternal,          // a defect of ours
};

// Stable snake_case name, as used in logs, metrics and error bodies.
[[nodiscard]] constexpr std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case ErrorCode::kOverloaded:
      return "overloaded";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kCorruptData:
      return "corrupt_data";
    case ErrorCode::kProtocol:
      return "protocol";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one sentence in the caller's terms, without secrets

  friend bool operator==(const Error&, const Error&) = default;
};

// A value or an Error. value() on an error, or error() on a value, is undefined: test ok() first.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& value() const& { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] const Error& error() const { return *std::get_if<1>(&state_); }

  [[nodiscard]] T value_or(T fallback) && {
    return ok() ? std::move(*this).value() : std::move(fallback);
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

// Success carries nothing.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace llm_edge_cache
