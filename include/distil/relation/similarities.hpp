#pragma once

#include <cmath>

#include "distil/core/number_checks.hpp"
#include "distil/simd/exponential.hpp"

/// What `similarity_graph` takes for the similarity of two samples: a function of x . y, |x|^2 and |y|^2, the same when x
/// and y change places. A kernel of your own has
///
///   template <class Lanes> kernel_slopes<Lanes> at(Lanes dot, Lanes own, Lanes other) const;
///
/// and may have `check(char const* where)`, which refuses parameters, `check_numbers(char const* where,
/// detail::computing_type type)`, which refuses those that are no numbers of the type, and
/// `static constexpr bool centred = true` where it depends on differences of samples alone: samples far from the origin
/// keep their digits then.
namespace distil {

/// The similarity and its derivatives by x . y and by |x|^2.
template <class Lanes>
struct kernel_slopes {
  Lanes value, by_dot, by_own;
};

/// x . y
struct linear_similarity {
  template <class Lanes>
  kernel_slopes<Lanes> at(Lanes dot, Lanes, Lanes) const {
    return {dot, Lanes(1), Lanes(0)};
  }
};

/// x . y / (|x| |y|); 0 with a vector of zeros.
struct cosine_similarity {
  template <class Lanes>
  kernel_slopes<Lanes> at(Lanes dot, Lanes own, Lanes other) const {
    Lanes const none(0), one(1), half(-0.5);
    auto const undefined = (own == none) | (other == none);
    Lanes const safe = select(undefined, one, own);
    Lanes const scale = select(undefined, none, one / (sqrt(safe) * sqrt(select(undefined, one, other))));
    Lanes const cosine = dot * scale;
    return {cosine, scale, half * cosine / safe};
  }
};

/// exp(-|x - y|^2 / (2 width^2))
struct gaussian_similarity {
  static constexpr bool centred = true;

  double width = 1.0;  ///< finite and > 0

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_number(where, "kernel.width", width, type, detail::is_positive, detail::must_be_positive);
    detail::require_made(where, "kernel.width", width, type, "0.5 / width^2", 0.5 / (width * width),
                         detail::must_be_positive);
  }
  template <class Lanes>
  kernel_slopes<Lanes> at(Lanes dot, Lanes own, Lanes other) const {
    Lanes const squared = own + other - (dot + dot);
    Lanes const distance = select(squared < Lanes(0), Lanes(0), squared);
    Lanes const rate(0.5 / (width * width));
    Lanes const value = exp_nonpositive(-(distance * rate));
    return {value, (rate + rate) * value, -(rate * value)};
  }
};

/// (scale x . y + offset)^degree
struct polynomial_similarity {
  int degree = 2;       ///< within [1, 16]
  double scale = 1.0;   ///< finite
  double offset = 1.0;  ///< finite

  void check(char const* where) const {
    detail::require(degree >= 1 && degree <= 16, where, "kernel.degree", degree, "within [1, 16]");
  }
  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factor(where, "kernel.scale", scale, type, detail::is_finite_number,
                           detail::must_be_finite);
    detail::require_factor(where, "kernel.offset", offset, type, detail::is_finite_number,
                           detail::must_be_finite);
  }
  template <class Lanes>
  kernel_slopes<Lanes> at(Lanes dot, Lanes, Lanes) const {
    Lanes const base = fma(Lanes(scale), dot, Lanes(offset));
    Lanes power(1);
    for (int i = 1; i < degree; ++i) power *= base;
    return {power * base, Lanes(scale * degree) * power, Lanes(0)};
  }
};

}  // namespace distil
