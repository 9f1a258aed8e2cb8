#include <cstdio>
#include <distil/dispatch.hpp>
#include <distil/version.hpp>
#include <string>

#include "dispatched.hpp"
#include "loss.hpp"

double loss_of_the_other_unit();

int main() {
  double const loss = loss_of_two_samples();
  std::printf("distil %s: %g\n", DISTIL_VERSION, loss);
  double const log_of_four = dispatched_log_sum_exp();
  std::printf("kernels for %s: %g\n", std::string(distil::active_architecture()).c_str(), log_of_four);
  if (!(log_of_four > 1.3862 && log_of_four < 1.3864)) return 1;
  return loss > 0 && loss == loss_of_the_other_unit() ? 0 : 1;
}
