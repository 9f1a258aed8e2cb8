#include "distil/feature/patch_relations.hpp"

#include "../support/cases/patch_relations.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<patch_relations_case> const suites("patch_relations");

pair_shape const batch = {{3, 4, 3, 2}, {3, 6, 3, 2}};

TEST(patch_relations, relates_sampled_patches) {
  std::vector<index> const drawn = {3, 17, 0, 3, 9, 11};  // one of them twice
  for (map_layout const order : every_layout) {
    pair_batch<double> b(batch, 2.0, order, order, order);
    for (patch_relations_case::setting const& s :
         {patch_relations_case::setting{"sampled", {.intra_weight = 0, .inter_weight = 0, .sampled = drawn}},
          patch_relations_case::setting{
              "all", {.intra_weight = 1, .inter_weight = 0.5, .random_weight = 2, .sampled = drawn}}}) {
      expect_pair<patch_relations_case>(b, s, name_of(order));
    }
  }
}

TEST(patch_relations, gives_its_terms) {
  std::vector<index> const drawn = {3, 17, 0};
  pair_batch<double> b(batch);
  auto const with = [&](patch_relations_options const& options) {
    return patch_relations(b.student.map(), b.teacher.map(), options);
  };
  patch_relations_value const all = with({.sampled = drawn});
  EXPECT_DOUBLE_EQ(all.value, 4 * all.intra + 0.1 * all.inter + 0.2 * all.random);
  EXPECT_EQ(with({.intra_weight = 1, .inter_weight = 0}).value, all.intra);
  EXPECT_EQ(with({.intra_weight = 0, .inter_weight = 1}).value, all.inter);
  EXPECT_EQ(with({.intra_weight = 0, .inter_weight = 0, .random_weight = 1, .sampled = drawn}).value,
            all.random);
}

TEST(patch_relations, of_all_patches_relates_every_pair) {
  std::vector<index> drawn(6);
  for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = static_cast<index>(i);
  pair_batch<double> b({{1, 4, 3, 2}, {1, 6, 3, 2}});
  auto const found = patch_relations(b.student.map(), b.teacher.map(), {.sampled = drawn});
  EXPECT_NEAR(found.random, found.intra, 1e-15);
}

TEST(patch_relations, does_not_see_rotation_and_scale) {
  pair_batch<double> b({{3, 4, 3, 2}, {3, 4, 3, 2}});
  b.teacher.fill([&](index n, index c, index y, index x) {
    return -static_cast<double>(1 + y) * b.student.at(n, (c + 1) % 4, y, x);
  });
  EXPECT_NEAR(patch_relations(b.student.map(), b.teacher.map()), 0.0, 1e-15);
}

TEST(patch_relations, refuses) {
  pair_batch<float> b(batch);
  auto const with = [&](patch_relations_options const& options) {
    return refusal_of([&] { (void)patch_relations(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.intra_weight = -1}),
            "distil::patch_relations: intra_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.inter_weight = -1}),
            "distil::patch_relations: inter_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(with({.random_weight = -1}),
            "distil::patch_relations: random_weight is -1; it must be finite and >= 0");
  std::vector<index> const drawn = {0, 18};
  EXPECT_EQ(
      with({.sampled = drawn}),
      "distil::patch_relations: sampled is 18; it must be a patch of the batch, at least 0 and below 18");
}

}  // namespace
}  // namespace distil::testing
