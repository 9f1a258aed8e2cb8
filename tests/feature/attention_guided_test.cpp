#include "distil/feature/attention_guided.hpp"

#include "../support/cases/attention_guided.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<attention_guided_case> const suites("attention_guided");

TEST(attention_guided, takes_its_masks_as_constants) {
  using enum attention_mask;
  for (auto const& [spatial, channel] : {std::pair(joint, joint), std::pair(averaged, none),
                                         std::pair(none, averaged), std::pair(joint, averaged)}) {
    attention_guided_options const options = {.temperature = 0.7,
                                              .masked_weight = 1,
                                              .channel_weight = 0.5,
                                              .spatial_weight = 0.25,
                                              .spatial_mask = spatial,
                                              .channel_mask = channel};
    pair_batch<double> b({{2, 3, 2, 3}, {2, 3, 2, 3}}, 2.0, map_layout::channels_last);
    exact_map moved = b.student.exact(), teacher = b.teacher.exact();
    attention_masks const masks = {moved, teacher};
    double const value =
        attention_guided.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(), options);
    EXPECT_NEAR(value, static_cast<double>(attention_guided_of(moved, teacher, masks, options)), 1e-14);
    for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
      long double const step = 1e-4L, before = moved(n, c, y, x);
      auto const at = [&](long double element) {
        moved(n, c, y, x) = element;
        return attention_guided_of(moved, teacher, masks, options);
      };
      auto const slope = static_cast<double>((at(before + step) - at(before - step)) / (2 * step));
      moved(n, c, y, x) = before;
      EXPECT_NEAR(b.gradient.at(n, c, y, x), slope, 1e-8);
    });
  }
}

TEST(attention_guided, gives_its_terms) {
  pair_batch<double> b({{2, 3, 2, 3}, {2, 3, 2, 3}});
  attention_guided_value const all = attention_guided(b.student.map(), b.teacher.map());
  EXPECT_DOUBLE_EQ(all.value, 7e-5 * all.masked + 4e-3 * (all.channel + all.spatial));
  attention_guided_value const half = attention_guided(b.student.map(), b.teacher.map(), {.weight = 0.5});
  EXPECT_EQ(half.value, all.value / 2);
  EXPECT_EQ(half.masked, all.masked);
  attention_guided_options alone = {.masked_weight = 1, .channel_weight = 0, .spatial_weight = 0};
  EXPECT_EQ(attention_guided(b.student.map(), b.teacher.map(), alone).value, all.masked);
  alone = {.masked_weight = 0, .channel_weight = 1, .spatial_weight = 0};
  EXPECT_EQ(attention_guided(b.student.map(), b.teacher.map(), alone).value, all.channel);
  alone = {.masked_weight = 0, .channel_weight = 0, .spatial_weight = 1};
  EXPECT_EQ(attention_guided(b.student.map(), b.teacher.map(), alone).value, all.spatial);
}

TEST(attention_guided, is_nothing_between_equals) {
  pair_batch<float> b({{2, 3, 2, 3}, {2, 3, 2, 3}});
  EXPECT_EQ(attention_guided.with_grad(b.student.map(), b.student.map(), b.gradient.map()).value, 0.0);
  for_each_element(b.gradient.shape(),
                   [&](index n, index c, index y, index x) { EXPECT_EQ(b.gradient.at(n, c, y, x), 0.0); });
}

TEST(attention_guided, refuses) {
  pair_batch<float> b({{2, 3, 2, 3}, {2, 3, 2, 3}});
  auto const with = [&](attention_guided_options const& options) {
    return refusal_of([&] { (void)attention_guided(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.masked_weight = -1}),
            "distil::attention_guided: masked_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.channel_weight = -1}),
            "distil::attention_guided: channel_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.spatial_weight = -1}),
            "distil::attention_guided: spatial_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.temperature = 0}).rfind("distil::attention_guided: temperature is 0; it must be ", 0), 0U);
}

}  // namespace
}  // namespace distil::testing
