#pragma once

#include "distil/dispatch/active_architecture.hpp"
