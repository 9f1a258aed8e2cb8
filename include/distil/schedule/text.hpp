#pragma once

#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "distil/core/language.hpp"

/// Text for states, configurations and errors: numbers that read back to the same bits in every locale.
namespace distil::schedule::detail {

inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view const part : parts) text += part;
  return text;
}

inline std::string quoted(std::string_view text) { return joined({"\"", text, "\""}); }

/// The shortest text that reads back exactly: 0.1, 1e-09, inf, nan.
template <class Number>
std::string number_text(Number value) {
  char text[32];  // the longest double takes 24
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// The number a text spells, when it spells one and nothing else.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace distil::schedule::detail
