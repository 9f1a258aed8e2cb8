#pragma once

#include "distil/sweep/evaluate.hpp"

/// What every loss needs of the engine, whatever its kernel, compiled once for all tests (engine.cpp). Which functions are
/// always inline does not change.
#define DISTIL_TEST_ENGINE_OF_STORAGE(EXTERN, T, Storage) \
  EXTERN template struct distil::simd::reads<T, Storage>; \
  EXTERN template struct distil::simd::writes<T, Storage>;

#define DISTIL_TEST_ENGINE(EXTERN, T)                                                                       \
  DISTIL_TEST_ENGINE_OF_STORAGE(EXTERN, T, float)                                                           \
  DISTIL_TEST_ENGINE_OF_STORAGE(EXTERN, T, double)                                                          \
  DISTIL_TEST_ENGINE_OF_STORAGE(EXTERN, T, distil::half)                                                    \
  DISTIL_TEST_ENGINE_OF_STORAGE(EXTERN, T, distil::bfloat16)                                                \
  EXTERN template void distil::simd::read_block<T>(                                                         \
      distil::simd::source_matrix<T> const&, distil::simd::tile const&, distil::simd::block const&, T, T*); \
  EXTERN template class distil::simd::block_reader<T>;                                                      \
  EXTERN template class distil::simd::block_writer<T>;                                                      \
  EXTERN template class distil::simd::class_reader<T, float>;                                               \
  EXTERN template class distil::simd::shared_exponentials<T>;                                               \
  EXTERN template class distil::simd::row_sweeps<T>;                                                        \
  EXTERN template class distil::simd::tile_weights<T>;                                                      \
  EXTERN template class distil::simd::weighed_batch<T>;                                                     \
  EXTERN template class distil::simd::evaluation<T>;

DISTIL_TEST_ENGINE(extern, float)
DISTIL_TEST_ENGINE(extern, double)
