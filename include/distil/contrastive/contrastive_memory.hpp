#pragma once

#include <bit>

#include "distil/contrastive/affinity/stored_rows.hpp"
#include "distil/core/labels.hpp"

namespace distil {

/// Every training sample's latest embeddings by student and by teacher: what `contrastive_representation` contrasts with.
///
/// T is float or double. Rows have length one unless `load` brought others; before a sample's first update they are random
/// directions.
template <class T>
class contrastive_memory {
 public:
  /// For `samples` training samples and embeddings of `features` numbers. Throws std::invalid_argument unless both are at
  /// least 1.
  contrastive_memory(index samples, index features, std::uint64_t seed = 0)
      : students_(where, samples, features), teachers_(where, samples, features) {
    auto const fill = [&](detail::stored_rows<T>& rows, std::uint64_t stream) {
      std::uint64_t counter = 0;
      for (index row = 0; row < samples; ++row) {
        rows.set_unit(row, [&, first = counter](index c) {
          return direction(seed * 2 + stream, first + static_cast<std::uint64_t>(c));
        });
        counter += static_cast<std::uint64_t>(features);
      }
    };
    fill(students_, 0);
    fill(teachers_, 1);
  }

  [[nodiscard]] index samples() const { return students_.view().rows; }
  [[nodiscard]] index features() const { return students_.view().columns; }
  [[nodiscard]] matrix_view<T const> students() const { return students_.view(); }
  [[nodiscard]] matrix_view<T const> teachers() const { return teachers_.view(); }

  /// The logarithms of what divides the exponentials of the student's and of the teacher's similarities; the first batch
  /// fixes them. Not finite before.
  [[nodiscard]] double student_normalizer() const { return normalizers_[0]; }
  [[nodiscard]] double teacher_normalizer() const { return normalizers_[1]; }
  void fix_normalizers(double of_student, double of_teacher) { normalizers_ = {of_student, of_teacher}; }
  [[nodiscard]] bool has_normalizers() const {
    return std::isfinite(normalizers_[0]) && std::isfinite(normalizers_[1]);
  }

  /// After a step: each sample's row becomes momentum * row + (1 - momentum) * embedding, of unit length again.
  ///
  /// @param student, teacher  [rows, features] embeddings, divided by their lengths here
  /// @param numbers   the training sample of each row
  /// @param momentum  within [0, 1]. Default 0.5 (Tian et al. 2020)
  /// @throws std::invalid_argument when a shape or number is refused; nothing is changed then
  template <class Student, class Teacher>
  void update(Student const& student, Teacher const& teacher, label_view numbers, double momentum = 0.5) {
    auto const s = detail::input_view(student);
    auto const t = detail::input_view(teacher);
    students_.require_width(where, "student", s.columns);
    teachers_.require_width(where, "teacher", t.columns);
    detail::require_size(where, "numbers", numbers.size(), s.rows);
    detail::require_shape(where, "teacher", t, s.rows, s.columns);
    detail::require(detail::is_share(momentum), where, "momentum", momentum, detail::must_be_share);
    require_numbers(where, "numbers", numbers);
    for (index row = 0; row < s.rows; ++row) {
      blend(students_, numbers[row], s, row, momentum);
      blend(teachers_, numbers[row], t, row, momentum);
    }
  }

  /// The rows become these as they are, of this type bit for bit: memories of other origin. Their normalizers, if they have
  /// any, go to `fix_normalizers`; without, the next batch fixes them.
  ///
  /// @param students, teachers  [samples, features]
  /// @throws std::invalid_argument when a shape is refused; nothing is changed then
  template <class Students, class Teachers>
  void load(Students const& students, Teachers const& teachers) {
    auto const s = detail::input_view(students);
    auto const t = detail::input_view(teachers);
    auto const require_all = [&](char const* argument, auto const& rows) {
      detail::require(
          rows.rows == samples() && rows.columns == features(), where, argument,
          [&] { return detail::shape_text(rows.rows, rows.columns); },
          [&] { return detail::shape_text(samples(), features()); });
    };
    require_all("students", s);
    require_all("teachers", t);
    auto const copy = [](detail::stored_rows<T>& to, auto const& from) {
      for (index row = 0; row < from.rows; ++row)
        to.set(row, [&](index c) { return detail::widen<T>(from(row, c)); });
    };
    copy(students_, s);
    copy(teachers_, t);
    fix_normalizers(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN());
  }

  /// Refuses numbers that are none of a sample.
  void require_numbers(char const* by_whom, char const* argument, label_view numbers) const {
    for (index i = 0; i < numbers.size(); ++i) {
      detail::require(
          numbers[i] >= 0 && numbers[i] < samples(), by_whom, argument,
          [&] { return std::to_string(numbers[i]) + " at " + std::to_string(i); },
          [&] { return "within [0, " + std::to_string(samples()) + ")"; });
    }
  }

  /// Writes the memory in this machine's byte order.
  void save(std::ostream& out) const {
    students_.save(out, {std::bit_cast<std::int64_t>(normalizers_[0]), 0});
    teachers_.save(out, {std::bit_cast<std::int64_t>(normalizers_[1]), 1});
  }

  /// Becomes what `save` wrote of a memory of this size and type, bit for bit. Throws std::invalid_argument on anything else, and stays
  /// as it is then.
  void restore(std::istream& in) {
    contrastive_memory other(*this);
    auto const of_student =
        other.students_.restore(where, in, [](auto const& beside) { return beside[1] == 0; });
    auto const of_teacher =
        other.teachers_.restore(where, in, [](auto const& beside) { return beside[1] == 1; });
    other.normalizers_ = {std::bit_cast<double>(of_student[0]), std::bit_cast<double>(of_teacher[0])};
    *this = std::move(other);
  }

 private:
  static constexpr char const* where = "contrastive_memory";

  // Uniform in [-1, 1), as the authors begin.
  static double direction(std::uint64_t seed, std::uint64_t counter) {
    std::uint64_t word = (seed + 1) * 0xD1342543DE82EF95U + (counter + 1) * 0x9E3779B97F4A7C15U;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9U;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBU;
    return static_cast<double>((word ^ (word >> 31)) >> 11) * 0x1p-52 - 1.0;
  }

  template <class Element>
  static void blend(detail::stored_rows<T>& rows, std::int64_t number, matrix_view<Element> const& from,
                    index row, double momentum) {
    auto const element = [&](index c) { return static_cast<double>(detail::widen<T>(from(row, c))); };
    auto const [scale, length] = detail::length_in_range::of(from.columns, element);
    double const by = length > 0.0 ? (1.0 - momentum) / length : 0.0;
    matrix_view<T const> const before = rows.view();
    auto const at = static_cast<index>(number);
    std::vector<double> blended(static_cast<std::size_t>(from.columns));
    for (index c = 0; c < from.columns; ++c) {
      blended[static_cast<std::size_t>(c)] =
          momentum * static_cast<double>(before(at, c)) + by * (scale * element(c));
    }
    rows.set_unit(at, [&](index c) { return blended[static_cast<std::size_t>(c)]; });
  }

  detail::stored_rows<T> students_, teachers_;
  std::array<double, 2> normalizers_ = {std::numeric_limits<double>::quiet_NaN(),
                                        std::numeric_limits<double>::quiet_NaN()};
};

}  // namespace distil
