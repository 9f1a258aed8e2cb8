#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <istream>
#include <ostream>
#include <vector>

#include "distil/core/length_in_range.hpp"
#include "distil/core/shapes.hpp"

namespace distil::detail {

/// Rows of embeddings that outlive a batch, with a way to the disk and back.
template <class T>
class stored_rows {
 public:
  using numbers = std::array<std::int64_t, 2>;  ///< what the owner saves beside the rows

  stored_rows(char const* where, index rows, index columns) : rows_(rows), columns_(columns) {
    static_assert(std::is_floating_point_v<T>, "distil: embeddings are kept as float or double");
    require(rows >= 1, where, "number of rows", rows, "at least 1");
    require(columns >= 1, where, "number of features", columns, "at least 1");
    values_.resize(static_cast<std::size_t>(rows * columns));
  }

  [[nodiscard]] matrix_view<T const> view() const { return {values_.data(), rows_, columns_}; }
  [[nodiscard]] matrix_view<T> view() { return {values_.data(), rows_, columns_}; }

  void require_width(char const* where, char const* argument, index columns) const {
    require(
        columns == columns_, where, argument, [&] { return std::to_string(columns) + " features wide"; },
        [&] { return std::to_string(columns_) + " features wide"; });
  }

  /// Row `row` becomes the unit row along element(0), element(1), ...
  template <class Element>
  void set_unit(index row, Element const& element) {
    T* const to = values_.data() + row * columns_;
    auto const at = [&](index c) { return static_cast<double>(element(c)); };
    auto const [scale, size] = length_in_range::of(columns_, at);
    double const length = size > 0.0 ? size : 1.0;
    for (index c = 0; c < columns_; ++c) to[c] = static_cast<T>(scale * at(c) / length);
  }

  /// Row `row` becomes element(0), element(1), ... as they are.
  template <class Element>
  void set(index row, Element const& element) {
    T* const to = values_.data() + row * columns_;
    for (index c = 0; c < columns_; ++c) to[c] = static_cast<T>(element(c));
  }

  void save(std::ostream& out, numbers const& beside) const {
    std::array<std::int64_t, 6> const head = {
        mark, rows_, columns_, static_cast<std::int64_t>(sizeof(T)), beside[0], beside[1]};
    out.write(reinterpret_cast<char const*>(head.data()), sizeof(head));
    out.write(reinterpret_cast<char const*>(values_.data()),
              static_cast<std::streamsize>(values_.size() * sizeof(T)));
  }

  /// @param fits  says whether the owner's numbers can be
  template <class Fits>
  numbers restore(char const* where, std::istream& in, Fits const& fits) {
    std::array<std::int64_t, 6> head{};
    std::vector<T> values(values_.size());
    in.read(reinterpret_cast<char*>(head.data()), sizeof(head));
    bool const same = in && head[0] == mark && head[1] == rows_ && head[2] == columns_ &&
                      head[3] == static_cast<std::int64_t>(sizeof(T)) && fits(numbers{head[4], head[5]});
    if (same) {
      in.read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(T)));
    }
    require(same && in.good(), where, "stream", "something else", [&] {
      return said("what save wrote of ", shape_text(rows_, columns_), " numbers of ", sizeof(T), " bytes");
    });
    values_ = std::move(values);
    return {head[4], head[5]};
  }

 private:
  static constexpr std::int64_t mark = 0x64697374696C3031;  // "distil01"

  index rows_, columns_;
  std::vector<T> values_;
};

}  // namespace distil::detail
