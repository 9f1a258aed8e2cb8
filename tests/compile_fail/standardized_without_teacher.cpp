// Standardized are the logits of a student and of a teacher: a loss without teacher has none to be compared with.
// expect: takes a loss of logits of a student and of a teacher
#include <distil/response.hpp>

int main() {
#if DISTIL_EXPECT_FAILURE
  auto const loss = distil::standardized(distil::cross_entropy);
#else
  auto const loss = distil::standardized(distil::decoupled_kd);
#endif
  (void)loss;
}
