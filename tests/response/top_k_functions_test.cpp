#include "distil/response/forward_kl.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/negative_log_overlap.hpp"
#include "distil/response/overlap_hybrid.hpp"
#include "distil/response/renyi.hpp"
#include "distil/response/reverse_kl.hpp"

#include "../support/refusal.hpp"
#include "../support/reversing_executor.hpp"
#include "../support/slope_bound.hpp"
#include "../support/top_k_batch.hpp"

/// Top-k teachers of divergences that are functions of several sums, and teachers with a temperature of their own.
namespace distil::testing {
namespace {

constexpr auto log_form = teacher_form::log_probabilities;
constexpr tail_policy policies[] = {tail_policy::renormalise_teacher, tail_policy::renormalise_both,
                                    tail_policy::bucket, tail_policy::uniform, tail_policy::floor};

struct sides {
  exact_row log_p, log_q;
};

/// The two distributions that a policy makes of a row.
template <class Batch>
sides sides_of(Batch const& b, index r, exact_row const& z, top_k_options const& options, long double T,
               long double of_teacher) {
  auto const entries = b.entries(r);
  auto const teacher =
      reference::distribute(entries, z.size(), options, static_cast<std::size_t>(r), of_teacher);
  bool const both = *options.tail == tail_policy::renormalise_both;
  bool const bucket = *options.tail == tail_policy::bucket;
  auto const nothing = static_cast<long double>(minus_infinity);
  exact_row outside = z, listed(z.size(), nothing), log_p(z.size(), teacher.log_tail);
  for (std::size_t i = 0; i < entries.classes.size(); ++i) {
    outside[entries.classes[i]] = nothing;
    listed[entries.classes[i]] = z[entries.classes[i]];
    log_p[entries.classes[i]] = teacher.log_p[i];
  }
  if (*options.tail == tail_policy::renormalise_teacher) {
    for (std::size_t i = 0; i < z.size(); ++i) log_p[i] = listed[i] == nothing ? nothing : log_p[i];
  }
  exact_row const log_q = reference::log_softmax(both ? listed : z, T);
  if (!both && !bucket) return {log_p, log_q};
  sides result;
  for (std::size_t const c : entries.classes)
    result.log_p.push_back(log_p[c]), result.log_q.push_back(log_q[c]);
  if (bucket && entries.classes.size() < z.size()) {
    result.log_p.push_back(teacher.log_tail);
    result.log_q.push_back(reference::log_sum_exp(outside, T) - reference::log_sum_exp(z, T));
  }
  return result;
}

template <class Summand>
long double sum_of(sides const& both, Summand const& summand) {
  long double sum = 0;
  for (std::size_t i = 0; i < both.log_p.size(); ++i) sum += summand(both.log_p[i], both.log_q[i]);
  return sum;
}
long double kl(sides const& both) {
  return sum_of(both, [](long double log_p, long double log_q) {
    return std::exp(log_p) == 0 ? 0 : std::exp(log_p) * (log_p - log_q);
  });
}
long double overlap(sides const& both) {
  return sum_of(both, [](long double log_p, long double log_q) { return std::exp(std::min(log_p, log_q)); });
}

/// Each divergence of the rows' sides; `held` are the sides where the gradient holds something constant.
struct of_forward_kl {
  static constexpr auto loss = distil::forward_kl;
  static long double value(sides const& both, sides const&) { return kl(both); }
};
struct of_reverse_kl {
  static constexpr auto loss = distil::reverse_kl;
  static long double value(sides const& both, sides const&) { return kl({both.log_q, both.log_p}); }
};
struct of_renyi {
  static constexpr auto loss = distil::renyi;
  static long double value(sides const& both, sides const&) {
    return -2 * std::log(sum_of(both, [](long double log_p, long double log_q) {
      return std::exp((log_p + log_q) / 2);
    }));
  }
};
struct of_negative_log_overlap {
  static constexpr auto loss = distil::negative_log_overlap;
  static long double value(sides const& both, sides const&) { return -std::log(overlap(both)); }
};
struct of_overlap_hybrid {
  static constexpr auto loss = distil::overlap_hybrid;
  static long double value(sides const& both, sides const& held) {
    long double const h = std::exp(-3 * overlap(held));
    return h * kl(both) + (1 - h) * (1 - overlap(both));
  }
};

template <class Of>
constexpr bool is_infinite_beyond_the_teacher = std::is_same_v<Of, of_reverse_kl>;

/// Value, gradient and derivatives by temperatures, from the definition and its central differences.
template <class Of, class T>
void expect_definition(std::string const& what, auto const& options_of, long double temperature,
                       long double of_teacher, bool apart) {
  double const epsilon = std::numeric_limits<T>::epsilon();
  for (index const columns : {index{7}, 3 * simd::lanes<T>::size + 3, index{300}}) {
    for (double const lead : {0.0, 12.0}) {
      for (tail_policy const policy : policies) {
        if (is_infinite_beyond_the_teacher<Of> && policy == tail_policy::renormalise_teacher) continue;
        top_k_batch<T> b(3, columns, 5, log_form, lead, layout::padded, 1.5);
        top_k_options const options{
            .form = log_form, .tail = policy, .captured_at = 1.5, .log_tail_mass = b.log_tail_mass};
        std::string const where = what + ", policy " + std::to_string(static_cast<int>(policy)) + ", " +
                                  std::to_string(columns) + " classes, lead " + std::to_string(lead);
        std::vector<double> values(3), slopes(3), teacher_slopes(3);
        auto chosen = options_of(values, slopes, teacher_slopes);
        (void)Of::loss.with_grad(b.student.view(), b.teacher(options), b.gradient.view(), chosen);
        chosen.rows.values = {};
        for (index r = 0; r < 3; ++r) {
          auto const at = static_cast<std::size_t>(r);
          auto const z = b.student.template row<long double>(r);
          auto const held = sides_of(b, r, z, options, temperature, of_teacher);
          auto const value_at = [&](exact_row const& moved, long double t, long double s) {
            return t * s * Of::value(sides_of(b, r, moved, options, t, s), held);
          };
          long double const exact = value_at(z, temperature, of_teacher);
          double const scale = 1 + static_cast<double>(exact);
          ASSERT_NEAR(values[at], static_cast<double>(exact), 128 * epsilon * scale) << where;
          auto const along = [&](std::size_t c) {
            auto moved = z;
            return reference::derivative(
                [&](long double entry) {
                  moved[c] = entry;
                  return value_at(moved, temperature, of_teacher);
                },
                z[c], 0.25L);
          };
          std::vector<std::size_t> looked_at = {0, 3, static_cast<std::size_t>(columns - 1)};
          for (std::size_t const c : b.entries(r).classes) looked_at.push_back(c);
          for (std::size_t const c : looked_at) {
            ASSERT_NEAR(3 * b.gradient.at(r, static_cast<index>(c)), static_cast<double>(along(c)),
                        512 * epsilon * scale + 1e-11)
                << where << ", class " << c;
          }
          double const size = static_cast<double>(exact + temperature * of_teacher *
                                                              static_cast<long double>(size_of_classes(z)));
          auto const expect = [&](double found, auto const& moved, long double from) {
            expect_slope(3 * found, moved, static_cast<double>(from), top_k_bound, epsilon, size, where);
          };
          expect(
              slopes[at], [&](long double t) { return value_at(z, t, apart ? of_teacher : t); }, temperature);
          if (apart) {
            expect(
                teacher_slopes[at], [&](long double t) { return value_at(z, temperature, t); }, of_teacher);
          }
        }
      }
    }
  }
}

template <class Of>
void expect_one_temperature(std::string const& what) {
  auto const options_of = [](auto& values, auto& slopes, auto&) {
    return typename decltype(Of::loss)::options_type{
        .temperature = 2, .rows = {.values = values}, .temperature_gradient = slopes};
  };
  expect_definition<Of, double>(what, options_of, 2, 2, false);
  expect_definition<Of, float>(what + " in float", options_of, 2, 2, false);
}

TEST(top_k_functions, of_several_sums_are_their_definition) {
  expect_one_temperature<of_renyi>("renyi");
  expect_one_temperature<of_negative_log_overlap>("negative_log_overlap");
  expect_one_temperature<of_overlap_hybrid>("overlap_hybrid");
}

TEST(top_k_functions, teachers_may_have_a_temperature_of_their_own) {
  auto const options_of = [](auto& values, auto& slopes, auto& teacher_slopes) {
    return divergence_options{.temperature = 2,
                              .teacher_temperature = 0.8,
                              .rows = {.values = values},
                              .temperature_gradient = slopes,
                              .teacher_temperature_gradient = teacher_slopes};
  };
  expect_definition<of_forward_kl, double>("forward_kl", options_of, 2, 0.8L, true);
  expect_definition<of_reverse_kl, double>("reverse_kl", options_of, 2, 0.8L, true);
  expect_definition<of_negative_log_overlap, double>("negative_log_overlap", options_of, 2, 0.8L, true);
}

TEST(top_k_functions, a_factor_takes_the_place_of_the_temperatures) {
  for (tail_policy const policy : policies) {
    top_k_batch<double> b(4, 90, 6, log_form), plain(4, 90, 6, log_form);
    auto const teacher = b.teacher({.tail = policy, .captured_at = 1});
    std::vector<double> const factors = {3, 0, 0.5, 2};
    std::vector<double> slopes(4), of_factor(4), of_plain(4);
    (void)forward_kl.with_grad(
        b.student.view(), teacher, b.gradient.view(),
        {.temperature = 2, .factor = factors, .rows = {.values = of_factor}, .temperature_gradient = slopes});
    std::vector<double> expected(4);
    (void)forward_kl.with_grad(plain.student.view(), teacher, plain.gradient.view(),
                               {.temperature = 2,
                                .scale_by_temperature_squared = false,
                                .rows = {.values = of_plain},
                                .temperature_gradient = expected});
    for (index r = 0; r < 4; ++r) {
      auto const at = static_cast<std::size_t>(r);
      EXPECT_NEAR(of_factor[at], factors[at] * of_plain[at], 1e-14);
      EXPECT_NEAR(slopes[at], factors[at] * expected[at], 1e-14);
      for (index c = 0; c < 90; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), factors[at] * plain.gradient.at(r, c), 1e-15);
      }
    }
  }
}

TEST(top_k_functions, of_every_class_are_the_dense_teacher) {
  auto const expect_dense = [](auto const& loss, auto const& options, char const* what) {
    for (index const columns : {1, 7, 700}) {
      for (tail_policy const policy : policies) {
        top_k_batch<double> b(5, columns, columns, log_form);
        owned_matrix<double> dense(5, columns, layout::row_major), expected(5, columns, layout::row_major);
        for (index r = 0; r < 5; ++r) {
          for (index i = 0; i < columns; ++i)
            dense.set(r, b.ids[static_cast<std::size_t>(r * columns + i)], b.values.at(r, i));
        }
        double const found = loss.with_grad(b.student.view(), b.teacher({.tail = policy, .captured_at = 1}),
                                            b.gradient.view(), options);
        double const wanted =
            loss.with_grad(b.student.view(), log_probabilities(dense.view(), 1), expected.view(), options);
        EXPECT_NEAR(found, wanted, 4e-14 * (1 + wanted)) << what;
        for (index r = 0; r < 5; ++r) {
          for (index c = 0; c < columns; ++c) {
            ASSERT_NEAR(b.gradient.at(r, c), expected.at(r, c), 4e-14) << what;
          }
        }
      }
    }
  };
  expect_dense(distil::renyi, renyi_options{.temperature = 2, .alpha = 1.5}, "renyi");
  expect_dense(distil::negative_log_overlap, divergence_options{.temperature = 2, .teacher_temperature = 3},
               "negative_log_overlap");
  expect_dense(distil::overlap_hybrid, overlap_hybrid_options{}, "overlap_hybrid");
  expect_dense(distil::forward_kl, divergence_options{.temperature = 2, .teacher_temperature = 3},
               "forward_kl");
}

/// Where the student has masked what is not listed, and the teacher gives it nothing, the divergence is that of K alone.
template <class Of>
void expect_the_listed_alone(char const* what, auto const& options_of) {
  for (tail_policy const policy : {tail_policy::renormalise_teacher, tail_policy::renormalise_both,
                                   tail_policy::bucket, tail_policy::uniform}) {
    for (index const rows : {1, 20}) {
      top_k_batch<double> b(rows, 5, 2, log_form);
      top_k_options const options{.form = log_form, .tail = policy, .log_tail_mass = minus_infinity};
      for (index r = 0; r < rows; ++r) {
        auto const listed = b.entries(r).classes;
        for (index c = 0; c < 5; ++c) {
          if (std::find(listed.begin(), listed.end(), static_cast<std::size_t>(c)) == listed.end())
            b.student.set(r, c, minus_infinity);
        }
      }
      std::vector<double> values(b.counts.size());
      auto chosen = options_of();
      chosen.rows = {.reduce = reduction::sum, .values = values};
      (void)Of::loss.with_grad(b.student.view(), b.teacher(options), b.gradient.view(), chosen);
      for (index r = 0; r < rows; ++r) {
        auto const entries = b.entries(r);
        exact_row z, log_p;
        for (std::size_t const c : entries.classes)
          z.push_back(static_cast<long double>(b.student.at(r, static_cast<index>(c))));
        for (index i = 0; i < 2; ++i) log_p.push_back(static_cast<long double>(b.values.at(r, i)));
        log_p = reference::log_softmax(log_p, 1.0L);
        auto const value_at = [&](exact_row const& moved) {
          sides const both{log_p, reference::log_softmax(moved, 2.0L)};
          return 4 * Of::value(both, both);
        };
        EXPECT_NEAR(values[static_cast<std::size_t>(r)], static_cast<double>(value_at(z)), 1e-13) << what;
        auto const expected = reference::gradient(value_at, z);
        for (index c = 0; c < 5; ++c) {
          auto const at =
              std::find(entries.classes.begin(), entries.classes.end(), static_cast<std::size_t>(c));
          double const wanted =
              at == entries.classes.end()
                  ? 0.0
                  : static_cast<double>(expected[static_cast<std::size_t>(at - entries.classes.begin())]);
          ASSERT_NEAR(b.gradient.at(r, c), wanted, 1e-10)
              << what << ", policy " << static_cast<int>(policy) << ", row " << r;
        }
      }
    }
  }
}

TEST(top_k_functions, of_classes_that_nobody_can_choose_are_those_of_the_listed) {
  auto const plain = [] { return divergence_options{.temperature = 2}; };
  expect_the_listed_alone<of_forward_kl>("forward_kl", plain);
  expect_the_listed_alone<of_reverse_kl>("reverse_kl", plain);
  expect_the_listed_alone<of_negative_log_overlap>("negative_log_overlap", plain);
  expect_the_listed_alone<of_renyi>("renyi", [] { return renyi_options{.temperature = 2}; });
}

TEST(top_k_functions, an_infinite_row_has_no_gradient_but_0_where_the_student_is_masked) {
  for (tail_policy const policy : {tail_policy::bucket, tail_policy::uniform}) {
    top_k_batch<double> b(2, 6, 3, log_form);
    auto const listed = b.entries(0).classes;
    b.student.set(0, static_cast<index>(listed[0]), minus_infinity);
    (void)distil::reverse_kl.with_grad(
        b.student.view(), b.teacher({.tail = policy, .log_tail_mass = minus_infinity}), b.gradient.view());
    for (index c = 0; c < 6; ++c) {
      if (static_cast<std::size_t>(c) == listed[0]) {
        EXPECT_EQ(b.gradient.at(0, c), 0.0);
      } else {
        EXPECT_TRUE(std::isnan(b.gradient.at(0, c)));
      }
    }
  }
}

TEST(top_k_functions, a_row_of_factor_0_is_absent_but_for_the_divisor) {
  std::vector<double> const factors = {0, 2, 0};
  std::vector<double> values(3), slopes(3);
  top_k_batch<double> b(3, 6, 3, log_form), alone(3, 6, 3, log_form);
  for (auto const row : {index{0}, index{2}})  // infinite
    b.student.set(row, static_cast<index>(b.entries(row).classes[0]), minus_infinity);
  top_k_options const options{.tail = tail_policy::renormalise_both, .captured_at = 1};
  auto const found = forward_kl.with_grad(
      b.student.view(), b.teacher(options), b.gradient.view(),
      {.temperature = 2, .factor = factors, .rows = {.values = values}, .temperature_gradient = slopes});
  double const expected = forward_kl.with_grad(alone.student.view(), alone.teacher(options),
                                               alone.gradient.view(), {.temperature = 2, .factor = factors});
  EXPECT_NEAR(found.value, expected, 1e-15);
  EXPECT_EQ(found.weight, 3.0);
  for (index r = 0; r < 3; ++r) {
    auto const at = static_cast<std::size_t>(r);
    EXPECT_EQ(r == 1, values[at] != 0.0);
    EXPECT_EQ(r == 1, slopes[at] != 0.0);
    for (index c = 0; c < 6; ++c) EXPECT_EQ(b.gradient.at(r, c), alone.gradient.at(r, c));
  }
}

TEST(top_k_functions, of_several_sums_take_rows_across_the_lanes_and_many_threads) {
  for (tail_policy const policy : policies) {
    for (index const columns : {12, 400}) {
      top_k_batch<float> b(70, columns, 6, log_form), one(70, columns, 6, log_form);
      auto const teacher = b.teacher({.tail = policy});
      double const found = distil::renyi.with_grad(b.student.view(), teacher, b.gradient.view());
      reversing_executor executor(3);
      EXPECT_EQ(
          distil::renyi.with_grad(run_on(executor), one.student.view(), teacher, one.gradient.view()).value,
          found);
      top_k_batch<double> exact(70, columns, 6, log_form);
      double const wanted = distil::renyi.with_grad(exact.student.view(), exact.teacher({.tail = policy}),
                                                    exact.gradient.view());
      EXPECT_NEAR(found, wanted, 2e-5 * (1 + wanted));
      for (index r = 0; r < 70; ++r) {
        for (index c = 0; c < columns; ++c) {
          EXPECT_EQ(b.gradient.at(r, c), one.gradient.at(r, c));
          ASSERT_NEAR(b.gradient.at(r, c), exact.gradient.at(r, c), 1e-6);
        }
      }
    }
  }
}

TEST(top_k_functions, hinton_kd_softens_its_teacher_apart) {
  top_k_batch<double> b(4, 50, 7, log_form), plain(4, 50, 7, log_form);
  auto const teacher = b.teacher({.tail = tail_policy::bucket, .captured_at = 1});
  auto const found = hinton_kd.with_grad(b.student.view(), teacher, b.gradient.view(),
                                         {.temperature = 2, .teacher_temperature = 3, .soft_weight = 1});
  double const wanted = forward_kl.with_grad(plain.student.view(), teacher, plain.gradient.view(),
                                             {.temperature = 2, .teacher_temperature = 3});
  EXPECT_NEAR(found.value, wanted, 1e-14);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 50; ++c) EXPECT_NEAR(b.gradient.at(r, c), plain.gradient.at(r, c), 1e-15);
  }
}

TEST(top_k_functions, refuse_temperatures_a_teacher_cannot_have) {
  top_k_batch<float> b(3, 10, 4, log_form);
  auto const z = b.student.view();
  auto const stays = b.teacher({.tail = tail_policy::bucket}),
             moves = b.teacher({.tail = tail_policy::bucket, .captured_at = 1});
  EXPECT_EQ(
      refusal_of([&] { (void)forward_kl(z, stays, {.teacher_temperature = 2}); }),
      "distil::forward_kl: teacher_temperature is set; it must be left out for a distribution that does "
      "not say what it was captured at");
  std::vector<double> slope(1);
  EXPECT_EQ(refusal_of([&] { (void)forward_kl(z, moves, {.teacher_temperature_gradient = slope}); }),
            "distil::forward_kl: teacher_temperature_gradient is asked for; it must be left out, unless "
            "teacher_temperature is set");
  EXPECT_EQ(refusal_of([&] { (void)forward_kl(z, moves, {.factor = -1}); }),
            "distil::forward_kl: factor is -1; it must be finite and >= 0");
  std::vector<double> const some = {1, -1, 1};
  EXPECT_EQ(refusal_of([&] { (void)forward_kl(z, moves, {.teacher_temperature = some}); }),
            "distil::forward_kl: teacher_temperature is -1 in row 1; it must be within [1e-15, 1e15]");
}

}  // namespace
}  // namespace distil::testing
