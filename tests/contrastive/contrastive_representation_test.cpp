#include "distil/contrastive/contrastive_representation.hpp"

#include <sstream>

#include "../support/cases/contrastive_representation.hpp"
#include "../support/element_types.hpp"
#include "../support/refusal.hpp"
#include "../support/reversing_executor.hpp"
#include "distil/contrastive/alias_sampler.hpp"

namespace distil::testing {
namespace {

using crd = contrastive_representation_case;

/// A batch of 5 of 40 samples, with 21 negatives each.
template <class T>
struct drawn {
  pair_batch<T> b{{{5, 6, 1, 1}, {5, 6, 1, 1}}};
  owned_map<T> by_teacher{{5, 6, 1, 1}, map_layout::channels_first};
  std::vector<std::int64_t> numbers = {3, 39, 0, 17, 3}, negatives = std::vector<std::int64_t>(5 * 21);
  contrastive_memory<T> memory{40, 6, 7};
  contrastive_representation_options options = {.temperature = 0.3};

  drawn() { alias_sampler(40).draw(5, 0, negatives); }

  loss_value with_grad() {
    return contrastive_representation.with_grad(b.student.matrix(), b.teacher.matrix(), numbers, negatives,
                                                memory, b.gradient.matrix(), by_teacher.matrix(), options);
  }
  long double exact(exact_map const& student, exact_map const& teacher, long double of_student,
                    long double of_teacher) {
    return crd::of(naive::embeddings(student, options.normalize), crd::table_of(memory.teachers()), numbers,
                   negatives, of_student, options) +
           crd::of(naive::embeddings(teacher, options.normalize), crd::table_of(memory.students()), numbers,
                   negatives, of_teacher, options);
  }
};

template <class T>
class contrastive_representation_in : public ::testing::Test {};
using types = in_float_and_double<contrastive_representation_case>;
TYPED_TEST_SUITE(contrastive_representation_in, types);

TYPED_TEST(contrastive_representation_in, matches_the_reference) {
  double const epsilon = std::numeric_limits<typename TypeParam::type>::epsilon();
  for (auto const& [extra, unit] :
       {std::pair{1e-7, true}, std::pair{0.0, true}, std::pair{0.1, true}, std::pair{1e-7, false}}) {
    drawn<typename TypeParam::type> d;
    d.options.epsilon = extra;
    d.options.normalize = unit;
    loss_value const found = d.with_grad();
    exact_map const student = d.b.student.exact(), teacher = d.b.teacher.exact();
    long double const of_student =
        crd::log_normalizer(naive::embeddings(student, unit), crd::table_of(d.memory.teachers()), d.numbers,
                            d.negatives, d.options.temperature);
    long double const of_teacher =
        crd::log_normalizer(naive::embeddings(teacher, unit), crd::table_of(d.memory.students()), d.numbers,
                            d.negatives, d.options.temperature);
    EXPECT_NEAR(d.memory.student_normalizer(), static_cast<double>(of_student), 64 * epsilon);
    EXPECT_NEAR(d.memory.teacher_normalizer(), static_cast<double>(of_teacher), 64 * epsilon);
    auto const at = [&](exact_map const& s, exact_map const& t) {  // the normalizers are constants
      return d.exact(s, t, d.memory.student_normalizer(), d.memory.teacher_normalizer());
    };
    double const longest = unit ? 1 : std::max(naive::longest(student), naive::longest(teacher));
    double const shortest = unit ? std::min(naive::shortest(student), naive::shortest(teacher)) : 1;
    double const size = 1 + longest / d.options.temperature + std::abs(d.memory.student_normalizer());
    EXPECT_NEAR(found.value, static_cast<double>(at(student, teacher)),
                crd::bound.value * epsilon * 22 * size);
    EXPECT_EQ(found.weight, 5.0);
    double const slopes = size * 22 / (5 * d.options.temperature * shortest);
    for_each_element(student.shape, [&](index n, index c, index, index) {
      exact_map above = student, below = student;
      above(n, c) += 1e-5L, below(n, c) -= 1e-5L;
      EXPECT_NEAR(d.b.gradient.at(n, c),
                  static_cast<double>((at(above, teacher) - at(below, teacher)) / 2e-5L),
                  crd::bound.gradient * epsilon * slopes + 1e-8);
      above = below = teacher;
      above(n, c) += 1e-5L, below(n, c) -= 1e-5L;
      EXPECT_NEAR(d.by_teacher.at(n, c),
                  static_cast<double>((at(student, above) - at(student, below)) / 2e-5L),
                  crd::bound.gradient * epsilon * slopes + 1e-8);
    });
  }
}

TYPED_TEST(contrastive_representation_in, is_the_same_in_value_and_on_every_thread) {
  drawn<typename TypeParam::type> d, other;
  double const expected = d.with_grad();
  EXPECT_EQ(contrastive_representation(d.b.student.matrix(), d.b.teacher.matrix(), d.numbers, d.negatives,
                                       d.memory, d.options),
            expected);
  reversing_executor executor(3);
  EXPECT_EQ(contrastive_representation.with_grad(run_on(executor), other.b.student.matrix(),
                                                 other.b.teacher.matrix(), other.numbers, other.negatives,
                                                 other.memory, other.b.gradient.matrix(),
                                                 other.by_teacher.matrix(), other.options),
            expected);
  for_each_element(d.b.student.shape(), [&](index n, index c, index, index) {
    EXPECT_EQ(other.b.gradient.at(n, c), d.b.gradient.at(n, c));
    EXPECT_EQ(other.by_teacher.at(n, c), d.by_teacher.at(n, c));
  });
}

TEST(contrastive_representation, is_defined_for_zeros_and_nothing) {
  drawn<float> d;
  d.b.student.fill(0.0);
  EXPECT_TRUE(std::isfinite(d.with_grad().value));
  for_each_element(d.b.student.shape(),
                   [&](index n, index c, index, index) { EXPECT_EQ(d.b.gradient.at(n, c), 0.0); });
  pair_batch<float> none({{0, 6, 1, 1}, {0, 6, 1, 1}});
  EXPECT_EQ(contrastive_representation(none.student.matrix(), none.teacher.matrix(), std::vector<int>(),
                                       std::vector<int>(), d.memory),
            0.0);
}

TEST(contrastive_representation, fixes_normalizers_at_any_temperature) {
  drawn<float> d;
  d.options.temperature = 1e-3;  // all exp((s.m - 1) / T) are 0 in float
  EXPECT_TRUE(std::isfinite(d.with_grad().value));
  EXPECT_NEAR(d.memory.student_normalizer(),
              static_cast<double>(crd::log_normalizer(naive::embeddings(d.b.student.exact(), true),
                                                      crd::table_of(d.memory.teachers()), d.numbers,
                                                      d.negatives, d.options.temperature)),
              1e-3);
}

TEST(contrastive_representation, refuses) {
  drawn<float> d;
  d.negatives[4] = 40;
  EXPECT_EQ(refusal_of([&] { d.with_grad(); }),
            "distil::contrastive_representation: negatives is 40 at 4; it must be within [0, 40)");
  EXPECT_FALSE(d.memory.has_normalizers());
  d.negatives.resize(7);
  EXPECT_EQ(refusal_of([&] { d.with_grad(); }),
            "distil::contrastive_representation: negatives is of size 7; it must be as many for each of the "
            "5 rows, at "
            "least one");
}

TEST(contrastive_memory, blends_in_what_it_is_given) {
  contrastive_memory<double> memory(4, 2);
  auto const before = crd::table_of(memory.students());
  std::vector<double> const student = {3, 4, 0, 0}, teacher = {0, -2, 1, 0};
  std::vector<int> const numbers = {2, 1};
  memory.update(matrix_view<double const>(student.data(), 2, 2),
                matrix_view<double const>(teacher.data(), 2, 2), numbers, 0.75);
  long double const x = 0.75L * before[2][0] + 0.25L * 0.6L, y = 0.75L * before[2][1] + 0.25L * 0.8L;
  EXPECT_NEAR(memory.students()(2, 0), static_cast<double>(x / std::hypot(x, y)), 1e-15);
  EXPECT_NEAR(memory.students()(2, 1), static_cast<double>(y / std::hypot(x, y)), 1e-15);
  EXPECT_NEAR(memory.students()(1, 0), static_cast<double>(before[1][0]), 1e-15);  // zeros say nothing
  EXPECT_EQ(memory.students()(0, 0), static_cast<double>(before[0][0]));
  std::vector<int> const wrong = {2, 4};
  EXPECT_EQ(refusal_of([&] {
              memory.update(matrix_view<double const>(student.data(), 2, 2),
                            matrix_view<double const>(teacher.data(), 2, 2), wrong);
            }),
            "distil::contrastive_memory: numbers is 4 at 1; it must be within [0, 4)");
}

TEST(contrastive_memory, blends_in_vectors_of_any_length) {
  contrastive_memory<double> plain(4, 2), large(4, 2);
  std::vector<double> const student = {3, 4, 5, -12}, teacher = {0, -2, 1, 1};
  std::vector<double> const longer = {3e300, 4e300, 5e-300, -12e-300};
  std::vector<int> const numbers = {2, 1};
  matrix_view<double const> const t(teacher.data(), 2, 2);
  plain.update(matrix_view<double const>(student.data(), 2, 2), t, numbers, 0.75);
  large.update(matrix_view<double const>(longer.data(), 2, 2), t, numbers, 0.75);
  for (index row = 1; row < 3; ++row) {
    for (index c = 0; c < 2; ++c) EXPECT_NEAR(large.students()(row, c), plain.students()(row, c), 1e-15);
  }
}

TEST(contrastive_memory, goes_on_where_it_was_saved) {
  drawn<float> d;
  (void)d.with_grad();
  d.memory.update(d.b.student.matrix(), d.b.teacher.matrix(), d.numbers);
  std::stringstream stream;
  d.memory.save(stream);
  contrastive_memory<float> other(40, 6), small(39, 6);
  std::string const text = stream.str();
  other.restore(stream);
  EXPECT_EQ(other.student_normalizer(), d.memory.student_normalizer());
  EXPECT_EQ(contrastive_representation(d.b.student.matrix(), d.b.teacher.matrix(), d.numbers, d.negatives,
                                       other, d.options),
            contrastive_representation(d.b.student.matrix(), d.b.teacher.matrix(), d.numbers, d.negatives,
                                       d.memory, d.options));
  std::istringstream half(text.substr(0, text.size() - 9)), whole(text);
  EXPECT_NE(refusal_of([&] { other.restore(half); }), "");
  EXPECT_EQ(other.student_normalizer(), d.memory.student_normalizer());
  EXPECT_NE(refusal_of([&] { small.restore(whole); }), "");
}

TEST(contrastive_memory, loads_rows_as_they_are) {
  contrastive_memory<float> memory(3, 2);
  std::vector<float> const students = {3, 4, 0.1F, 0, 0, -7}, teachers = {0, 0, 1, 1, 0.3F, 2};
  memory.fix_normalizers(1, 2);
  memory.load(matrix_view<float const>(students.data(), 3, 2),
              matrix_view<float const>(teachers.data(), 3, 2));
  EXPECT_FALSE(memory.has_normalizers());
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 2; ++c) {
      EXPECT_EQ(memory.students()(r, c), students[static_cast<std::size_t>(2 * r + c)]);
      EXPECT_EQ(memory.teachers()(r, c), teachers[static_cast<std::size_t>(2 * r + c)]);
    }
  }
  std::stringstream stream;  // and so they come back
  memory.save(stream);
  contrastive_memory<float> other(3, 2);
  other.restore(stream);
  EXPECT_EQ(other.students()(1, 0), 0.1F);
  EXPECT_EQ(other.teachers()(2, 1), 2.0F);
  EXPECT_EQ(refusal_of([&] {
              memory.load(matrix_view<float const>(teachers.data(), 3, 2),
                          matrix_view<float const>(teachers.data(), 2, 2));
            }),
            "distil::contrastive_memory: teachers is 2 x 2; it must be 3 x 2");
  EXPECT_EQ(memory.students()(0, 0), 3.0F);
}

TEST(alias_sampler, draws_as_often_as_asked) {
  std::vector<double> const weights = {1, 0, 3, 0.5, 5.5};
  alias_sampler const sampler(weights);
  std::vector<std::int64_t> draws(200000);
  sampler.draw(1, 10, draws);
  std::vector<double> counts(5);
  for (std::int64_t const each : draws) ++counts[static_cast<std::size_t>(each)];
  for (std::size_t i = 0; i < 5; ++i) {
    double const expected = weights[i] / 10 * 200000;
    EXPECT_NEAR(counts[i], expected, 5 * std::sqrt(expected)) << i;
  }
  EXPECT_EQ(sampler(1, 14), draws[4]);
  EXPECT_NE(refusal_of([] { alias_sampler(0); }), "");
  EXPECT_NE(refusal_of([] { alias_sampler(std::vector<double>{0, 0}); }), "");
}

}  // namespace
}  // namespace distil::testing
