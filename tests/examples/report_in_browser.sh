#!/bin/sh
# Opens a report in headless Chromium and fails when the console complains or a section is missing from what was built.
#   report_in_browser.sh REPORT.html
# Ends with 77 (skipped) when no Chromium is installed.
set -eu

if [ $# -ne 1 ]; then
  echo "usage: $0 REPORT.html" >&2
  exit 2
fi
if [ ! -s "$1" ]; then
  echo "report '$1' is missing or empty" >&2
  exit 1
fi

browser=
for name in chromium chromium-browser google-chrome; do
  if browser=$(command -v "$name"); then break; fi
done
if [ -z "$browser" ]; then
  echo "skipped: no Chromium is installed"
  exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
page=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

# Without a limit a browser that waits for something would hold up every other test.
if ! timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --enable-logging=stderr --v=0 \
  --user-data-dir="$scratch/profile" --dump-dom "file://$page" >"$scratch/dom" 2>"$scratch/log"; then
  echo "the browser failed:" >&2
  tail -n 20 "$scratch/log" >&2
  exit 1
fi

failures=0
fail() {
  echo "$1" >&2
  failures=$((failures + 1))
}

# Errors of the page and what it writes to the console are logged as ...:CONSOLE:line].
if grep 'CONSOLE' "$scratch/log" >&2; then fail "the console is not silent"; fi
for id in headline findings results learning-curves classes dark-knowledge calibration schedule settings; do
  grep -q "<section id=\"$id\">" "$scratch/dom" || fail "section '$id' is missing"
done
# Each closing tag stands on its own line: an unclosed element would swallow what follows it.
sections=$(grep -c '^</section>' "$scratch/dom" || true)
[ "$sections" -eq 9 ] || fail "$sections sections are closed in place of 9"
grep -q '</footer>' "$scratch/dom" || fail "the page ends early"

[ "$failures" -eq 0 ] || exit 1
echo "ok: $page, silent and whole"
