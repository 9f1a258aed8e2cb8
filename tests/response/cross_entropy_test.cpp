#include "distil/response/cross_entropy.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/cross_entropy.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

row_suites<cross_entropy_case> const suites("cross_entropy");

TEST(cross_entropy, refuses_negative_soft_targets_before_it_writes) {
  for (layout const order : {layout::row_major, layout::class_major, layout::every_other}) {
    batch<double> b(3, 70, 1.0, order);
    for (index r = 0; r < 3; ++r) {
      for (index c = 0; c < 70; ++c) b.teacher.set(r, c, c == 1 ? 2.0 : -0.0);  // need not sum to 1
    }
    b.gradient.set(0, 0, 42);
    auto const refusal = [&](row_options const& rows) {
      return refusal_of([&] {
        cross_entropy.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.rows = rows});
      });
    };
    for (index const column : {0, 3, 64, 69}) {
      b.teacher.set(1, column, -0.5);
      EXPECT_EQ(refusal({}), "distil::cross_entropy: targets is -0.5 in row 1, class " +
                                 std::to_string(column) + "; it must be >= 0");
      EXPECT_EQ(b.gradient.at(0, 0), 42);
      b.teacher.set(1, column, 0.5);
    }
    b.teacher.set(1, 69, -0.5);
    std::vector<double> const weights = {1, 0, 1};  // a row that does not count may hold anything
    EXPECT_EQ(refusal({.weights = weights}), "");
    EXPECT_NE(b.gradient.at(0, 0), 42);
  }
}

TEST(cross_entropy, refuses_negative_soft_targets_of_every_storage) {
  std::vector<float> const student(5, 1.0F);
  auto const refusal = [&]<class Storage>(Storage minus) {
    std::vector<Storage> targets(5, Storage(0.25F));
    targets[4] = minus;
    return refusal_of([&] {
      (void)cross_entropy(matrix_view<float const>(student.data(), 1, 5),
                          matrix_view<Storage const>(targets.data(), 1, 5));
    });
  };
  std::string const text = "distil::cross_entropy: targets is -0.25 in row 0, class 4; it must be >= 0";
  EXPECT_EQ(refusal(-0.25F), text);
  EXPECT_EQ(refusal(bfloat16(-0.25F)), text);
  EXPECT_EQ(refusal(half(-0.25F)), text);
}

}  // namespace
}  // namespace distil::testing
