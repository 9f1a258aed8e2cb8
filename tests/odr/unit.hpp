#pragma once

/// What a unit compiled for one instruction set finds when it calls the library.
struct observation {
  long expected_lanes;  // by its own flags
  long seen_lanes;      // in the code that ran
  double loss;
  double gradient;  // sum of squares
};

namespace unit_v2 {
observation observe();
}
namespace unit_v3 {
observation observe();
}
