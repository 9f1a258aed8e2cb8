#pragma once

#include "distil/contrastive/contrast_gradients.hpp"

#include "clip_case.hpp"

namespace distil::testing {

struct contrast_gradients_case : clip_case<distil::contrast_gradients, contrast_gradients_options> {
  static constexpr char const* name = "contrast_gradients";
  static constexpr error_bound bound = contrast_gradients_loss::bound;

  static std::vector<setting> settings() {
    return {{"scales 5 and 9", {.student_scale = 5, .teacher_scale = 9}},
            {"as given", {.student_scale = 0.5, .teacher_scale = 0.7, .normalize = false}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0;
    for (bool const second : {false, true}) {
      auto const a = gradients(student, second, s.options.student_scale, s.options.normalize);
      auto const b = gradients(teacher, second, s.options.teacher_scale, s.options.normalize);
      for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t c = 0; c < a[i].size(); ++c) sum += std::pow(a[i][c] - b[i][c], 2);
      }
    }
    return student.samples() == 0
               ? 0
               : sum / static_cast<long double>(student.samples() * (student.channels() / 2));
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    double const count = static_cast<double>(student.samples()), a = s.options.student_scale;
    double const most = s.options.normalize ? 1 : std::max(naive::longest(student), naive::longest(teacher));
    double const length = s.options.normalize ? shortest_half(student) : 1 / most;
    double const sum = (a + s.options.teacher_scale) * most / count;
    double const value =
        sum * sum / static_cast<double>(student.channels() / 2) * (1 + a * most * most) * count;
    return {value, value * a / length};
  }

 private:
  /// By both modalities, of the loss in which one looks for the other: rows of the one, then of the other.
  static naive::table gradients(exact_map const& map, bool texts_first, long double scale, bool unit) {
    auto const from = half(map, texts_first, unit), to = half(map, !texts_first, unit);
    auto const similarity = naive::similarities(from, to);
    std::size_t const rows = from.size(), columns = rows == 0 ? 0 : from.front().size();
    naive::table result(2 * rows, std::vector<long double>(columns, 0));
    for (std::size_t i = 0; i < rows; ++i) {
      auto const log_p = naive::log_softmax(similarity[i], scale);
      for (std::size_t j = 0; j < rows; ++j) {
        long double const r =
            scale * (std::exp(log_p[j]) - (i == j ? 1 : 0)) / static_cast<long double>(rows);
        for (std::size_t c = 0; c < columns; ++c) {
          result[i][c] += r * to[j][c];
          result[rows + j][c] += r * from[i][c];
        }
      }
    }
    return result;
  }
};

}  // namespace distil::testing
