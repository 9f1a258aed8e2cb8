#pragma once

#include <string>

namespace bench {

/// On a terminal: a line that says which bench runs, and since when. Elsewhere: nothing.
void show_progress(std::string const& name);
void end_progress();

}  // namespace bench
