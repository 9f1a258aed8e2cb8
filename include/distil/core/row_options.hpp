#pragma once

#include <cstdint>
#include <span>

#include "distil/core/labels.hpp"

namespace distil {

/// How the losses of the rows become one number.
enum class reduction {
  mean,  ///< sum of weight * loss, divided by the sum of the weights that counted (or by `normalizer`)
  sum    ///< sum of weight * loss
};

/// What all row-wise losses share.
struct row_options {
  /// Default mean, as in the papers. `mean` divides by rows, never by classes.
  reduction reduce = reduction::mean;

  /// Multiplies each row's loss; finite and >= 0. A row of weight 0 does not influence the result, whatever it holds. Default 1.
  row_parameter weights = 1;

  /// Multiplies each row's loss, too, but no divisor, and may be negative: the advantages of a policy gradient, or the
  /// scale that keeps 16-bit gradients from flushing to 0. Finite. A row of coefficient 0 counts and is not read. Default 1.
  row_parameter coefficients = 1;

  /// Rows with this label do not count. Default -100, as in PyTorch.
  std::int64_t ignore_label = -100;

  /// Labels that say which rows to ignore, for losses that take none of their own: the token mask of a
  /// divergence. One per row; only compared with `ignore_label`. Default: none.
  label_view labels = {};

  /// Divides the sum instead of the own weight when > 0 and `reduce` is mean: the global number of valid
  /// tokens under gradient accumulation or data parallelism. Default 0: own weight.
  double normalizer = 0.0;

  /// Where to write each row's loss before weights and reduction, one per row; rows that do not count get 0.
  /// Default: nowhere.
  std::span<double> values = {};
};

}  // namespace distil
