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

/// One call of what is measured. Returns the loss, or what else shows that the work was done.
using call = std::function<double()>;

/// Registers a bench: `prepare` runs before the clock does, and what it returns is timed. `bytes` is what the
/// call has to read and write for each element.
void add(subject const& what, std::ptrdiff_t elements, std::size_t bytes, std::function<call()> prepare);

/// Everything registered so far.
std::vector<subject> const& subjects();

template <class T>
inline constexpr char const* element_name = nullptr;
template <>
inline constexpr char const* element_name<float> = "float";
template <>
inline constexpr char const* element_name<double> = "double";

}  // namespace bench
