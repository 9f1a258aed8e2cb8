#pragma once

#include <algorithm>
#include <utility>

#include "response_suite.hpp"
#include "reversing_executor.hpp"
