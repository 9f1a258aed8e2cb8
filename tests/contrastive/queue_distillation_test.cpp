#include "distil/contrastive/queue_distillation.hpp"

#include <sstream>

#include "../support/cases/queue_distillation.hpp"
#include "../support/pair_suite.hpp"
#include "distil/contrastive/embedding_queue.hpp"

namespace distil::testing {
namespace {

pair_suites<queue_distillation_case> const suites("queue_distillation");

TEST(queue_distillation, takes_two_queues_of_different_width) {
  pair_batch<double> b({{5, 4, 1, 1}, {5, 7, 1, 1}});
  auto const of_student = queue_distillation_case::queue_of(4),
             of_teacher = queue_distillation_case::queue_of(7);
  queue_distillation_options const options{.temperature = 0.3, .teacher_temperature = 0.2};
  loss_value const found =
      queue_distillation.with_two_queues(serial, b.student.matrix(), b.teacher.matrix(), of_student.matrix(),
                                         of_teacher.matrix(), b.gradient.matrix(), options);
  auto const at = [&](exact_map const& student) {
    return queue_distillation_case::of(student, b.teacher.exact(),
                                       naive::embeddings(of_student.exact(), false),
                                       naive::embeddings(of_teacher.exact(), false), options);
  };
  EXPECT_NEAR(found.value, static_cast<double>(at(b.student.exact())), 1e-13);
  exact_map moved = b.student.exact();
  moved(2, 1) += 1e-5L;
  long double const above = at(moved);
  moved(2, 1) -= 2e-5L;
  EXPECT_NEAR(b.gradient.at(2, 1), static_cast<double>((above - at(moved)) / 2e-5L), 1e-9);
}

TEST(queue_distillation, gives_the_gradient_by_the_queue_of_the_student) {
  for (bool const normalize : {false, true}) {
    for (bool const own : {false, true}) {
      pair_batch<double> b({{70, 4, 1, 1}, {70, 4, 1, 1}});  // more samples than are held at a time
      auto const of_student = queue_distillation_case::queue_of(4);
      owned_map<double> of_teacher({11, 4, 1, 1}, map_layout::channels_first),
          by_queue({11, 4, 1, 1}, map_layout::channels_last);
      numbers random(7);
      of_teacher.fill([&](index, index, index, index) { return random.next(); });
      by_queue.fill(2.0);
      queue_distillation_options const options{.temperature = 0.3,
                                               .teacher_temperature = 0.2,
                                               .with_own_teacher = own,
                                               .normalize = normalize,
                                               .normalize_queues = normalize,
                                               .accumulate = own};
      b.gradient.fill(0.0);
      loss_value const found = queue_distillation.with_two_queues(
          serial, b.student.matrix(), b.teacher.matrix(), of_student.matrix(), of_teacher.matrix(),
          b.gradient.matrix(), by_queue.matrix(), options);
      auto const at = [&](exact_map const& queue) {
        return queue_distillation_case::of(b.student.exact(), b.teacher.exact(),
                                           naive::embeddings(queue, normalize),
                                           naive::embeddings(of_teacher.exact(), normalize), options);
      };
      EXPECT_NEAR(found.value, static_cast<double>(at(of_student.exact())), 1e-13);
      for_each_element(of_student.shape(), [&](index n, index c, index, index) {
        exact_map above = of_student.exact(), below = above;
        above(n, c) += 1e-5L, below(n, c) -= 1e-5L;
        EXPECT_NEAR(by_queue.at(n, c) - (own ? 2.0 : 0.0),
                    static_cast<double>((at(above) - at(below)) / 2e-5L), 1e-8);
      });
      // What the student's own gradient is does not depend on it, and the queue's gradient may lie over the queue.
      owned_map<double> alone({70, 4, 1, 1}, map_layout::channels_first),
          in_place(of_student.shape(), map_layout::channels_first);
      in_place.fill([&](index n, index c, index, index) { return of_student.at(n, c); });
      alone.fill(0.0);
      queue_distillation_options overwriting = options;
      overwriting.accumulate = false;
      queue_distillation.with_two_queues(parallel, b.student.matrix(), b.teacher.matrix(),
                                         of_student.matrix(), of_teacher.matrix(), alone.matrix(),
                                         overwriting);
      for_each_element(alone.shape(), [&](index n, index c, index, index) {
        EXPECT_EQ(alone.at(n, c), b.gradient.at(n, c));
      });
      queue_distillation.with_two_queues(parallel, b.student.matrix(), b.teacher.matrix(), in_place.matrix(),
                                         of_teacher.matrix(), alone.matrix(), in_place.matrix(), overwriting);
      for_each_element(in_place.shape(), [&](index n, index c, index, index) {
        EXPECT_EQ(in_place.at(n, c) + (own ? 2.0 : 0.0), by_queue.at(n, c));
      });
    }
  }
}

TEST(queue_distillation, refuses) {
  pair_batch<float> b({{3, 5, 1, 1}, {3, 5, 1, 1}});
  owned_map<float> narrow({4, 3, 1, 1}, map_layout::channels_first),
      none({0, 5, 1, 1}, map_layout::channels_first);
  EXPECT_EQ(
      refusal_of([&] { (void)queue_distillation(b.student.matrix(), b.teacher.matrix(), narrow.matrix()); }),
      "distil::queue_distillation: student queue is 3 features wide; it must be 5 features wide, as the "
      "student");
  EXPECT_EQ(
      refusal_of([&] { (void)queue_distillation(b.student.matrix(), b.teacher.matrix(), none.matrix()); }),
      "distil::queue_distillation: student queue is 0 entries; it must be 0 entries, as the teacher's, and "
      "at least "
      "one");
}

TEST(embedding_queue, keeps_the_latest) {
  embedding_queue<float> queue(3, 2);
  EXPECT_EQ(queue.size(), 0);
  std::vector<double> const batch = {3, 4, 0, 2, -5, 0, 0, -1};
  queue.push(matrix_view<double const>(batch.data(), 2, 2));
  ASSERT_EQ(queue.size(), 2);
  EXPECT_FLOAT_EQ(queue.view()(0, 0), 0.6F);
  EXPECT_FLOAT_EQ(queue.view()(0, 1), 0.8F);
  queue.push(matrix_view<double const>(batch.data() + 4, 2, 2));
  ASSERT_EQ(queue.size(), 3);
  EXPECT_EQ(queue.view()(0, 1), -1.0F);  // over the oldest
  EXPECT_EQ(queue.view()(1, 1), 1.0F);
  EXPECT_EQ(queue.view()(2, 0), -1.0F);
  EXPECT_EQ(refusal_of([&] { queue.push(matrix_view<double const>(batch.data(), 1, 4)); }),
            "distil::embedding_queue: embeddings is 4 features wide; it must be 2 features wide");
}

TEST(embedding_queue, keeps_directions_of_any_length) {
  embedding_queue<double> queue(3, 2);
  std::vector<double> const batch = {3e300, 4e300, -3e-300, 4e-300, 0, 0};
  queue.push(matrix_view<double const>(batch.data(), 3, 2));
  for (index row = 0; row < 2; ++row) {
    EXPECT_NEAR(queue.view()(row, 0), row == 0 ? 0.6 : -0.6, 1e-15);
    EXPECT_NEAR(queue.view()(row, 1), 0.8, 1e-15);
  }
  EXPECT_EQ(queue.view()(2, 0), 0.0);
}

TEST(embedding_queue, takes_rows_as_they_are) {
  embedding_queue<float> queue(3, 2);
  std::vector<float> const batch = {3, 4, 0.1F, 2, -5, 0, 7, -1};
  queue.push(matrix_view<float const>(batch.data(), 2, 2));
  queue.load(matrix_view<float const>(batch.data(), 2, 2));
  ASSERT_EQ(queue.size(), 2);
  EXPECT_EQ(queue.view()(0, 0), 3.0F);
  EXPECT_EQ(queue.view()(1, 0), 0.1F);
  queue.push_as_is(matrix_view<float const>(batch.data() + 4, 2, 2));
  EXPECT_EQ(queue.view()(0, 0), 7.0F);  // over the first that was loaded
  EXPECT_EQ(queue.view()(1, 0), 0.1F);
  EXPECT_EQ(queue.view()(2, 0), -5.0F);
  EXPECT_EQ(
      refusal_of([&] { queue.load(matrix_view<float const>(batch.data(), 4, 2)); }),
      "distil::embedding_queue: embeddings is 4 rows; it must be at most 3 rows, for which there is room");
  EXPECT_EQ(queue.size(), 3);
}

TEST(embedding_queue, goes_on_where_it_was_saved) {
  embedding_queue<float> queue(3, 2), other(3, 2), wide(3, 4);
  std::vector<float> const batch = {3, 4, 0, 2, -5, 0, 0, -1};
  queue.push(matrix_view<float const>(batch.data(), 4, 2));
  std::stringstream stream;
  queue.save(stream);
  std::string const text = stream.str();
  other.restore(stream);
  ASSERT_EQ(other.size(), queue.size());
  queue.push(matrix_view<float const>(batch.data(), 1, 2)),
      other.push(matrix_view<float const>(batch.data(), 1, 2));
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 2; ++c) EXPECT_EQ(other.view()(r, c), queue.view()(r, c));
  }
  for (std::string const& bad : {std::string(), text.substr(0, text.size() - 1), "x" + text.substr(1)}) {
    std::istringstream in(bad);
    EXPECT_EQ(refusal_of([&] { other.restore(in); }),
              "distil::embedding_queue: stream is something else; it must be what save wrote of 3 x 2 "
              "numbers of 4 bytes");
  }
  std::istringstream in(text);
  EXPECT_NE(refusal_of([&] { wide.restore(in); }), "");
  EXPECT_EQ(other.size(), 3);
}

TEST(moving_average, follows) {
  std::vector<float> average = {1, 2};
  std::vector<float> const values = {3, -2};
  update_moving_average<float>(average, values, 0.75);
  EXPECT_EQ(average, (std::vector<float>{1.5F, 1.0F}));
  EXPECT_NE(refusal_of([&] { update_moving_average<float>(average, values, 1.5); }), "");
}

}  // namespace
}  // namespace distil::testing
