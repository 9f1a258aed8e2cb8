#include "../support/refusal.hpp"
#include "../support/top_k_batch.hpp"
#include "distil/response.hpp"

namespace distil::testing {
namespace {

struct overlap_function {
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    return exp(min(log_p, log_q));
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return select(log_q < log_p, exp(log_q), Lanes(0));
  }
};
constexpr divergence<overlap_function> overlap{};

TEST(top_k_refusals, come_before_anything_is_written) {
  top_k_batch<float> b(3, 10, 4, teacher_form::log_probabilities);
  auto const z = b.student.view();
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 10; ++c) b.gradient.set(r, c, 42);
  }
  auto const expect = [&](std::string const& text, auto const& teacher,
                          divergence_options const& options = {}) {
    EXPECT_EQ(refusal_of([&] { forward_kl.with_grad(z, teacher, b.gradient.view(), options); }),
              "distil::forward_kl: " + text);
    for (index r = 0; r < 3; ++r) {
      for (index c = 0; c < 10; ++c) ASSERT_EQ(b.gradient.at(r, c), 42) << text;
    }
  };
  top_k_options const fine{.form = b.form, .tail = tail_policy::bucket};
  auto const changed = [&](auto const& change) {
    top_k_options options = fine;
    change(options);
    return top_k(b.ids_view(), b.values.view(), options);
  };
  auto const saved = b.ids;
  auto const with_id = [&](std::size_t at, std::int32_t id, std::string const& text) {
    b.ids[at] = id;
    expect(text, top_k(b.ids_view(), b.values.view(), fine));
    b.ids = saved;
  };
  with_id(5, 10, "an id of the teacher is 10 in row 1; it must be within [0, 10)");
  with_id(11, -1, "an id of the teacher is -1 in row 2; it must be within [0, 10)");
  with_id(3, saved[1],
          "an id of the teacher is " + std::to_string(saved[1]) +
              " twice in row 0; it must be there once in a row");
  expect(
      "form of the top-k teacher is not said; it must be teacher_form::logits, log_probabilities or "
      "probabilities",
      changed([](auto& o) { o.form = std::nullopt; }));
  expect(
      "tail of the top-k teacher is not said; it must be tail_policy::truncate, renormalise_teacher, "
      "renormalise_both, "
      "bucket, uniform or floor",
      changed([](auto& o) { o.tail = std::nullopt; }));
  expect(
      "tail of the top-k teacher is truncate, bucket or uniform for logits without log_tail_mass; it must be "
      "a policy "
      "that renormalises, or floor, since logits of some classes do not tell the mass of the others",
      changed([](auto& o) { o.form = teacher_form::logits; }));
  expect(
      "captured_at is given; it must be left out for logits without log_tail_mass, which belong to no "
      "temperature",
      changed(
          [](auto& o) { o.form = teacher_form::logits, o.tail = tail_policy::floor, o.captured_at = 2; }));
  EXPECT_EQ(refusal_of([&] { (void)overlap(z, changed([](auto& o) { o.tail = tail_policy::truncate; })); }),
            "distil::divergence: tail of the top-k teacher is truncate; it must be another policy, since "
            "only forward KL and "
            "soft cross entropy are sums over the teacher's classes");
  expect("captured_at is -1; it must be within [1e-15, 1e15]", changed([](auto& o) { o.captured_at = -1; }));
  expect("log_tail_mass is 0; it must be less than 0", changed([](auto& o) { o.log_tail_mass = 0; }));
  std::vector<double> const tails = {-1, std::nan(""), -1}, two(2, -1.0);
  expect("log_tail_mass is nan in row 1; it must be less than 0",
         changed([&](auto& o) { o.log_tail_mass = tails; }));
  expect("log_tail_mass is of size 2; it must be one per row, 3",
         changed([&](auto& o) { o.log_tail_mass = two; }));
  expect("log_floor is 1; it must be within [-1e4, 0]", changed([](auto& o) { o.log_floor = 1; }));
  std::vector<int> const counts = {1, 5, 4}, short_counts = {1};
  expect("counts is 5 in row 1; it must be within [0, 4]", changed([&](auto& o) { o.counts = counts; }));
  expect("counts is of size 1; it must be one per row, 3",
         changed([&](auto& o) { o.counts = short_counts; }));
  expect("ids is 2 x 4; it must be 3 x k, with the rows of the student",
         top_k(matrix_view<int const>(b.ids.data(), 2, 4), b.values.view(), fine));
  expect("values is 3 x 4; it must be 3 x 3, the shape of the ids",
         top_k(matrix_view<int const>(b.ids.data(), 3, 3), b.values.view(), fine));
  expect("ids is 3 x 0; it must be rows x classes with at least one class",
         top_k(matrix_view<int const>(b.ids.data(), 3, 0), b.values.view(), fine));
  std::vector<float> place(30, 42.0F);
  matrix_view<float> const over(place.data(), 3, 10);
  EXPECT_EQ(refusal_of([&] {
              forward_kl.with_grad(z, top_k(b.ids_view(), matrix_view<float const>(place.data(), 3, 4), fine),
                                   over);
            }),
            "distil::forward_kl: gradient is overlapping the values; it must be apart from the values");
  EXPECT_EQ(place[0], 42.0F);
}

TEST(top_k_refusals, of_more_mass_than_there_is) {
  std::vector<float> student(4, 1.0F), gradient(4, 42.0F), masses = {0.75F, 0.5F};
  std::vector<int> const ids = {0, 2};
  auto const with = [&](teacher_form form, tail_policy tail, double weight = 1) {
    matrix_view<float> const values(masses.data(), 1, 2), written(gradient.data(), 1, 4);
    return refusal_of([&] {
      forward_kl.with_grad(
          matrix_view<float>(student.data(), 1, 4),
          top_k(matrix_view<int const>(ids.data(), 1, 2), values, {.form = form, .tail = tail}), written,
          {.rows = {.weights = weight}});
    });
  };
  std::string const too_much =
      "distil::forward_kl: mass of the teacher's entries is 1.25 in row 0; it must be at most 1, but for "
      "1/16 "
      "of rounding";
  for (auto const tail : {tail_policy::bucket, tail_policy::renormalise_teacher, tail_policy::floor}) {
    EXPECT_EQ(with(teacher_form::probabilities, tail), too_much);
  }
  EXPECT_EQ(gradient[0], 42.0F);
  EXPECT_EQ(with(teacher_form::probabilities, tail_policy::bucket, 0.0), "");  // is not looked at
  EXPECT_EQ(with(teacher_form::logits, tail_policy::floor), "");
  masses[0] = 0.5625F;  // 1 + 1/16
  EXPECT_EQ(with(teacher_form::probabilities, tail_policy::bucket), "");
  masses = {0.0F, 0.0F};  // two classes of probability 1
  EXPECT_EQ(with(teacher_form::log_probabilities, tail_policy::bucket),
            "distil::forward_kl: mass of the teacher's entries is 2 in row 0; it must be at most 1, but for "
            "1/16 of rounding");
  masses[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(with(teacher_form::log_probabilities, tail_policy::bucket), "");
  EXPECT_TRUE(std::isnan(gradient[0]));
}

}  // namespace
}  // namespace distil::testing
