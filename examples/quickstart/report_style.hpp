#pragma once

#include <string_view>

namespace quickstart {

/// The style sheet of the report, light and dark.
///
/// Teacher gray, labels alone vermilion, distilled blue: told apart with every common kind of colour
/// blindness, and by lightness when printed in gray.
inline constexpr std::string_view report_style = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --soft: #57606a; --rule: #d8dee4; --grid: #e6eaee;
  --c0: #6b7280; --c1: #c2500a; --c2: #0068ad; --c3: #00795a; --c4: #a23b82; --c5: #7a6200; --band: #fff1c9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1419; --card: #181e25; --ink: #e6e9ed; --soft: #a3adb8; --rule: #323b45; --grid: #29313a;
    --c0: #a7b0ba; --c1: #ff9351; --c2: #58b4f5; --c3: #3fcf9f; --c4: #e78bca; --c5: #d8bd45; --band: #4a3f17;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .35rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.4rem 0 .35rem; }
p { margin: 0 0 .8rem; max-width: 46rem; }
.soft, .none { color: var(--soft); }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20.5rem), 1fr)); }
.headline { grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); }
@media (min-width: 48rem) { .pairs { grid-template-columns: repeat(2, 1fr); } }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .9rem 1rem; margin: 0;
  min-width: 0; }
figure.card { display: flex; flex-direction: column; }
figure.card > .chart:last-child { margin-top: auto; }
.card h3 { font-size: 1rem; line-height: 1.35; margin: 0 0 .25rem; }
.card p { font-size: .9rem; line-height: 1.45; margin: 0 0 .4rem; }
.headline .figure { font-size: 1.9rem; font-weight: 650; line-height: 1.2; margin: .1rem 0 .2rem; color: var(--ink); }
.headline .unclear { font-size: 1.35rem; line-height: 1.7; }
.headline .gain { color: var(--c2); }
.headline .loss { color: var(--c1); }
.findings { margin: .4rem 0 0; padding-left: 1.2rem; max-width: 46rem; }
.findings li { margin-bottom: .35rem; }
.wide { overflow-x: auto; padding: .3rem .5rem; max-width: 60rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 400; }
tbody th[scope=rowgroup] { font-weight: 650; padding-top: .9rem; }
tbody:last-child tr:last-child > * { border-bottom: 0; }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: .15rem; margin-right: .5rem;
  background: currentColor; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: .3rem 0 .5rem; padding: 0;
  font-size: .85rem; }
.legend li { display: flex; align-items: center; gap: .4rem; }
.sample { width: 26px; height: 12px; flex: none; }
.chart { display: block; width: 100%; height: auto; margin: 0 auto; }
.chart text { font-size: 14px; fill: var(--ink); }
.chart .mark { fill: var(--soft); font-size: 13px; }
.chart .name { fill: var(--soft); }
.chart .middle { text-anchor: middle; }
.chart .end { text-anchor: end; }
.chart .strong { font-weight: 700; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); }
.c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
.grid-line { stroke: var(--grid); }
.axis { stroke: var(--soft); }
.ideal { stroke: var(--soft); stroke-dasharray: 2 4; }
.line { fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linejoin: round; }
.dashed { stroke-width: 1.6; stroke-dasharray: 6 4; }
.area { fill: currentColor; opacity: .16; }
.bar { fill: currentColor; }
.band { fill: var(--band); }
.dot { fill: currentColor; }
.dot.clear { fill-opacity: .45; stroke: currentColor; }
.dot.hidden { opacity: 0; }
.dot.hidden:hover { opacity: 1; }
.bar:hover, .dot:hover { stroke: var(--ink); }
.sample-image { display: flex; gap: .9rem; align-items: center; margin-bottom: .5rem; }
.sample-image img { width: 84px; height: 84px; image-rendering: pixelated; border: 1px solid var(--rule); flex: none; }
.sample-image p { margin: 0; }
#settings .card { max-width: 60rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; font-size: .92rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: .5rem; font-size: .85rem; }
summary { cursor: pointer; color: var(--soft); }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 34rem) {
  h1 { font-size: 1.45rem; }
  table { font-size: .85rem; }
  th, td { padding: .3rem .25rem; }
  .results tr { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); align-items: end;
    border-bottom: 1px solid var(--rule); }
  .results th, .results td { border-bottom: 0; }
  .results tbody th { grid-column: 1 / -1; }
  .results thead th { font-size: .75rem; }
  .results thead th:first-child { display: none; }
  .results tbody:last-child tr:last-child { border-bottom: 0; }
}
@media print { body { background: none; } .card { break-inside: avoid; } }
)css";

}  // namespace quickstart
