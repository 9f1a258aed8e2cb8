#pragma once

#include "distil/contrastive/contrastive_representation.hpp"

#include "naive_embeddings.hpp"

namespace distil::testing {

/// Not a loss of the shared suites, since it has a memory: its own test holds it to this.
struct contrastive_representation_case {
  static constexpr char const* name = "contrastive_representation";
  static constexpr error_bound bound = contrastive_representation_loss::bound;

  template <class T>
  static naive::table table_of(matrix_view<T const> rows) {
    naive::table result;
    for (index r = 0; r < rows.rows; ++r) {
      result.emplace_back();
      for (index c = 0; c < rows.columns; ++c) result.back().push_back(rows(r, c));
    }
    return result;
  }

  /// log(mean exp(s.m / T) * N)
  static long double log_normalizer(naive::table const& rows, naive::table const& memory,
                                    std::vector<std::int64_t> const& numbers,
                                    std::vector<std::int64_t> const& negatives, long double temperature) {
    long double sum = 0;
    std::size_t const each = negatives.size() / numbers.size();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (std::size_t k = 0; k <= each; ++k)
        sum += std::exp(product(rows[r], memory[looked_at(r, k, numbers, negatives)]) / temperature);
    }
    return std::log(sum / static_cast<long double>(rows.size() * (each + 1)) *
                    static_cast<long double>(memory.size()));
  }

  static long double of(naive::table const& rows, naive::table const& memory,
                        std::vector<std::int64_t> const& numbers, std::vector<std::int64_t> const& negatives,
                        long double log_normalizer, contrastive_representation_options const& options) {
    long double sum = 0;
    std::size_t const each = negatives.size() / numbers.size();
    long double const noise = static_cast<long double>(each) / static_cast<long double>(memory.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (std::size_t k = 0; k <= each; ++k) {
        long double const h = std::exp(product(rows[r], memory[looked_at(r, k, numbers, negatives)]) /
                                           static_cast<long double>(options.temperature) -
                                       log_normalizer);
        sum -= std::log((k == 0 ? h : noise) / (h + noise + options.epsilon));
      }
    }
    return sum / static_cast<long double>(rows.size());
  }

 private:
  static std::size_t looked_at(std::size_t row, std::size_t k, std::vector<std::int64_t> const& numbers,
                               std::vector<std::int64_t> const& negatives) {
    return static_cast<std::size_t>(k == 0 ? numbers[row]
                                           : negatives[row * (negatives.size() / numbers.size()) + k - 1]);
  }
  static long double product(std::vector<long double> const& a, std::vector<long double> const& b) {
    return naive::similarities({a}, {b})[0][0];
  }
};

}  // namespace distil::testing
