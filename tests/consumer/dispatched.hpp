#pragma once

/// log 4, from kernels that are picked at run time.
double dispatched_log_sum_exp();
