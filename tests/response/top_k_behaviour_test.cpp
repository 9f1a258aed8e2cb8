#include "distil/response.hpp"

#include "../support/reversing_executor.hpp"
#include "../support/top_k_batch.hpp"

/// What a top-k teacher does around its formulas: laws, threads, storage, fusion.
namespace distil::testing {
namespace {

constexpr auto log_form = teacher_form::log_probabilities;

TEST(top_k, of_every_class_is_the_dense_teacher) {
  for (index const columns : {1, 7, 200, 1500}) {
    for (tail_policy const policy :
         {tail_policy::truncate, tail_policy::renormalise_teacher, tail_policy::renormalise_both,
          tail_policy::bucket, tail_policy::uniform, tail_policy::floor}) {
      top_k_batch<float> b(6, columns, columns, log_form);
      owned_matrix<float> dense(6, columns, layout::row_major), expected(6, columns, layout::row_major);
      for (index r = 0; r < 6; ++r) {
        for (index i = 0; i < columns; ++i)
          dense.set(r, b.ids[static_cast<std::size_t>(r * columns + i)], b.values.at(r, i));
      }
      divergence_options const options{.temperature = 2};
      auto const teacher = b.teacher({.tail = policy, .captured_at = 1});
      double const found = forward_kl.with_grad(b.student.view(), teacher, b.gradient.view(), options);
      double const wanted = forward_kl.with_grad(b.student.view(), log_probabilities(dense.view(), 1),
                                                 expected.view(), options);
      EXPECT_NEAR(found, wanted, 4e-6 * (1 + wanted));
      for (index r = 0; r < 6; ++r) {
        for (index c = 0; c < columns; ++c) EXPECT_NEAR(b.gradient.at(r, c), expected.at(r, c), 1e-6);
      }
    }
  }
}

TEST(top_k, never_negative_where_it_says_so) {
  for (tail_policy const policy : {tail_policy::renormalise_teacher, tail_policy::renormalise_both,
                                   tail_policy::bucket, tail_policy::uniform, tail_policy::floor}) {
    for (double const distance : {0.0, 1e-7, 1e-4, 1e-2}) {
      top_k_batch<float> b(16, 400, 30, teacher_form::logits);
      numbers random(4);
      owned_matrix<float> log_q(16, 400, layout::row_major);
      log_softmax(b.student.view(), log_q.view());
      for (index r = 0; r < 16; ++r) {
        for (index i = 0; i < 30; ++i) {
          index const c = b.ids[static_cast<std::size_t>(r * 30 + i)];
          b.values.set(r, i, log_q.at(r, c) + distance * random.next());
        }
      }
      b.form = log_form;
      std::vector<double> values(16);
      (void)forward_kl(b.student.view(), b.teacher({.tail = policy}), {.rows = {.values = values}});
      for (double const value : values) EXPECT_GE(value, 0.0) << static_cast<int>(policy) << " " << distance;
    }
  }
  // Truncated, a student that gives K more than the teacher does is below zero.
  top_k_batch<float> b(4, 100, 10, log_form);
  owned_matrix<float> log_q(4, 100, layout::row_major);
  log_softmax(b.student.view(), log_q.view());
  for (index r = 0; r < 4; ++r) {
    for (index i = 0; i < 10; ++i)
      b.values.set(r, i, log_q.at(r, b.ids[static_cast<std::size_t>(r * 10 + i)]) - 0.5);
  }
  EXPECT_LT(forward_kl(b.student.view(), b.teacher({.tail = tail_policy::truncate})).value, 0.0);
}

TEST(top_k, gives_the_same_bits_on_any_number_of_threads) {
  for (tail_policy const policy :
       {tail_policy::bucket, tail_policy::uniform, tail_policy::renormalise_both}) {
    for (double const lead : {0.0, 20.0}) {
      struct sizes {
        index rows, columns;
        layout order;
      };
      for (sizes const& size : {sizes{900, 24, layout::row_major}, sizes{60, 700, layout::padded},
                                sizes{300, 60, layout::class_major},
                                sizes{2, 3 * simd::least_part_columns + 5, layout::row_major}}) {
        top_k_batch<float> b(size.rows, size.columns, 11, log_form, lead, size.order);
        owned_matrix<float> serially(size.rows, size.columns, layout::row_major);
        auto const teacher = b.teacher({.tail = policy});
        divergence_options const options{.temperature = 1.5};
        double const expected = forward_kl.with_grad(b.student.view(), teacher, serially.view(), options);
        for (int threads = 1; threads <= 3; ++threads) {
          reversing_executor executor(threads);
          EXPECT_EQ(
              forward_kl.with_grad(run_on(executor), b.student.view(), teacher, b.gradient.view(), options)
                  .value,
              expected);
          for (index r = 0; r < size.rows; ++r) {
            for (index c = 0; c < size.columns; ++c) ASSERT_EQ(b.gradient.at(r, c), serially.at(r, c));
          }
        }
      }
    }
  }
}

TEST(top_k, writes_in_place_and_adds) {
  for (tail_policy const policy : {tail_policy::bucket, tail_policy::floor, tail_policy::renormalise_both}) {
    for (layout const order : {layout::row_major, layout::padded, layout::class_major, layout::every_other}) {
      for (index const columns : {12, 90, 1100}) {
        for (double const lead : {0.0, 20.0}) {
          top_k_batch<float> b(20, columns, 9, log_form, lead, order),
              in_place(20, columns, 9, log_form, lead, order);
          auto const teacher = b.teacher({.tail = policy});
          forward_kl.with_grad(b.student.view(), teacher, b.gradient.view());
          forward_kl.with_grad(in_place.student.view(), teacher, in_place.student.view());
          top_k_batch<float> sum(20, columns, 9, log_form, lead, order);
          for (index r = 0; r < 20; ++r) {
            for (index c = 0; c < columns; ++c) sum.gradient.set(r, c, 0.5);
          }
          forward_kl.with_grad(sum.student.view(), teacher, sum.gradient.view(), {.accumulate = true});
          for (index r = 0; r < 20; ++r) {
            for (index c = 0; c < columns; ++c) {
              ASSERT_EQ(in_place.student.at(r, c), b.gradient.at(r, c)) << name_of(order);
              ASSERT_NEAR(sum.gradient.at(r, c) - 0.5, b.gradient.at(r, c), 2e-7) << name_of(order);
            }
          }
        }
      }
    }
  }
}

template <class S, class Te, class Id, class G>
void expect_storage(std::string const& what) {
  for (teacher_form const form : {teacher_form::log_probabilities, teacher_form::probabilities}) {
    for (layout const order : {layout::padded, layout::class_major}) {
      for (index const columns : {11, 150}) {
        top_k_batch<S, Te, Id, G> b(18, columns, 5, form, 0, order);
        for (tail_policy const policy :
             {tail_policy::bucket, tail_policy::uniform, tail_policy::renormalise_both}) {
          expect_top_k(forward_kl, reference::forward_kl_summand, b, {.tail = policy, .log_tail_mass = -1.5},
                       {.temperature = 2}, top_k_bound, what);
        }
      }
    }
  }
}

TEST(top_k, takes_every_element_type) {
  expect_storage<half, bfloat16, std::int64_t, bfloat16>("half, bfloat16, bfloat16");
  expect_storage<float, half, std::uint32_t, float>("float, half, float");
  expect_storage<float, double, std::int32_t, float>("float, double, float");
  expect_storage<double, float, std::uint64_t, double>("double, float, double");
}

TEST(top_k, keeps_nan_in_its_row) {
  for (tail_policy const policy : {tail_policy::bucket, tail_policy::floor, tail_policy::renormalise_both}) {
    for (index const columns : {9, 90, 1100}) {
      for (bool const in_teacher : {false, true}) {
        top_k_batch<float> b(20, columns, 4, log_form), clean(20, columns, 4, log_form);
        index outside = 0;
        for (index i = 0; i < 4; ++i) {
          if (b.ids[static_cast<std::size_t>(7 * 4 + i)] == outside) ++outside, i = -1;
        }
        if (in_teacher) b.values.set(7, 2, std::nan(""));
        if (!in_teacher) b.student.set(7, outside, std::nan(""));
        std::vector<double> values(20), clean_values(20);
        forward_kl.with_grad(b.student.view(), b.teacher({.tail = policy}), b.gradient.view(),
                             {.rows = {.values = values}});
        forward_kl.with_grad(clean.student.view(), clean.teacher({.tail = policy}), clean.gradient.view(),
                             {.rows = {.values = clean_values}});
        for (index r = 0; r < 20; ++r) {
          auto const at = static_cast<std::size_t>(r);
          EXPECT_TRUE(r == 7 ? std::isnan(values[at]) : values[at] == clean_values[at]) << r;
          for (index c = 0; c < columns; ++c) {
            if (r != 7) {
              EXPECT_EQ(b.gradient.at(r, c), clean.gradient.at(r, c));
            } else if (!in_teacher) {
              EXPECT_TRUE(std::isnan(b.gradient.at(r, c))) << columns << " " << c;
            }
          }
        }
      }
    }
  }
}

TEST(top_k, fuses) {
  for (index const columns : {14, 130, 2500}) {
    top_k_batch<float> b(9, columns, 6, log_form),
        second(9, columns, 3, teacher_form::logits, 0, layout::padded, 1, 11);
    b.labels[2] = -100;
    auto const first_teacher = b.teacher({.tail = tail_policy::bucket});
    auto const second_teacher = second.teacher({.tail = tail_policy::floor});
    divergence_options const soft{.temperature = 4}, other{.temperature = 1.5};
    auto const objective =
        fuse(0.3 * distil::cross_entropy.term(b.labels), 0.5 * distil::forward_kl.term(first_teacher, soft),
             0.2 * distil::soft_cross_entropy.term(second_teacher, other),
             0.0 * distil::forward_kl.term(first_teacher));
    auto const found = objective.with_grad(b.student.view(), b.gradient.view());
    expect_no_allocation("fused", [&] { objective.with_grad(b.student.view(), b.gradient.view()); });
    owned_matrix<float> parts[] = {
        {9, columns, layout::row_major}, {9, columns, layout::row_major}, {9, columns, layout::row_major}};
    double const hard = distil::cross_entropy.with_grad(b.student.view(), b.labels, parts[0].view());
    double const one = forward_kl.with_grad(b.student.view(), first_teacher, parts[1].view(), soft);
    double const two = soft_cross_entropy.with_grad(b.student.view(), second_teacher, parts[2].view(), other);
    EXPECT_NEAR(found.terms[1].value, one, 1e-5 * (1 + one));
    EXPECT_NEAR(found.terms[2].value, two, 1e-5 * (1 + two));
    EXPECT_NEAR(found.value, 0.3 * hard + 0.5 * one + 0.2 * two, 1e-5 * (1 + one + two));
    EXPECT_EQ(objective(b.student.view()).value, found.value);
    for (index r = 0; r < 9; ++r) {
      for (index c = 0; c < columns; ++c) {
        ASSERT_NEAR(b.gradient.at(r, c),
                    0.3 * parts[0].at(r, c) + 0.5 * parts[1].at(r, c) + 0.2 * parts[2].at(r, c), 2e-6);
      }
    }
    auto const kd = hinton_kd.with_grad(b.student.view(), first_teacher, b.labels, b.gradient.view(),
                                        {.temperature = 4, .ignored = ignored_label::hard_term_only});
    EXPECT_NEAR(kd.soft.value, one, 1e-5 * (1 + one));
    EXPECT_NEAR(kd.hard.value, hard, 1e-5 * (1 + hard));
  }
}

TEST(top_k, soft_cross_entropy_is_forward_kl_and_the_teachers_entropy) {
  top_k_batch<double> b(5, 60, 8, log_form);
  owned_matrix<double> other(5, 60, layout::row_major);
  for (tail_policy const policy :
       {tail_policy::truncate, tail_policy::renormalise_teacher, tail_policy::renormalise_both,
        tail_policy::bucket, tail_policy::uniform}) {
    auto const teacher = b.teacher({.tail = policy});
    forward_kl.with_grad(b.student.view(), teacher, b.gradient.view());
    std::vector<double> kl(5), ce(5);
    (void)forward_kl(b.student.view(), teacher, {.rows = {.values = kl}});
    soft_cross_entropy.with_grad(b.student.view(), teacher, other.view(), {.rows = {.values = ce}});
    for (index r = 0; r < 5; ++r) {
      auto const p = reference::distribute(b.entries(r), 60, {.form = log_form, .tail = policy}, 0, 1);
      long double entropy = 0;
      for (long double const log_p : p.log_p) entropy -= std::exp(log_p) * log_p;
      long double const tails = policy == tail_policy::uniform ? 52 : 1;
      if (std::isfinite(p.log_tail)) entropy -= tails * std::exp(p.log_tail) * p.log_tail;
      EXPECT_NEAR(ce[static_cast<std::size_t>(r)] - kl[static_cast<std::size_t>(r)],
                  static_cast<double>(entropy), 1e-12);
      for (index c = 0; c < 60; ++c) EXPECT_NEAR(other.at(r, c), b.gradient.at(r, c), 1e-15);
    }
  }
}

}  // namespace
}  // namespace distil::testing
