#pragma once

#include <cmath>
#include <limits>
#include <vector>

/// Sinkhorn's iteration in its plain form, with scalings and e^(-M / epsilon), which long double has the range for.
namespace distil::reference {

struct transport_result {
  long double value = 0;
  std::vector<std::vector<long double>> plan, by_cost;
  std::vector<long double> by_log_rows;
};

/// Columns are fitted first, rows last, beginning at u = a. Derivatives by going back through the scalings.
inline transport_result transport(std::vector<std::vector<long double>> const& cost,
                                  std::vector<long double> const& a, std::vector<long double> const& b,
                                  long double epsilon, int iterations) {
  using row = std::vector<long double>;
  std::size_t const n = a.size(), m = b.size();
  std::vector<row> kernel(n, row(m));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < m; ++j) kernel[i][j] = std::exp(-cost[i][j] / epsilon);
  }
  // The scalings of every iteration, and then backwards through them.
  std::vector<row> us = {a}, vs;
  auto const fit = [](long double mass, long double sum) { return mass == 0 ? 0 : mass / sum; };
  for (int k = 0; k < iterations; ++k) {
    row v(m), u(n);
    for (std::size_t j = 0; j < m; ++j) {
      long double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += kernel[i][j] * us.back()[i];
      v[j] = fit(b[j], sum);
    }
    for (std::size_t i = 0; i < n; ++i) {
      long double sum = 0;
      for (std::size_t j = 0; j < m; ++j) sum += kernel[i][j] * v[j];
      u[i] = fit(a[i], sum);
    }
    us.push_back(u), vs.push_back(v);
  }
  transport_result result;
  result.plan = result.by_cost = std::vector<row>(n, row(m, 0));
  result.by_log_rows.assign(n, 0);
  row du(n, 0), dv(m, 0);
  std::vector<row> dk(n, row(m, 0));  // by the kernel
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < m; ++j) {
      long double const u = us.back()[i], v = vs.back()[j], k = kernel[i][j];
      result.plan[i][j] = u * k * v;
      result.value += u * k * v * cost[i][j];
      result.by_cost[i][j] += u * k * v;
      du[i] += k * v * cost[i][j], dv[j] += u * k * cost[i][j], dk[i][j] += u * v * cost[i][j];
    }
  }
  for (std::size_t k = static_cast<std::size_t>(iterations); k-- > 0;) {
    row const &u = us[k + 1], &before = us[k], &v = vs[k];
    for (std::size_t i = 0; i < n; ++i) {  // u = a / (K v)
      result.by_log_rows[i] += du[i] * u[i];
      if (a[i] == 0) continue;
      for (std::size_t j = 0; j < m; ++j) {
        long double const pull = -du[i] * u[i] * u[i] / a[i];
        dv[j] += pull * kernel[i][j], dk[i][j] += pull * v[j];
      }
    }
    du.assign(n, 0);
    for (std::size_t j = 0; j < m; ++j) {  // v = b / (K' u)
      if (b[j] == 0) continue;
      for (std::size_t i = 0; i < n; ++i) {
        long double const pull = -dv[j] * v[j] * v[j] / b[j];
        du[i] += pull * kernel[i][j], dk[i][j] += pull * before[i];
      }
    }
    dv.assign(m, 0);
  }
  for (std::size_t i = 0; i < n; ++i) {
    result.by_log_rows[i] += du[i] * a[i];
    for (std::size_t j = 0; j < m; ++j) result.by_cost[i][j] -= dk[i][j] * kernel[i][j] / epsilon;
  }
  return result;
}

}  // namespace distil::reference
