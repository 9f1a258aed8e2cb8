#include "distil/core/execution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "chunks.hpp"

namespace distil::testing {
namespace {

constexpr index large = detail::parallel_threshold;

TEST(execution, serial_runs_the_chunks_in_order_on_the_calling_thread) {
  chunk_record record(5);
  run(serial, 5, large, record);
  EXPECT_TRUE(record.each_ran_once());
  EXPECT_TRUE(ran_on_this_thread_alone(record));
  EXPECT_EQ(record.order(), (std::vector<index>{0, 1, 2, 3, 4}));
}

TEST(execution, parallel_runs_every_chunk_once_whatever_the_threads) {
  for (int threads = 0; threads <= 4; ++threads) {
    for (index const chunks : {1, 2, 3, 7, 64}) {
      chunk_record record(chunks);
      run(parallel_policy{threads}, chunks, large, record);
      EXPECT_TRUE(record.each_ran_once()) << threads << " threads, " << chunks << " chunks";
      if (threads > 0) {
        EXPECT_LE(record.threads().size(), static_cast<std::size_t>(threads));
      }
    }
  }
}

TEST(execution, no_chunks_are_no_calls) {
  chunk_record record(0);
  auto on_this_thread = [](index count, auto const& task) {
    for (index i = 0; i < count; ++i) task(i);
  };
  run(serial, 0, 0, record);
  run(parallel, 0, large, record);
  run(run_on(on_this_thread), 0, large, record);
  EXPECT_TRUE(record.order().empty());
}

TEST(execution, any_policy_runs_as_the_one_it_was_made_of) {
  auto backwards = [](index count, auto const& task) {
    for (index i = count - 1; i >= 0; --i) task(i);
  };
  executor_policy const executor = run_on(backwards);
  detail::any_policy const erased(executor);
  chunk_record by_executor(3), twice(3), in_order(3);
  run(erased, 3, large, by_executor);
  EXPECT_EQ(by_executor.order(), (std::vector<index>{2, 1, 0}));
  run(detail::any_policy(erased), 3, large, twice);
  EXPECT_EQ(twice.order(), (std::vector<index>{2, 1, 0}));
  run(detail::any_policy(serial), 3, large, in_order);
  EXPECT_EQ(in_order.order(), (std::vector<index>{0, 1, 2}));
}

#if defined(_OPENMP)

TEST(execution, parallel_uses_the_threads_it_is_given) {
  int const dynamic = omp_get_dynamic();
  omp_set_dynamic(0);
  for (int const threads : {2, 3, 4}) {
    auto const wanted = static_cast<std::size_t>(std::min(threads, omp_get_thread_limit()));
    std::mutex mutex;
    std::set<std::thread::id> seen;
    auto const arrived = [&] {
      std::lock_guard const lock(mutex);
      seen.insert(std::this_thread::get_id());
      return seen.size();
    };
    // Chunks go to whoever is free: none is, before all have come.
    auto const wait_for_all = [&](index) {
      auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
      while (arrived() < wanted && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    };
    detail::run_chunks(parallel_policy{threads}, 64, large, detail::chunk_task(wait_for_all));
    EXPECT_EQ(seen.size(), wanted);
  }
  omp_set_dynamic(dynamic);
}

TEST(execution, a_batch_too_small_to_pay_stays_on_the_calling_thread) {
  chunk_record small(64);
  run(parallel_policy{4}, 64, large - 1, small);
  EXPECT_TRUE(small.each_ran_once());
  EXPECT_TRUE(ran_on_this_thread_alone(small));
  chunk_record single(1);
  run(parallel_policy{4}, 1, large, single);
  EXPECT_TRUE(ran_on_this_thread_alone(single));
}

TEST(execution, inside_a_parallel_region_each_thread_runs_its_own_batch) {
  std::vector<std::unique_ptr<chunk_record>> records;
  for (int i = 0; i < 4; ++i) records.push_back(std::make_unique<chunk_record>(16));
  int alone = 0;
  int const levels = omp_get_max_active_levels();
  omp_set_max_active_levels(2);  // OpenMP itself would allow it
#pragma omp parallel for num_threads(4) reduction(+ : alone)
  for (std::size_t i = 0; i < 4; ++i) {
    run(parallel_policy{4}, 16, large, *records[i]);
    alone += ran_on_this_thread_alone(*records[i]) ? 1 : 0;
  }
  omp_set_max_active_levels(levels);
  EXPECT_EQ(alone, 4);
  for (auto const& record : records) EXPECT_TRUE(record->each_ran_once());
}

TEST(execution, the_type_of_parallel_says_that_openmp_is_there) {
  static_assert(std::is_same_v<parallel_policy, with_openmp::parallel_policy>);
  static_assert(execution_policy<with_openmp::parallel_policy>);
}

#endif

/// One thread a task, begun from the last.
struct thread_each {
  int calls = 0;
  template <class Task>
  void operator()(index count, Task const& task) {
    ++calls;
    std::vector<std::thread> threads;
    for (index i = count; i-- > 0;) threads.emplace_back([&task, i] { task(i); });
    for (std::thread& thread : threads) thread.join();
  }
};

TEST(execution, an_executor_of_the_user_gets_every_chunk_in_one_call) {
  thread_each executor;
  for (index const elements : {index{1}, large}) {
    chunk_record record(9);
    run(run_on(executor), 9, elements, record);
    EXPECT_TRUE(record.each_ran_once());
    EXPECT_EQ(record.threads().count(std::this_thread::get_id()), 0U);
  }
  EXPECT_EQ(executor.calls, 2) << "the policy refers to the executor, and does not copy it";
}

TEST(execution, an_executor_may_be_a_function_or_a_const_object) {
  auto const in_reverse = [](index count, auto const& task) {
    for (index i = count; i-- > 0;) task(i);
  };
  chunk_record record(3);
  run(run_on(in_reverse), 3, large, record);
  EXPECT_EQ(record.order(), (std::vector<index>{2, 1, 0}));
}

TEST(execution, policies_are_told_from_matrices) {
  static_assert(execution_policy<serial_policy> && execution_policy<parallel_policy const&>);
  static_assert(execution_policy<executor_policy<thread_each>>);
  static_assert(!execution_policy<matrix_view<float>> && !execution_policy<int>);
  static_assert(matrix_argument<matrix_view<float>> && !matrix_argument<serial_policy const>);
}

}  // namespace
}  // namespace distil::testing
