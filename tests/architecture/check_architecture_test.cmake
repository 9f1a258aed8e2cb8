# The check of the order must refuse every way to break it: cmake -Droot=<scratch> -P check_architecture_test.cmake
cmake_policy(VERSION 3.25)
set(script "${CMAKE_CURRENT_LIST_DIR}/check_architecture.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_script.cmake")

expect_refused("a tree without headers" "no header")

write_file(include/distil/core/view.hpp "#pragma once\n#include <vector>\n#define DISTIL_ONE 1\n")
write_file(include/distil/simd/lanes.hpp "#include <distil/core/view.hpp>\n#include <xsimd/xsimd.hpp>\n")
write_file(include/distil/sweep/rows.hpp "#include <distil/simd/lanes.hpp>\n")
write_file(include/distil/response/teacher/reader.hpp "#include <distil/sweep/rows.hpp>\n")
write_file(include/distil/response/divergence/function.hpp "#pragma once\n")
write_file(include/distil/response/divergence/kernel.hpp
           "#include <distil/response/teacher/reader.hpp>\n#include <distil/response/divergence/function.hpp>\n")
write_file(include/distil/response/distribution/term.hpp "#include <distil/response/softmax.hpp>\n")
write_file(include/distil/response/softmax.hpp "#include <distil/sweep/rows.hpp>\n")
write_file(include/distil/response/divergence.hpp "#include <distil/response/divergence/kernel.hpp>\n")
write_file(include/distil/response/forward_kl.hpp "#include <distil/response/divergence.hpp>\n")
write_file(include/distil/response/kl.hpp
           "#include <distil/response/forward_kl.hpp> // not xsimd\n#define HELP\n#undef HELP\n")
write_file(include/distil/matrix/products.hpp "#include <distil/simd/lanes.hpp>\n#include <Eigen/Core>\n")
write_file(include/distil/feature/hint.hpp "#include <distil/matrix/products.hpp>\n")
write_file(include/distil/adapters/eigen.hpp "#include <distil/response/kl.hpp>\n")
write_file(include/distil/response.hpp "#include <distil/response/kl.hpp>\n#include <distil/version.hpp>\n")
write_file(include/distil/distil.hpp "#include <distil/response.hpp>\n")
expect_passed("a tree in order")

# Puts one bad header into the good tree, expects the refusal, and takes the header out again.
function(refuse path content regex)
  write_file(include/distil/${path} "${content}")
  expect_refused("${path} with ${content}" "${regex}")
  file(REMOVE "${root}/include/distil/${path}")
endfunction()

refuse(core/bad.hpp "#include <distil/simd/lanes.hpp>\n" "core may not include simd")
refuse(simd/bad.hpp "#include \"distil/response/kl.hpp\"\n" "simd may not include response")
refuse(response/bad.hpp "#include <distil/feature/hint.hpp>\n" "response may not include feature")
refuse(response/bad.hpp "#pragma once\n#  include <distil/adapters/eigen.hpp>\n" "response may not include adapters")
refuse(response/bad.hpp "#include <distil/matrix/products.hpp>\n" "response may not include matrix")
refuse(schedule/bad.hpp "#include <distil/response/kl.hpp>\n" "schedule may not include response")
refuse(feature/bad.hpp "#include <distil/adapters/eigen.hpp>\n" "feature may not include adapters")
refuse(simd/bad.hpp "#include <distil/sweep/rows.hpp>\n" "simd may not include sweep")
refuse(sweep/bad.hpp "#include <distil/response/kl.hpp>\n" "sweep may not include response")
refuse(matrix/bad.hpp "#include <distil/sweep/rows.hpp>\n" "matrix may not include sweep")
refuse(feature/bad.hpp "#include <distil/sweep/rows.hpp>\n" "feature may not include sweep")
refuse(feature/maps/bad.hpp "#include <distil/sweep/rows.hpp>\n" "feature may not include sweep")
refuse(response/bad.hpp "#include <distil/distil.hpp>\n" "includes the umbrella")

refuse(response/divergence/bad.hpp "#include <distil/response/kl.hpp>\n" "a room may not include the door")
refuse(response/divergence/bad.hpp "#include <distil/response/forward_kl.hpp>\n" "a room may not include the door")
refuse(response/divergence/bad.hpp "#include <distil/response/divergence.hpp>\n" "a room may not include the door")
refuse(response/teacher/bad.hpp "#include <distil/response/divergence/kernel.hpp>\n"
       "the room response/teacher may not include response/divergence, which is no lower")
refuse(response/divergence/bad.hpp "#include \"distil/response/distribution/term.hpp\"\n"
       "the room response/divergence may not include response/distribution, which is no lower")
refuse(response/attic/bad.hpp "#pragma once\n" "the room response/attic has no floor")
refuse(response/divergence/attic/bad.hpp "#pragma once\n" "the room response/divergence/attic has no floor")
refuse(core/attic/bad.hpp "#pragma once\n" "only families of losses have rooms")
refuse(response/bad.hpp "#include <distil/response/kl.hpp>\n" "a door may not include the door")
refuse(response/divergence.hpp "#include <distil/response/forward_kl.hpp>\n"
       "a door that others are composed of may not include <distil/response/forward_kl.hpp>")
write_file(include/distil/response/divergence.hpp "#include <distil/response/divergence/kernel.hpp>\n")
refuse(response/cross_entropy.hpp "#include <distil/response/forward_kl.hpp>\n"
       "a door that rooms include may not include the door <distil/response/forward_kl.hpp>")
refuse(response/log_softmax.hpp "#include <distil/response/divergence/kernel.hpp>\n"
       "a door that rooms include may not include response/divergence, which is above the first floor")
refuse(response/softmax/bad.hpp "#include <distil/response/softmax.hpp>\n" "a room may not include the door")
refuse(relation.hpp "#include <distil/relation/samples/graph.hpp>\n" "which is in a room")

refuse(response/bad.hpp "#include \"kl.hpp\"\n" "includes by a relative path")
refuse(misc/bad.hpp "#pragma once\n" "has no place in the order")
refuse(relation.hpp "#include <distil/response/kl.hpp>\n" "an umbrella does not include")
refuse(response/bad.hpp "xsimd::batch<float> b[2];\n" "names xsimd")
refuse(schedule/bad.hpp "#include <Eigen/Core>\n" "includes Eigen")
refuse(sweep/bad.hpp "#include <Eigen/Core>\n" "includes Eigen")
refuse(response/top_k/bad.hpp "#include <Eigen/Core>\n" "includes Eigen")
refuse(response/top_k/bad.hpp "xsimd::batch<float> b[2];\n" "names xsimd")
refuse(feature/bad.hpp "#include <Eigen/Dense>\n" "includes <Eigen/Dense>")
refuse(core/bad.hpp "void f(Gradient&& gradient) { g(std::forward<Gradient>(gradient)), h(gradient); }\nvoid h(Gradient&& gradient) {}\n"
       "has 2 parameters Gradient&& or Output&&, but std::forward for 1")
refuse(core/bad.hpp "#define HELPER 1\n" "leaves the macro HELPER")
refuse(core/bad.hpp "#define DISTIL_2\n#define DISTIL_3\n#define DISTIL_4\n#define DISTIL_5\n#define DISTIL_6\n#define DISTIL_7\n"
       "7 macros")
expect_passed("the tree in order again")
