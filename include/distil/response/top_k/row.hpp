#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "distil/response/top_k/teacher.hpp"
#include "distil/simd/logarithm.hpp"
#include "distil/simd/scratch_lease.hpp"
#include "distil/sweep/running_maximum.hpp"

namespace distil::detail {

/// A class and the entry that lists it.
struct listed_class {
  std::int32_t column, entry;
};
inline constexpr index most_listed = std::numeric_limits<std::int32_t>::max();

/// How far rounding takes stored mass above 1. As a bfloat16 logarithm a probability of e^-n is off by n / 512 of itself.
inline constexpr double rounding_of_mass = 1.0 / 16;

/// The entries of a row that have mass, by blocks of so many classes, which is what the sweeps ask for; returns their
/// number. `begins` has room for a number a block. Ids must have been checked.
template <class Id, class Storage>
index list_classes(top_k_teacher<Id, Storage> const& teacher, index row, index block, index blocks,
                   std::int32_t* begins, listed_class* list) {
  auto const each_present = [&](auto const& take) {
    for (index entry = 0; entry < teacher.entries(row); ++entry) {
      if (teacher.present(row, entry)) take(static_cast<std::int32_t>(teacher.ids(row, entry)), entry);
    }
  };
  std::fill(begins, begins + blocks, 0);
  if (blocks > 1) each_present([&](std::int32_t column, index) { ++begins[column / block]; });
  std::int32_t sum = 0;
  for (index i = 0; i < blocks; ++i) sum += std::exchange(begins[i], sum);
  index count = 0;
  each_present([&](std::int32_t column, index entry) {
    list[begins[column / block]++] = {column, static_cast<std::int32_t>(entry)};
    ++count;
  });
  return count;
}

/// The ids of a row: within range, none twice.
/// `seen` has a bit for each class, none of them set.
template <class Id, class Storage>
void require_ids(char const* where, top_k_teacher<Id, Storage> const& teacher, index row, index columns,
                 std::uint64_t* seen) {
  auto const in_row = [&](auto what) {
    return [=] { return detail::text_of(what) + " in row " + detail::text_of(row); };
  };
  index const entries = teacher.entries(row);
  require(entries >= 0 && entries <= teacher.ids.columns, where, "counts", in_row(entries),
          [&] { return detail::said("within [0, ", teacher.ids.columns, "]"); });
  for (index entry = 0; entry < entries; ++entry) {
    if (!teacher.present(row, entry)) continue;
    Id const id = teacher.ids(row, entry);
    require(std::cmp_greater_equal(id, 0) && std::cmp_less(id, columns), where, "an id of the teacher",
            in_row(id), [&] { return detail::said("within [0, ", columns, ")"); });
    std::uint64_t& word = seen[static_cast<std::size_t>(id) / 64];
    std::uint64_t const bit = std::uint64_t{1} << static_cast<std::size_t>(id) % 64;
    require((word & bit) == 0, where, "an id of the teacher",
            [&] { return detail::said(id, " twice in row ", row); }, "there once in a row");
    word |= bit;
  }
  for (index entry = 0; entry < entries; ++entry) {
    if (teacher.present(row, entry)) seen[static_cast<std::size_t>(teacher.ids(row, entry)) / 64] = 0;
  }
}

}  // namespace distil::detail

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// The mass of a row's entries, from their logarithms; a logarithm above `rounding_of_mass` counts as that.
template <class Teacher>
double mass_of_logarithms(Teacher const& teacher, index row) {
  using T = arithmetic_t<typename Teacher::storage>;
  constexpr double most = detail::rounding_of_mass;
  constexpr index run = simd::longest_sum * lanes<T>::size;
  alignas(simd::cache_line) T values[static_cast<std::size_t>(run)];
  index const entries = teacher.entries(row);
  double mass = 0.0;
  for (index first = 0; first < entries; first += run) {
    index const count = std::min(run, entries - first), last = (count - 1) / lanes<T>::size * lanes<T>::size;
    std::fill_n(values + last, lanes<T>::size, -simd::infinity<T>);
    for (index i = 0; i < count; ++i) values[i] = detail::widen<T>(teacher.values(row, first + i)) - T(most);
    lanes<T> sum(0);
    for (index at = 0; at <= last; at += lanes<T>::size) {
      lanes<T> const here = lanes<T>::load(values + at);
      sum += exp_nonpositive(select(here > lanes<T>(0), lanes<T>(0), here));
    }
    mass += static_cast<double>(first_of(sum_across(sum)));
  }
  return mass * std::exp(most);
}

/// Refuses a row whose entries have more mass than there is, which a policy could but divide away. NaN makes the row NaN,
/// and is left to that.
template <class Teacher>
void require_mass(char const* where, Teacher const& teacher, index row) {
  bool const logarithms = teacher.options.form == teacher_form::log_probabilities;
  auto const sum = [&](auto const& mass_of) {
    double mass = 0.0;
    for (index i = 0; i < teacher.entries(row); ++i) {
      mass += mass_of(detail::widen<double>(teacher.values(row, i)));
    }
    return mass;
  };
  auto const exactly = [&] {
    return logarithms ? sum([](double log_p) { return std::exp(log_p); }) : sum([](double p) { return p; });
  };
  detail::require(
      !((logarithms ? mass_of_logarithms(teacher, row) : exactly()) > 1.0 + detail::rounding_of_mass), where,
      "mass of the teacher's entries", [&] { return detail::said(exactly(), " in row ", row); },
      "at most 1, but for 1/16 of rounding");
}

/// Sums of what each register of an array adds, in runs as the sweeps have them.
template <std::size_t Count, class T, class Each>
DISTIL_INLINE std::array<T, Count> sums_over(index elements, Each const& each) {
  std::array<lanes<T>, Count> total;
  total.fill(lanes<T>(0));
  constexpr index run = simd::longest_sum * lanes<T>::size;
  for (index first = 0; first < elements; first += run) {
    std::array<lanes<T>, Count> part;
    part.fill(lanes<T>(0));
    for (index at = first; at < std::min(first + run, elements); at += lanes<T>::size) each(part, at);
    for (std::size_t i = 0; i < Count; ++i) total[i] += part[i];
  }
  std::array<T, Count> sums;
  for (std::size_t i = 0; i < Count; ++i) sums[i] = first_of(sum_across(total[i]));
  return sums;
}

/// log sum e^x over an array, e.g. of logits, whose padding is -inf.
template <class T>
T log_sum_of_exponentials(T const* x, index elements) {
  lanes<T> largest(-simd::infinity<T>);
  for (index at = 0; at < elements; at += lanes<T>::size) largest = max(largest, lanes<T>::load(x + at));
  lanes<T> const top = simd::running_maximum<T>::finite(max_across(largest));
  auto const [sum] = sums_over<1, T>(
      elements, [&](auto& sums, index at) { sums[0] += exp_nonpositive(lanes<T>::load(x + at) - top); });
  return first_of(top) + std::log(sum);
}

/// A row of a top-k teacher at the temperature of the loss, and the student's logits of its classes. Arrays hold `size`
/// numbers: the support, room for a tail, and padding.
template <class T>
struct top_k_row {
  detail::listed_class* classes = nullptr;
  T* log_p = nullptr;   ///< first the stored values
  T* log_q = nullptr;   ///< first the student's logits
  T* psi = nullptr;     ///< at last the corrections of single gradients
  index support = 0;    ///< classes that are listed; 0 for a row that does not count
  index size = 0;       ///< of what is used of the arrays, whole registers
  index outside = 0;    ///< classes that are not listed
  T log_tail = 0;       ///< log mass of the tail, beside log_p; -inf for none
  T log_each_tail = 0;  ///< log p of each class outside
  T tail_moves = 0;     ///< what its log mass changes by with the temperature, as log p does for a class
  bool tail_is_rest = false;  ///< the tail's mass is 1 - P, with its rounding

  static index capacity(index k) { return (k + lanes<T>::size) / lanes<T>::size * lanes<T>::size; }
  static std::size_t bytes(index k) {
    auto const size = static_cast<std::size_t>(capacity(k)) * 3 * sizeof(T) +
                      static_cast<std::size_t>(k) * sizeof(detail::listed_class);
    return (size + simd::cache_line - 1) / simd::cache_line * simd::cache_line;
  }
  void place(std::byte* memory, index k) {
    classes = reinterpret_cast<detail::listed_class*>(memory);
    log_p = reinterpret_cast<T*>(classes + k);
    log_q = log_p + capacity(k);
    psi = log_q + capacity(k);
  }

  /// Brings what is stored, and the student's logits of these classes, by block.
  template <class Teacher, class Student>
  void gather(simd::axis way, Teacher const& teacher, Student const& student, index row,
              std::int32_t* begins) {
    support = detail::list_classes(teacher, row, way.block_columns<T>(), way.blocks<T>(student.columns),
                                   begins, classes);
    outside = student.columns - support;
    size = capacity(support);
    for (index i = 0; i < support; ++i) {
      log_p[i] = detail::widen<T>(teacher.values(row, classes[i].entry));
      log_q[i] = detail::widen<T>(student(row, classes[i].column));
    }
    std::fill(log_p + support, log_p + size, -simd::infinity<T>);
    std::fill(log_q + support, log_q + size, -simd::infinity<T>);
  }

  /// From what is stored to log p at the temperature of the loss.
  template <class Teacher>
  void distribute(Teacher const& teacher, index row, double temperature) {
    top_k_options const& options = teacher.options;
    bool const keeps_tail = *options.tail == tail_policy::truncate || *options.tail == tail_policy::bucket ||
                            *options.tail == tail_policy::uniform;
    double const stored_tail = options.log_tail_mass ? (*options.log_tail_mass)[row] : 0.0;
    double exponent = options.captured_at ? (*options.captured_at)[row] / temperature : 1.0;
    double tail = -std::numeric_limits<double>::infinity();
    if (keeps_tail && outside > 0) {
      tail_is_rest = !options.log_tail_mass;
      tail = tail_is_rest ? log_rest(options.form == teacher_form::probabilities) : stored_tail;
    }
    if (options.form == teacher_form::probabilities) {
      each([](lanes<T> stored) {
        return select(stored == lanes<T>(-simd::infinity<T>), stored, log(stored));
      });
    } else if (options.form == teacher_form::logits) {
      if (options.log_tail_mass) {
        double const captured = options.captured_at ? (*options.captured_at)[row] : 1.0;
        exponent = captured / temperature;
        each([&](lanes<T> logit) { return logit * lanes<T>(1.0 / captured); });
        double const mass = std::log(-std::expm1(stored_tail));
        subtract(static_cast<double>(log_sum_of_exponentials(log_p, size)) - mass);
      } else {
        exponent = 1.0 / temperature;
      }
    }

    double const others = static_cast<double>(outside);
    // Relative to the largest, so that a large exponent takes no digits.
    double const top = static_cast<double>(largest());
    each([&](lanes<T> log) { return (log - lanes<T>(top)) * lanes<T>(exponent); });
    bool const one_class =
        *options.tail == tail_policy::bucket && options.bucket_shape == tail_shape::one_class;
    double const spread = one_class ? 1.0 : std::max(others, 1.0);
    tail = exponent * (tail - top) + (1.0 - exponent) * std::log(spread);

    double normaliser = static_cast<double>(log_sum_of_exponentials(log_p, size));
    if (*options.tail == tail_policy::floor) {
      double const more = std::log1p(others * std::exp(options.log_floor));
      normaliser += more;
      log_each_tail = static_cast<T>(options.log_floor - more);
    } else if (tail > normaliser) {
      normaliser = tail + std::log1p(std::exp(normaliser - tail));
    } else {
      normaliser += std::log1p(std::exp(tail - normaliser));
    }
    subtract(normaliser);
    log_tail = static_cast<T>(tail - normaliser);
    tail_moves = static_cast<T>(tail - normaliser - std::log(spread));
    if (*options.tail == tail_policy::uniform) log_each_tail = tail_moves;
    if (*options.tail == tail_policy::renormalise_teacher) log_each_tail = -simd::infinity<T>;
  }

 private:
  template <class Change>
  DISTIL_INLINE void each(Change const& change) {
    for (index at = 0; at < size; at += lanes<T>::size) {
      lanes<T> const here = lanes<T>::load(log_p + at);
      change(here).store(log_p + at);
    }
  }
  void subtract(double number) {
    each([&](lanes<T> log) { return log - lanes<T>(number); });
  }
  [[nodiscard]] T largest() const {
    lanes<T> top(-simd::infinity<T>);
    for (index at = 0; at < size; at += lanes<T>::size) top = max(top, lanes<T>::load(log_p + at));
    return first_of(max_across(top));
  }

  /// log(1 - P) from what is stored, in double, since little may be left. The values may have been rounded so that P is a
  /// little above 1.
  [[nodiscard]] double log_rest(bool probabilities) const {
    lanes<double> const nowhere(-simd::infinity<double>), zero(0);
    lanes<double> sum(0);
    for (index at = 0; at < size; at += lanes<double>::size) {
      lanes<double> const stored = simd::load_as<double>(log_p + at);
      sum += probabilities ? select(stored == nowhere, zero, stored) : exp_nonpositive(min(stored, zero));
    }
    double const rest = 1.0 - first_of(sum_across(sum));
    return std::log(rest < 0.0 ? 0.0 : rest);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
