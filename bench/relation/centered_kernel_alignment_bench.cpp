#include <distil/relation/centered_kernel_alignment.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered =
    bench::add_relation_loss("centered_kernel_alignment", distil::centered_kernel_alignment);

}  // namespace
