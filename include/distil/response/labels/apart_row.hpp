#pragma once

#include "distil/simd/logarithm.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// The probability of the label against that of all other classes, from the difference of their logits.
template <class T>
struct label_odds {
  lanes<T> logit{0};  ///< +inf without other classes
  lanes<T> log_label{0}, log_others{0}, label{0}, others{0};

  label_odds() = default;
  explicit DISTIL_INLINE label_odds(lanes<T> difference) : logit(difference) {
    lanes<T> const smaller = exp_nonpositive(-abs(difference)), log_sum = log1p(smaller);
    lanes<T> const larger = lanes<T>(1) / (lanes<T>(1) + smaller);
    auto const leads = difference >= lanes<T>(0);
    log_label = -(max(-difference, lanes<T>(0)) + log_sum);
    log_others = -(max(difference, lanes<T>(0)) + log_sum);
    label = select(leads, larger, smaller * larger);
    others = select(leads, smaller * larger, larger);
  }
};

/// Both sides of a row with its label apart.
template <class T>
struct apart {
  label_odds<T> student, teacher;                ///< at the temperature of the loss
  label_odds<T> second_student, second_teacher;  ///< those the rule asks for besides
  lanes<T> rest{0};                              ///< the divergence among the other classes
  lanes<T> has_rest{1};                          ///< 0 where the teacher gives the other classes nothing
  lanes<T> top{0};                               ///< the teacher's largest probability among them
  lanes<T> teacher_lead{0};                      ///< >= 0 where the teacher's first choice is the label
  lanes<T> log_mass{0};                          ///< log sum p2^power, with p2 that of `second_teacher`
};

/// What the gradient of a row is made of: student * q^ - teacher * p^ + second * q^(at temperature 1) off the label, with
/// the distributions among the other classes, and one number at the label.
template <class T>
struct apart_gradient {
  lanes<T> student{0}, teacher{0}, second{0}, label{0};
};

/// What a rule may ask for besides: nothing; both sides at temperature 1; or the teacher before a power was taken of it.
enum class besides { nothing, temperature_one, unpowered_teacher };

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
