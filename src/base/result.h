// SPDX-License-Identifier: Apache-2.0
// Result<T, E>: a value or an error. E is the closed enum (or small struct) of one side:
// engine::Fault in the engine, control::ApiError in the control plane, base Error elsewhere.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace mikura {

// An error that carries only words, for start-up code and files: "cannot open X: permission
// denied".
struct Error {
  std::string message;
};

struct Unit {};

template <typename T, typename E = Error>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<T, E>, "value and error must differ");

 public:
  using Value = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(*-explicit-*)
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)
  template <typename U = T,
            typename = std::enable_if_t<
                std::is_constructible_v<T, U&&> && !std::is_same_v<std::decay_t<U>, T> &&
                !std::is_same_v<std::decay_t<U>, E> && !std::is_same_v<std::decay_t<U>, Result>>>
  Result(U&& value)  // NOLINT(*-explicit-*)
      : state_(std::in_place_index<0>, T(std::forward<U>(value))) {}
  // The value is made where it lies: for types that are dear to move.
  template <typename... Arguments>
  explicit Result(std::in_place_t, Arguments&&... arguments)
      : state_(std::in_place_index<0>, std::forward<Arguments>(arguments)...) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    DCHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    DCHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    DCHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const& {
    DCHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  E&& error() && {
    DCHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, E> state_;
};

// A Result without a value.
template <typename E>
class [[nodiscard]] Result<Unit, E> {
 public:
  using Value = Unit;

  Result() = default;
  Result(Unit) {}                                // NOLINT(*-explicit-*)
  Result(E error) : error_(std::move(error)) {}  // NOLINT(*-explicit-*)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Unit value() const { return {}; }
  const E& error() const& {
    DCHECK(!ok());
    return *error_;
  }
  E&& error() && {
    DCHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<E> error_;
};

using Status = Result<Unit, Error>;

inline Unit Ok() { return {}; }

}  // namespace mikura

#define MIKURA_CONCAT_INNER(a, b) a##b
#define MIKURA_CONCAT(a, b) MIKURA_CONCAT_INNER(a, b)

// Returns the error of `expression` from the enclosing function, if it has one.
#define RETURN_IF_ERROR(expression)                                   \
  do {                                                                \
    auto mikura_status = (expression);                                \
    if (!mikura_status.ok()) return std::move(mikura_status).error(); \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x is F()'s value, or the error is returned. With `auto&& x` or
// `const auto& x` the value stays in the result, which lives as long as x.
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(MIKURA_CONCAT(mikura_result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) return std::move(result).error();           \
  declaration = std::move(result).value()
