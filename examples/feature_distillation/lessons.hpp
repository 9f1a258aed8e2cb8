#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "networks.hpp"
#include "trainer/adam.hpp"
#include "trainer/random.hpp"

namespace feature_distillation {

/// What a student is told besides the labels.
enum class method { labels_alone, logits, hint, attention, similarity, relations };

inline constexpr method every_method[] = {method::labels_alone, method::logits,     method::hint,
                                          method::attention,    method::similarity, method::relations};

[[nodiscard]] std::string name_of(method what);

/// What the teacher gave for some images.
struct answers {
  trainer::matrix logits, first, second;
};

/// What goes back into the student: gradients of its logits and, where a method looks at them, of its features.
struct student_gradients {
  trainer::matrix logits, first, second;
  bool of_first = false, of_second = false;
};

/// One method for one student, with what it learns itself: the projection of `hint`.
class lesson {
 public:
  lesson(method what, design const& student, design const& teacher, trainer::random_numbers& random);

  /// Writes the gradients of one batch, of which `student` has just seen the images; `progress` goes from 0 to 1.
  void teach(trainer::network const& student, std::vector<int> const& labels, answers const& teacher,
             double progress, student_gradients& gradients);

 private:
  void teach_hint(trainer::matrix const& student, trainer::matrix const& teacher, double progress,
                  student_gradients& gradients);

  method method_;
  design student_, teacher_;
  trainer::matrix projection_, projection_gradient_, projected_, upstream_;
  std::optional<trainer::adam> optimizer_;
};

}  // namespace feature_distillation
