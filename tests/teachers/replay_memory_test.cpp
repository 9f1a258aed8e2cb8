#include "distil/teachers/replay_memory.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;

std::vector<float> logits_of(int sample) {
  return {static_cast<float>(sample), -0.5F * static_cast<float>(sample)};
}

TEST(replay_memory, keeps_each_sample_with_the_same_probability) {
  constexpr int capacity = 10, stream = 100, runs = 2000;
  std::vector<int> kept(stream);
  for (int run = 0; run < runs; ++run) {
    replay_memory memory(capacity, 2, static_cast<std::uint64_t>(run));
    for (int sample = 0; sample < stream; ++sample) memory.add(logits_of(sample), sample);
    EXPECT_EQ(memory.size(), capacity);
    for (index slot = 0; slot < capacity; ++slot) {
      auto const label = static_cast<int>(memory.label(slot));
      EXPECT_EQ(memory.logits(slot)[0], static_cast<float>(label));
      ++kept[static_cast<std::size_t>(label)];
    }
  }
  double const expected = runs * capacity / static_cast<double>(stream);
  double squares = 0;
  for (int const count : kept) squares += (count - expected) * (count - expected) / expected;
  EXPECT_LT(squares, 160.0);  // chi square of 99 degrees, five deviations
  EXPECT_GT(squares, 40.0);
}

TEST(replay_memory, names_the_slot_of_what_it_keeps) {
  replay_memory memory(3, 2, 1);
  std::vector<int> inputs(3, -1);
  for (int sample = 0; sample < 50; ++sample) {
    if (index const slot = memory.add(logits_of(sample), sample); slot >= 0) {
      inputs[static_cast<std::size_t>(slot)] = sample;
    }
    for (index slot = 0; slot < memory.size(); ++slot) {
      EXPECT_EQ(inputs[static_cast<std::size_t>(slot)], memory.label(slot));
    }
  }
  EXPECT_EQ(memory.seen(), 50);
}

TEST(replay_memory, draws_different_samples) {
  replay_memory memory(8, 2, 3);
  for (int sample = 0; sample < 8; ++sample) memory.add(logits_of(sample), sample);
  replay_memory::batch batch;
  std::vector<int> first(8);
  for (int run = 0; run < 4000; ++run) {
    memory.draw(3, batch);
    EXPECT_EQ(std::set<index>(batch.slots.begin(), batch.slots.end()).size(), 3U);
    EXPECT_EQ(batch.logits()(2, 1), -0.5F * static_cast<float>(batch.labels[2]));
    ++first[static_cast<std::size_t>(batch.slots[0])];
  }
  for (int const count : first) EXPECT_NEAR(count, 500, 110);
  memory.draw(100, batch);
  EXPECT_EQ(batch.slots.size(), 8U);
  memory.draw(0, batch);
  EXPECT_EQ(batch.logits().rows, 0);
}

TEST(replay_memory, continues_from_its_text) {
  replay_memory memory(4, 2, 9), resumed(4, 2, 0);
  for (int sample = 0; sample < 11; ++sample) memory.add(logits_of(sample), sample);
  resumed.restore(memory.to_text());
  EXPECT_EQ(resumed.to_text(), memory.to_text());
  for (int sample = 11; sample < 60; ++sample) {
    EXPECT_EQ(resumed.add(logits_of(sample), sample), memory.add(logits_of(sample), sample));
  }
  replay_memory::batch one, other;
  memory.draw(2, one);
  resumed.draw(2, other);
  EXPECT_EQ(one.slots, other.slots);
  EXPECT_EQ(one.values, other.values);
}

TEST(replay_memory, refuses) {
  EXPECT_EQ(refusal_of([] { replay_memory(0, 2); }),
            "distil::replay_memory: capacity is 0; it must be at least 1");
  replay_memory memory(4, 2);
  EXPECT_EQ(refusal_of([&] {
              memory.add(std::vector<float>{1, 2, 3}, 0);
            }),
            "distil::replay_memory: logits is 3 x 1 numbers; it must be those of one sample, 2");
  memory.add(std::vector<double>{1, 2}, 5);
  std::string const text = memory.to_text();
  for (auto const& bad : {std::string(), text + " ", text.substr(0, text.size() - 2),
                          std::string("capacity=5 classes=2 seen=0 random=1 labels= logits="),
                          std::string("capacity=4 classes=2 seen=2 random=1 labels=1 logits=1,2"),
                          std::string("capacity=4 classes=2 seen=1 random=x labels=1 logits=1,2")}) {
    EXPECT_NE(refusal_of([&] { memory.restore(bad); }), "") << bad;
    EXPECT_EQ(memory.to_text(), text);
  }
  EXPECT_EQ(refusal_of([&] { memory.restore("capacity=5 classes=2 seen=0 random=1 labels= logits="); }),
            "distil::replay_memory::restore: capacity is 5; it must be 4, as of this memory");
}

}  // namespace
}  // namespace distil
