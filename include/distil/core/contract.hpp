#pragma once

#include <charconv>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

/// Contracts: every bad argument ends here, before anything is read or written.
///
/// With exceptions the caller gets `std::invalid_argument`; without them the installed handler gets the text,
/// and `std::terminate` follows when there is none or when it returns. The library itself prints nothing.
namespace distil {

/// Called with the text of a violated contract in builds without exceptions. It must not return.
using contract_handler = void (*)(char const* text);

namespace detail {
inline contract_handler& installed_contract_handler() noexcept {
  static contract_handler handler = nullptr;
  return handler;
}
}  // namespace detail

/// Installs the handler for builds without exceptions and returns the one before it. Not thread-safe.
inline contract_handler set_contract_handler(contract_handler handler) noexcept {
  contract_handler const before = detail::installed_contract_handler();
  detail::installed_contract_handler() = handler;
  return before;
}

namespace detail {

// The bodies differ with and without exceptions, and so do their names. The losses that call them have one name each:
// like the standard library, a program is compiled with exceptions throughout or without them throughout.
#if defined(__cpp_exceptions)
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

[[noreturn, gnu::cold, gnu::noinline]] inline void fail(std::string const& text) {
#if defined(__cpp_exceptions)
  throw std::invalid_argument(text);
#else
  if (contract_handler const handler = installed_contract_handler()) handler(text.c_str());
  std::terminate();
#endif
}

/// Shortest text that reads back as the same number: 0.5, 1e-09, nan.
template <class Number>
requires std::is_arithmetic_v<Number>
[[gnu::cold, gnu::noinline]] std::string text_of(Number value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

inline std::string text_of(std::string_view value) { return std::string(value); }

/// A text that costs something to make comes as a function, which only a failure calls.
template <class Make>
requires std::is_invocable_v<Make> std::string text_of(Make const& make) { return text_of(make()); }

/// Refuses an argument unless `holds`: "distil::<where>: <argument> is <was>; it must be <must_be>".
template <class Was, class MustBe>
void require(bool holds, std::string_view where, std::string_view argument, Was const& was,
             MustBe const& must_be) {
  if (!holds) [[unlikely]] {
    std::string text("distil::");
    text.append(where).append(": ").append(argument).append(" is ").append(text_of(was));
    fail(text.append("; it must be ").append(text_of(must_be)));
  }
}

}  // inline namespace
}  // namespace detail
}  // namespace distil
