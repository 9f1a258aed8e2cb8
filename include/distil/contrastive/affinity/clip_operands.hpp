#pragma once

#include <span>

#include "distil/contrastive/affinity/affinity.hpp"
#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/loss_weight.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/core/number_checks.hpp"

/// What losses between two pairs of encoders share: image and text embeddings of a student and of a teacher.
namespace distil {

/// The mean of both directions times the weight, and each of them without.
struct clip_value : loss_value {
  double of_images = 0.0;  ///< images look for texts: rows
  double of_texts = 0.0;   ///< texts look for images: columns
};

namespace detail {

/// A scale of similarities, and where its derivative goes.
inline void require_scale(char const* where, char const* argument, double scale, std::span<double> gradient) {
  require(is_temperature(scale), where, argument, scale, must_be_temperature);
  require(
      gradient.size() <= 1, where, "scale_gradient",
      [&] { return "of size " + std::to_string(gradient.size()); }, "of size 1, or empty");
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
struct clip_operands {
  map_source<T> student_image, student_text, teacher_image, teacher_text;
  map_target<T> image_gradient, text_gradient;

  [[nodiscard]] index rows() const { return student_image.rows(); }
  [[nodiscard]] bool with_gradient() const { return static_cast<bool>(image_gradient); }
};

/// The four embeddings of a batch as rows, and room for two gradients of the student's.
template <class T>
class clip_embeddings {
  struct of_embeddings {};
  using embeddings = embedding_rows<T>;

 public:
  clip_embeddings(detail::any_policy policy, clip_operands<T> const& from, bool normalize)
      : clip_embeddings(policy, from, normalize, simd::scratch<T, of_embeddings>(memory_of(from))) {}

  embeddings student_image, student_text, teacher_image, teacher_text;

  /// Writes both gradients: `of_image(place)` and `of_text(place)` give them by the rows.
  template <class OfImage, class OfText>
  void write_gradients(detail::any_policy policy, clip_operands<T> const& from, OfImage const& of_image,
                       OfText const& of_text) const {
    // Both before either is stored, since a gradient may lie over the embeddings.
    T* const second = gradients_ + from.student_image.sample_size();
    if (!from.with_gradient()) return;
    auto const image = from.image_gradient.matrix(gradients_);
    auto const text = from.text_gradient.matrix(second);
    of_image(image);
    of_text(text);
    student_image.pull_back(policy, image);
    student_text.pull_back(policy, text);
    from.image_gradient.finish_matrix(image);
    from.text_gradient.finish_matrix(text);
  }

 private:
  clip_embeddings(detail::any_policy policy, clip_operands<T> const& from, bool normalize, T* memory)
      : student_image(policy, from.student_image, normalize, memory),
        student_text(policy, from.student_text, normalize,
                     memory += embeddings::memory_of(from.student_image)),
        teacher_image(policy, from.teacher_image, normalize,
                      memory += embeddings::memory_of(from.student_text)),
        teacher_text(policy, from.teacher_text, normalize,
                     memory += embeddings::memory_of(from.teacher_image)),
        gradients_(memory + embeddings::memory_of(from.teacher_text)) {}

  static index memory_of(clip_operands<T> const& from) {
    return embeddings::memory_of(from.student_image) + embeddings::memory_of(from.student_text) +
           embeddings::memory_of(from.teacher_image) + embeddings::memory_of(from.teacher_text) +
           from.student_image.sample_size() + from.student_text.sample_size();
  }

  T* gradients_;
};

}  // namespace kernels

/// The face of a loss between two pairs of encoders. `Loss` has a name, `check(shapes, options)` of what else it asks and
/// `evaluate(policy, operands, options)`, which does not see the weight; `Options` have `weight` and `accumulate`.
template <class Loss, class Options>
struct clip_loss {
  using options_type = Options;

  template <matrix_argument SI, class ST, class TI, class TT>
  [[nodiscard]] auto operator()(SI const& student_image, ST const& student_text, TI const& teacher_image,
                                TT const& teacher_text, Options const& options = {}) const {
    return (*this)(serial, student_image, student_text, teacher_image, teacher_text, options);
  }
  template <execution_policy Policy, class SI, class ST, class TI, class TT>
  [[nodiscard]] auto operator()(Policy policy, SI const& student_image, ST const& student_text,
                                TI const& teacher_image, TT const& teacher_text,
                                Options const& options = {}) const {
    return evaluate(detail::any_policy(policy),
                    operands_of(student_image, student_text, teacher_image, teacher_text, options), options);
  }

  template <matrix_argument SI, class ST, class TI, class TT, class ImageGradient, class TextGradient>
  auto with_grad(SI const& student_image, ST const& student_text, TI const& teacher_image,
                 TT const& teacher_text, ImageGradient&& image_gradient, TextGradient&& text_gradient,
                 Options const& options = {}) const {
    return with_grad(serial, student_image, student_text, teacher_image, teacher_text,
                     std::forward<ImageGradient>(image_gradient), std::forward<TextGradient>(text_gradient),
                     options);
  }
  template <execution_policy Policy, class SI, class ST, class TI, class TT, class ImageGradient,
            class TextGradient>
  auto with_grad(Policy policy, SI const& student_image, ST const& student_text, TI const& teacher_image,
                 TT const& teacher_text, ImageGradient&& image_gradient, TextGradient&& text_gradient,
                 Options const& options = {}) const {
    auto operands = operands_of(student_image, student_text, teacher_image, teacher_text, options);
    auto const as_map = [](auto const& matrix) { return detail::map_of_matrix(detail::input_view(matrix)); };
    auto const image = as_map(student_image), text = as_map(student_text);
    auto const to_image =
        detail::map_of_matrix(detail::output_view(std::forward<ImageGradient>(image_gradient)));
    auto const to_text =
        detail::map_of_matrix(detail::output_view(std::forward<TextGradient>(text_gradient)));
    auto const check = [&](auto const& gradient, auto const& own, auto const& other) {
      detail::require_gradient(Loss::name, gradient, own, as_map(teacher_image));
      detail::require_gradient(Loss::name, gradient, own, as_map(teacher_text));
      detail::require_gradient(Loss::name, gradient, own, other, "other embeddings of the student");
    };
    check(to_image, image, text);
    check(to_text, text, image);
    detail::require(detail::overlap_of(to_image, to_text) == detail::overlap::none, Loss::name, "gradient",
                    "one for images and texts", "one for each");
    operands.image_gradient = {to_image, options.accumulate,
                               detail::overlap_of(to_image, image) == detail::overlap::none, options.weight};
    operands.text_gradient = {to_text, options.accumulate,
                              detail::overlap_of(to_text, text) == detail::overlap::none, options.weight};
    return evaluate(detail::any_policy(policy), operands, options);
  }

 private:
  template <class T>
  static auto evaluate(detail::any_policy policy, kernels::clip_operands<T> const& operands,
                       Options const& options) {
    return detail::weighed(
        options, [&] { return Loss::evaluate(policy, operands, options); },
        [&] {
          operands.image_gradient.clear();
          operands.text_gradient.clear();
        });
  }

  template <class SI, class ST, class TI, class TT>
  static auto operands_of(SI const& student_image, ST const& student_text, TI const& teacher_image,
                          TT const& teacher_text, Options const& options) {
    auto const looked_at = [](char const* argument, auto const& matrix) {
      auto const map = detail::map_of_matrix(detail::input_view(matrix));
      detail::require_map_of_matrix(Loss::name, argument, map);
      return map;
    };
    auto const a = looked_at("student image", student_image);
    auto const b = looked_at("student text", student_text);
    auto const c = looked_at("teacher image", teacher_image);
    auto const d = looked_at("teacher text", teacher_text);
    auto const require_alike = [](char const* argument, auto const& found, auto const& wanted, bool widths) {
      detail::require(
          found.channels == wanted.channels && (!widths || found.width == wanted.width), Loss::name, argument,
          [&] { return detail::shape_text(found.channels, found.width); },
          [&] {
            return std::to_string(wanted.channels) + " rows" +
                   (widths ? " of " + std::to_string(wanted.width) + " features" : "");
          });
    };
    require_alike("student text", b, a, true);
    require_alike("teacher image", c, a, Loss::same_widths);
    require_alike("teacher text", d, c, true);
    Loss::check(options);
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<typename decltype(a)::element>>,
                                 arithmetic_t<std::remove_const_t<typename decltype(b)::element>>,
                                 arithmetic_t<std::remove_const_t<typename decltype(c)::element>>,
                                 arithmetic_t<std::remove_const_t<typename decltype(d)::element>>>;
    detail::require_loss_weight(Loss::name, options.weight, detail::computing_type::of<T>());
    if constexpr (requires(detail::computing_type type) { Loss::check_numbers(options, type); }) {
      Loss::check_numbers(options, detail::computing_type::of<T>());
    }
    using source = kernels::map_source<T>;
    return kernels::clip_operands<T>{source(a), source(b), source(c), source(d), {}, {}};
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
