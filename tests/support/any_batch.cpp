#include "any_batch.hpp"

namespace distil::testing {

std::unique_ptr<some_matrix> make_matrix(element type, index rows, index columns, layout order) {
  switch (type) {
    case element::float32:
      return std::make_unique<owned_matrix<float>>(rows, columns, order);
    case element::float64:
      return std::make_unique<owned_matrix<double>>(rows, columns, order);
    case element::bfloat16:
      return std::make_unique<owned_matrix<bfloat16>>(rows, columns, order);
    case element::half:
      return std::make_unique<owned_matrix<half>>(rows, columns, order);
  }
  return nullptr;
}

any_batch::any_batch(std::unique_ptr<parts> own, index row_count, index column_count)
    : own_(std::move(own)),
      rows(row_count),
      columns(column_count),
      student(*own_->student),
      teacher(*own_->teacher),
      gradient(*own_->gradient),
      labels(own_->labels) {}

any_batch::any_batch(element_types const& types, index row_count, index column_count, double magnitude,
                     layout order, std::uint64_t seed)
    : any_batch(types, row_count, column_count, magnitude, order, order, order, seed) {}

any_batch::any_batch(element_types const& types, index row_count, index column_count, double magnitude,
                     layout of_student, layout of_teacher, layout of_gradient, std::uint64_t seed)
    : any_batch(std::make_unique<parts>(
                    parts{.student = make_matrix(types.student, row_count, column_count, of_student),
                          .teacher = make_matrix(types.teacher, row_count, column_count, of_teacher),
                          .gradient = make_matrix(types.gradient, row_count, column_count, of_gradient),
                          .labels = {}}),
                row_count, column_count) {
  draw_batch(student, teacher, labels, rows, columns, magnitude, seed);
}

std::vector<std::array<layout, 3>> mixes_of_layouts() {
  constexpr layout of_matrices[] = {layout::row_major, layout::padded, layout::class_major,
                                    layout::every_other};
  constexpr layout images = layout::images, lines = layout::padded_images;
  std::vector<std::array<layout, 3>> result = {{images, images, images},
                                               {lines, lines, lines},
                                               {images, layout::row_major, lines},
                                               {lines, images, layout::class_major},
                                               {layout::padded, lines, images}};
  for (layout const student : of_matrices) {
    for (layout const teacher : of_matrices) {
      for (layout const gradient : of_matrices) result.push_back({student, teacher, gradient});
    }
  }
  return result;
}

}  // namespace distil::testing
