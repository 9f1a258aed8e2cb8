#pragma once

#include "distil/response/labels/apart_kernel.hpp"
#include "distil/response/labels/labelled_loss.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

/// A loss of `label_apart_kernel` as a term of a sum.
template <class Definition, class Storage, teacher_form Form>
struct label_apart_term : detail::labelled_term<Storage, Form> {
  template <class T>
  using kernel =
      kernels::label_apart_kernel<T, typename Definition::template rule<T>, kernels::teacher_reader<T, Form>>;

  typename Definition::options chosen;

  label_apart_term(dense_teacher<Storage, Form> const& the_teacher, label_view the_labels,
                   typename Definition::options const& options)
      : detail::labelled_term<Storage, Form>(the_teacher, the_labels, options, options.temperature,
                                             options.scale_by_temperature_squared),
        chosen(options) {}

  void check(char const* where, index row_count, index columns) const {
    detail::labelled_term<Storage, Form>::check(where, row_count, columns);
    if constexpr (requires { Definition::check(where, chosen); }) Definition::check(where, chosen);
  }
  void check_numbers([[maybe_unused]] char const* where, [[maybe_unused]] detail::computing_type type) const {
    if constexpr (requires { Definition::check_numbers(where, chosen, type); }) {
      Definition::check_numbers(where, chosen, type);
    }
  }
};

/// Completes what `labelled_loss` asks for. `Definition` has `name`, `bound`, `options`, `rule<T>`, which finds its
/// options in `term.chosen`, and may have `check(where, options)` and `check_numbers(where, options, type)`.
template <class Definition>
struct label_apart : Definition {
  template <class Storage, teacher_form Form>
  static auto make_term(dense_teacher<Storage, Form> const& teacher, label_view labels,
                        typename Definition::options const& options) {
    return label_apart_term<Definition, Storage, Form>(teacher, labels, options);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
