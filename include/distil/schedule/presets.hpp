#pragma once

#include "distil/schedule/shapes.hpp"
#include "distil/schedule/steps.hpp"
#include "distil/schedule/timing.hpp"

/// Schedules that published recipes use, under the name of what they are for. Every one is an ordinary
/// schedule: bind, clamp and multiply it like any other.
namespace distil::schedule::presets {

/// Soft weight of `hinton_kd` from 0.8 down to 0.4 by half a cosine: the teacher leads first, the labels
/// decide last. The middle of the usual ranges, 0.7-0.9 down to 0.3-0.5.
constexpr cosine soft_weight_decay() { return {0.8, 0.4}; }

/// The narrow end of those ranges, 0.7 down to 0.5: for a student close to its teacher.
constexpr cosine soft_weight_decay_gentle() { return {0.7, 0.5}; }

/// The wide end, 0.9 down to 0.3: for a teacher that is often wrong where the labels are right.
constexpr cosine soft_weight_decay_steep() { return {0.9, 0.3}; }

/// min(epoch / 20, 1), the factor on the distillation loss of decoupled knowledge distillation.
/// Source: Zhao et al., DKD, 2022, settings for CIFAR-100; ReviewKD uses the same.
constexpr warm_up dkd_warm_up(double epochs = 20) { return warm_up(epochs); }

/// (1 - cos(pi epoch / 10)) / 2 up to epoch 10, then 1: how strongly the temperature works against the
/// student in CTKD. 10 epochs on CIFAR-100, 5 on ImageNet.
/// Source: Li et al., Curriculum Temperature for Knowledge Distillation, 2023.
constexpr bound<cosine> ctkd_curriculum(double epochs = 10) { return cosine(0, 1) | over(epochs); }

}  // namespace distil::schedule::presets
