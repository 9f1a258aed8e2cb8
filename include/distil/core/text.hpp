#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "distil/core/contract.hpp"

/// Text of states, configurations and errors: numbers that `text_of` writes read back to the same bits in every locale.
namespace distil::detail {

inline std::string quoted(std::string_view text) { return said("\"", text, "\""); }

/// The number a text spells, when it spells one and nothing else.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Reads what a `to_text` made, "name=value name=value", field after field; refuses any other text.
class field_reader {
 public:
  /// `fields` says what the text must look like: "value=... best=...".
  field_reader(char const* where, std::string_view text, char const* fields)
      : where_(where), fields_(fields), rest_(text) {}

  std::string_view word(std::string_view name) {
    std::string_view const field = rest_.substr(0, rest_.find(' '));
    std::size_t const equals = field.find('=');
    require(
        equals != field.npos && field.substr(0, equals) == name, where_, "text",
        [&] { return said(quoted(rest_), " where ", name, " should stand"); },
        [&] { return said("what to_text made: ", fields_); });
    // A blank separates: at the end of the text it stays, and is refused.
    rest_.remove_prefix(field.size() + (field.size() + 1 < rest_.size() ? 1 : 0));
    return field.substr(equals + 1);
  }

  double number(std::string_view name) { return spelled<double>(name, word(name)); }
  std::int64_t integer(std::string_view name) { return spelled<std::int64_t>(name, word(name)); }
  std::optional<double> number_or_none(std::string_view name) {
    std::string_view const text = word(name);
    if (text == "none") return std::nullopt;
    return spelled<double>(name, text);
  }

  /// Calls `take` with each number of a list, "1,2,3"; an empty list has none.
  template <class Number = double, class Take>
  void numbers(std::string_view name, Take const& take) {
    std::string_view list = word(name);
    while (!list.empty()) {
      std::size_t const comma = list.find(',');
      require(
          comma + 1 != list.size(), where_, name, [&] { return quoted(list); },
          "numbers with commas between");
      take(spelled<Number>(name, list.substr(0, comma)));
      list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    }
  }

  void end() const {
    require(
        rest_.empty(), where_, "text after the state", [&] { return quoted(rest_); }, "nothing");
  }

 private:
  template <class Number>
  Number spelled(std::string_view name, std::string_view text) const {
    std::optional<Number> const value = number_of<Number>(text);
    require(
        value.has_value(), where_, name, [&] { return quoted(text); }, "a number");
    return *value;
  }

  char const* where_;
  char const* fields_;
  std::string_view rest_;
};

/// "1,2.5,3": what `field_reader::numbers` reads.
template <class Range>
std::string list_text(Range const& numbers) {
  std::string text;
  for (auto const& number : numbers) {
    if (!text.empty()) text += ',';
    text += text_of(number);
  }
  return text;
}

}  // namespace distil::detail
