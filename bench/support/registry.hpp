#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "support/shapes.hpp"

namespace bench {

/// What one bench measures; its name is these, joined by slashes.
struct subject {
  std::string library;    ///< distil, limit, or a peer
  std::string operation;  ///< the loss
  std::string element;    ///< what the logits are stored in
  std::string shape;
  std::string form;  ///< value; gradient (with the value); output; pull_back; plain or streamed stores
  int threads = 1;

  [[nodiscard]] std::string name() const;
};

/// What a call has to do.
struct work {
  std::ptrdiff_t elements;  ///< of the logits
  std::size_t bytes;        ///< to read and to write for each of them
  int exponentials = 0;     ///< to take for each of them, at the least
};

/// One call of what is measured. Returns the loss, or what else shows that the work was done.
using call = std::function<double()>;

/// One thread is measured by its own clock, which stands still when others take the processor; several by the one
/// on the wall; a program that the call starts by the processor time it took.
enum class stopwatch { thread, wall, children };

struct entry {
  subject what;
  work each;
  std::function<call()> prepare;  ///< runs before the clock does; what it returns is timed
  stopwatch clock;
};

/// Takes up a bench, to be measured by the clock that fits its number of threads.
void add(subject const& what, work each, std::function<call()> prepare);
void add(subject const& what, work each, std::function<call()> prepare, stopwatch clock);

/// Everything taken up, which is all there is once main runs.
std::vector<entry> const& benches();

template <class T>
inline constexpr char const* element_name = nullptr;
template <>
inline constexpr char const* element_name<float> = "float";
template <>
inline constexpr char const* element_name<double> = "double";

}  // namespace bench
