#pragma once

#include <optional>
#include <string>
#include <vector>

#include "summary/results.hpp"
#include "support/registry.hpp"

namespace bench {

/// One measurement that a target is about.
struct comparison {
  std::string where;          ///< the shape, as a rule
  std::vector<subject> of;    ///< the best of these
  std::vector<subject> over;  ///< by the best of these, where the target is a ratio
  std::vector<subject>
      bare;  ///< the loops of the same work with nothing around them: what the machine allows
};

/// A figure that must hold in every one of its cases.
struct target {
  enum class kind { ratio, seconds, kilobytes };
  enum class sense { at_least, at_most };

  std::string figure;
  kind measure;
  sense direction;
  double bound;
  std::vector<comparison> cases;

  [[nodiscard]] std::optional<double> measured(comparison const& one, results const& in) const;
  [[nodiscard]] bool is_met_by(double figure) const;
};

std::vector<target> targets();

/// What has to be measured for a target.
std::vector<subject> subjects_of(target const& one);

/// `hinton_kd` at temperature 4 with its gradient, float.
inline subject hinton_kd(std::string const& library, std::string const& shape, int threads = 1) {
  return {library, "hinton_kd", "float", shape, "gradient", threads};
}

/// The addition of two arrays into a third, with either kind of store.
inline std::vector<subject> memory_limit(std::string const& shape, int threads = 1) {
  return {{"limit", "add", "float", shape, "plain", threads},
          {"limit", "add", "float", shape, "streamed", threads}};
}

/// One pass of vectorised exponentials: `exp` is xsimd's, `exp_nonpositive` distil's.
inline subject exp_pass(std::string const& shape, std::string const& operation = "exp") {
  return {"limit", operation, "float", shape, "output"};
}

/// The loops of `hinton_kd` alone, at the temperature that an operation of distil names.
inline subject bare_loops(std::string const& shape, std::string const& operation = "hinton_kd",
                          int threads = 1) {
  return {"limit", "bare_loops" + operation.substr(9), "float", shape, "gradient", threads};
}

/// Forward softmax or log_softmax, float.
inline subject forward(std::string const& library, std::string const& operation, std::string const& shape) {
  return {library, operation, "float", shape, "output"};
}

}  // namespace bench
