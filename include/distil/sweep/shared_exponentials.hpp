#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "distil/sweep/term_sweep.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The exponentials that several terms take of the same logits. Those of one, the base, are computed; a term whose
/// temperature is the same, or a small integer times smaller, takes their powers, e^z = (e^(z/T))^T, and any other
/// computes its own. A power multiplies the relative error.
///
/// The base is that of the highest temperature in a row. What the terms take of it depends on nothing but their temperatures
/// there: where rows lie in lanes, those beside it in a tile change no bit.
template <class T>
class shared_exponentials {
  using terms_of_tile = std::span<term_sweep<T>* const>;

 public:
  static constexpr int highest_power = 4;

  /// Whether a temperature differs from that of the tile before; if not, what is said to the terms holds.
  [[nodiscard]] bool changed(terms_of_tile terms) const {
    for (auto const* term : terms) {
      if (!all(term->sharpness == term->related_sharpness)) return true;
    }
    return false;
  }

  /// Says to each term of a tile where it finds its own: those of the base at `base_at` among what is kept of a row, and
  /// where they are no powers of it, in an array of their own from `own_at` on, `own_step` apart.
  void relate(terms_of_tile terms, index base_at, index own_at, index own_step) {
    base_at_ = base_at;
    lanes<T> base(infinity<T>);
    for (auto* term : terms) {
      term->related_sharpness = term->sharpness;
      if (term->traits.exponentials) base = min(base, term->sharpness);
    }
    base_ = base;
    computing_ = terms.size();
    taken_ = mixes_ = false;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (!terms[i]->traits.exponentials) continue;
      taken_ = true;
      if (all(terms[i]->sharpness == base)) computing_ = i;
    }
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (!terms[i]->traits.exponentials) continue;
      terms[i]->exponentials =
          i == computing_ ? exponentials_at{base_at, 1, true} : relation(*terms[i], own_at);
      own_at += own_step;
    }
  }

  /// The term whose loop over a block comes first, since others take what it computes; none: past the last.
  [[nodiscard]] std::size_t computing() const { return computing_; }

  /// Before the loops of the terms: the base, where rows lie in lanes and it is that of no one term.
  void compute_base(terms_of_tile terms, block_at<T> const& at) const {
    if (taken_ && computing_ == terms.size()) compute(at, base_, base_at_, nullptr);
  }

  /// Those of terms of which some rows take powers, and some do not.
  void compute_mixed(terms_of_tile terms, block_at<T> const& at) const {
    if (!mixes_) return;
    for (auto const* term : terms) {
      exponentials_at const taken = term->exponentials;
      if (term->traits.exponentials && !taken.computes && taken.offset != base_at_) {
        compute(at, term->sharpness, taken.offset, at.registers + base_at_);
      }
    }
  }

 private:
  /// Whether a term's are such powers of the base within rounding of the temperatures, row by row.
  [[nodiscard]] DISTIL_INLINE mask<T> is_power(lanes<T> own, int power) const {
    return abs(own - base_ * lanes<T>(power)) <= own * lanes<T>(2 * std::numeric_limits<T>::epsilon());
  }

  exponentials_at relation(term_sweep<T> const& term, index own_at) {
    bool some = false;
    for (int power = 1; power <= highest_power; ++power) {
      mask<T> const rows = is_power(term.sharpness, power);
      if (all(rows)) return {base_at_, power, false};
      some = some || any(rows);
    }
    mixes_ = mixes_ || some;
    return {own_at, 1, !some};
  }

  /// Of every logit of a block; with a `base`, powers of it in the rows where they are that.
  [[gnu::noinline]] void compute(block_at<T> const& at, lanes<T> sharpness, index to, T const* base) const {
    lanes<T> power_of_row(0);
    for (int power = 1; base != nullptr && power <= highest_power; ++power) {
      power_of_row = select(is_power(sharpness, power), lanes<T>(power), power_of_row);
    }
    for (index k = 0; k < at.here.steps; ++k) {
      lanes<T> own = exp2_nonpositive((at.student[k] - at.shift) * sharpness);
      if (base != nullptr) {
        lanes<T> const of_base = lanes<T>::load(base + k * lanes<T>::size);
        for (int power = 1; power <= highest_power; ++power) {
          own = select(power_of_row == lanes<T>(power), simd::power_of(of_base, power), own);
        }
      }
      own.store(at.registers + to + k * lanes<T>::size);
    }
  }

  index base_at_ = 0;
  lanes<T> base_{0};
  std::size_t computing_ = 0;
  bool taken_ = false;  ///< some term takes exponentials
  bool mixes_ = false;  ///< some term takes powers in some rows alone
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
