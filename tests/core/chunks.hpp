#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "distil/core/execution.hpp"

namespace distil::testing {

/// Who ran the chunks of a batch, and how often each.
class chunk_record {
 public:
  explicit chunk_record(index chunks) : runs_(static_cast<std::size_t>(chunks)) {}

  void operator()(index chunk) {
    ++runs_.at(static_cast<std::size_t>(chunk));
    std::lock_guard const lock(mutex_);
    threads_.insert(std::this_thread::get_id());
    order_.push_back(chunk);
  }

  [[nodiscard]] bool each_ran_once() const {
    for (std::atomic<int> const& count : runs_) {
      if (count != 1) return false;
    }
    return true;
  }
  [[nodiscard]] std::set<std::thread::id> const& threads() const { return threads_; }
  [[nodiscard]] std::vector<index> const& order() const { return order_; }

 private:
  std::vector<std::atomic<int>> runs_;
  std::mutex mutex_;
  std::set<std::thread::id> threads_;
  std::vector<index> order_;
};

/// Runs so many chunks of a batch of so many elements under a policy.
template <class Policy>
void run(Policy policy, index chunks, index elements, chunk_record& record) {
  auto const body = [&](index chunk) { record(chunk); };
  detail::run_chunks(policy, chunks, elements, detail::chunk_task(body));
}

inline bool ran_on_this_thread_alone(chunk_record const& record) {
  return record.threads() == std::set<std::thread::id>{std::this_thread::get_id()};
}

}  // namespace distil::testing
