#pragma once

#include <algorithm>

#include "distil/matrix/operands.hpp"
#include "distil/matrix/pairwise_distances.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The student's and the teacher's numbers, each divided by the largest of their own.
template <class T>
struct by_largest {
  T student = T(0), teacher = T(0);  ///< the largest
  index at = 0;                      ///< where the student's lies, the first of equals

  by_largest(T const* a, T const* b, index size) {
    for (index i = 0; i < size; ++i) {
      if (a[i] > student) {
        student = a[i];
        at = i;
      }
      teacher = std::max(teacher, b[i]);
    }
  }

  /// The sum of the squared differences, which take the place of the teacher's numbers.
  double subtract(T const* a, T* b, index size) const {
    lanes<T> const by_a(share(student)), by_b(share(teacher));
    return static_cast<double>(simd::sum_of<T>(size, [&](auto place) {
      lanes<T> const d = place.load(a) * by_a - place.load(b) * by_b;
      place.store(d, b);
      return d * d;
    }));
  }

  /// From slope * the differences d to the derivative by the student's numbers, which takes their place, and by the largest
  /// of them, which is returned.
  T pull_back(T const* a, T* d, index size, double slope) const {
    lanes<T> const by_a(share(student)), back(static_cast<T>(slope) * share(student));
    return -share(student) * static_cast<T>(slope) * simd::sum_of<T>(size, [&](auto place) {
      lanes<T> const difference = place.load(d);
      place.store(difference * back, d);
      return difference * (place.load(a) * by_a);
    });
  }

 private:
  static T share(T largest) { return largest == T(0) ? T(0) : T(1) / largest; }
};

/// One layer of one network: a sample a row, as it is and centred, and squared distances.
template <class T>
struct instance_graph {
  matrix_view<T> rows, centred, squared;
  T* squares;

  [[nodiscard]] static index room(map_source<T> const& map) {
    return map.samples * (2 * map.sample_size() + map.samples + 1);
  }

  instance_graph(detail::any_policy policy, map_source<T> const& map, T* memory)
      : rows(memory, map.samples, map.sample_size()),
        centred(rows.data + rows.rows * rows.columns, rows.rows, rows.columns),
        squared(centred.data + rows.rows * rows.columns, rows.rows, rows.rows),
        squares(squared.data + rows.rows * rows.rows) {
    sample_form const form(rows_of::channels, true);
    simd::for_chunks(policy, rows.rows, simd::worth_a_chunk(rows.columns), rows.rows * rows.columns,
                     [&](index first, index last) {
                       for (index n = first; n < last; ++n) {
                         T const* const from = map.sample(n, form, &rows(n, 0)).data;
                         if (from != &rows(n, 0)) std::copy(from, from + rows.columns, &rows(n, 0));
                       }
                     });
    centre_rows<T>(policy, rows, centred);
    squared_distances<T>(policy, centred, squared, squares);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
