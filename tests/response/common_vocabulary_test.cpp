#include "distil/response/common_vocabulary.hpp"

#include <gtest/gtest.h>

#include "../support/batches.hpp"
#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil::testing {
namespace {

TEST(common_vocabulary, drops_what_the_wider_side_has_beyond) {
  for (index const of_student : {12, 20}) {
    index const of_teacher = 32 - of_student;
    batch<float> narrow(5, 12);
    batch<float> s(5, of_student), t(5, of_teacher);
    owned_matrix<float> gradient(5, of_student, layout::padded);
    for (index r = 0; r < 5; ++r) {
      for (index c = 0; c < 12; ++c) {
        s.student.set(r, c, narrow.student.at(r, c)), t.teacher.set(r, c, narrow.teacher.at(r, c));
      }
      for (index c = 0; c < of_student; ++c) gradient.set(r, c, 42.0);
    }
    double const expected =
        forward_kl.with_grad(narrow.student.view(), narrow.teacher.view(), narrow.gradient.view());
    auto const shared = common_vocabulary(s.student.view(), t.teacher.view());
    ASSERT_EQ(shared.columns(), 12);
    EXPECT_EQ(forward_kl.with_grad(shared.student, shared.teacher, first_columns(gradient.view(), 12)).value,
              expected);
    for (index r = 0; r < 5; ++r) {
      for (index c = 0; c < 12; ++c) EXPECT_EQ(gradient.at(r, c), narrow.gradient.at(r, c));
      for (index c = 12; c < of_student; ++c) EXPECT_EQ(gradient.at(r, c), 42.0) << "not touched";
    }
    clear_columns(gradient.view(), 12);
    for (index r = 0; r < 5; ++r) {
      EXPECT_EQ(gradient.at(r, 11), narrow.gradient.at(r, 11));
      for (index c = 12; c < of_student; ++c) EXPECT_EQ(gradient.at(r, c), 0.0);
    }
    EXPECT_EQ(gradient.damaged_guards(), 0);
  }
}

TEST(common_vocabulary, refuses) {
  batch<float> b(3, 4), other(2, 4);
  EXPECT_EQ(refusal_of([&] { (void)common_vocabulary(b.student.view(), other.teacher.view()); }),
            "distil::common_vocabulary: teacher is of 2 rows; it must be of 3, the rows of the student");
  EXPECT_EQ(refusal_of([&] { (void)first_columns(b.gradient.view(), 5); }),
            "distil::first_columns: columns is 5; it must be within [0, 4], the columns of the matrix");
  EXPECT_EQ(refusal_of([&] { clear_columns(b.gradient.view(), -1); }),
            "distil::clear_columns: first is -1; it must be within [0, 4], the columns of the matrix");
  EXPECT_EQ(refusal_of([&] {
              (void)common_vocabulary(b.student.view(),
                                      matrix_view<float const>(b.teacher.view().data, 3, 0));
            }),
            "distil::common_vocabulary: teacher is 3 x 0; it must be rows x classes with at least one class");
}

}  // namespace
}  // namespace distil::testing
