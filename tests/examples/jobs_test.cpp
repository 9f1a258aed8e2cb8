#include "trainer/jobs.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>

namespace {

std::vector<std::function<void()>> counting(std::vector<std::atomic<int>>& runs) {
  std::vector<std::function<void()>> jobs;
  for (auto& count : runs) jobs.emplace_back([&count] { ++count; });
  return jobs;
}

TEST(jobs, run_once_each_on_any_number_of_threads) {
  for (int const threads : {1, 2, 3, 64}) {
    std::vector<std::atomic<int>> runs(20);
    trainer::run_jobs(counting(runs), threads);
    for (auto const& count : runs) EXPECT_EQ(count, 1) << threads;
  }
  trainer::run_jobs({}, 2);
}

TEST(jobs, pass_on_the_first_failure_and_start_no_more) {
  std::vector<std::atomic<int>> runs(4);
  auto jobs = counting(runs);
  jobs[1] = [] { throw std::runtime_error("second"); };
  jobs[2] = [] { throw std::runtime_error("third"); };
  try {
    trainer::run_jobs(jobs, 1);
    FAIL() << "nothing was thrown";
  } catch (std::runtime_error const& error) {
    EXPECT_STREQ(error.what(), "second");
  }
  EXPECT_EQ(runs[0], 1);
  EXPECT_EQ(runs[3], 0);
}

}  // namespace
