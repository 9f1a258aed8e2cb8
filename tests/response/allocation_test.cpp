// Counts allocations: after its first call on a thread no loss of this family makes any.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "../support/batches.hpp"
#include "distil/response.hpp"

namespace {
thread_local long allocations = 0;

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  std::size_t const rounded = (size + alignment) / alignment * alignment;  // at least one byte
  if (void* const memory = std::aligned_alloc(alignment, rounded)) return memory;
  throw std::bad_alloc();
}
}  // namespace

// Every other form of new and delete ends in these. Not inlined: a compiler that sees `free` behind `delete`
// takes it for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, std::max(static_cast<std::size_t>(alignment), alignof(std::max_align_t)));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace distil::testing {
namespace {

struct squared_difference {  // without closed form: one sweep more
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    Lanes const difference = exp(log_p) - exp(log_q);
    return difference * difference;
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return Lanes(2) * (exp(log_q) - exp(log_p)) * exp(log_q);
  }
};
constexpr divergence<squared_difference> brier{};

struct setup {
  index rows, columns;
  layout order;
};

class allocation : public ::testing::TestWithParam<setup> {
 protected:
  /// A second call of this allocates nothing.
  template <class Call>
  void expect_none(char const* what, Call const& call) {
    call();
    long const before = allocations;
    call();
    EXPECT_EQ(allocations - before, 0) << what;
  }

  index rows_ = GetParam().rows, columns_ = GetParam().columns;
  batch<float, bfloat16> in_float_{rows_, columns_, 4.0, GetParam().order};
  batch<double> in_double_{rows_, columns_, 4.0, GetParam().order};
  matrix_view<float const> student_ = in_float_.student.view();
  matrix_view<bfloat16 const> teacher_ = in_float_.teacher.view();
  matrix_view<float> gradient_ = in_float_.gradient.view();
  std::vector<std::int32_t> labels_ = in_float_.labels;
  std::vector<double> ones_ = std::vector<double>(static_cast<std::size_t>(rows_), 1.0);
  std::vector<double> temperatures_ = std::vector<double>(static_cast<std::size_t>(rows_), 2.5);
  std::vector<double> values_ = ones_, slopes_ = ones_;
  std::vector<float> class_weights_ = std::vector<float>(static_cast<std::size_t>(columns_), 0.5F);
  row_options every_row_option_{
      .weights = ones_, .ignore_label = 0, .labels = labels_, .normalizer = 7, .values = values_};
};

// By direct calls, which no compiler may leave out.
TEST(allocation_counter, counts_every_form) {
  long const before = allocations;
  ::operator delete(::operator new(3));
  ::operator delete[](::operator new[](3));
  ::operator delete(::operator new(3, std::nothrow));
  ::operator delete(::operator new(64, std::align_val_t(64)), std::align_val_t(64));
  EXPECT_EQ(allocations - before, 4);
}

TEST_P(allocation, softmax_and_relatives_make_none) {
  expect_none("softmax", [&] { softmax(student_, gradient_); });
  expect_none("softmax, in place", [&] { softmax(gradient_, gradient_, {.temperature = temperatures_}); });
  expect_none("log_softmax", [&] { log_softmax(student_, gradient_, {.temperature = 2}); });
  expect_none("softmax, pull-back", [&] {
    softmax.pull_back(student_, teacher_, gradient_, {.temperature = 2, .accumulate = true});
  });
  expect_none("log_softmax, pull-back", [&] { log_softmax.pull_back(student_, teacher_, gradient_); });
  logits_options const options{
      .temperature = temperatures_, .rows = every_row_option_, .temperature_gradient = slopes_};
  expect_none("entropy", [&] { (void)entropy(student_); });
  expect_none("entropy, gradient", [&] { entropy.with_grad(student_, gradient_, options); });
  expect_none("log_sum_exp", [&] { (void)log_sum_exp(student_); });
  expect_none("log_sum_exp, gradient", [&] { log_sum_exp.with_grad(student_, gradient_, options); });
}

TEST_P(allocation, cross_entropy_makes_none) {
  cross_entropy_options const options{.label_smoothing = 0.1,
                                      .smoothing_over = smoothing::other_classes,
                                      .class_weights = class_weights_,
                                      .temperature = temperatures_,
                                      .scale_by_temperature_squared = true,
                                      .rows = every_row_option_,
                                      .accumulate = true,
                                      .temperature_gradient = slopes_};
  mixed_labels const mixed{labels_, labels_};
  expect_none("labels", [&] { (void)cross_entropy(student_, labels_); });
  expect_none("labels, gradient", [&] { cross_entropy.with_grad(student_, labels_, gradient_); });
  expect_none("labels, all options", [&] { cross_entropy.with_grad(student_, labels_, gradient_, options); });
  expect_none("mixed labels", [&] { cross_entropy.with_grad(student_, mixed, gradient_, options); });
  expect_none("soft targets", [&] { cross_entropy.with_grad(student_, teacher_, gradient_, options); });
}

TEST_P(allocation, every_form_of_teacher_makes_none) {
  divergence_options const options{.temperature = temperatures_,
                                   .rows = every_row_option_,
                                   .accumulate = true,
                                   .temperature_gradient = slopes_};
  auto const expect_none_of = [&](char const* what, auto const& teacher) {
    expect_none(what, [&] { (void)forward_kl(student_, teacher); });
    expect_none(what, [&] { forward_kl.with_grad(student_, teacher, gradient_, options); });
    expect_none(what,
                [&] { soft_cross_entropy.with_grad(student_, teacher, gradient_, {.temperature = 4}); });
    expect_none(what, [&] { brier.with_grad(student_, teacher, gradient_, {.rows = every_row_option_}); });
    expect_none(what, [&] {
      hinton_kd.with_grad(student_, teacher, labels_, gradient_,
                          {.temperature = temperatures_, .label_smoothing = 0.1, .rows = {.weights = ones_}});
    });
  };
  expect_none_of("logits", teacher_);
  expect_none_of("log-probabilities", log_probabilities(teacher_));
  expect_none_of("probabilities", probabilities(teacher_));
  expect_none_of("captured at another temperature", log_probabilities(teacher_, temperatures_));
}

TEST_P(allocation, top_k_teachers_make_none) {
  index const k = std::min<index>(columns_, 5);
  std::vector<std::int32_t> ids;
  for (index i = 0; i < rows_ * k; ++i) ids.push_back(static_cast<std::int32_t>(k - 1 - i % k));
  std::vector<float> const values(ids.size(), -3.0F);
  divergence_options const options{.temperature = temperatures_, .temperature_gradient = slopes_};
  for (tail_policy const policy :
       {tail_policy::bucket, tail_policy::uniform, tail_policy::renormalise_both}) {
    auto const teacher = top_k(matrix_view<std::int32_t const>(ids.data(), rows_, k),
                               matrix_view<float const>(values.data(), rows_, k),
                               {.form = teacher_form::log_probabilities, .tail = policy});
    expect_none("top-k", [&] { forward_kl.with_grad(student_, teacher, gradient_); });
    expect_none("top-k, all options", [&] { forward_kl.with_grad(student_, teacher, gradient_, options); });
    expect_none("two top-k terms",
                [&] { fuse(forward_kl.term(teacher), brier.term(teacher)).with_grad(student_, gradient_); });
  }
}

TEST_P(allocation, hinton_kd_makes_none) {
  hinton_kd_options const options{.temperature = temperatures_,
                                  .soft_weight = 0.3,
                                  .hard_weight = 2.0,
                                  .ignored = ignored_label::hard_term_only,
                                  .rows = {.weights = ones_, .ignore_label = 0, .values = values_},
                                  .temperature_gradient = slopes_};
  expect_none("value", [&] { (void)hinton_kd(student_, teacher_, labels_); });
  expect_none("value without labels", [&] { (void)hinton_kd(student_, teacher_); });
  expect_none("gradient", [&] { hinton_kd.with_grad(student_, teacher_, labels_, gradient_, options); });
  expect_none("gradient without labels",
              [&] { hinton_kd.with_grad(student_, teacher_, gradient_, options); });
  expect_none("in double", [&] {
    hinton_kd.with_grad(in_double_.student.view(), in_double_.teacher.view(), labels_,
                        in_double_.gradient.view());
  });
}

TEST_P(allocation, tokens_and_rankings_make_none) {
  for (kl_estimator const estimator : {kl_estimator::k2, kl_estimator::clipped_k3}) {
    sampled_kl_options const options{
        .estimator = estimator, .temperature = temperatures_, .rows = every_row_option_};
    expect_none("sampled_kl", [&] { sampled_kl.with_grad(student_, teacher_, labels_, gradient_, options); });
  }
  expect_none("sampled_kl, numbers",
              [&] { (void)sampled_kl(student_, sampled_log_probabilities{ones_}, labels_); });
  expect_none("list_maximum_likelihood", [&] {
    list_maximum_likelihood.with_grad(student_, teacher_, gradient_, {.top = 50, .rows = every_row_option_});
  });
  expect_none("pairwise_hinge", [&] { (void)pairwise_hinge(student_, teacher_, {.top = 70}); });
  expect_none("pairwise_logistic",
              [&] { pairwise_logistic.with_grad(student_, teacher_, gradient_, {.top = 70}); });
  expect_none("margin_mse",
              [&] { margin_mse.with_grad(student_, teacher_, gradient_, {.positives = labels_}); });
  std::vector<std::int64_t> const lengths(1, rows_);
  expect_none("token_weights",
              [&] { token_weights(padded_sequences(lengths, rows_), slopes_, {.decay_length = 9}); });
}

TEST_P(allocation, temperatures_of_rows_make_none) {
  expect_none("standardized forward_kl", [&] {
    standardized(forward_kl).with_grad(student_, teacher_, gradient_, {.rows = every_row_option_});
  });
  expect_none("standardized hinton_kd", [&] {
    standardized(hinton_kd).with_grad(student_, teacher_, labels_, gradient_,
                                      {.temperature = temperatures_, .temperature_gradient = slopes_});
  });
  expect_none("norm_kd", [&] { norm_kd.with_grad(student_, teacher_, labels_, gradient_); });
  expect_none("dynamic_temperature_kd", [&] {
    dynamic_temperature_kd.with_grad(in_double_.student.view(), in_double_.teacher.view(), labels_,
                                     in_double_.gradient.view(), {.temperature = temperatures_});
  });
  expect_none("teacher_temperature", [&] {
    forward_kl.with_grad(student_, teacher_, gradient_,
                         {.temperature = 2,
                          .teacher_temperature = temperatures_,
                          .factor = ones_,
                          .teacher_temperature_gradient = slopes_});
  });
}

TEST_P(allocation, fused_terms_make_none) {
  expect_none("fuse", [&] {
    auto const objective = fuse(0.3 * cross_entropy.term(labels_, {.label_smoothing = 0.1}),
                                0.5 * forward_kl.term(teacher_, {.temperature = temperatures_}),
                                0.2 * brier.term(probabilities(teacher_)), entropy.term());
    (void)objective(student_, {.values = values_});
    objective.with_grad(student_, gradient_, {.accumulate = true});
  });
}

TEST_P(allocation, losses_between_vocabularies_make_none) {
  std::vector<std::int32_t> offsets, columns;
  for (index c = 0; c <= columns_; ++c) offsets.push_back(static_cast<std::int32_t>(c));
  for (index c = 0; c < columns_; ++c) columns.push_back(static_cast<std::int32_t>(columns_ - 1 - c));
  std::vector<float> const entries(columns.size(), 1.0F);
  sparse_projection const projection(offsets, columns, entries, columns_);
  expect_none("universal_logits", [&] { (void)universal_logits(student_, teacher_); });
  expect_none("universal_logits, gradient", [&] {
    universal_logits.with_grad(student_, probabilities(teacher_), gradient_,
                               {.temperature = temperatures_, .rows = every_row_option_});
  });
  expect_none("projected_kl", [&] { (void)projected_kl(student_, teacher_, projection); });
  expect_none("projected_kl, gradient", [&] {
    projected_kl.with_grad(student_, teacher_, projection, gradient_,
                           {.temperature = temperatures_, .rows = every_row_option_, .accumulate = true});
  });
}

TEST_P(allocation, losses_of_a_whole_batch_make_none) {
  coupled_rows const rows{.weights = ones_, .ignore_label = 0, .labels = labels_};
  expect_none("prediction_correlation", [&] { (void)prediction_correlation(student_, teacher_); });
  expect_none("prediction_correlation, gradient", [&] {
    prediction_correlation.with_grad(student_, teacher_, gradient_, {.rows = rows, .accumulate = true});
  });
  expect_none("class_correlation", [&] { class_correlation.with_grad(student_, teacher_, gradient_); });
  expect_none("batch_correlation", [&] { batch_correlation.with_grad(student_, teacher_, gradient_); });
  expect_none("multi_level_logits",
              [&] { multi_level_logits.with_grad(student_, teacher_, gradient_, {.rows = rows}); });
  expect_none("sinkhorn", [&] { sinkhorn.with_grad(student_, teacher_, gradient_, {.rows = rows}); });
  if (columns_ > 150) return;  // pairs of classes
  std::vector<float> const cost(static_cast<std::size_t>(columns_ * columns_), 1.0F);
  expect_none("wasserstein_logits", [&] {
    wasserstein_logits.with_grad(student_, teacher_, matrix_view(cost.data(), columns_, columns_), gradient_,
                                 {.labels = labels_});
  });
}

// One row, rows across the lanes, long rows, class-major storage, and strides that fit no register.
INSTANTIATE_TEST_SUITE_P(shapes, allocation,
                         ::testing::Values(setup{1, 1, layout::row_major}, setup{37, 10, layout::padded},
                                           setup{64, 1000, layout::row_major}, setup{3, 5003, layout::padded},
                                           setup{70, 300, layout::class_major},
                                           setup{5, 130, layout::every_other}),
                         [](auto const& each) {
                           return std::to_string(each.param.rows) + "x" + std::to_string(each.param.columns);
                         });

}  // namespace
}  // namespace distil::testing
