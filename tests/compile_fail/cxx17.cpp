// expect: this is not C..20. Compile with -std=c..20
// flags: -std=c++17
// errors: 2
#if DISTIL_EXPECT_FAILURE
#include <distil/distil.hpp>
#else
#include <distil/schedule.hpp>
#endif

int main() {}
