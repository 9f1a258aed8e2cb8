#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <optional>
#include <string>

namespace trainer {

/// True when a line on standard error may be redrawn: it is a terminal, `TERM` is not `dumb`, `NO_COLOR` is
/// not set.
[[nodiscard]] bool terminal_is_live();

struct progress_options {
  std::string unit = "images";
  std::ostream* out = nullptr;              ///< null: standard error
  std::optional<bool> live = std::nullopt;  ///< empty: `terminal_is_live()`
  int columns = 0;                          ///< width of a line; 0: ask the terminal
  /// Source of time, monotonic; empty: the steady clock.
  std::function<std::chrono::nanoseconds()> clock = {};
};

/// Progress of one long step, on one line.
///
/// On a terminal the line is redrawn at most ten times a second with share, speed, time left and a metric.
/// At the end, there and everywhere else, one plain line stays: what was done and how long it took.
///
///     trainer::progress_bar bar("teacher", epochs * images);
///     for (...) { ...; bar.advance(batch); bar.metric("loss 0.31"); }
///
/// `advance` and `metric` may be called from several threads at once.
class progress_bar {
 public:
  /// @param total items expected; 0 or less: unknown, then no share and no time left are shown.
  progress_bar(std::string label, std::int64_t total, progress_options options = {});
  ~progress_bar();
  progress_bar(progress_bar const&) = delete;
  progress_bar& operator=(progress_bar const&) = delete;

  void advance(std::int64_t items = 1);
  /// Text at the end of the line, such as "loss 0.31"; it stays until the next call.
  void metric(std::string text);
  /// Writes the closing line; later calls of any member do nothing. The destructor calls it.
  void finish();

 private:
  [[nodiscard]] std::chrono::nanoseconds now() const;
  [[nodiscard]] std::string live_line(double seconds) const;
  [[nodiscard]] std::string closing_line(double seconds) const;
  void draw(std::chrono::nanoseconds at);

  std::string const label_;
  std::int64_t const total_;
  progress_options const options_;
  std::ostream& out_;
  bool const live_;
  std::chrono::nanoseconds const start_;
  std::atomic<std::int64_t> done_{0};
  std::atomic<std::chrono::nanoseconds> next_draw_;
  std::mutex writing_;  // guards everything below and the stream
  std::string metric_;
  bool finished_ = false;
};

}  // namespace trainer
