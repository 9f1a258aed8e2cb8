#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference.hpp"
#include "reference_gradient.hpp"

/// Rows of logits with mean 0 and unbiased deviation 1, over the classes that are not masked.
namespace distil::reference {

template <class Scalar>
bool is_masked(Scalar logit) {
  return logit == -std::numeric_limits<Scalar>::infinity();
}

template <class Scalar>
struct spread {
  Scalar mean = 0, deviation = 0, count = 0;
};

template <class Scalar>
spread<Scalar> spread_of(row<Scalar> const& logits) {
  spread<Scalar> found;
  for (Scalar const z : logits) {
    if (!is_masked(z)) found.mean += z, found.count += 1;
  }
  if (found.count == 0) return {};
  found.mean /= found.count;
  Scalar squares = 0;
  for (Scalar const z : logits) {
    if (!is_masked(z)) squares += (z - found.mean) * (z - found.mean);
  }
  if (found.count > 1) found.deviation = std::sqrt(squares / (found.count - 1));
  return found;
}

/// What a row's distances from its mean are divided by; 1 where there are none.
template <class Scalar>
Scalar size_of_spread(spread<Scalar> const& of, std::type_identity_t<Scalar> epsilon) {
  return of.deviation > 0 ? of.deviation + epsilon : Scalar(1);
}

template <class Scalar>
row<Scalar> standardized(row<Scalar> logits, std::type_identity_t<Scalar> epsilon) {
  spread<Scalar> const of = spread_of(logits);
  for (Scalar& z : logits) z = (z - of.mean) / size_of_spread(of, epsilon);
  return logits;
}

/// From h = dL/dz' to dL/dz, where h of a masked class is 0:
/// (h - mean h - z' (h . z') (deviation + epsilon) / ((count - 1) deviation)) / (deviation + epsilon).
template <class Scalar>
row<Scalar> standardization_pull_back(row<Scalar> const& logits, row<Scalar> h,
                                      std::type_identity_t<Scalar> epsilon) {
  spread<Scalar> const of = spread_of(logits);
  row<Scalar> const z = standardized(logits, epsilon);
  Scalar const size = size_of_spread(of, epsilon);
  Scalar mean = 0, product = 0;
  for (std::size_t c = 0; c < h.size(); ++c) {
    if (!is_masked(z[c])) mean += h[c] / of.count, product += h[c] * z[c];
  }
  Scalar const along = of.deviation > 0 ? product * size / ((of.count - 1) * of.deviation) : Scalar(0);
  for (std::size_t c = 0; c < h.size(); ++c)
    h[c] = is_masked(z[c]) ? Scalar(0) : (h[c] - mean - z[c] * along) / size;
  return h;
}

}  // namespace distil::reference
