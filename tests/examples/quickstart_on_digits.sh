#!/bin/sh
# Runs the quickstart without Fashion-MNIST, and the ways in which a user may call it wrongly.
#   quickstart_on_digits.sh QUICKSTART REPORT.html
set -eu
quickstart=$1
report=$2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
fail() {
  echo "$1" >&2
  cat "$scratch/out" "$scratch/errors" >&2
  exit 1
}
# expect STATUS TEXT ARGUMENTS...: the quickstart ends with the status and says the text.
expect() {
  status=$1
  text=$2
  shift 2
  got=0
  "$quickstart" "$@" >"$scratch/out" 2>"$scratch/errors" || got=$?
  [ "$got" -eq "$status" ] || fail "quickstart $*: expected status $status, got $got"
  cat "$scratch/out" "$scratch/errors" | grep -qF -- "$text" || fail "quickstart $*: it does not say: $text"
}

rm -f "$report"
expect 0 "so these are the embedded digits" --quick --data "$scratch/missing" --report "$report"
grep -qF "Report: $report" "$scratch/out" || fail "it does not say where the report is"
[ -s "$report" ] || fail "there is no report"

expect 0 "--soft-weight" --help
expect 2 '"--nonsense" is not an option' --nonsense
expect 2 "--epochs is \"many\"; it must be a whole number" --epochs many
expect 2 "--schedule is \"cosine\"" --schedule cosine

mkdir "$scratch/damaged"
for part in train t10k; do
  printf 'not an IDX file' >"$scratch/damaged/$part-images-idx3-ubyte"
  printf 'not an IDX file' >"$scratch/damaged/$part-labels-idx1-ubyte"
done
expect 1 "$scratch/damaged/train-images-idx3-ubyte: byte 0: expected the magic number" --data "$scratch/damaged"
expect 2 "--report: there is no folder $scratch/no/such" --report "$scratch/no/such/folder.html"
