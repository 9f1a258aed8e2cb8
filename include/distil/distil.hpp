#pragma once

/// Every family. Adapters to other libraries are included by name. The families of which some headers need Eigen are
/// left out where it is not found, and the compiler says so; who includes families or losses by name is not told.

#include "distil/core/misuse.hpp"  // first, since compilers say how a message was reached

#include "distil/compression.hpp"
#include "distil/diagnostics.hpp"
#include "distil/response.hpp"
#include "distil/schedule.hpp"
#include "distil/teachers.hpp"
#include "distil/tuning.hpp"

#if __has_include(<Eigen/Core>)
#include "distil/attention.hpp"
#include "distil/contrastive.hpp"
#include "distil/feature.hpp"
#include "distil/relation.hpp"
#else
// Not a warning: it must not stop those who compile with -Werror.
#pragma message( \
    "distil: without Eigen <distil/distil.hpp> has no losses of features, relations, contrast and attention. Include the others by name if that is meant")
#endif
