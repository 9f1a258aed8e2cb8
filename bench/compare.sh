#!/bin/sh
# Compares two builds of distil_bench by running them in turn, so that what the machine does meanwhile falls on both:
#   sh bench/compare.sh <before> <after> [filter [rounds]]
# The filter is one of Google Benchmark (default distil/.*/serial), rounds are 7. Both run on the processors named in
# CPUS (default 0; benches with two threads need CPUS=0,1), each bench for MIN_TIME seconds a round (default 0.02).
# The ratio is the median over the rounds, with its quartiles. It is marked where it is over 1 % and every round agrees
# on its sign, as do the least times: what noise alone does for one bench in a hundred with 7 rounds.
set -eu

if [ $# -lt 2 ]; then
  sed -n '2,7s/^# *//p' "$0" >&2
  exit 2
fi
before=$1 after=$2 filter=${3:-distil/.*/serial} rounds=${4:-7}
for program in "$before" "$after"; do
  command -v "$program" >/dev/null || { echo "compare.sh: cannot run $program; it must be a distil_bench" >&2; exit 2; }
done
export OMP_WAIT_POLICY=passive
results=$(mktemp)
trap 'rm -f "$results"' EXIT
trap 'exit 1' INT TERM

pinned() {
  if command -v taskset >/dev/null; then taskset -c "${CPUS:-0}" "$@"; else "$@"; fi
}

# measure <program> <which> <round>: lines of which, round, name, nanoseconds per element
measure() {
  [ ! -t 2 ] || printf '\rround %s of %s, %s ' "$3" "$rounds" "$2" >&2
  pinned "$1" --benchmark_filter="$filter" --benchmark_min_time="${MIN_TIME:-0.02}" --benchmark_format=csv \
    2>/dev/null | awk -F, -v which="$2" -v round="$3" '
      $1 == "name" { for (i = 1; i <= NF; ++i) if ($i == "items_per_second") rate = i; next }
      rate && $rate > 0 { gsub(/"|\/real_time|\/manual_time/, "", $1); print which, round, $1, 1e9 / $rate }' >>"$results"
}

round=1
while [ "$round" -le "$rounds" ]; do
  if [ $((round % 2)) -eq 1 ]; then
    measure "$before" before "$round"
    measure "$after" after "$round"
  else
    measure "$after" after "$round"
    measure "$before" before "$round"
  fi
  round=$((round + 1))
done
[ ! -t 2 ] || printf '\r\033[K' >&2

awk -v rounds="$rounds" '
  # Sorts values[1..n] in place.
  function sort(values, n,   i, j, held) {
    for (i = 2; i <= n; ++i) {
      held = values[i]
      for (j = i - 1; j > 0 && values[j] > held; --j) values[j + 1] = values[j]
      values[j + 1] = held
    }
  }
  # The point of the sorted values below which that part of them lies.
  function quantile(values, n, part,   at, low) {
    at = 1 + (n - 1) * part
    low = int(at)
    return low == n ? values[n] : values[low] + (at - low) * (values[low + 1] - values[low])
  }
  { time[$1, $3, $2] = $4; if (!($3 in known)) { known[$3] = 1; names[++count] = $3 } }
  END {
    printf "%-58s %15s %15s  %-22s\n", "nanoseconds per element, least and median", "before", "after", "after / before"
    for (k = 1; k <= count; ++k) {
      name = names[k]
      n = faster = slower = 0
      for (r = 1; r <= rounds; ++r) {
        if (!(("before", name, r) in time) || !(("after", name, r) in time)) continue
        ++n
        b[n] = time["before", name, r]
        a[n] = time["after", name, r]
        ratio[n] = a[n] / b[n]
        if (ratio[n] < 1) ++faster
        if (ratio[n] > 1) ++slower
      }
      if (n == 0) { printf "%-58s only in one of both\n", name; continue }
      sort(a, n); sort(b, n); sort(ratio, n)
      middle = quantile(ratio, n, 0.5)
      verdict = ""
      if (faster == n && middle < 0.99 && a[1] < b[1]) verdict = "faster"
      if (slower == n && middle > 1.01 && a[1] > b[1]) verdict = "SLOWER"
      printf "%-58s %7.3f %7.3f %7.3f %7.3f  %.3f [%.3f, %.3f] %s\n", name, b[1], quantile(b, n, 0.5), a[1],
             quantile(a, n, 0.5), middle, quantile(ratio, n, 0.25), quantile(ratio, n, 0.75), verdict
      sum += log(middle); ++compared
    }
    if (compared == 0) { print "nothing to compare: no bench matches the filter"; exit 1 }
    printf "geometric mean of %d: %.3f\n", compared, exp(sum / compared)
  }' "$results"
