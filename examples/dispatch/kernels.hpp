#pragma once

#include <distil/core/loss_value.hpp>
#include <span>

/// Value and gradient of Hinton's loss for a batch of `labels.size()` rows.
distil::loss_value distillation_loss(std::span<float const> student, std::span<float const> teacher,
                                     std::span<int const> labels, std::span<float> gradient);
