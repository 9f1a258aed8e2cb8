#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <utility>

#if defined(_WIN32)
#include <io.h>
#else
#include <sys/ioctl.h>
#include <unistd.h>
#endif

namespace trainer {
namespace {

constexpr auto between_draws = std::chrono::milliseconds(100);
constexpr std::string_view clear_line = "\r\x1b[2K";

bool standard_error_is_terminal() {
#if defined(_WIN32)
  return _isatty(2) != 0;
#else
  return isatty(STDERR_FILENO) != 0;
#endif
}

int terminal_columns() {
  constexpr int usual = 80;
#if defined(_WIN32)
  return usual;
#else
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? int{size.ws_col} : usual;
#endif
}

// A UTF-8 sequence takes one column: its continuation bytes take none.
bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string cut_to(std::string text, int columns) {
  for (int excess = columns_of(text) - columns; excess > 0 && !text.empty(); --excess) {
    while (!starts_character(text.back())) text.pop_back();
    text.pop_back();
  }
  return text;
}

std::string with_commas(std::int64_t value) {
  std::string digits = std::to_string(value);
  std::size_t const first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string one_decimal(double value) {
  auto const tenths = std::llround(value * 10);
  return with_commas(tenths / 10) + '.' + std::to_string(tenths % 10);
}

// Precondition: from 0 to 99.
std::string two_digits(std::int64_t value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

std::string minutes_and_seconds(double seconds) {
  auto const whole = std::llround(seconds);
  std::string const tail = two_digits(whole % 60);
  if (whole < 3600) return std::to_string(whole / 60) + ':' + tail;
  return std::to_string(whole / 3600) + ':' + two_digits(whole / 60 % 60) + ':' + tail;
}

std::string speed(std::int64_t done, double seconds) {
  auto const rate = static_cast<double>(done) / seconds;
  return (rate < 10 ? one_decimal(rate) : with_commas(std::llround(rate))) + "/s";
}

}  // namespace

bool terminal_is_live() {
  char const* const no_color = std::getenv("NO_COLOR");
  char const* const terminal = std::getenv("TERM");
  bool const refused = no_color != nullptr && *no_color != '\0';
  bool const dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return !refused && !dumb && standard_error_is_terminal();
}

progress_bar::progress_bar(std::string label, std::int64_t total, progress_options options)
    : label_(std::move(label)),
      total_(total),
      options_(std::move(options)),
      out_(options_.out != nullptr ? *options_.out : std::cerr),
      live_(options_.live.value_or(terminal_is_live())),
      start_(now()),
      next_draw_(start_ + between_draws) {}

progress_bar::~progress_bar() { finish(); }

std::chrono::nanoseconds progress_bar::now() const {
  return options_.clock ? options_.clock() : std::chrono::steady_clock::now().time_since_epoch();
}

void progress_bar::advance(std::int64_t items) {
  done_.fetch_add(items, std::memory_order_relaxed);
  if (!live_) return;
  auto const at = now();
  auto due = next_draw_.load(std::memory_order_relaxed);
  // Of the threads that find the line due, the one that moves the date draws it; none waits.
  if (at >= due && next_draw_.compare_exchange_strong(due, at + between_draws)) draw(at);
}

void progress_bar::metric(std::string text) {
  std::lock_guard const lock(writing_);
  metric_ = std::move(text);
}

void progress_bar::draw(std::chrono::nanoseconds at) {
  std::lock_guard const lock(writing_);
  if (finished_) return;
  int const columns = options_.columns > 0 ? options_.columns : terminal_columns();
  std::string const line = live_line(std::chrono::duration<double>(at - start_).count());
  // The last column stays free: some terminals wrap when it is written.
  out_ << std::string(clear_line) + cut_to(line, columns - 1) << std::flush;
}

void progress_bar::finish() {
  std::lock_guard const lock(writing_);
  if (finished_) return;
  finished_ = true;
  std::string const line = closing_line(std::chrono::duration<double>(now() - start_).count());
  out_ << std::string(live_ ? clear_line : "") + line + '\n' << std::flush;
}

std::string progress_bar::live_line(double seconds) const {
  std::int64_t const done = done_.load(std::memory_order_relaxed);
  std::string line = label_;
  if (total_ > 0) {
    double const share = std::clamp(static_cast<double>(done) / static_cast<double>(total_), 0.0, 1.0);
    constexpr double cells = 24;
    auto const full = static_cast<std::size_t>(share * cells);
    std::string const percent = std::to_string(static_cast<int>(share * 100));
    line += " [" + std::string(full, '=') + std::string(static_cast<std::size_t>(cells) - full, ' ') + "] " +
            std::string(3 - std::min<std::size_t>(3, percent.size()), ' ') + percent + '%';
  } else {
    line += "  " + with_commas(done) + ' ' + options_.unit;
  }
  if (done > 0 && seconds > 0) {
    line += "  " + speed(done, seconds);
    if (total_ > done) {
      line += "  " +
              minutes_and_seconds(seconds * static_cast<double>(total_ - done) / static_cast<double>(done)) +
              " left";
    }
  }
  if (!metric_.empty()) line += "  " + metric_;
  return line;
}

std::string progress_bar::closing_line(double seconds) const {
  std::int64_t const done = done_.load(std::memory_order_relaxed);
  std::string line = label_ + ": " + with_commas(done);
  if (total_ > done) line += " of " + with_commas(total_);
  line += ' ' + options_.unit + " in " + one_decimal(seconds) + " s";
  if (done > 0 && seconds > 0) line += " (" + speed(done, seconds) + ')';
  if (!metric_.empty()) line += ", " + metric_;
  return line;
}

}  // namespace trainer
