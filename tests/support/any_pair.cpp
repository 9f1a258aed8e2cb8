#include "any_pair.hpp"

namespace distil::testing {
namespace {

std::unique_ptr<some_map> make_map(element type, map_shape const& shape, map_layout order) {
  switch (type) {
    case element::float32:
      return std::make_unique<owned_map<float>>(shape, order);
    case element::float64:
      return std::make_unique<owned_map<double>>(shape, order);
    case element::bfloat16:
      return std::make_unique<owned_map<bfloat16>>(shape, order);
    case element::half:
      return std::make_unique<owned_map<half>>(shape, order);
  }
  return nullptr;
}

}  // namespace

any_pair::any_pair(std::unique_ptr<parts> own)
    : own_(std::move(own)), student(*own_->student), teacher(*own_->teacher), gradient(*own_->gradient) {}

any_pair::any_pair(element_types const& types, pair_shape const& shape, double magnitude,
                   map_layout of_student, map_layout of_teacher, map_layout of_gradient, std::uint64_t seed)
    : any_pair(
          std::make_unique<parts>(parts{.student = make_map(types.student, shape.student, of_student),
                                        .teacher = make_map(types.teacher, shape.teacher, of_teacher),
                                        .gradient = make_map(types.gradient, shape.student, of_gradient)})) {
  draw_pair(student, teacher, magnitude, seed);
}

}  // namespace distil::testing
