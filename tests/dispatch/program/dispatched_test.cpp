#include <gtest/gtest.h>

#include <cstdio>
#include <distil/dispatch.hpp>
#include <distil/response/hinton_kd.hpp>
#include <memory>
#include <stdexcept>
#include <thread>

#include "expected.hpp"
#include "kernels.hpp"

namespace {

constexpr std::string_view names_of_code[] = {"arch_sse2", "arch_sse4_2", "arch_avx2_fma", "arch_avx512"};

/// The tests of a choice that is possible; where it is not, every call must say why.
class Dispatched : public testing::Test {
 protected:
  void SetUp() override {
    if (!level_) GTEST_SKIP() << "DISTIL_FORCE_ARCH asks for what this machine does not run";
  }

  int level() const { return *level_; }

 private:
  std::optional<int> level_ = expected::level();
};

struct batch {
  static constexpr int rows = 67;
  static constexpr int classes = 1003;

  batch() {
    for (int i = 0; i < rows * classes; ++i) {
      student.push_back(static_cast<float>(i % 7) - static_cast<float>(i % 3));
      teacher.push_back(static_cast<float>(i % 5));
    }
    for (int row = 0; row < rows; ++row) labels.push_back(row * 11 % classes);
    gradient.resize(student.size());
  }

  constant_view z() const { return {student.data(), rows, classes}; }
  constant_view t() const { return {teacher.data(), rows, classes}; }
  mutable_view g() { return {gradient.data(), rows, classes}; }

  std::vector<float> student, teacher, gradient;
  std::vector<int> labels;
};

TEST(DispatchRefused, EveryCallSaysWhatWasAskedAndWhatThereIs) {
  if (expected::level()) GTEST_SKIP() << "the choice is possible";
  std::string const forced = std::getenv("DISTIL_FORCE_ARCH");
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (auto const& call : {+[] { (void)lanes(); }, +[] { (void)distil::active_architecture(); }}) {
      try {
        call();
        ADD_FAILURE() << "no refusal";
      } catch (std::invalid_argument const& error) {
        std::string const text = error.what();
        EXPECT_EQ(text.find("distil::dispatch: DISTIL_FORCE_ARCH is " + forced + "; it must be x86-64"), 0U)
            << text;
      }
    }
  }
}

TEST(DispatchedDeathTest, OnlyTheChosenUnitRunsAtTheEndOfTheProgram) {
  if (!expected::level()) GTEST_SKIP() << "no choice is possible";
  auto const end_after_first_call = [] {
    (void)lanes();
    static int calls = 0;
    called_at_the_end = [](float half) { std::fprintf(stderr, "end %d: %g\n", ++calls, double{half}); };
    std::exit(7);
  };
  EXPECT_EXIT(end_after_first_call(), testing::ExitedWithCode(7), "^end 1: 20\n$");
}

TEST_F(Dispatched, StaticInitialisersRunWhenTheChoiceIsMadeAndOnce) {
  EXPECT_EQ(shared_counter, 0);
  EXPECT_EQ(initialised(), 2 + 3);
  EXPECT_EQ(shared_counter, 40);
}

TEST_F(Dispatched, TheChoiceIsTheBestOrTheForcedOne) {
  EXPECT_EQ(distil::active_architecture(), expected::name_of(level()));
}

TEST_F(Dispatched, TheCodeIsThatOfTheChoice) {
#if defined(DISTIL_NO_SIMD)
  EXPECT_EQ(instruction_set(), "arch_scalar");
#else
  EXPECT_EQ(instruction_set(), names_of_code[level() - 1]);
  EXPECT_EQ(lanes(), level() == 4 ? 16 : level() == 3 ? 8 : 4);
#endif
  EXPECT_EQ(lanes_of_the_other_source(), lanes());
}

TEST_F(Dispatched, ValueAndGradientAreThoseWithoutDispatch) {
  batch here, there;
  double const loss = distil_step(there.z(), there.t(), there.labels, there.g(), 2.0F);
  double const value =
      distil::hinton_kd.with_grad(here.z(), here.t(), here.labels, here.g(), {.temperature = 2.0F});
  EXPECT_NEAR(loss, value, 1e-6 * value);
  for (std::size_t i = 0; i < here.gradient.size(); ++i) {
    ASSERT_NEAR(there.gradient[i], here.gradient[i], 1e-6F / batch::rows) << i;
  }
}

TEST_F(Dispatched, ThreadsGiveTheSameBits) {
  batch serial, parallel;
  double const one = distil_step(serial.z(), serial.t(), serial.labels, serial.g(), 2.0F);
  double const two = distil_step_in_parallel(parallel.z(), parallel.t(), parallel.labels, parallel.g(), 2.0F);
  EXPECT_EQ(one, two);
  EXPECT_EQ(serial.gradient, parallel.gradient);
}

TEST_F(Dispatched, ARefusedArgumentIsCaughtByTheCaller) {
  batch sample;
  try {
    (void)distil_step(sample.z(), sample.t(), sample.labels, sample.g(), -1.0F);
    FAIL() << "no refusal";
  } catch (std::invalid_argument const& error) {
    EXPECT_STREQ(error.what(), "distil::hinton_kd: temperature is -1; it must be within [1e-15, 1e15]");
  }
}

TEST_F(Dispatched, ExceptionsOfOnesOwnPassInBothDirections) {
  EXPECT_THROW(throw_own_error(), own_error);
  EXPECT_THROW(throw_own_error(), std::exception);
  EXPECT_THROW(call([] { throw own_error(); }), own_error);
}

TEST_F(Dispatched, InlineVariablesAreSharedWithTheProgram) {
  int const before = shared_counter;
  int const before_in_function = shared_in_function();
  int const before_of_thread = shared_of_thread();
  EXPECT_EQ(count_up(), before + 1);
  EXPECT_EQ(shared_counter, before + 1);
  EXPECT_EQ(shared_in_function(), before_in_function + 1);
  EXPECT_EQ(shared_of_thread(), before_of_thread + 1);
}

TEST_F(Dispatched, VirtualFunctionsAndTypesCrossUnits) {
  std::unique_ptr<shape> const made(make_shape());
  EXPECT_EQ(made->lanes(), lanes());
  EXPECT_EQ(shape().lanes(), 1);
  EXPECT_NE(dynamic_cast<shape const*>(made.get()), nullptr);
}

TEST_F(Dispatched, ArgumentsOfEveryKindArrive) {
  EXPECT_EQ(weighted_sum(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), 1496);
  EXPECT_EQ(sum_of(8, 1, 2, 3, 4, 5, 6, 7, 8), 36);
  accumulator sum(0.5);
  EXPECT_EQ(sum.add(1), 1.5);
}

TEST_F(Dispatched, ThreadsThatCallFirstAgree) {
  std::vector<long> found(8, 0);
  std::vector<std::thread> threads;
  for (long& one : found) threads.emplace_back([&one] { one = lanes(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, std::vector<long>(8, lanes()));
}

}  // namespace
