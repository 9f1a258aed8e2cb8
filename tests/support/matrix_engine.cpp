#include "matrix_engine.hpp"

DISTIL_TEST_MAPS(, float)
DISTIL_TEST_MAPS(, double)
#if __has_include(<Eigen/Core>)
DISTIL_TEST_PRODUCTS(, float)
DISTIL_TEST_PRODUCTS(, double)
#endif
