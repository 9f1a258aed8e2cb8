#pragma once

#include "distil/sweep/evaluate.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// Rows of the pull-back through y = softmax(z / T) or y = log softmax(z / T), with g = dL/dy:
///
///   dL/dz = q (g - sum q g) / T        and        dL/dz = (g - q sum g) / T
///
/// The outputs of the forward function stand in the place of the logits.
template <class T, bool Logarithmic>
class pull_back_kernel : public simd::kernel_defaults<T> {
 public:
  static constexpr bool needs_maximum = false;
  static constexpr T padding = Logarithmic ? -simd::infinity<T> : T(0);

  template <class Storage>
  class operands_of {
   public:
    template <class Term>
    operands_of(simd::axis way, Term const& term) : upstream_(way, term.upstream) {}
    DISTIL_INLINE simd::strip<T> open(simd::tile const& rows, simd::block const& columns) {
      return upstream_.open(rows, columns, T(0));
    }

   private:
    simd::block_reader<T> upstream_;
  };

  struct partial {
    lanes<T> sum{0};
  };

  template <class Term, class Outputs>
  DISTIL_INLINE pull_back_kernel(Term const& term, Outputs const&, simd::tile const& rows, lanes<T>)
      : simd::kernel_defaults<T>(rows), inverse_(rows.inverses<T>(term.temperature)) {}

  struct adds_upstream {
    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, simd::strip<T> upstream,
                                  index k, Keep const&) const {
      lanes<T> const y = z.logit;
      if constexpr (Logarithmic) {
        sums.sum += select(y == lanes<T>(-simd::infinity<T>), lanes<T>(0), upstream[k]);
      } else {
        sums.sum += zero_safe_product(y, upstream[k]);
      }
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_upstream summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) { sum_ += sums.sum; }
  DISTIL_INLINE void join(pull_back_kernel const& other) { sum_ += other.sum_; }
  DISTIL_INLINE void close(simd::running_maximum<T> const&) { sum_ = this->axis_.sum(sum_); }
  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return lanes<T>(0); }

  struct block_gradient {
    lanes<T> inverse, sum;
    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T> upstream, index k,
                                      simd::kept<T>) const {
      lanes<T> const y = z.logit;
      if constexpr (Logarithmic) return inverse * (upstream[k] - exp(y) * sum);
      return inverse * zero_safe_product(y, upstream[k] - sum);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T>, simd::kept<T>) const {
    return {inverse_, sum_};
  }

 private:
  lanes<T> inverse_;
  lanes<T> sum_{0};
};

/// The pull-back as a term on the outputs of the forward function.
template <class Storage, bool Logarithmic>
struct pull_back_term : detail::term_base {
  using arithmetic = arithmetic_t<Storage>;
  template <class T>
  struct kernel : pull_back_kernel<T, Logarithmic> {
    using operands = typename pull_back_kernel<T, Logarithmic>::template operands_of<Storage>;
    using pull_back_kernel<T, Logarithmic>::pull_back_kernel;
  };

  detail::row_view<Storage const> upstream;
  row_parameter temperature;

  pull_back_term(detail::row_view<Storage const> the_upstream, row_parameter the_temperature)
      : upstream(the_upstream), temperature(the_temperature) {}

  void check(char const* where, index row_count, index columns) const {
    detail::require_shape(where, "upstream", upstream, row_count, columns);
    detail::require_temperature(where, temperature, {}, row_count);
  }
  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    detail::require(detail::overlap_of(gradient, upstream) != detail::overlap::partial, where, "gradient",
                    "overlapping the upstream gradient in part",
                    "the upstream gradient's own matrix, element for element, or apart from it");
  }
  void inspect(char const* where, index /*rows*/, index /*columns*/) const {
    detail::require_row_values(where, "temperature", temperature, detail::is_temperature,
                               detail::must_be_temperature);
  }
  [[nodiscard]] detail::row_weight weigh(bool is_masked, index row) const {
    return is_masked ? detail::row_weight{} : weight_of(row);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
