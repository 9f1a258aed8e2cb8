#pragma once

#include <string>
#include <vector>

#include "distil/core/matrix_view.hpp"

namespace distil {

/// A layer of the student that learns from one of the teacher, both counted from 0.
struct layer_match {
  index student = 0;
  index teacher = 0;

  /// What the match's loss and gradient are multiplied by; finite and >= 0. A match of weight 0 is not computed. Default 1.
  double weight = 1.0;

  /// For losses that take one; nothing else looks at it. Default 1.
  double temperature = 1.0;
};

namespace detail {

inline void require_layers(char const* where, index student, index teacher) {
  require(student >= 1, where, "student", student, ">= 1 layer");
  require(teacher >= student, where, "teacher", teacher,
          [&] { return "at least as many layers as the student's " + std::to_string(student); });
}

/// `count` matches, the k-th of student layer k and `teacher_of(k)`.
template <class TeacherOf>
std::vector<layer_match> matches_of(index count, TeacherOf const& teacher_of) {
  std::vector<layer_match> matches;
  matches.reserve(static_cast<std::size_t>(count));
  for (index k = 0; k < count; ++k) matches.push_back({.student = k, .teacher = teacher_of(k)});
  return matches;
}

}  // namespace detail

/// Every student layer with the last of its share of the teacher's, g(m) = m N / M counting from 1 (TinyBERT for attention;
/// PKD-skip with `without_last`): 4 of 12 are (0, 2), (1, 5), (2, 8), (3, 11).
[[nodiscard]] inline std::vector<layer_match> uniform_layers(index student, index teacher) {
  detail::require_layers("uniform_layers", student, teacher);
  return detail::matches_of(student, [&](index k) { return (k + 1) * teacher / student - 1; });
}

/// The same for lists that begin with the embeddings: 4 of 12 are (0, 0), (1, 3), (2, 6), (3, 9), (4, 12). The numbers are
/// of layers, without the embeddings (TinyBERT for hidden states).
[[nodiscard]] inline std::vector<layer_match> uniform_hidden_states(index student, index teacher) {
  detail::require_layers("uniform_hidden_states", student, teacher);
  return detail::matches_of(student + 1, [&](index k) { return k * teacher / student; });
}

/// The teacher's last layers (PKD-last with `without_last`): 4 of 12 are (0, 8), (1, 9), (2, 10), (3, 11).
[[nodiscard]] inline std::vector<layer_match> last_layers(index student, index teacher) {
  detail::require_layers("last_layers", student, teacher);
  return detail::matches_of(student, [&](index k) { return teacher - student + k; });
}

/// All but the last match: Patient KD leaves the last layer to the loss on the logits.
[[nodiscard]] inline std::vector<layer_match> without_last(std::vector<layer_match> matches) {
  if (!matches.empty()) matches.pop_back();
  return matches;
}

}  // namespace distil
