#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "distil/core/number_matrix.hpp"

/// Numbers of any kind, one row after the other, for code that is not compiled for their kinds: what looks at logits
/// beside the losses and need not run at the speed of memory.
namespace distil::detail {

template <class Number>
void widen_numbers(void const* from, index count, index stride, double* to) noexcept {
  auto const* const numbers = static_cast<Number const*>(from);
  for (index i = 0; i < count; ++i) {
    if constexpr (std::is_integral_v<Number>) {
      to[i] = static_cast<double>(numbers[i * stride]);
    } else {
      to[i] = widen<double>(numbers[i * stride]);
    }
  }
}

#if defined(__GNUC__)
[[gnu::noinline]]
#endif
inline void
read_row(number_matrix const& matrix, index row, double* to) noexcept {
  void const* const from = matrix.address(row, 0);
  index const count = matrix.extent().columns, stride = matrix.extent().column_stride;
  switch (matrix.kind()) {
    case number_kind::none:
      return;
    case number_kind::float32:
      return widen_numbers<float>(from, count, stride, to);
    case number_kind::float64:
      return widen_numbers<double>(from, count, stride, to);
    case number_kind::bfloat16:
      return widen_numbers<bfloat16>(from, count, stride, to);
    case number_kind::half:
      return widen_numbers<half>(from, count, stride, to);
    case number_kind::int8:
      return widen_numbers<std::int8_t>(from, count, stride, to);
    case number_kind::uint8:
      return widen_numbers<std::uint8_t>(from, count, stride, to);
    case number_kind::int16:
      return widen_numbers<std::int16_t>(from, count, stride, to);
    case number_kind::uint16:
      return widen_numbers<std::uint16_t>(from, count, stride, to);
    case number_kind::int32:
      return widen_numbers<std::int32_t>(from, count, stride, to);
    case number_kind::uint32:
      return widen_numbers<std::uint32_t>(from, count, stride, to);
    case number_kind::int64:
      return widen_numbers<std::int64_t>(from, count, stride, to);
    case number_kind::uint64:
      return widen_numbers<std::uint64_t>(from, count, stride, to);
  }
}

/// log softmax(x / T) of a row, in place, and its entropy in nats. -inf is a masked class: its probability is 0. A row of
/// masked classes alone stays as it is and has entropy 0; one with a NaN or +inf becomes NaN.
inline double log_softmax_row(double* row, index classes, double temperature) noexcept {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double maximum = -infinity;
  for (index i = 0; i < classes; ++i) {
    if (row[i] > maximum || std::isnan(row[i])) maximum = row[i];
    if (std::isnan(maximum)) break;
  }
  if (maximum == -infinity) return 0.0;
  double sum = 0.0, first_moment = 0.0;
  for (index i = 0; i < classes; ++i) {
    row[i] = (row[i] - maximum) / temperature;
    if (row[i] == -infinity) continue;
    double const e = std::exp(row[i]);
    sum += e;
    first_moment += e * row[i];
  }
  double const log_sum = std::log(sum);
  for (index i = 0; i < classes; ++i) row[i] -= log_sum;
  return log_sum - first_moment / sum;
}

}  // namespace distil::detail
