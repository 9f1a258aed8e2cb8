#pragma once

#include <thread>
#include <vector>

#include "distil/core/matrix_view.hpp"

namespace distil::testing {

/// An executor of the user's: tasks in reverse order, on as many threads as it was given.
class reversing_executor {
 public:
  explicit reversing_executor(index threads) : threads_(threads) {}

  template <class Task>
  void operator()(index count, Task const& task) const {
    std::vector<std::thread> workers;
    for (index w = 0; w < threads_; ++w) {
      workers.emplace_back([&, w] {
        for (index i = count - 1 - w; i >= 0; i -= threads_) task(i);
      });
    }
    for (std::thread& worker : workers) worker.join();
  }

 private:
  index threads_;
};

}  // namespace distil::testing
