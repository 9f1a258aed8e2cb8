#include "summary/targets.hpp"

#include <algorithm>
#include <functional>

namespace bench {

namespace {

using kind = target::kind;
using sense = target::sense;

/// A case for every shape up to the last that is to count.
std::vector<comparison> on_every_shape(std::function<subject(std::string const&)> const& of,
                                       std::function<subject(std::string const&)> const& over,
                                       shape last = std::end(shapes)[-1]) {
  std::vector<comparison> cases;
  for (shape const size : shapes) {
    cases.push_back({size.name(), {of(size.name())}, {over(size.name())}, {}});
    if (size == last) break;
  }
  return cases;
}

subject distil(std::string const& shape) { return hinton_kd("distil", shape); }

std::vector<target> against_the_limits() {
  std::string const large = "256x128256", vocabulary = "64x32000", usual = "128x1008";
  std::vector<target> all;
  for (auto const& [threads, bound] : {std::pair(2, 1.3), std::pair(1, 2.0)}) {
    all.push_back(
        {std::string("hinton_kd over the memory limit, ") + (threads == 2 ? "two threads" : "one thread"),
         kind::ratio,
         sense::at_most,
         bound,
         {{large,
           {hinton_kd("distil", large, threads)},
           memory_limit(large, threads),
           {bare_loops(large, "hinton_kd", threads)}}}});
  }
  for (auto const& [operation, text, bound] :
       {std::tuple("hinton_kd_at_3.5", "3.5", 2.2), std::tuple("hinton_kd_at_2", "2", 1.8),
        std::tuple("hinton_kd", "4", 1.8)}) {
    target one{std::string("hinton_kd at temperature ") + text + " over one pass of exp",
               kind::ratio,
               sense::at_most,
               bound,
               {}};
    for (std::string const& shape : {vocabulary, usual}) {
      subject what = distil(shape);
      what.operation = operation;
      one.cases.push_back({shape, {what}, {exp_pass(shape)}, {bare_loops(shape, operation)}});
    }
    all.push_back(one);
  }
  for (auto const& [shape, bound] : {std::pair("1024x10", 2.5), std::pair("1024x100", 1.3)}) {
    all.push_back({std::string(shape) + " over " + usual + ", per element",
                   kind::ratio,
                   sense::at_most,
                   bound,
                   {{shape, {distil(shape)}, {distil(usual)}, {}}}});
  }
  return all;
}

std::vector<target> against_itself() {
  std::string const large = "256x128256", images = segmentation.name(), pixels = segmentation.flat().name();
  subject small = hinton_kd("distil", large, 2);
  small.element = "bfloat16";
  return {{"bfloat16 in and out over float, two threads",
           kind::ratio,
           sense::at_most,
           0.7,
           {{large, {small}, {hinton_kd("distil", large, 2)}, {}}}},
          {"class-major over row-major " + pixels,
           kind::ratio,
           sense::at_most,
           1.3,
           {{images, {distil(images)}, {distil(pixels)}, {}}}},
          {"two threads over one",
           kind::ratio,
           sense::at_most,
           0.6,
           {{large, {hinton_kd("distil", large, 2)}, {distil(large)}, {}}}},
          {"built for AVX2 over built for this machine",
           kind::ratio,
           sense::at_most,
           1.8,
           {{"64x32000", {hinton_kd("distil_avx2", "64x32000")}, {distil("64x32000")}, {}}}}};
}

/// Losses of the response family beside the simplest of them.
std::vector<target> of_the_family() {
  std::string const vocabulary = "64x32000", long_rows = "16x128256", usual = "128x1008";
  auto const gradient = [](std::string const& operation, std::string const& shape) {
    return subject{"distil", operation, "float", shape, "gradient"};
  };
  target simple{"divergences without further exponentials or logarithms over forward_kl",
                kind::ratio,
                sense::at_most,
                2.0,
                {}};
  for (std::string const operation : {"reverse_kl", "jeffreys", "total_variation", "mean_squared_logits"}) {
    simple.cases.push_back(
        {operation, {gradient(operation, vocabulary)}, {gradient("forward_kl", vocabulary)}, {}});
  }
  target logarithm{"skew_kl, one logarithm more, over forward_kl", kind::ratio, sense::at_most, 2.3, {}};
  logarithm.cases.push_back({usual, {gradient("skew_kl", usual)}, {gradient("forward_kl", usual)}, {}});
  target selection{"adaptive_kl over forward_kl", kind::ratio, sense::at_most, 8.0, {}};
  selection.cases.push_back({usual, {gradient("adaptive_kl", usual)}, {gradient("forward_kl", usual)}, {}});
  target sparse{
      "top-k teacher, k = 64, over log_softmax with its pull-back", kind::ratio, sense::at_most, 1.3, {}};
  for (std::string const operation : {"top_k_bucket", "top_k_renormalise_both", "top_k_uniform"}) {
    sparse.cases.push_back({operation,
                            {gradient(operation, long_rows)},
                            {{"distil", "log_softmax", "float", long_rows, "output_and_pull_back"}},
                            {}});
  }
  target fused{"three calls over the three terms fused", kind::ratio, sense::at_least, 1.7, {}};
  for (std::string const& shape : {vocabulary, long_rows}) {
    fused.cases.push_back({shape,
                           {{"distil", "three_terms", "float", shape, "calls"}},
                           {{"distil", "three_terms", "float", shape, "fused"}},
                           {}});
  }
  return {simple, logarithm, selection, sparse, fused};
}

/// Losses of features and of relations between samples, with gradient.
std::vector<target> of_features() {
  auto const gradient = [](char const* library, std::string const& operation, std::string const& shape) {
    return subject{library, operation, "float", shape, "gradient"};
  };
  std::string const pairs = "1024x512", triples = "256x512", maps = "64x256x14x14", few_maps = "8x256x14x14";
  target products{
      "products of matrices alone over losses of relations, 1024x512", kind::ratio, sense::at_least, 0.6, {}};
  for (std::string const operation :
       {"similarity_preserving", "relational_distance", "probabilistic_transfer", "correlation_congruence",
        "centered_kernel_alignment", "similarity_graph"}) {
    products.cases.push_back({operation,
                              {gradient("limit", "relation_products", pairs)},
                              {gradient("distil", operation, pairs)},
                              {}});
  }
  target angles{
      "libtorch with autograd over distil, relational_angle", kind::ratio, sense::at_least, 5.0, {}};
  angles.cases.push_back({triples,
                          {gradient("torch_autograd", "relational_angle", triples)},
                          {gradient("distil", "relational_angle", triples)},
                          {}});
  target of_maps{"libtorch with autograd over distil, feature maps", kind::ratio, sense::at_least, 3.0, {}};
  for (auto const& [operation, shape] :
       {std::pair("attention_transfer", maps), std::pair("channel_wise", maps),
        std::pair("neuron_selectivity", few_maps), std::pair("similarity_preserving", maps)}) {
    of_maps.cases.push_back({operation,
                             {gradient("torch_autograd", operation, shape)},
                             {gradient("distil", operation, shape)},
                             {}});
  }
  return {products, angles, of_maps};
}

std::vector<target> against_peers() {
  std::vector<target> all;
  for (std::string const operation : {"softmax", "log_softmax"}) {
    auto const by = [&](char const* library) {
      return [=](std::string const& shape) { return forward(library, operation, shape); };
    };
    all.push_back({"oneDNN's " + operation + " over distil's, forward", kind::ratio, sense::at_least, 2.0,
                   on_every_shape(by("onednn"), by("distil"))});
  }
  all.push_back(
      {"hinton_kd with gradient over oneDNN's softmax, forward alone", kind::ratio, sense::at_most, 1.0,
       on_every_shape(distil, [](std::string const& shape) { return forward("onednn", "softmax", shape); },
                      {64, 32000})});
  all.push_back(
      {"libtorch with autograd over distil", kind::ratio, sense::at_least, 10.0,
       on_every_shape([](std::string const& shape) { return hinton_kd("torch_autograd", shape); }, distil)});
  all.push_back({"plain Eigen over distil",
                 kind::ratio,
                 sense::at_least,
                 10.0,
                 {{"256x1000", {hinton_kd("eigen", "256x1000")}, {distil("256x1000")}, {}},
                  {"64x32000", {hinton_kd("eigen", "64x32000")}, {distil("64x32000")}, {}}}});
  return all;
}

/// What distil costs a user's compiler, against Hinton's loss by hand on Eigen.
std::vector<target> of_compiling() {
  auto const unit = [](std::string const& name) {
    return std::vector<subject>{{"compiler", name, "source", "unit", "object"}};
  };
  auto const umbrella = [](std::string const& header) {
    return std::vector<subject>{{"compiler", "include", "source", header, "syntax_only"}};
  };
  auto const one = [](std::string figure, kind measure, double bound, comparison what) {
    return target{std::move(figure), measure, sense::at_most, bound, {std::move(what)}};
  };
  auto const over = [&](std::string const& figure, std::string const& what, std::string const& by,
                        double bound) {
    return one("compiling " + figure, kind::ratio, bound, {what, unit(what), unit(by), {}});
  };
  return {over("hinton_kd with gradient over the same by hand on Eigen", "hinton_kd", "eigen_by_hand", 1.8),
          one("its object, KB", kind::kilobytes, 60.0, {"hinton_kd", unit("hinton_kd"), {}, {}}),
          over("value and gradient over gradient", "hinton_kd_and_value", "hinton_kd", 1.1),
          over("float, double and bfloat16 over float", "hinton_kd_in_three_types", "hinton_kd", 1.8),
          over("serial and parallel over serial", "hinton_kd_and_parallel", "hinton_kd", 1.05),
          over("three losses over one", "three_losses", "hinton_kd", 1.7),
          one("seconds the compiler takes for a file that includes response.hpp", kind::seconds, 1.5,
              {"response.hpp", umbrella("response.hpp"), {}, {}}),
          one("seconds the compiler takes for a file that includes distil.hpp", kind::seconds, 3.0,
              {"distil.hpp", umbrella("distil.hpp"), {}, {}})};
}

}  // namespace

std::optional<double> target::measured(comparison const& one, results const& in) const {
  switch (measure) {
    case kind::ratio:
      return in.ratio(one.of, one.over);
    case kind::kilobytes: {
      auto const bytes = in.value(one.of.front());
      return bytes ? std::optional(*bytes / 1024.0) : std::nullopt;
    }
    case kind::seconds:
      break;
  }
  auto const nanoseconds = in.best(one.of);
  return nanoseconds ? std::optional(*nanoseconds * 1e-9) : std::nullopt;
}

bool target::is_met_by(double figure_found) const {
  return direction == sense::at_least ? figure_found >= bound : figure_found <= bound;
}

std::vector<target> targets() {
  std::vector<target> all;
  for (auto const& group : {against_the_limits(), against_itself(), of_the_family(), of_features(),
                            against_peers(), of_compiling()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

std::vector<subject> subjects_of(target const& one) {
  std::vector<subject> all;
  for (comparison const& each : one.cases) {
    all.insert(all.end(), each.of.begin(), each.of.end());
    all.insert(all.end(), each.over.begin(), each.over.end());
    all.insert(all.end(), each.bare.begin(), each.bare.end());
  }
  return all;
}

}  // namespace bench
