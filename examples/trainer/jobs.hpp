#pragma once

#include <functional>
#include <vector>

namespace trainer {

/// Runs every job once, on up to `threads` threads, the first ones first. What a job computes must not depend
/// on when or where it runs; then nothing depends on the number of threads.
/// @throws what the first job that failed threw, in the order of the list, after all that had begun are done.
void run_jobs(std::vector<std::function<void()>> const& jobs, int threads);

}  // namespace trainer
