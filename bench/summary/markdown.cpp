#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "summary/summary.hpp"
#include "summary/table.hpp"
#include "summary/target_table.hpp"
#include "summary/targets.hpp"

namespace bench {

namespace {

using cell = std::function<std::optional<double>(subject const&)>;

bool is_registered(std::string const& library) {
  return std::any_of(benches().begin(), benches().end(),
                     [&](entry const& each) { return each.what.library == library; });
}

std::string row_name(subject const& what) {
  std::string name = what.library == "distil" ? "" : what.library + ": ";
  name += what.operation + ", " + what.form;
  if (what.element != "float") name += ", " + what.element;
  if (what.threads > 1) name += ", " + std::to_string(what.threads) + " threads";
  return name;
}

/// A row for every kernel that `takes` accepts and a column for every shape.
table by_shape(std::string const& title, std::string const& note, std::function<bool(subject const&)> takes,
               cell const& number) {
  table result{title, note, {"kernel"}, {}};
  for (shape const size : shapes) result.columns.push_back(size.name());
  std::vector<subject> kernels;
  for (entry const& each : benches()) {
    if (each.what.shape == shapes[0].name() && takes(each.what)) kernels.push_back(each.what);
  }
  auto const order = [](subject const& what) {
    return std::tuple(what.library != "distil", what.library, what.operation, what.form != "value",
                      what.element != "float", what.element, what.threads);
  };
  std::stable_sort(kernels.begin(), kernels.end(),
                   [&](subject const& a, subject const& b) { return order(a) < order(b); });
  for (subject kernel : kernels) {
    std::vector<std::string> row{row_name(kernel)};
    for (shape const size : shapes) {
      kernel.shape = size.name();
      row.push_back(text(number(kernel)));
    }
    bool const measured = std::any_of(row.begin() + 1, row.end(), [](auto const& at) { return at != "-"; });
    if (measured) result.rows.push_back(row);
  }
  return result;
}

/// What the README shows.
table headline(results const& measured) {
  table result{"hinton_kd with its gradient, float, one thread",
               "Nanoseconds for each element of the logits; in parentheses how many times distil's.",
               {"rows x classes", "distil", "over memory limit", "over one exp", "over oneDNN softmax",
                "plain Eigen", "staged Eigen", "libtorch autograd", "libtorch by hand"},
               {}};
  std::vector<std::string> names;
  for (shape const size : shapes) names.push_back(size.name());
  for (std::string const& shape : {single_row.name(), segmentation.flat().name(), segmentation.name()}) {
    names.push_back(shape);
  }
  for (std::string const& shape : names) {
    std::vector<subject> const distil{hinton_kd("distil", shape)};
    if (!measured.best(distil)) continue;
    auto const peer = [&](char const* library) {
      std::vector<subject> const other{hinton_kd(library, shape)};
      auto const times = measured.ratio(other, distil);
      return text(measured.best(other)) + (times ? " (" + text(times) + "x)" : "");
    };
    result.rows.push_back({shape, text(measured.best(distil)),
                           text(measured.ratio(distil, memory_limit(shape))),
                           text(measured.ratio(distil, {exp_pass(shape)})),
                           text(measured.ratio(distil, {forward("onednn", "softmax", shape)})), peer("eigen"),
                           peer("eigen_staged"), peer("torch_autograd"), peer("torch_by_hand")});
  }
  return result;
}

std::string heading(machine const& where) {
  std::string result = "# Bench of distil\n\n" + where.processor + ", " + std::to_string(where.processors) +
                       " processors, " + where.caches + "; " + where.compiler + ", " + where.instructions +
                       ".\n";
  if (where.load > 0.5) {
    result += "The machine was busy when the run began (load " + text(where.load) +
              "): compare within this run only.\n";
  }
  for (auto const& [library, name] :
       {std::pair("torch_autograd", "libtorch"), std::pair("onednn", "oneDNN")}) {
    if (!is_registered(library)) {
      result += std::string(name) + " is missing here; `sh cmake/setup.sh --bench` installs it.\n";
    }
  }
  return result;
}

}  // namespace

std::string markdown_summary(machine const& where, results const& measured) {
  auto const of_distil = [](subject const& what) {
    return what.library == "distil" && what.element == "float";
  };
  std::string result = heading(where);
  for (table const& one :
       {by_shape(
            "Nanoseconds per element", "", [](subject const&) { return true; },
            [&](subject const& what) { return measured.nanoseconds(what); }),
        by_shape("Over the memory limit",
                 "The best addition of two arrays into a third, same size, same number of threads, is 1.",
                 of_distil,
                 [&](subject const& what) {
                   return measured.ratio({what}, memory_limit(what.shape, what.threads));
                 }),
        by_shape(
            "Over one pass of exp", "One vectorised exponential for each element, one thread, is 1.",
            [&](subject const& what) { return of_distil(what) && what.threads == 1; },
            [&](subject const& what) { return measured.ratio({what}, {exp_pass(what.shape)}); }),
        by_shape(
            "oneDNN over distil", "How many times distil's time oneDNN takes.",
            [](subject const& what) { return what.library == "onednn"; },
            [&](subject const& what) {
              subject ours = what;
              ours.library = "distil";
              return measured.ratio({what}, {ours});
            }),
        headline(measured), target_table(measured)}) {
    if (!one.rows.empty()) result += "\n" + markdown(one);
  }
  return result;
}

}  // namespace bench
