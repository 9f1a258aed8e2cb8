#pragma once

#include <optional>

#include "distil/core/objective.hpp"
#include "distil/core/shapes.hpp"
#include "distil/response/teacher/dense_teacher.hpp"

/// What terms between a student and a teacher share: how they are checked, and which of their rows count. A term hides what
/// it checks besides, and calls these parts in its own order, which is the order of refusals.
namespace distil::detail {

/// A term whose logits are divided by a temperature.
struct tempered_term : term_base {
  row_parameter temperature = 1;

  void check_temperature(char const* where, index row_count) const {
    require_temperature(where, temperature, temperature_gradient, row_count);
  }
  /// What a teacher was captured at, and the options of rows.
  void check_rows(char const* where, std::optional<row_parameter> const& captured_at, index row_count) const {
    if (captured_at) {
      require_parameter(where, "captured_at", *captured_at, row_count, is_temperature, must_be_temperature);
    }
    require_rows(where, rows, row_count);
  }

  void inspect_temperature(char const* where) const {
    require_row_values(where, "temperature", temperature, is_temperature, must_be_temperature);
  }
  void inspect_captured_at(char const* where, std::optional<row_parameter> const& captured_at) const {
    if (captured_at) {
      require_row_values(where, "captured_at", *captured_at, is_temperature, must_be_temperature);
    }
  }
  void inspect_weights(char const* where) const { require_row_weights(where, rows); }
};

/// A term with a dense teacher. `Base` is a `tempered_term`.
template <class Storage, teacher_form Form, class Base = tempered_term>
struct dense_term : Base {
  using arithmetic = arithmetic_t<Storage>;

  dense_teacher<Storage, Form> teacher;

  dense_term(Base const& base, dense_teacher<Storage, Form> const& the_teacher)
      : Base(base), teacher(the_teacher) {}

  void check(char const* where, index row_count, index columns) const {
    check_teacher(where, row_count, columns);
    check_options(where, row_count);
  }
  void check_teacher(char const* where, index row_count, index columns) const {
    require_shape(where, "teacher", teacher.matrix, row_count, columns);
  }
  void check_rows(char const* where, index row_count) const {
    Base::check_rows(where, teacher.captured_at, row_count);
  }
  /// All but the teacher's shape.
  void check_options(char const* where, index row_count) const {
    this->check_temperature(where, row_count);
    check_rows(where, row_count);
  }

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    require_apart(where, gradient, "teacher", teacher.matrix);
  }

  void inspect(char const* where, index /*rows*/, index /*columns*/) const {
    this->inspect_temperature(where);
    inspect_rows(where);
  }
  void inspect_rows(char const* where) const {
    this->inspect_captured_at(where, teacher.captured_at);
    this->inspect_weights(where);
  }

  [[nodiscard]] bool alike() const { return Base::alike() && !any_begins_masked(teacher); }

  /// A row of which one side is fully masked counts for nothing.
  [[nodiscard]] row_weight weigh(bool student_is_masked, index row) const {
    row_weight const weight = Base::weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0) || fully_masked(teacher, row)) return {};
    return weight;
  }
};

}  // namespace distil::detail
