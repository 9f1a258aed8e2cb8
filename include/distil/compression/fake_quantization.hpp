#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "distil/core/number_checks.hpp"

namespace distil {

/// What shares a step and a zero.
enum class quantized_by { tensor, row, column };

/// Which codes stand for which numbers.
enum class quantized_range {
  symmetric,  ///< codes -m to m with m = 2^(bits - 1) - 1, step = largest magnitude / m: 127 of 8 bits, LLM-QAT
  full_symmetric,  ///< codes -2^(bits - 1) to 2^(bits - 1) - 1, step = largest magnitude / (2^(bits - 1) - 1/2): 127.5, torch
  affine  ///< codes 0 to 2^bits - 1 from the smallest number, or 0, to the largest, or 0: 0 has a code of its own
};

/// Which elements hand the gradient on.
enum class straight_through {
  inside,  ///< those whose code is not clamped: |x / step - code| <= 1/2, as torch's fake quantisation. Those half a step outside
           ///< of the outermost codes still round to them
  clamped,    ///< those within the outermost codes themselves, as LSQ and PACT: none outside
  everywhere  ///< all: no clipping
};

struct fake_quantization_options {
  int bits = 8;  ///< within [2, 8]
  quantized_by share = quantized_by::tensor;
  quantized_range range = quantized_range::symmetric;
  straight_through gradient = straight_through::inside;
};

/// The step and the zero of one tensor, row or column.
struct quantized_scale {
  double step = 0;  ///< 0 where all numbers are 0, or none is finite: they stay as they are
  double zero = 0;  ///< the code of 0
};

/// Rounds numbers to those that so few bits can hold, and back: what a network will see once it is quantised, while it still
/// learns in full precision. The student's forward pass runs on the rounded weights or activations, its backward pass as if
/// nothing were rounded (straight-through), but for what was clipped.
///
///     fake_quantization const in_4_bits({.bits = 4, .share = quantized_by::row});
///     auto const scales = in_4_bits.scales(weights);             // from their range, or those of a learned step
///     in_4_bits.round(weights, scales, rounded);                 // forward
///     in_4_bits.pull_back(weights, scales, gradient, gradient);  // dL/d rounded to dL/d weights
///
///     code = clamp(round_to_even(x / step) + zero, least, most);   rounded = (code - zero) step
///
/// Matrices are float or double with any strides; what is written may be what is read. NaN stays NaN and is no part of a range;
/// infinities are clamped to the outermost codes and are no part of a range, either. Source: Jacob et al. 2018, arXiv:1712.05877;
/// Bengio et al. 2013 for the straight-through estimator.
class fake_quantization {
 public:
  /// Throws std::invalid_argument unless bits are within [2, 8].
  explicit fake_quantization(fake_quantization_options const& options = {}) : options_(options) {
    detail::require(options.bits >= 2 && options.bits <= 8, where, "bits", options.bits, "within [2, 8]");
  }

  [[nodiscard]] int least_code() const {
    int const half = 1 << (options_.bits - 1);
    return options_.range == quantized_range::affine      ? 0
           : options_.range == quantized_range::symmetric ? 1 - half
                                                          : -half;
  }
  [[nodiscard]] int most_code() const {
    return options_.range == quantized_range::affine ? (1 << options_.bits) - 1
                                                     : (1 << (options_.bits - 1)) - 1;
  }

  /// One for the tensor, or for each row or column, from the numbers' range.
  [[nodiscard]] std::vector<quantized_scale> scales(matrix_view<float const> numbers) const {
    return found(numbers);
  }
  [[nodiscard]] std::vector<quantized_scale> scales(matrix_view<double const> numbers) const {
    return found(numbers);
  }

  /// Throws std::invalid_argument when a shape or scale is refused; nothing is written then.
  void round(matrix_view<float const> numbers, std::span<quantized_scale const> scales,
             matrix_view<float> to) const {
    rounded(numbers, scales, to);
  }
  void round(matrix_view<double const> numbers, std::span<quantized_scale const> scales,
             matrix_view<double> to) const {
    rounded(numbers, scales, to);
  }

  /// From the gradient by the rounded numbers to that by the numbers, overwritten. Otherwise as `round`.
  void pull_back(matrix_view<float const> numbers, std::span<quantized_scale const> scales,
                 matrix_view<float const> gradient, matrix_view<float> to) const {
    pulled(numbers, scales, gradient, to);
  }
  void pull_back(matrix_view<double const> numbers, std::span<quantized_scale const> scales,
                 matrix_view<double const> gradient, matrix_view<double> to) const {
    pulled(numbers, scales, gradient, to);
  }

  /// The code of a number, before it is scaled back; of NaN the zero's.
  [[nodiscard]] int code(double number, quantized_scale const& scale) const {
    if (std::isnan(number) || scale.step == 0.0) return static_cast<int>(scale.zero);
    double const raw = std::nearbyint(number / scale.step) + scale.zero;
    return static_cast<int>(std::clamp(raw, double(least_code()), double(most_code())));
  }

 private:
  static constexpr char const* where = "fake_quantization";

  [[nodiscard]] std::size_t place_of(index row, index column) const {
    return static_cast<std::size_t>(options_.share == quantized_by::row      ? row
                                    : options_.share == quantized_by::column ? column
                                                                             : 0);
  }
  [[nodiscard]] std::size_t count_of(index rows, index columns) const {
    return static_cast<std::size_t>(options_.share == quantized_by::row      ? rows
                                    : options_.share == quantized_by::column ? columns
                                                                             : 1);
  }

  template <class T>
  [[nodiscard]] std::vector<quantized_scale> found(matrix_view<T const> const& numbers) const {
    detail::require_matrix(where, "numbers", numbers);
    struct ends {
      double low = 0, high = 0;
    };
    std::vector<ends> range(count_of(numbers.rows, numbers.columns));
    for (index row = 0; row < numbers.rows; ++row) {
      for (index column = 0; column < numbers.columns; ++column) {
        auto const number = static_cast<double>(numbers(row, column));
        if (!std::isfinite(number)) continue;
        ends& each = range[place_of(row, column)];
        each.low = std::min(each.low, number);
        each.high = std::max(each.high, number);
      }
    }
    std::vector<quantized_scale> result;
    for (ends const& each : range) {
      double const largest = std::max(each.high, -each.low);
      double const half = static_cast<double>(1 << (options_.bits - 1));
      if (largest == 0.0) {
        result.push_back({});
      } else if (options_.range == quantized_range::affine) {
        double const step = each.high / most_code() - each.low / most_code();
        result.push_back({step, std::clamp(std::nearbyint(-each.low / step), 0.0, double(most_code()))});
      } else {
        result.push_back(
            {largest / (options_.range == quantized_range::symmetric ? half - 1.0 : half - 0.5), 0.0});
      }
    }
    return result;
  }

  template <class T>
  void require_scales(matrix_view<T const> const& numbers, std::span<quantized_scale const> scales,
                      matrix_view<T> const& to) const {
    detail::require_matrix(where, "numbers", numbers);
    detail::require_shape(where, "output", to, numbers.rows, numbers.columns);
    std::size_t const wanted = count_of(numbers.rows, numbers.columns);
    detail::require(scales.size() == wanted, where, "number of scales", scales.size(),
                    [&] { return detail::said(wanted, ", one for what shares it"); });
    for (quantized_scale const& each : scales) {
      detail::require(each.step >= 0.0 && std::isfinite(each.step), where, "step", each.step,
                      "finite and >= 0");
      detail::require(
          each.zero >= least_code() && each.zero <= most_code() && each.zero == std::floor(each.zero), where,
          "zero", each.zero, "a code");
    }
  }

  template <class T>
  void rounded(matrix_view<T const> const& numbers, std::span<quantized_scale const> scales,
               matrix_view<T> const& to) const {
    require_scales(numbers, scales, to);
    double const least = least_code(), most = most_code();
    for (index row = 0; row < numbers.rows; ++row) {
      for (index column = 0; column < numbers.columns; ++column) {
        quantized_scale const& scale = scales[place_of(row, column)];
        auto const number = static_cast<double>(numbers(row, column));
        double const code = std::clamp(std::nearbyint(number / scale.step) + scale.zero, least, most);
        bool const stays = scale.step == 0.0 || std::isnan(number);
        to(row, column) = stays ? numbers(row, column) : static_cast<T>((code - scale.zero) * scale.step);
      }
    }
  }

  template <class T>
  void pulled(matrix_view<T const> const& numbers, std::span<quantized_scale const> scales,
              matrix_view<T const> const& gradient, matrix_view<T> const& to) const {
    require_scales(numbers, scales, to);
    detail::require_shape(where, "gradient", gradient, numbers.rows, numbers.columns);
    double const reach = options_.gradient == straight_through::inside ? 0.5 : 0.0;
    for (index row = 0; row < numbers.rows; ++row) {
      for (index column = 0; column < numbers.columns; ++column) {
        quantized_scale const& scale = scales[place_of(row, column)];
        double const place = static_cast<double>(numbers(row, column)) / scale.step + scale.zero;
        bool const outside = place < least_code() - reach || place > most_code() + reach;
        bool const stops = options_.gradient != straight_through::everywhere && scale.step > 0.0 && outside;
        to(row, column) = stops ? T(0) : gradient(row, column);
      }
    }
  }

  fake_quantization_options options_;
};

}  // namespace distil
