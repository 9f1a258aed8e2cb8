#pragma once

#include <string>

namespace bench {

/// What figures depend on.
struct machine {
  std::string processor;  ///< as the system names it
  std::string caches;     ///< sizes by level
  int processors;         ///< how many the system offers
  std::string compiler;
  std::string instructions;  ///< the instruction set the kernels are compiled for
  double load;               ///< how many others wanted a processor when the run began

  /// As it is when called.
  static machine current();
};

}  // namespace bench
