#pragma once

#include <cmath>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "../batches.hpp"
#include "../reference.hpp"
#include "../reference_gradient.hpp"
#include "distil/core/row_parameter.hpp"
#include "distil/response/cross_entropy/targets.hpp"

/// A case says of one loss how to call it, and what it must give. The shared suites take everything they need from
/// it, so a loss without a case cannot be configured, and one with a case is tested in every respect.
namespace distil::testing {

/// One number for all rows, or one for each. A loss that takes one a row gets them; all else, the reference too, reads the
/// number.
class setting_temperature {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr setting_temperature(Number value) : value_(static_cast<double>(value)) {}
  explicit setting_temperature(std::span<double const> each) : each_(each) {}

  operator double() const { return value_; }
  operator row_parameter() const {
    if (each_.empty()) return value_;
    was_taken_ = true;
    return each_;
  }
  [[nodiscard]] bool was_taken() const { return was_taken_; }  ///< one a row

 private:
  double value_ = 1.0;
  std::span<double const> each_ = {};
  mutable bool was_taken_ = false;
};

/// The option `weight` of a loss that has one.
class setting_weight {
 public:
  constexpr setting_weight(double value) : value_(value) {}
  operator double() const {
    was_taken_ = true;
    return value_;
  }
  [[nodiscard]] bool was_taken() const { return was_taken_; }

 private:
  double value_ = 1.0;
  mutable bool was_taken_ = false;
};

/// One set of options of a loss; a case reads the ones that concern it, and adds its own in a type derived from this.
struct setting {
  std::string label = "default";
  setting_temperature temperature = 1.0;
  bool squared = true;
  double soft_weight = 0.9;
  double hard_weight = 0.1;
  double label_smoothing = 0.0;
  smoothing smoothing_over = smoothing::all_classes;
  setting_weight weight = 1.0;
};

/// What the reference says of one row, and the sizes its error bounds are relative to.
struct truth {
  long double value = 0;
  long double weight = 0;
  std::vector<long double> gradient = {};
  long double by_temperature = 0;
  double value_scale = 1;     ///< f * (1 + log C), beside |value|
  double gradient_scale = 1;  ///< f / T
};

using exact_row = std::vector<long double>;

inline double temperature_factor(setting const& s) { return s.squared ? s.temperature * s.temperature : 1.0; }
inline double size_of_classes(exact_row const& z) { return 1.0 + std::log(static_cast<double>(z.size())); }

/// Settings that every loss with a temperature goes through.
inline std::vector<setting> temperatures() {
  return {{.label = "T=1"},
          {.label = "T=4", .temperature = 4},
          {.label = "T=0.5", .temperature = 0.5},
          {.label = "T=2.5 without T^2", .temperature = 2.5, .squared = false}};
}

}  // namespace distil::testing
