#pragma once

namespace bench {

/// How often any thread of this program has asked `operator new` for memory.
long allocations();

}  // namespace bench
