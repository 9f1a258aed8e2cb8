#pragma once

#include <string>
#include <vector>

#include "support/registry.hpp"

namespace bench {

/// A ratio of two times that must hold: the best of `numerator` over the best of `denominator`.
struct target {
  std::string figure;
  std::vector<subject> numerator;
  std::vector<subject> denominator;
  enum { at_least, at_most } sense;
  double bound;
};

/// `hinton_kd`, value and gradient, float.
inline subject hinton_kd(std::string const& library, std::string const& shape, int threads = 1) {
  return {library, "hinton_kd", "float", shape, "gradient", threads};
}

/// The addition of two arrays into a third, with either kind of store.
inline std::vector<subject> memory_limit(std::string const& shape, int threads = 1) {
  return {{"limit", "add", "float", shape, "plain", threads},
          {"limit", "add", "float", shape, "streamed", threads}};
}

/// One pass of vectorised exp.
inline subject exp_pass(std::string const& shape) { return {"limit", "exp", "float", shape, "output"}; }

/// Of hinton_kd with gradient on a machine with AVX-512, float, one thread.
inline std::vector<target> targets() {
  std::vector<target> all;
  for (char const* const shape : {"256x1000", "64x32000"}) {
    all.push_back({std::string("plain Eigen over distil, ") + shape,
                   {hinton_kd("eigen", shape)},
                   {hinton_kd("distil", shape)},
                   target::at_least,
                   10.0});
    all.push_back({std::string("libtorch with autograd over distil, ") + shape,
                   {hinton_kd("torch_autograd", shape)},
                   {hinton_kd("distil", shape)},
                   target::at_least,
                   5.0});
  }
  all.push_back({"distil over the memory limit, 256x128256",
                 {hinton_kd("distil", "256x128256")},
                 memory_limit("256x128256"),
                 target::at_most,
                 2.5});
  return all;
}

}  // namespace bench
