#!/usr/bin/env bash
# Compile the kernels with the sanitizers into build/sanitize, and run tests there:
#   CC=gcc SANITIZERS="-fsanitize=address" PYTHON=python bash sanitize.sh FILE...
set -euo pipefail
root=$PWD
folder=build/sanitize
mkdir -p "$folder"
# shellcheck disable=SC2086 - options are words
if ! printf 'int main(void){return 0;}\n' |
    $CC $SANITIZERS -x c - -o "$folder/has_sanitizers" 2>"$folder/why_not" ||
    ! "$folder/has_sanitizers" 2>>"$folder/why_not"; then
    echo "Skipped: $CC has no AddressSanitizer and UBSan here: $(tail -n 1 "$folder/why_not")"
    exit 0
fi
rm -rf "$folder"
mkdir -p "$folder"
cp -r pyproject.toml conftest.py skrnn tests "$folder"
kernels=skrnn/_engine/cpu/kernels
rm -f "$folder/$kernels"/_kernels.*.so
cd "$folder"
include=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))')
# -O1: with more of it the sanitizers take minutes to compile.
# shellcheck disable=SC2086
$CC $SANITIZERS -O1 -fPIC -shared -fno-math-errno -fno-trapping-math -I"$include" \
    "$kernels/source/_kernels.c" -o "$kernels/_kernels.abi3.so"
# Python itself isn't compiled so: the sanitizers are loaded before it. It keeps some of
# its memory to its end, which is no leak of ours; its allocator would hide small arrays.
preload=$($CC -print-file-name=libasan.so)
[ -e "$preload" ] || preload=$($CC -print-file-name=libclang_rt.asan-x86_64.so)
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export LD_PRELOAD="$preload $($CC -print-file-name=libstdc++.so.6)" PYTHONMALLOC=malloc
export PYTHONPATH=$root/$folder
# What the sanitizers find they write past Python: not captured, it can be read.
"$PYTHON" -m pytest -p no:cacheprovider --capture=sys "$@"
