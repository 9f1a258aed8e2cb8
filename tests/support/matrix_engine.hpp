#pragma once

#include "distil/matrix/operands.hpp"
#if __has_include(<Eigen/Core>)
#include "distil/matrix/products.hpp"
#endif

// What losses of feature maps and relations share: how maps of each element type are read and written, and Eigen's products.
// Compiled once for all tests, in matrix_engine.cpp; `EXTERN` is `extern` elsewhere.
#define DISTIL_TEST_MAPS_OF_STORAGE(EXTERN, T, Storage)                                           \
  EXTERN template void distil::kernels::map_source<T>::read<Storage>(                             \
      void const*, distil::index, distil::kernels::sample_layout const&, T*);                     \
  EXTERN template void distil::kernels::map_target<T>::write<false, Storage>(                     \
      void*, distil::index, distil::kernels::sample_layout const&, distil::matrix_view<T const>); \
  EXTERN template void distil::kernels::map_target<T>::write<true, Storage>(                      \
      void*, distil::index, distil::kernels::sample_layout const&, distil::matrix_view<T const>);

#define DISTIL_TEST_MAPS(EXTERN, T)                    \
  DISTIL_TEST_MAPS_OF_STORAGE(EXTERN, T, float)        \
  DISTIL_TEST_MAPS_OF_STORAGE(EXTERN, T, double)       \
  DISTIL_TEST_MAPS_OF_STORAGE(EXTERN, T, distil::half) \
  DISTIL_TEST_MAPS_OF_STORAGE(EXTERN, T, distil::bfloat16)

#define DISTIL_TEST_PRODUCT(EXTERN, T, product)                                                              \
  EXTERN template void distil::kernels::product<T>(distil::detail::any_policy, distil::matrix_view<T const>, \
                                                   distil::matrix_view<T const>, distil::matrix_view<T>,     \
                                                   distil::kernels::into);

#define DISTIL_TEST_PRODUCTS(EXTERN, T)                                                                     \
  DISTIL_TEST_PRODUCT(EXTERN, T, multiply)                                                                  \
  DISTIL_TEST_PRODUCT(EXTERN, T, multiply_by_transpose)                                                     \
  DISTIL_TEST_PRODUCT(EXTERN, T, multiply_transpose)                                                        \
  EXTERN template void distil::kernels::transpose<T>(distil::detail::any_policy,                            \
                                                     distil::matrix_view<T const>, distil::matrix_view<T>); \
  EXTERN template void distil::kernels::gram<T>(distil::detail::any_policy, distil::matrix_view<T const>,   \
                                                distil::matrix_view<T>);

DISTIL_TEST_MAPS(extern, float)
DISTIL_TEST_MAPS(extern, double)
#if __has_include(<Eigen/Core>)
DISTIL_TEST_PRODUCTS(extern, float)
DISTIL_TEST_PRODUCTS(extern, double)
#endif
