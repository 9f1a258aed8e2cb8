#pragma once

/// Every family of losses. Adapters to other libraries are included by name.

#include "distil/response.hpp"
#include "distil/schedule.hpp"
