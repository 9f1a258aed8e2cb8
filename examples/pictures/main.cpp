/// Draws the pictures of the pages: divergences and their gradients over the logit gap, and schedules over a run.
///
///   pictures <include/distil>            writes <family>/pictures/*.svg
///   pictures --check <include/distil>    compares with what is there

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "distil/response/alpha_beta.hpp"
#include "distil/response/amari_alpha.hpp"
#include "distil/response/brier_divergence.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/jeffreys.hpp"
#include "distil/response/jensen_shannon.hpp"
#include "distil/response/negative_log_overlap.hpp"
#include "distil/response/renyi.hpp"
#include "distil/response/reverse_kl.hpp"
#include "distil/response/skew_kl.hpp"
#include "distil/response/total_variation.hpp"
#include "distil/schedule.hpp"
#include "plot.hpp"

namespace {

using numbers = std::vector<double>;
using pictures::line;
using pictures::panel;

numbers even(double low, double high, int count) {
  numbers result;
  for (int i = 0; i < count; ++i) result.push_back(low + (high - low) * i / (count - 1));
  return result;
}

/// Value and slope over the gap of the student's two logits, against a teacher that gives the first class 0.8.
struct over_gap {
  std::string name;
  numbers value, slope;
};

numbers const gaps = even(-8, 8, 81);

template <class Loss, class Options = typename Loss::options_type>
over_gap along(std::string const& name, Loss const& loss, Options const& options = {}) {
  double const teacher[] = {std::log(0.8), std::log(0.2)};
  over_gap result{name, {}, {}};
  for (double const gap : gaps) {
    double const student[] = {gap, 0.0};
    double gradient[2];
    result.value.push_back(loss.with_grad(distil::matrix_view(student, 1, 2),
                                          distil::matrix_view(teacher, 1, 2),
                                          distil::matrix_view(gradient, 1, 2), options));
    result.slope.push_back(gradient[0]);
  }
  return result;
}

void add(std::vector<panel>& panels, std::string const& title, std::vector<over_gap> const& losses,
         double high, double steep) {
  panel value{title, gaps, {}, 0, high, {-8, -4, 0, 4, 8}, {0, high / 2, high}};
  panel slope{"slope by the gap", gaps, {}, -steep, steep, value.x_marks, {-steep, 0, steep}};
  for (over_gap const& each : losses) {
    value.lines.push_back({each.name, each.value});
    slope.lines.push_back({each.name, each.slope});
  }
  panels.push_back(value);
  panels.push_back(slope);
}

std::string divergences() {
  std::vector<panel> panels;
  add(panels, "Divergences of Kullback and Leibler",
      {along("forward_kl", distil::forward_kl), along("reverse_kl", distil::reverse_kl),
       along("jeffreys", distil::jeffreys), along("skew_kl, 0.1", distil::skew_kl),
       along("jensen_shannon", distil::jensen_shannon)},
      4, 1);
  add(panels, "Bounded, or of one power",
      {along("total_variation", distil::total_variation),
       along("neg. log overlap", distil::negative_log_overlap),
       along("brier_divergence", distil::brier_divergence), along("renyi", distil::renyi),
       along("amari_alpha", distil::amari_alpha), along("alpha_beta", distil::alpha_beta)},
      2, 0.6);
  return pictures::drawn("Divergences from a teacher that gives one of two classes 0.8, and their slopes",
                         "logit gap of the student; the teacher's is 1.39", panels, 2);
}

std::string temperatures() {
  std::vector<panel> panels;
  std::vector<over_gap> with, without;
  for (double const T : {1.0, 2.0, 4.0}) {
    std::string const name = "T = " + std::to_string(static_cast<int>(T));
    with.push_back(along(name, distil::forward_kl, {.temperature = T}));
    without.push_back(
        along(name, distil::forward_kl, {.temperature = T, .scale_by_temperature_squared = false}));
  }
  add(panels, "forward_kl with the factor T²", with, 12, 2);
  add(panels, "forward_kl without it", without, 4, 1);
  return pictures::drawn("What a temperature does to forward KL, with the factor T squared and without",
                         "logit gap of the student; the teacher's is 1.39", panels, 2);
}

template <class Schedule>
line over_run(std::string const& name, Schedule const& schedule) {
  line result{name, {}};
  for (int step = 0; step <= 100; ++step) result.y.push_back(schedule.at(step));
  return result;
}

std::string schedules() {
  using namespace distil::schedule;
  numbers const steps = even(0, 100, 101), x_marks{0, 25, 50, 75, 100};
  over const run(100);
  std::vector<panel> panels;
  panels.push_back(
      {"Shapes",
       steps,
       {over_run("linear(4, 1)", linear(4, 1) | run), over_run("cosine(4, 1)", cosine(4, 1) | run),
        over_run("exponential", exponential::between(4, 1) | run),
        over_run("three_stage()", three_stage() | run),
        over_run("piecewise", piecewise({{0, 2}, {0.2, 4}, {0.6, 4}, {0.6, 2}, {1, 1}}) | run)},
       0,
       4,
       x_marks,
       {0, 1, 2, 3, 4}});
  panels.push_back(
      {"Rules of steps",
       steps,
       {over_run("step_decay", step_decay(4, 0.7, 20)), over_run("multi_step", multi_step(4, 0.5, {30, 70})),
        over_run("logarithmic", logarithmic(3, 1.5, 25, 1)), over_run("warm_up(20) * 2", 2 * warm_up(20)),
        over_run("power_of_two", cosine(4, 1) | run | power_of_two())},
       0,
       4,
       x_marks,
       {0, 1, 2, 3, 4}});
  panels.push_back({"Soft weights of the presets",
                    steps,
                    {over_run("decay", presets::soft_weight_decay() | run),
                     over_run("decay, gentle", presets::soft_weight_decay_gentle() | run),
                     over_run("decay, steep", presets::soft_weight_decay_steep() | run)},
                    0,
                    1,
                    x_marks,
                    {0, 0.5, 1}});
  panels.push_back({"One after the other",
                    steps,
                    {over_run("20 up, 80 down", linear(1, 4) | over(20) | then(cosine(4, 1) | over(80))),
                     over_run("within [1, 3]", cosine(6, 0.5) | clamp(1, 3) | run)},
                    0,
                    4,
                    x_marks,
                    {0, 1, 2, 3, 4}});
  return pictures::drawn("Schedules over a run of 100 steps", "step", panels, 2);
}

}  // namespace

int main(int argc, char** argv) {
  bool const check = argc == 3 && std::string(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::fprintf(stderr, "usage: pictures [--check] <include/distil>\n");
    return 2;
  }
  std::string const root = argv[argc - 1];
  struct file {
    char const* name;
    std::string (*make)();
  };
  int status = 0;
  for (file const& each : {file{"response/pictures/divergences.svg", divergences},
                           file{"response/pictures/temperatures.svg", temperatures},
                           file{"schedule/pictures/schedules.svg", schedules}}) {
    std::string const path = root + "/" + each.name, made = each.make();
    if (!check) {
      std::ofstream out(path, std::ios::binary);
      out << made;
      if (!out.flush()) {
        std::fprintf(stderr, "cannot write %s\n", path.c_str());
        return 1;
      }
      continue;
    }
    std::ifstream in(path, std::ios::binary);
    std::string const there{std::istreambuf_iterator<char>(in), {}};
    if (std::string const found = pictures::difference(there, made); !found.empty()) {
      std::fprintf(stderr, "%s: %s; draw it again by: pictures %s\n", path.c_str(), found.c_str(),
                   root.c_str());
      status = 1;
    }
  }
  return status;
}
