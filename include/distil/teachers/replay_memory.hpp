#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "distil/core/number_rows.hpp"
#include "distil/core/random_stream.hpp"
#include "distil/core/text.hpp"

namespace distil {

/// A memory of samples with the logits that the network gave them when they came: what continual learning rehearses (DER). It
/// decides which samples stay, each of all seen so far with the same probability, and keeps their logits and labels; the user
/// keeps their inputs, at the slots that it names.
///
///     replay_memory memory(500, classes, seed);
///     for (each sample of the stream) {
///       if (auto const slot = memory.add(logits_of_sample, label); slot >= 0) inputs[slot] = input;
///     }
///     memory.draw(64, batch);                                    // slots, logits and labels of 64 kept samples
///     mean_squared_logits.with_grad(student, batch.logits(), gradient, {...});             // DER
///     cross_entropy.with_grad(other_student, batch.labels, other_gradient, {...});         // DER++, on a second batch
///
/// Source: Buzzega et al. 2020, arXiv:2004.07211, algorithms 1 and 2; Vitter 1985, algorithm R.
class replay_memory {
 public:
  /// Samples that were drawn.
  struct batch {
    std::vector<index> slots;
    std::vector<float> values;  ///< logits, a row a sample
    std::vector<std::int64_t> labels;
    index classes = 0;

    [[nodiscard]] matrix_view<float const> logits() const {
      return {values.data(), static_cast<index>(slots.size()), classes};
    }
  };

  /// Throws std::invalid_argument unless capacity and classes are at least 1.
  replay_memory(index capacity, index classes, std::uint64_t seed = 0)
      : capacity_(capacity), classes_(classes), random_(seed) {
    detail::require(capacity >= 1, where, "capacity", capacity, "at least 1");
    detail::require(classes >= 1, where, "classes", classes, "at least 1");
  }

  [[nodiscard]] index capacity() const { return capacity_; }
  [[nodiscard]] index size() const { return static_cast<index>(labels_.size()); }
  [[nodiscard]] std::int64_t seen() const { return seen_; }
  [[nodiscard]] std::span<float const> logits(index slot) const {
    return std::span(values_).subspan(static_cast<std::size_t>(slot * classes_),
                                      static_cast<std::size_t>(classes_));
  }
  [[nodiscard]] std::int64_t label(index slot) const { return labels_[static_cast<std::size_t>(slot)]; }

  /// The next sample of the stream: the slot that it gets, in the place of what was there, or -1 where it is not kept. Its
  /// logits are a vector, span or array of `classes` numbers of any type. Throws std::invalid_argument on another number.
  index add(number_matrix const& logits, std::int64_t label) {
    number_matrix const row = logits.extent().columns == 1 && logits.extent().rows == classes_
                                  ? logits.column_in_rows_of(classes_)
                                  : logits;
    detail::require(
        row.given() && row.extent().rows == 1 && row.extent().columns == classes_, where, "logits",
        [&] { return detail::said(logits.extent().rows, " x ", logits.extent().columns, " numbers"); },
        [&] { return detail::said("those of one sample, ", classes_); });
    index slot = size();
    if (slot == capacity_) {
      std::int64_t const drawn = random_.below(seen_ + 1);
      slot = drawn < capacity_ ? static_cast<index>(drawn) : -1;
    } else {
      values_.resize(values_.size() + static_cast<std::size_t>(classes_));
      labels_.push_back(label);
    }
    ++seen_;
    if (slot < 0) return slot;
    std::vector<double> numbers(static_cast<std::size_t>(classes_));
    detail::read_row(row, 0, numbers.data());
    std::transform(numbers.begin(), numbers.end(),
                   values_.begin() + static_cast<std::ptrdiff_t>(slot * classes_),
                   [](double number) { return static_cast<float>(number); });
    labels_[static_cast<std::size_t>(slot)] = label;
    return slot;
  }

  /// Draws so many different samples, or all there are when these are fewer, in the order of a shuffle.
  void draw(index count, batch& into) {
    detail::require(count >= 0, where, "count", count, ">= 0");
    std::vector<index> slots(static_cast<std::size_t>(size()));
    for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = static_cast<index>(i);
    auto const wanted = static_cast<std::size_t>(std::min(count, size()));
    for (std::size_t i = 0; i < wanted; ++i) {
      auto const rest = static_cast<std::int64_t>(slots.size() - i);
      std::swap(slots[i], slots[i + static_cast<std::size_t>(random_.below(rest))]);
    }
    slots.resize(wanted);
    into.classes = classes_;
    into.values.clear();
    into.labels.clear();
    for (index const slot : slots) {
      into.values.insert(into.values.end(), logits(slot).begin(), logits(slot).end());
      into.labels.push_back(label(slot));
    }
    into.slots = std::move(slots);
  }

  /// One line for a checkpoint, from which `restore` continues exactly: the same samples are kept and drawn.
  [[nodiscard]] std::string to_text() const {
    return detail::said("capacity=", capacity_, " classes=", classes_, " seen=", seen_,
                        " random=", random_.state(), " labels=", detail::list_text(labels_),
                        " logits=", detail::list_text(values_));
  }

  /// Throws std::invalid_argument, and keeps what it has, on any other text, and on that of a memory of another capacity or
  /// number of classes.
  void restore(std::string_view text) {
    constexpr char const* here = "replay_memory::restore";
    detail::field_reader fields(here, text,
                                "capacity=... classes=... seen=... random=... labels=... logits=...");
    replay_memory read(capacity_, classes_);
    auto const same = [&](char const* name, std::int64_t own) {
      std::int64_t const found = fields.integer(name);
      detail::require(found == own, here, name, found,
                      [&] { return detail::said(own, ", as of this memory"); });
    };
    same("capacity", capacity_);
    same("classes", classes_);
    read.seen_ = fields.integer("seen");
    auto const state = detail::number_of<std::uint64_t>(fields.word("random"));
    detail::require(state.has_value(), here, "random", "no number", "the state of a random_stream");
    read.random_ = random_stream(*state);
    fields.numbers<std::int64_t>("labels", [&](std::int64_t label) { read.labels_.push_back(label); });
    fields.numbers("logits", [&](double logit) { read.values_.push_back(static_cast<float>(logit)); });
    fields.end();
    auto const held = static_cast<std::int64_t>(read.labels_.size());
    detail::require(held == std::min<std::int64_t>(capacity_, read.seen_) && read.seen_ >= 0, here, "labels",
                    held, "as many as were seen, up to the capacity");
    detail::require(static_cast<std::int64_t>(read.values_.size()) == held * classes_, here, "logits",
                    read.values_.size(), [&] { return detail::said(classes_, " for each label"); });
    *this = std::move(read);
  }

 private:
  static constexpr char const* where = "replay_memory";

  index capacity_, classes_;
  random_stream random_;
  std::int64_t seen_ = 0;
  std::vector<float> values_;
  std::vector<std::int64_t> labels_;
};

}  // namespace distil
