#pragma once

#include <cstdint>
#include <span>

#include <distil/response/hinton_kd.hpp>

// What the units of this folder are called with: each is compiled alone, as a user's file would be.
template <class Element>
using logits = distil::matrix_view<Element const>;
template <class Element>
using output = distil::matrix_view<Element>;
using labels = std::span<std::int32_t const>;
