#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "distil/sweep/running_maximum.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// The head of a row of scores: those that are taken from the largest down while the sum of e^(sharpness * score) stays
/// within a share of that of all. The largest in any case; equal scores go together. Where the sum crosses the share is
/// searched between eight thresholds at a time, which takes no order of the scores; the few that are left are parted.
template <class T>
class head_of_row {
  static constexpr index size = lanes<T>::size;
  static constexpr std::size_t between = 7;
  static constexpr int searches = 3;

 public:
  /// Numbers that it needs for a row.
  static index room(index classes) { return 2 * (classes + size); }

  /// `memory` begins with the scores, without NaN and -inf, and is overwritten.
  head_of_row(T* memory, index count, double sharpness)
      : scores_(memory),
        masses_(memory + (count + size) / size * size),
        count_(count),
        registers_((count + size - 1) / size),
        sharpness_(sharpness) {}

  /// The least score of the head; of no scores: infinity.
  [[nodiscard]] T least(double share) {
    if (count_ == 0) return simd::infinity<T>;
    double const room = share * weigh();
    T const smallest = smallest_from(std::numeric_limits<T>::lowest());
    if (share >= 1.0) return smallest;
    // What is lower has no mass.
    T low = static_cast<T>(std::max(static_cast<double>(smallest), largest_ - reach / sharpness_));
    T high = simd::infinity<T>;
    double above = 0.0;  // the mass of the scores from `high` on, which are in the head
    for (int i = 0; i < searches; ++i) {
      T const top = std::min(high, largest_);
      std::array<T, between> thresholds;
      for (std::size_t j = 0; j < between; ++j) {
        thresholds[j] = top - (top - low) * (static_cast<T>(j + 1) / static_cast<T>(between + 1));
      }
      std::array<double, between> const masses = masses_from(thresholds);
      for (std::size_t j = 0; j < between; ++j) {
        if (masses[j] > room) {
          low = std::max(low, thresholds[j]);
          break;
        }
        high = thresholds[j];
        above = masses[j];
      }
    }
    T const least_above = smallest_from(high);
    T* end = scores_;
    for (index i = 0; i < count_; ++i) {
      T const score = scores_[i];
      *end = score;  // a place that has been read
      end +=
          static_cast<int>(score >= low) & static_cast<int>(score < high);  // no branch: it would be missed
    }
    return part(scores_, end, room - above, std::min(least_above, largest_));
  }

 private:
  /// Below e^-reach nothing is left of a number of T.
  static constexpr double reach = sizeof(T) == sizeof(float) ? 104.0 : 746.0;

  [[nodiscard]] lanes<T> scores(index k) const { return lanes<T>::load(scores_ + k * size); }

  /// The mass of each score, relative to that of the largest; returns that of all.
  double weigh() {
    for (index i = count_; i < registers_ * size; ++i) scores_[i] = -simd::infinity<T>;
    lanes<T> top(-simd::infinity<T>);
    for (index k = 0; k < registers_; ++k) top = max(top, scores(k));
    largest_ = first_of(max_across(top));
    double sum = 0.0;
    each_run([&](index first, index last) {
      lanes<T> part(0);
      for (index k = first; k < last; ++k) {
        lanes<T> const mass = exp_nonpositive((scores(k) - lanes<T>(largest_)) * lanes<T>(sharpness_));
        mass.store(masses_ + k * size);
        part += mass;
      }
      sum += static_cast<double>(first_of(sum_across(part)));
    });
    return sum;
  }

  [[nodiscard]] std::array<double, between> masses_from(std::array<T, between> const& thresholds) const {
    std::array<double, between> sums{};
    each_run([&](index first, index last) {
      std::array<lanes<T>, between> part;
      part.fill(lanes<T>(0));
      for (index k = first; k < last; ++k) {
        lanes<T> const score = scores(k), mass = lanes<T>::load(masses_ + k * size);
        for (std::size_t j = 0; j < between; ++j)
          part[j] += zero_where(score < lanes<T>(thresholds[j]), mass);
      }
      for (std::size_t j = 0; j < between; ++j) sums[j] += static_cast<double>(first_of(sum_across(part[j])));
    });
    return sums;
  }

  [[nodiscard]] T smallest_from(T threshold) const {
    lanes<T> least(simd::infinity<T>);
    for (index k = 0; k < registers_; ++k) {
      lanes<T> const score = scores(k);
      least = min(least, select(score < lanes<T>(threshold), lanes<T>(simd::infinity<T>), score));
    }
    return -first_of(max_across(-least));
  }

  template <class Each>
  void each_run(Each const& each) const {
    for (index first = 0; first < registers_; first += simd::longest_sum) {
      each(first, std::min(registers_, first + simd::longest_sum));
    }
  }

  [[nodiscard]] double mass_of(T const* from, T const* to) const {
    double sum = 0.0;
    for (; from != to; ++from) {
      sum += std::exp((static_cast<double>(*from) - static_cast<double>(largest_)) * sharpness_);
    }
    return sum;
  }

  /// The least score of the head among some that are next to it, of which `room` may still be taken; `least` if none is.
  /// Linear on average, by parting them again and again.
  [[nodiscard]] T part(T* first, T* last, double room, T least) const {
    while (first != last) {
      T const pivot = first[(last - first) / 2];
      T* const equal = std::partition(first, last, [&](T score) { return score > pivot; });
      T* const less = std::partition(equal, last, [&](T score) { return score >= pivot; });
      double const above = mass_of(first, equal);
      if (above > room) {
        last = equal;
        continue;
      }
      if (equal != first) least = *std::min_element(first, equal);
      room -= above + mass_of(equal, less);
      if (!(room >= 0.0)) break;
      least = pivot;
      first = less;
    }
    return least;
  }

  T *scores_, *masses_;
  index count_, registers_;
  double sharpness_;
  T largest_ = T(0);
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
