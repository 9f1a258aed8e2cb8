#include "engine.hpp"

DISTIL_TEST_ENGINE(, float)
DISTIL_TEST_ENGINE(, double)
