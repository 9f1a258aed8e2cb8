#!/bin/sh
# Counts the instructions of each kernel, which do not vary from run to run as times do:
#   sh bench/instructions/count.sh <distil_instructions> <table to write> [table to compare with]
# Marks counts that are more than 2 % off those of the table, and ends with 1 where there are any, as long as both come
# from one compiler with one set of flags.
set -eu

program=$1 table=$2 known=${3:-/dev/null}
if ! command -v valgrind >/dev/null; then
  echo "count.sh: valgrind is missing; it counts the instructions (apt-get install valgrind)" >&2
  exit 2
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

valgrind --quiet --tool=callgrind --instr-atstart=no --callgrind-out-file="$folder/out" "$program" >"$folder/made_with"

# One line a dump: kernel, shape, instructions per element.
for dump in "$folder"/out.*; do
  awk '/^desc: Trigger: Client Request: / { sub(/^desc: Trigger: Client Request: /, ""); name = $0 }
       /^(totals|summary):/ { count = $2 }
       END { if (name != "") { split(name, part, ":"); printf "%s:%s:%.2f\n", part[1], part[2], count / part[3] } }' "$dump"
done | sort >"$folder/counts"

awk -F: -v made_with="$(cat "$folder/made_with")" '
  {
    count[$1, $2] = $3
    if (!($1 in seen)) { seen[$1] = 1; kernels[++n] = $1 }
  }
  END {
    split("1024x10 1024x100 256x1000 4x32000", shapes, " ")
    print "# Instructions for each element of the logits\n\n" made_with ".\n"
    printf "| %-38s |", "kernel"
    for (s = 1; s <= 4; ++s) printf " %9s |", shapes[s]
    printf "\n|----------------------------------------|"
    for (s = 1; s <= 4; ++s) printf "----------:|"
    print ""
    for (k = 1; k <= n; ++k) {
      printf "| %-38s |", kernels[k]
      for (s = 1; s <= 4; ++s) printf " %9s |", count[kernels[k], shapes[s]]
      print ""
    }
  }' "$folder/counts" >"$table"
cat "$table"

awk -F' *[|] *' '
  /^[^#|]/ && NF == 1 { made_with[FILENAME] = $0 }
  /^\| kernel/ { for (i = 3; i < NF; ++i) shape[i] = $i; next }
  !/^\|[^-]/ { next }
  FILENAME == ARGV[1] { for (i = 3; i < NF; ++i) known[$2, shape[i]] = $i; next }
  {
    for (i = 3; i < NF; ++i) {
      if (!(($2, shape[i]) in known) || known[$2, shape[i]] == 0) continue
      change = 100 * ($i / known[$2, shape[i]] - 1)
      if (change > 2 || change < -2) changes[++n] = sprintf("%s, %s: %s, was %s (%+.1f %%)", $2, shape[i], $i, known[$2, shape[i]], change)
    }
  }
  END {
    if (!(ARGV[1] in made_with)) exit 0
    if (made_with[ARGV[1]] != made_with[ARGV[2]]) {
      print "\nNot compared: the table is of " made_with[ARGV[1]]
      exit 0
    }
    if (n == 0) { print "\nAll within 2 % of the table."; exit 0 }
    print "\nMore than 2 % off the table:"
    for (i = 1; i <= n; ++i) print "  " changes[i]
    exit 1
  }' "$known" "$table"
