#pragma once

#include <cstdint>
#include <distil/schedule.hpp>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include "trainer/fashion_mnist.hpp"

namespace quickstart {

/// What the command line says; the defaults are what runs without one.
struct options {
  std::uint64_t seed = 1;
  std::optional<int> seeds;   ///< empty: 5, or 2 for a quick run
  std::optional<int> epochs;  ///< empty: what suits the data
  std::string temperature = "cosine:4:1";
  std::string soft_weight = "0.9";
  std::optional<int> threads;  ///< empty: one per processor
  std::filesystem::path data = trainer::fashion_mnist_folder;
  std::filesystem::path report = "distil-quickstart.html";
  bool quick = false;
  bool help = false;
};

/// A command line that cannot be carried out; the text says what is wrong and what would be right.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads "--name value" and "--name=value".
/// @param arguments without the program's name.
/// @throws usage_error
[[nodiscard]] options parse_options(std::span<char const* const> arguments);

[[nodiscard]] std::string help_text();

/// A number ("0.9") or whatever `distil::parse_schedule` reads, over a run of `epochs`.
[[nodiscard]] distil::any_schedule schedule_of(std::string const& text, int epochs);

}  // namespace quickstart
