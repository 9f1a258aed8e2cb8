// expect: this is not C..20. Compile with -std=c..20
// flags: -std=c++14
// errors: 2
#include <distil/schedule.hpp>

#include <distil/dispatch.hpp>

int main() {}
