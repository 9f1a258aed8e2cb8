#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "distil/core/matrix_view.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

/// Execution policies: who runs the chunks a batch is cut into. The cut depends on the shape alone and sums
/// are joined in its order, so a result is bit-identical for every policy and every number of threads.
namespace distil {

/// The calling thread. The default.
struct serial_policy {};
inline constexpr serial_policy serial{};

// The type carries whether OpenMP is there, so that units compiled with and without it can be linked
// together.
#if defined(_OPENMP)
inline namespace with_openmp {
#else
inline namespace without_openmp {
#endif

/// OpenMP threads where the including unit is compiled with OpenMP, the calling thread elsewhere. Batches of less than
/// about two milliseconds of work stay on the calling thread; the bits are the same.
struct parallel_policy {
  int threads = 0;  ///< At most so many; 0: as many as OpenMP gives.
};
inline constexpr parallel_policy parallel{};

}  // inline namespace

/// The user's own executor: a callable `executor(distil::index count, auto const& task)` that calls `task(i)`
/// once for every i in [0, count), on any threads, in any order, and returns when all are done. Tasks do not
/// throw.
template <class Executor>
struct executor_policy {
  Executor* executor;
};

/// `distil::forward_kl(distil::run_on(pool), student, teacher)`. The executor must outlive the call.
template <class Executor>
[[nodiscard]] constexpr executor_policy<Executor> run_on(Executor& executor) noexcept {
  return {std::addressof(executor)};
}

namespace detail {

template <class>
inline constexpr bool is_policy = false;
template <>
inline constexpr bool is_policy<serial_policy> = true;
template <>
inline constexpr bool is_policy<parallel_policy> = true;
template <class Executor>
inline constexpr bool is_policy<executor_policy<Executor>> = true;

/// Elements below which a batch stays with its own thread: some two milliseconds of work. Where other programs run, a thread
/// may have to wait for its processor longer than that, and OpenMP's team does not part before all have come.
inline constexpr index parallel_threshold = 2'050'000;

/// A non-owning reference to the body of a chunk, so that the sweeps are compiled once and not once per
/// policy.
class chunk_task {
 public:
  template <class Body>
  explicit chunk_task(Body const& body) noexcept
      : body_(std::addressof(body)),
        call_([](void const* target, index chunk) { (*static_cast<Body const*>(target))(chunk); }) {}

  void operator()(index chunk) const { call_(body_, chunk); }

 private:
  void const* body_;
  void (*call_)(void const*, index);
};

inline void run_chunks(serial_policy, index chunks, index /*elements*/, chunk_task task) {
  for (index chunk = 0; chunk < chunks; ++chunk) task(chunk);
}

inline void run_chunks([[maybe_unused]] parallel_policy policy, index chunks, [[maybe_unused]] index elements,
                       chunk_task task) {
#if defined(_OPENMP)
  int const threads = policy.threads > 0 ? policy.threads : omp_get_max_threads();
  if (threads > 1 && chunks > 1 && elements >= parallel_threshold && omp_in_parallel() == 0) {
// As they come: the thread whose processor others use, too, takes fewer.
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (index chunk = 0; chunk < chunks; ++chunk) task(chunk);
    return;
  }
#endif
  for (index chunk = 0; chunk < chunks; ++chunk) task(chunk);
}

template <class Executor>
void run_chunks(executor_policy<Executor> policy, index chunks, index /*elements*/, chunk_task task) {
  (*policy.executor)(chunks, task);
}

/// Any policy as one type, so that what runs under it is compiled once and not once per policy. Refers to the policy.
class any_policy {
 public:
  template <class Policy>
  requires is_policy<Policy>
  explicit any_policy(Policy const& policy) noexcept
      : policy_(std::addressof(policy)),
        run_([](void const* target, index chunks, index elements, chunk_task task) {
          run_chunks(*static_cast<Policy const*>(target), chunks, elements, task);
        }) {}

  void operator()(index chunks, index elements, chunk_task task) const {
    run_(policy_, chunks, elements, task);
  }

 private:
  void const* policy_;
  void (*run_)(void const*, index, index, chunk_task);
};
template <>
inline constexpr bool is_policy<any_policy> = true;

inline void run_chunks(any_policy policy, index chunks, index elements, chunk_task task) {
  policy(chunks, elements, task);
}

}  // namespace detail

template <class T>
concept execution_policy = detail::is_policy<std::remove_cvref_t<T>>;

/// A first argument that is no policy is meant as a matrix; what is neither gets the message of `view`.
template <class T>
concept matrix_argument = !execution_policy<T>;

}  // namespace distil
