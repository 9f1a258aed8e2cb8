#include "trainer/progress.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#if __has_include(<unistd.h>)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace {

using namespace std::chrono_literals;
using trainer::progress_bar;
using trainer::progress_options;

constexpr char const* clear_line = "\r\x1b[2K";

// A bar on a stream, at a time of our own.
struct bench {
  std::ostringstream out;
  std::chrono::nanoseconds time = 5s;

  progress_options options(bool live, int columns = 100) {
    progress_options chosen;
    chosen.unit = "images";
    chosen.out = &out;
    chosen.live = live;
    chosen.columns = columns;
    chosen.clock = [this] { return time; };
    return chosen;
  }

  // What the terminal shows: the text after the last erasure.
  [[nodiscard]] std::string shown() const {
    std::string const all = out.str();
    auto const at = all.rfind(clear_line);
    return at == std::string::npos ? all : all.substr(at + std::string(clear_line).size());
  }

  [[nodiscard]] std::size_t draws() const {
    std::string const all = out.str();
    std::size_t found = 0;
    for (auto at = all.find(clear_line); at != std::string::npos; at = all.find(clear_line, at + 1)) ++found;
    return found;
  }
};

TEST(progress_bar, shows_share_speed_time_left_and_metric) {
  bench on;
  progress_bar bar("teacher", 100000, on.options(true));
  bar.metric("loss 0.31");
  on.time += 10s;
  bar.advance(25000);
  EXPECT_EQ(on.shown(), "teacher [======                  ]  25%  2,500/s  0:30 left  loss 0.31");
}

TEST(progress_bar, leaves_one_plain_line) {
  bench on;
  {
    progress_bar bar("teacher", 1200, on.options(true));
    bar.metric("accuracy 89.9 %");
    on.time += 12340ms;
    bar.advance(1200);
    bar.finish();
    bar.advance(7);
  }
  EXPECT_EQ(on.shown(), "teacher: 1,200 images in 12.3 s (97/s), accuracy 89.9 %\n");
}

TEST(progress_bar, writes_nothing_but_that_line_where_nobody_watches) {
  bench on;
  {
    progress_bar bar("student", 90, on.options(false));
    for (int i = 0; i < 90; ++i) {
      on.time += 1s;
      bar.advance();
    }
    EXPECT_EQ(on.out.str(), "");
  }
  EXPECT_EQ(on.out.str(), "student: 90 images in 90.0 s (1.0/s)\n");
}

TEST(progress_bar, tells_when_a_step_was_left_early) {
  bench on;
  {
    progress_bar bar("student", 5000, on.options(false));
    on.time += 1s;
    bar.advance(2000);
  }
  EXPECT_EQ(on.out.str(), "student: 2,000 of 5,000 images in 1.0 s (2,000/s)\n");
}

TEST(progress_bar, draws_at_most_ten_times_a_second) {
  bench on;
  progress_bar bar("student", 1000, on.options(true));
  for (int i = 0; i < 1000; ++i) {
    on.time += 2ms;
    bar.advance();
  }
  EXPECT_EQ(on.draws(), 20U);
}

TEST(progress_bar, stays_on_one_line_of_a_narrow_terminal) {
  bench on;
  progress_bar bar("caf\u00E9", 10, on.options(true, 5));
  on.time += 1s;
  bar.advance(5);
  EXPECT_EQ(on.shown(), "caf\u00E9") << "four of five columns, the accent in one piece";
}

TEST(progress_bar, counts_alone_when_the_total_is_unknown) {
  bench on;
  {
    progress_bar bar("reading", 0, on.options(true));
    on.time += 2s;
    bar.advance(3000);
    EXPECT_EQ(on.shown(), "reading  3,000 images  1,500/s");
  }
  EXPECT_EQ(on.shown(), "reading: 3,000 images in 2.0 s (1,500/s)\n");
}

TEST(progress_bar, writes_long_times_in_hours) {
  bench on;
  progress_bar bar("teacher", 100, on.options(true));
  on.time += 3725s;
  bar.advance(50);
  EXPECT_NE(on.shown().find("1:02:05 left"), std::string::npos) << on.shown();
}

TEST(progress_bar, survives_no_time_and_more_than_the_total) {
  bench on;
  {
    progress_bar bar("teacher", 10, on.options(true));
    on.time += 1s;
    bar.advance(30);
    EXPECT_EQ(on.shown(), "teacher [========================] 100%  30/s");
  }
  bench still;
  { progress_bar const bar("teacher", 10, still.options(false)); }
  EXPECT_EQ(still.out.str(), "teacher: 0 of 10 images in 0.0 s\n");
}

TEST(progress_bar, counts_from_several_threads) {
  bench on;
  progress_options options = on.options(true);
  options.clock = {};
  progress_bar bar("student", 40000, options);
  {
    std::vector<std::thread> threads;
    for (int index = 0; index < 4; ++index) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10000; ++i) {
          bar.advance();
          if (i % 1000 == 0) bar.metric("step " + std::to_string(i));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  bar.finish();
  EXPECT_EQ(on.shown().rfind("student: 40,000 images in ", 0), 0U) << on.shown();
}

#if __has_include(<unistd.h>)
// Standard error on a terminal of our own, and everything as it was afterwards.
class terminal {
 public:
  terminal() {
    if (grantpt(master_) == 0 && unlockpt(master_) == 0) slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY);
    dup2(slave_, STDERR_FILENO);
  }
  ~terminal() {
    dup2(before_, STDERR_FILENO);
    for (int const file : {slave_, master_, before_}) close(file);
  }
  terminal(terminal const&) = delete;
  terminal& operator=(terminal const&) = delete;

 private:
  int before_ = dup(STDERR_FILENO);
  int master_ = posix_openpt(O_RDWR | O_NOCTTY);
  int slave_ = -1;
};

TEST(terminal_is_live, asks_terminal_and_environment) {
  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  {
    terminal const here;
    EXPECT_TRUE(trainer::terminal_is_live());
    setenv("NO_COLOR", "", 1);
    EXPECT_TRUE(trainer::terminal_is_live()) << "an empty NO_COLOR counts as unset";
    setenv("NO_COLOR", "1", 1);
    EXPECT_FALSE(trainer::terminal_is_live());
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    EXPECT_FALSE(trainer::terminal_is_live());
    setenv("TERM", "xterm", 1);
  }
  int const before = dup(STDERR_FILENO);
  int const nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDERR_FILENO);
  EXPECT_FALSE(trainer::terminal_is_live());
  dup2(before, STDERR_FILENO);
  close(nowhere);
  close(before);
}
#endif

}  // namespace
