#include "summary/target_table.hpp"

#include "summary/targets.hpp"

namespace bench {

table target_table(results const& measured) {
  table result{"Targets", "", {"figure", "target", "measured", "bare loops", "worst at", "verdict"}, {}};
  for (target const& one : targets()) {
    bool const at_least = one.direction == target::sense::at_least;
    std::optional<double> best, worst, bare;
    std::string where;
    std::size_t found = 0, missed = 0;
    for (comparison const& each : one.cases) {
      auto const figure = one.measured(each, measured);
      if (!figure) continue;
      ++found;
      if (!one.is_met_by(*figure)) ++missed;
      auto const beats = [&](double other) { return at_least ? *figure > other : *figure < other; };
      if (!best || beats(*best)) best = figure;
      if (worst && (beats(*worst) || *figure == *worst)) continue;
      worst = figure;
      bare = each.bare.empty() ? std::nullopt : measured.ratio(each.bare, each.over);
      where = each.where;
    }
    if (found > 1 && *best == *worst) where = "all";
    std::string verdict = found == 0 ? "not measured" : missed == 0 ? "met" : "**missed**";
    if (missed > 0 && found > 1) verdict += ", " + std::to_string(missed) + " of " + std::to_string(found);
    result.rows.push_back(
        {one.figure, (at_least ? ">= " : "<= ") + text(one.bound), text(worst), text(bare), where, verdict});
  }
  return result;
}

}  // namespace bench
