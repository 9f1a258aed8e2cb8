// expect: -ffast-math breaks masks
// flags: -ffast-math
#include <distil/response.hpp>

int main() {}
