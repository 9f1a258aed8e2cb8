// The main job on real data: train a teacher, then the same student by the labels alone and distilled, and
// say where distillation helped and where it did not.
#include <exception>
#include <filesystem>
#include <iostream>

#include "experiment.hpp"
#include "options.hpp"
#include "report.hpp"
#include "table.hpp"
#include "trainer/digits.hpp"
#include "trainer/fashion_mnist.hpp"

namespace {

trainer::dataset load_data(std::filesystem::path const& folder) {
  if (std::filesystem::exists(folder)) return trainer::load_fashion_mnist(folder);
  trainer::dataset digits = trainer::load_digits();
  digits.source = "There is no " + folder.string() + ", so these are the embedded digits.";
  return digits;
}

std::vector<quickstart::setting> settings_of(quickstart::options const& chosen,
                                             quickstart::report_data const& ran) {
  return {{"--schedule", chosen.temperature},
          {"--soft-weight", chosen.soft_weight},
          {"--epochs", std::to_string(ran.teacher.curve.size())},
          {"--seeds", std::to_string(ran.seeds)},
          {"--seed", std::to_string(chosen.seed)}};
}

void run(quickstart::options const& chosen) {
  auto const report_folder = std::filesystem::absolute(chosen.report).parent_path();
  if (!std::filesystem::is_directory(report_folder)) {
    throw quickstart::usage_error("--report: there is no folder " + report_folder.string());
  }
  trainer::dataset const data = load_data(chosen.data);
  std::cout << "Data: " << data.name << ", " << data.train.labels.size() << " images to learn from, "
            << data.test.labels.size() << " to be tested on. " << data.source << "\n"
            << std::flush;
  quickstart::report_data result = quickstart::run_experiments(chosen, data);
  result.settings = settings_of(chosen, result);
  quickstart::print_table(std::cout, result);
  quickstart::write_report(chosen.report, result);
  std::cout << "\nReport: " << std::filesystem::absolute(chosen.report).string() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int failed = 1;
  constexpr int bad_usage = 2;
  try {
    auto const chosen = quickstart::parse_options({argv + 1, static_cast<std::size_t>(argc - 1)});
    if (chosen.help) {
      std::cout << quickstart::help_text();
    } else {
      run(chosen);
    }
  } catch (quickstart::usage_error const& error) {
    std::cerr << "quickstart: " << error.what() << "\nquickstart --help lists the options.\n";
    return bad_usage;
  } catch (std::exception const& error) {
    std::cerr << "quickstart: " << error.what() << "\n";
    return failed;
  }
  return 0;
}
