#include "summary/svg.hpp"

namespace bench {

namespace {

constexpr char const* style = R"(<style>
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.heading { font-size: 16px; font-weight: 600; }
.title { font-size: 13px; font-weight: 600; }
.tick, .general_name { fill: #59636e; font-size: 11px; }
.number { font-weight: 600; font-size: 11px; }
.paper { fill: #ffffff; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.roof { stroke: #1f2328; stroke-width: 2.5; stroke-linecap: round; }
.general { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 5 4; }
.leader { stroke: #818b98; stroke-width: 0.75; }
.other { fill: #0969da; }
.hinton { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .tick, .general_name { fill: #9198a1; }
  .paper { fill: #0d1117; }
  .grid { stroke: #2a313c; }
  .roof { stroke: #f0f6fc; }
  .general { stroke: #9198a1; }
  .other { fill: #4493f8; }
  .hinton { fill: #f0883e; }
}
</style>
)";

}  // namespace

svg::svg(double width, double height) {
  out_.precision(1);
  out_ << std::fixed;
  out_ << R"(<svg xmlns="http://www.w3.org/2000/svg" width=")" << width << R"(" height=")" << height
       << R"(" viewBox="0 0 )" << width << ' ' << height << "\">\n"
       << style << R"(<rect class="paper" width="100%" height="100%"/>)" << '\n';
}

void svg::line(std::string const& kind, double x1, double y1, double x2, double y2) {
  out_ << R"(<line class=")" << kind << R"(" x1=")" << x1 << R"(" y1=")" << y1 << R"(" x2=")" << x2
       << R"(" y2=")" << y2 << "\"/>\n";
}

void svg::circle(std::string const& kind, double x, double y, double radius) {
  out_ << R"(<circle class=")" << kind << R"(" cx=")" << x << R"(" cy=")" << y << R"(" r=")" << radius
       << "\"/>\n";
}

void svg::text(double x, double y, std::string const& kind, char const* anchor, std::string const& content) {
  out_ << R"(<text class=")" << kind << R"(" x=")" << x << R"(" y=")" << y << R"(" text-anchor=")" << anchor
       << "\">" << content << "</text>\n";
}

void svg::text_along(double x, double y, double radians, std::string const& kind,
                     std::string const& content) {
  constexpr double degrees = 57.29577951308232;
  out_ << R"(<text class=")" << kind << R"(" text-anchor="middle" transform="translate()" << x << ' ' << y
       << ") rotate(" << radians * degrees << ")\">" << content << "</text>\n";
}

}  // namespace bench
