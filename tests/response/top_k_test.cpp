#include "distil/response.hpp"

#include "../support/slope_bound.hpp"
#include "../support/top_k_batch.hpp"

namespace distil::testing {
namespace {

struct reverse_kl_function {
  static constexpr bool homogeneous = true;
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    return zero_safe_product(exp(log_q), log_q - log_p);
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return zero_safe_product(exp(log_q), log_q - log_p + 1);
  }
};
struct squared_hellinger_function {
  static constexpr bool homogeneous = true;
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    Lanes const difference = exp(0.5 * log_p) - exp(0.5 * log_q);
    return 0.5 * difference * difference;
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return -0.5 * exp(0.5 * log_q) * (exp(0.5 * log_p) - exp(0.5 * log_q));
  }
  template <class Lanes>
  Lanes d_log_p(Lanes log_p, Lanes log_q) const {
    return 0.5 * exp(0.5 * log_p) * (exp(0.5 * log_p) - exp(0.5 * log_q));
  }
};
struct squared_difference_function {  // not homogeneous
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    Lanes const difference = exp(log_p) - exp(log_q);
    return difference * difference;
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return 2 * (exp(log_q) - exp(log_p)) * exp(log_q);
  }
};
constexpr divergence<reverse_kl_function> reverse_kl{};
constexpr divergence<squared_hellinger_function> squared_hellinger{};
constexpr divergence<squared_difference_function> squared_difference{};

constexpr tail_policy policies[] = {tail_policy::truncate,         tail_policy::renormalise_teacher,
                                    tail_policy::renormalise_both, tail_policy::bucket,
                                    tail_policy::uniform,          tail_policy::floor};
constexpr char const* names[] = {"truncate", "renormalise_teacher", "renormalise_both", "bucket", "uniform",
                                 "floor"};

bool needs_mass(tail_policy policy) {
  return policy == tail_policy::truncate || policy == tail_policy::bucket || policy == tail_policy::uniform;
}

/// Every divergence, every policy.
template <class Batch>
void expect_every_divergence(Batch& b, top_k_options options, divergence_options const& loss,
                             std::string const& what) {
  for (tail_policy const policy : policies) {
    if (b.form == teacher_form::logits && !options.log_tail_mass && needs_mass(policy)) continue;
    options.tail = policy;
    std::string const where = what + ", " + names[static_cast<int>(policy)] + ", " + std::to_string(b.rows) +
                              "x" + std::to_string(b.columns) + ", k=" + std::to_string(b.k);
    expect_top_k(forward_kl, reference::forward_kl_summand, b, options, loss, top_k_bound,
                 "forward KL, " + where);
    if (policy == tail_policy::truncate) continue;
    expect_top_k(squared_hellinger, reference::squared_hellinger_summand, b, options, loss, top_k_bound,
                 "Hellinger, " + where);
    expect_top_k(squared_difference, reference::squared_difference_summand, b, options, loss, top_k_bound,
                 "squared difference, " + where);
    if (policy != tail_policy::renormalise_teacher) {  // infinite
      double const reach = policy == tail_policy::floor ? 100 : 16;
      expect_top_k(reverse_kl, reference::reverse_kl_summand, b, options, loss,
                   {.value = reach * top_k_bound.value, .gradient = reach * top_k_bound.gradient},
                   "reverse KL, " + where);
    }
    if (::testing::Test::HasFatalFailure()) return;
  }
}

template <class T>
class top_k_of : public ::testing::Test {};
#if defined(DISTIL_TEST_IN_FLOAT)  // by CMake, see DISTIL_TEST_LOSSES
using arithmetics = ::testing::Types<float>;
#else
using arithmetics = ::testing::Types<float, double>;
#endif
TYPED_TEST_SUITE(top_k_of, arithmetics);

TYPED_TEST(top_k_of, shapes_and_supports) {
  using T = TypeParam;
  struct size {
    index rows, columns, k;
  };
  index const lanes = simd::lanes<T>::size;
  for (size const& s : {size{1, 1, 1}, size{3, 2, 1}, size{3, 2, 2}, size{lanes + 1, 9, 4}, size{2, 9, 9},
                        size{lanes, 40, 39}, size{5, 300, 17}, size{3, 2100, 64}, size{2, 1500, 1400}}) {
    for (layout const order : {layout::padded, layout::class_major, layout::every_other}) {
      top_k_batch<T> b(s.rows, s.columns, s.k, teacher_form::log_probabilities, 0, order);
      // Where P is near 1, reverse KL needs more digits of the tail than 1 - P has.
      top_k_options options;
      if (2 * s.k > s.columns) options.log_tail_mass = b.log_tail_mass;
      expect_every_divergence(b, options, {.temperature = 1}, name_of(order));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(top_k_of, every_form_at_every_temperature) {
  using T = TypeParam;
  for (index const columns : {12, 700}) {
    for (teacher_form const form :
         {teacher_form::logits, teacher_form::log_probabilities, teacher_form::probabilities}) {
      for (double const captured : {1.0, 2.0}) {
        top_k_batch<T> b(5, columns, 7, form, 0, layout::padded, captured);
        std::vector<double> const each(5, captured);
        std::vector<double> const differing = {captured, 1.25 * captured, 0.75 * captured, 1.5 * captured,
                                               captured};
        for (double const temperature : {0.5, 2.0, 3.0}) {
          std::string const what = "captured at " + std::to_string(captured) + ", used at " +
                                   std::to_string(temperature) + ", form " +
                                   std::to_string(static_cast<int>(form));
          divergence_options const loss{.temperature = temperature};
          bool const logits = form == teacher_form::logits;
          expect_every_divergence(b, {}, loss, what);
          if (!logits) expect_every_divergence(b, {.captured_at = each}, loss, what);
          if (!logits) expect_every_divergence(b, {.captured_at = differing}, loss, what + ", row by row");
          expect_every_divergence(b, {.captured_at = captured, .log_tail_mass = b.log_tail_mass}, loss,
                                  what + ", stored tail");
          expect_every_divergence(b,
                                  {.captured_at = each,
                                   .log_tail_mass = b.log_tail_mass,
                                   .bucket_shape = tail_shape::one_class,
                                   .log_floor = -6},
                                  loss, what + ", other options");
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(top_k_of, students_that_leave_next_to_nothing) {
  using T = TypeParam;
  for (index const columns : {20, 1300}) {
    for (double const lead : {-20.0, 8.0, 16.0, 24.0, 60.0}) {
      top_k_batch<T> b(19, columns, 6, teacher_form::log_probabilities, lead);
      expect_every_divergence(b, {}, {.temperature = 1}, "lead " + std::to_string(lead));
      expect_every_divergence(b, {.log_tail_mass = -1e-3}, {.temperature = 1},
                              "lead " + std::to_string(lead));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(top_k_of, extreme_temperatures_and_logits) {
  using T = TypeParam;
  for (index const columns : {17, 1300}) {
    for (double const lead : {-1e4, -60.0, 0.0, 60.0, 1e4}) {
      for (double const temperature : {0.05, 1.0, 100.0}) {
        top_k_batch<T> b(9, columns, 6, teacher_form::log_probabilities, lead);
        for (tail_policy const policy : policies) {
          top_k_options const options{.tail = policy, .captured_at = 1, .log_tail_mass = b.log_tail_mass};
          expect_top_k(forward_kl, reference::forward_kl_summand, b, options, {.temperature = temperature},
                       top_k_bound,
                       names[static_cast<int>(policy)] + (" at T = " + std::to_string(temperature)) +
                           ", lead " + std::to_string(lead));
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TYPED_TEST(top_k_of, rows_of_different_lengths_weights_and_padding) {
  using T = TypeParam;
  for (index const columns : {15, 900}) {
    top_k_batch<T> b(21, columns, 8, teacher_form::log_probabilities);
    for (index r = 0; r < 21; ++r) {
      auto const at = static_cast<std::size_t>(r);
      b.counts[at] = static_cast<std::int32_t>(r % 9);
      for (index i = b.counts[at]; i < 8; ++i)
        b.ids[static_cast<std::size_t>(r * 8 + i)] = -7;  // not looked at
      if (r % 4 == 1) {                                   // entries without mass, whatever their ids
        b.values.set(r, 0, minus_infinity);
        b.ids[static_cast<std::size_t>(r * 8)] = r % 8 == 1 ? -1 : b.ids[static_cast<std::size_t>(r * 8 + 1)];
      }
    }
    std::vector<double> weights(21, 1.0), temperatures;
    for (index r = 0; r < 21; ++r) temperatures.push_back(0.5 + 0.25 * static_cast<double>(r));
    weights[3] = 0, weights[5] = 2.5;
    b.ids[3 * 8] = 1 << 30;  // a row of weight 0 is not looked at
    expect_every_divergence(b, {.captured_at = 1},
                            {.temperature = temperatures, .rows = {.weights = weights}}, "ragged");
  }
}

TYPED_TEST(top_k_of, a_row_without_entries_and_nothing_else) {
  using T = TypeParam;
  for (index const columns : {15, 900}) {
    for (bool const all : {false, true}) {
      top_k_batch<T> b(6, columns, 4, teacher_form::log_probabilities);
      for (index r = 0; r < 6; ++r) {
        if (all || r == 2) b.counts[static_cast<std::size_t>(r)] = 0;
      }
      expect_every_divergence(b, {.captured_at = 1}, {.temperature = 2}, all ? "no entries" : "an empty row");
    }
  }
}

TYPED_TEST(top_k_of, masked_classes) {
  using T = TypeParam;
  for (index const columns : {15, 1200}) {
    top_k_batch<T> b(9, columns, 5, teacher_form::log_probabilities);
    auto const listed = [&](index r, index i) {
      return static_cast<index>(b.ids[static_cast<std::size_t>(r * 5 + i)]);
    };
    auto const is_listed = [&](index r, index c) {
      for (index i = 0; i < 5; ++i) {
        if (listed(r, i) == c) return true;
      }
      return false;
    };
    for (index c = 0; c < columns; ++c) {
      if (!is_listed(1, c) && c % 2 == 0) b.student.set(1, c, minus_infinity);  // a part of what is outside
      if (!is_listed(2, c)) b.student.set(2, c, minus_infinity);                // all of it
      b.student.set(3, c, minus_infinity);                                      // the row
      if (is_listed(5, c)) b.student.set(5, c, minus_infinity);                 // all that is listed
    }
    b.student.set(4, listed(4, 2), minus_infinity);  // one that is listed
    for (tail_policy const policy : policies) {
      std::string const what = std::string("masked, ") + names[static_cast<int>(policy)];
      top_k_options const options{.tail = policy, .log_floor = -10};
      expect_top_k(forward_kl, reference::forward_kl_summand, b, options, {}, top_k_bound, what);
      if (policy == tail_policy::truncate) continue;
      expect_top_k(squared_hellinger, reference::squared_hellinger_summand, b, options, {}, top_k_bound,
                   what);
      expect_top_k(squared_difference, reference::squared_difference_summand, b, options, {}, top_k_bound,
                   what);
    }
  }
}

TEST(top_k, gradient_of_the_reference_is_the_central_difference) {
  for (tail_policy const policy : policies) {
    for (auto const* const f :
         {&reference::forward_kl_summand, &reference::reverse_kl_summand,
          &reference::squared_hellinger_summand, &reference::squared_difference_summand}) {
      if (policy == tail_policy::renormalise_teacher && f == &reference::reverse_kl_summand) continue;
      top_k_batch<double> const b(1, 7, 3, teacher_form::log_probabilities);
      top_k_options const options{.form = b.form, .tail = policy, .captured_at = 1, .log_floor = -4};
      auto const loss = [&](exact_row const& z) {
        return reference::top_k(*f, z, b.entries(0), options, 0, 2.0L);
      };
      auto const z = b.student.row<long double>(0);
      auto const difference = reference::gradient([&](exact_row const& at) { return loss(at).value; }, z);
      for (std::size_t c = 0; c < 7; ++c) {
        EXPECT_NEAR(static_cast<double>(loss(z).gradient[c]), static_cast<double>(difference[c]), 1e-12)
            << names[static_cast<int>(policy)];
      }
    }
  }
}

TYPED_TEST(top_k_of, derivative_by_the_temperature) {
  using T = TypeParam;
  double const epsilon = std::numeric_limits<T>::epsilon();
  for (index const columns : {9, 400}) {
    for (teacher_form const form : {teacher_form::logits, teacher_form::probabilities}) {
      for (double const lead : {0.0, 12.0}) {
        top_k_batch<T> b(5, columns, 4, form, lead);
        for (tail_policy const policy : policies) {
          for (bool const moves : {true, false}) {
            if (!moves && form == teacher_form::logits) continue;
            top_k_options options{.form = form, .tail = policy, .log_tail_mass = b.log_tail_mass};
            if (moves) options.captured_at = 1.5;
            auto const expect_slopes = [&](auto const& loss, reference::summand const& f, char const* who) {
              std::vector<double> slopes(5);
              (void)loss(b.student.view(), b.teacher(options),
                         {.temperature = 2, .temperature_gradient = slopes});
              for (index r = 0; r < 5; ++r) {
                auto const z = b.student.template row<long double>(r);
                auto const at = static_cast<std::size_t>(r);
                auto const value_at = [&](long double t) {
                  return t * t * reference::top_k(f, z, b.entries(r), options, at, t).value;
                };
                expect_slope(5 * slopes[at], value_at, 2.0, top_k_bound, epsilon,
                             static_cast<double>(std::abs(value_at(2))) + 4 * size_of_classes(z),
                             std::string(who) + ", " + names[static_cast<int>(policy)] + ", moves " +
                                 std::to_string(moves) + ", lead " + std::to_string(lead) + ", row " +
                                 std::to_string(r) + " of " + std::to_string(columns));
              }
            };
            expect_slopes(forward_kl, reference::forward_kl_summand, "forward KL");
            if (policy == tail_policy::truncate) continue;
            expect_slopes(squared_hellinger, reference::squared_hellinger_summand, "Hellinger");
          }
        }
      }
    }
  }
}

TYPED_TEST(top_k_of, derivative_by_the_temperature_of_many_classes) {
  using T = TypeParam;
  top_k_batch<T> b(4, 20000, 60, teacher_form::log_probabilities);
  numbers random(7);
  for (index r = 0; r < 4; ++r) {  // near the teacher, in the listed classes
    for (index i = 0; i < 60; ++i)
      b.student.set(r, b.ids[static_cast<std::size_t>(60 * r + i)], b.values.at(r, i) + 8 + random.next());
  }
  for (tail_policy const policy : {tail_policy::bucket, tail_policy::uniform}) {
    top_k_options const options{
        .form = b.form, .tail = policy, .captured_at = 1, .log_tail_mass = b.log_tail_mass};
    std::vector<double> slopes(4);
    (void)forward_kl(b.student.view(), b.teacher(options),
                     {.temperature = 30, .temperature_gradient = slopes});
    for (std::size_t r = 0; r < 4; ++r) {
      auto const row = static_cast<index>(r);
      auto const z = b.student.template row<long double>(row);
      auto const value_at = [&](long double t) {
        auto const& f = reference::forward_kl_summand;
        return t * t * reference::top_k(f, z, b.entries(row), options, r, t).value;
      };
      expect_slope(4 * slopes[r], value_at, 30.0, top_k_bound, std::numeric_limits<T>::epsilon(),
                   static_cast<double>(value_at(30)) + 900 * size_of_classes(z),
                   names[static_cast<int>(policy)]);
    }
  }
}

}  // namespace
}  // namespace distil::testing
