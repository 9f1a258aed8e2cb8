#include "jobs.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>

namespace trainer {

void run_jobs(std::vector<std::function<void()>> const& jobs, int threads) {
  std::atomic<std::size_t> next{0};
  std::vector<std::exception_ptr> failures(jobs.size());
  auto const work = [&] {
    for (std::size_t at = next++; at < jobs.size(); at = next++) {
      try {
        jobs[at]();
      } catch (...) {
        failures[at] = std::current_exception();
        next = jobs.size();
      }
    }
  };

  std::size_t const helpers = std::min(static_cast<std::size_t>(std::max(threads, 1)), jobs.size());
  {
    std::vector<std::jthread> pool;  // joins at the end of its scope
    for (std::size_t helper = 1; helper < helpers; ++helper) pool.emplace_back(work);
    work();
  }
  for (std::exception_ptr const& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace trainer
