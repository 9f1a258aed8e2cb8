// Values and gradients under compiler flags that permit reordering, in DISTIL_TEST_TYPE. What is expected comes from 50
// digits, as text: a reference compiled here would be reordered itself.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <distil/matrix/pairwise_distances.hpp>
#include <distil/matrix/unit_rows.hpp>
#include <distil/response/cross_entropy.hpp>
#include <distil/response/forward_kl.hpp>
#include <distil/response/jensen_shannon.hpp>
#include <distil/response/reverse_kl.hpp>
#include <distil/sweep/whole_rows.hpp>
#include <limits>
#include <span>
#include <vector>

namespace {

using T = DISTIL_TEST_TYPE;
using distil::index;
using distil::simd::lanes;
constexpr T epsilon = std::numeric_limits<T>::epsilon();
int failures = 0;

void expect_within(char const* what, double found, double expected, double allowed) {
  if (std::abs(found - expected) <= allowed) return;
  std::printf("%s is %.17g; it must be %.17g, at most %.2g off\n", what, found, expected, allowed);
  ++failures;
}
void expect(char const* what, double found, double expected, double share) {
  expect_within(what, found, expected, share * std::abs(expected));
}

struct batch {
  std::vector<T> student, teacher;
  std::vector<T> gradient = std::vector<T>(student.size());
  distil::matrix_view<T const> z{student.data(), 1, static_cast<index>(student.size())};
  distil::matrix_view<T const> t{teacher.data(), 1, static_cast<index>(teacher.size())};
  distil::matrix_view<T> g{gradient.data(), 1, static_cast<index>(gradient.size())};
  std::array<int, 1> labels{2};
};

/// Few classes: lanes run across rows.
batch short_rows() { return {{T(0), T(0.25), T(0.5), T(0.75)}, {T(0.5), T(0.5), T(0.5), T(0.5)}}; }

/// Many, along which lanes run, and far from 0: a logit that does not meet the row's maximum first loses its digits.
batch far_rows() {
  std::vector<T> student, teacher;
  for (int i = 0; i < 100; ++i) {
    student.push_back(T(1000) + static_cast<T>(7 * i % 11) / 4);
    teacher.push_back(T(1000) + static_cast<T>(5 * i % 13) / 4);
  }
  return {student, teacher};
}

/// The student is nearly the teacher: a divergence of 1e-7, which a difference of sums would not show.
batch near_rows() {
  std::vector<T> student, teacher;
  for (int i = 0; i < 100; ++i) {
    teacher.push_back(static_cast<T>(5 * i % 13) / 4);
    student.push_back(teacher.back() + static_cast<T>(i % 3 - 1) / 1024);
  }
  return {student, teacher};
}

/// Value, first element of the gradient, and sum of g_i (i mod 5).
struct expected_loss {
  double value, first, mixed;
};

template <class Loss>
void expect_loss(char const* what, batch rows, expected_loss expected, double allowed, Loss const& loss) {
  double const of_gradient = 16 * static_cast<double>(epsilon);  // differences of probabilities
  expect(what, loss(rows), expected.value, allowed);
  expect_within(what, static_cast<double>(rows.gradient[0]), expected.first, of_gradient);
  double mixed = 0;
  for (std::size_t i = 0; i < rows.gradient.size(); ++i)
    mixed += static_cast<double>(rows.gradient[i]) * static_cast<double>(i % 5);
  expect_within(what, mixed, expected.mixed, of_gradient);
}

double cross_entropy(batch& rows) {
  return distil::cross_entropy.with_grad(rows.z, std::span<int const>(rows.labels), rows.g);
}
double forward_kl(batch& rows) { return distil::forward_kl.with_grad(rows.z, rows.t, rows.g); }
double reverse_kl(batch& rows) { return distil::reverse_kl.with_grad(rows.z, rows.t, rows.g); }
double jensen_shannon(batch& rows) { return distil::jensen_shannon.with_grad(rows.z, rows.t, rows.g); }

void losses() {
  double const close = 64 * static_cast<double>(epsilon), near = 4096 * static_cast<double>(epsilon);
  expect_loss("cross_entropy", short_rows(), {1.3000164040589502, 0.16529617667112002, -0.19290483671049277},
              close, cross_entropy);
  expect_loss("forward_kl", short_rows(), {0.038722042939059625, -0.084703823328879981, 0.30709516328950723},
              close, forward_kl);
  expect_loss("reverse_kl", short_rows(), {0.038051747883317184, -0.074676480343157217, 0.29653723288599407},
              close, reverse_kl);
  expect_loss("jensen_shannon", short_rows(),
              {0.0095451292713808180, -0.019648171779947336, 0.074633000135230464}, close, jensen_shannon);

  expect_loss("cross_entropy, far", far_rows(),
              {5.3920063130401620, 0.0021506045011410162, 0.033306989628673123}, close, cross_entropy);
  expect_loss("forward_kl, far", far_rows(),
              {0.67709110404007323, 0.00065500134957335156, 0.13965566761399191}, close, forward_kl);
  expect_loss("reverse_kl, far", far_rows(),
              {0.70245475773388171, -0.00072956109890824158, 0.25280635967647831}, close, reverse_kl);
  expect_loss("jensen_shannon, far", far_rows(),
              {0.15038998468721139, 0.000017884670500427204, 0.041012885285667999}, close, jensen_shannon);

  expect_loss("forward_kl, near", near_rows(),
              {3.2398766569228055e-7, -1.4682033031448772e-6, 0.000059723267508720874}, near, forward_kl);
  expect_loss("reverse_kl, near", near_rows(),
              {3.2398674153028818e-7, -1.4679664944120096e-6, 0.000059737602685741018}, near, reverse_kl);
  expect_loss("jensen_shannon, near", near_rows(),
              {8.0996797684129853e-8, -3.6702119536237982e-7, 0.000014932607597794152}, near, jensen_shannon);
}

#if !defined(__FINITE_MATH_ONLY__) || __FINITE_MATH_ONLY__ == 0
batch masked_rows() {
  batch rows = far_rows();
  rows.student[3] = rows.teacher[3] = -std::numeric_limits<T>::infinity();
  return rows;
}

void masks_and_nan() {
  double const close = 64 * static_cast<double>(epsilon);
  expect_loss("cross_entropy, masked", masked_rows(),
              {5.3654572588221825, 0.0022084656980774075, 0.0072984814997019073}, close, cross_entropy);
  expect_loss("forward_kl, masked", masked_rows(),
              {0.66052635664608263, 0.00070916552306833600, 0.11638197385913715}, close, forward_kl);
  expect_loss("reverse_kl, masked", masked_rows(),
              {0.68185269253805164, -0.00065051046536822153, 0.21525188972478073}, close, reverse_kl);
  expect_loss("jensen_shannon, masked", masked_rows(),
              {0.14669098862744367, 0.000032865714145426764, 0.035527297636224174}, close, jensen_shannon);
  batch broken = far_rows();
  broken.student[7] = std::numeric_limits<T>::quiet_NaN();
  for (auto const loss : {cross_entropy, forward_kl, reverse_kl, jensen_shannon}) {
    if (std::isnan(loss(broken)) && std::isnan(broken.gradient[0])) continue;
    std::puts("a row with a NaN has a loss and a gradient; they must be NaN");
    ++failures;
  }
}
#else
void masks_and_nan() {}
#endif

double first(lanes<T> value) { return static_cast<double>(first_of(value)); }

/// What all losses stand on. The arguments are no constants to the compiler.
void functions() {
  T volatile const four = 4;
  lanes<T> const x(T(-17) / four), small(T(1) / (four * T(0x1p38)));
  double const close = 4 * static_cast<double>(epsilon);
  expect("exp_nonpositive", first(exp_nonpositive(x)), 0.014264233908999255, close);
  expect("exp2_nonpositive", first(exp2_nonpositive(lanes<T>(T(-13.5) / four))), 0.096388176587996301, close);
  expect("log", first(log(lanes<T>(T(12) / four))), 1.0986122886681097, close);
  expect("log of a small number", first(log(lanes<T>(T(0.01171875) / four))), -5.8328595169313434, close);
  expect("log_normal", first(log_normal(lanes<T>(T(12) / four))), 1.0986122886681097, close);
  expect("log1p", first(log1p(lanes<T>(T(3) / four))), 0.55961578793542269, close);
  expect("log1p of a small number", first(log1p(small)), 9.0949470177251465e-13, close);

  distil::simd::compensated_sum sum;
  sum += 1.0;
  for (int i = 0; i < 1024; ++i) sum += 0x1p-56 * four;
  expect("compensated_sum", sum.value() - 1.0, 0x1p-44, 1e-3);
}

/// The length of a row whose squares overflow, and quotients whose divisor has no inverse among normal numbers.
void lengths() {
  T volatile const huge = std::numeric_limits<T>::max() / 2;
  T const row[] = {huge, huge / 2};
  double const length =
      static_cast<double>(distil::kernels::length_of<T>(row, 2)) / static_cast<double>(huge);
  expect("length of a row of huge numbers", length, 1.1180339887498948, 4 * static_cast<double>(epsilon));
}

/// Two rows that are near each other and far from the third.
void distances() {
  std::vector<T> x(24), squared(9), squares(3);
  for (std::size_t c = 0; c < 8; ++c) {
    x[c] = T(100) + static_cast<T>(c);
    x[8 + c] = x[c] + T(1) / T(64);
    x[16 + c] = T(-200) - T(2) * static_cast<T>(c);
  }
  distil::kernels::squared_distances<T>(distil::detail::any_policy(distil::serial),
                                        distil::matrix_view<T const>(x.data(), 3, 8),
                                        distil::matrix_view<T>(squared.data(), 3, 3), squares.data());
  expect("squared distance of near rows", static_cast<double>(squared[1]), 0x1p-9, 1e-6);
  expect("squared distance of far rows", static_cast<double>(squared[2]), 771660.0, 1e-6);
}

}  // namespace

int main() {
  functions();
  losses();
  masks_and_nan();
  lengths();
  distances();
  return failures == 0 ? 0 : 1;
}
