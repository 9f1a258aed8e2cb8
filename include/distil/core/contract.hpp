#pragma once

#include <charconv>
#include <concepts>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "distil/core/language.hpp"

/// Contracts: every bad argument ends here, before anything is read or written.
///
/// With exceptions the caller gets `std::invalid_argument`. Without them the installed handler gets the text; where there
/// is none, the text is written to the standard error output. `std::terminate` follows. Nothing else is ever printed.
namespace distil {

/// Called with the text of a violated contract in builds without exceptions. The program ends when it returns.
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
  if (contract_handler const handler = installed_contract_handler()) {
    handler(text.c_str());
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
  std::terminate();
#endif
}

/// What a message says of an argument: a text, a number, or a function that makes a text which costs something, and which
/// only a failure calls. One type for all of them, so that checks are compiled once. Refers to what it is made from.
class account {
 public:
  account(char const* text) noexcept : account(std::string_view(text)) {}
  account(std::string const& text) noexcept : account(std::string_view(text)) {}
  account(std::string_view text) noexcept : size_(text.size()), write_(write_text) {
    told_.text = text.data();
  }

  // In the widest type of a kind, but for float, whose shortest text is another.
  account(float number) noexcept : write_(write_number<&told::single>) { told_.single = number; }
  account(double number) noexcept : write_(write_number<&told::real>) { told_.real = number; }
  account(std::unsigned_integral auto number) noexcept : write_(write_number<&told::natural>) {
    told_.natural = number;
  }
  account(std::signed_integral auto number) noexcept
      : size_(number < 0 ? std::size_t{1} : 0), write_(write_number<&told::natural>) {
    auto const same = static_cast<unsigned long long>(number);
    told_.natural = number < 0 ? 0 - same : same;
  }

  account(std::string (*make)()) noexcept
      : write_([](account const& made) { return made.told_.function(); }) {
    told_.function = make;
  }
  template <class Make>
  requires(std::is_object_v<Make>&& std::is_invocable_r_v<std::string, Make const&>) account(Make const& make)
  noexcept
      : write_(
            [](account const& made) { return std::string((*static_cast<Make const*>(made.told_.make))()); }) {
    told_.make = std::addressof(make);
  }

  [[nodiscard]] std::string text() const { return write_(*this); }

 private:
  union told {
    char const* text;
    float single;
    double real;
    unsigned long long natural;  ///< without its sign
    std::string (*function)();
    void const* make;
  };

  static std::string write_text(account const& one) { return {one.told_.text, one.size_}; }

  /// Shortest text that reads back as the same number: 0.5, 1e-09, nan.
  template <auto Kind>
  static std::string write_number(account const& one) {
    char text[64];
    text[0] = '-';
    char* const first = text + one.size_;
    return {text, std::to_chars(first, text + sizeof(text), one.told_.*Kind).ptr};
  }

  told told_;
  std::size_t size_ = 0;  ///< of a text; of a number its sign's
  std::string (*write_)(account const&);
};

[[gnu::cold, gnu::noinline]] inline std::string text_of(account const& what) { return what.text(); }

[[gnu::cold, gnu::noinline]] inline std::string joined(std::initializer_list<account> parts) {
  std::string text;
  for (account const& part : parts) text += part.text();
  return text;
}

/// Texts and numbers, one after the other. Always inline, so that no function is compiled for their types.
template <class... Parts>
[[gnu::always_inline]] inline std::string said(Parts const&... parts) {
  return joined({account(parts)...});
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse(std::string_view where, std::string_view argument,
                                                          account const& was, account const& must_be) {
  fail(said("distil::", where, ": ", argument, " is ", was, "; it must be ", must_be));
}

/// Refuses an argument unless `holds`: "distil::<where>: <argument> is <was>; it must be <must_be>". Always inline, so
/// that only a failure makes accounts, and no function is compiled for the types of what it is told.
template <class Was, class MustBe>
[[gnu::always_inline]] inline void require(bool holds, std::string_view where, std::string_view argument,
                                           Was const& was, MustBe const& must_be) {
  if (!holds) [[unlikely]]
    refuse(where, argument, was, must_be);
}

}  // inline namespace
}  // namespace detail
}  // namespace distil
