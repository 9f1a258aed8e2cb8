#include <cstdarg>
#include <distil/response/hinton_kd.hpp>

#include "kernels.hpp"

long lanes_of_the_other_source() { return lanes(); }

double weighted_sum(int a, int b, int c, int d, int e, int f, int g, double h, double i, double j, double k,
                    double l, double m, double n, double o, double p) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l +
         13 * m + 14 * n + 15 * o + 16 * p;
}

int sum_of(int count, ...) {
  std::va_list values;
  va_start(values, count);
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += va_arg(values, int);
  va_end(values);
  return sum;
}

void call(void (*function)()) { function(); }

accumulator::accumulator(double start) : sum_(start) {}

double accumulator::add(double x) {
  sum_ += x;
  return sum_;
}
