# A copy of the shipped instance: the sample channel, and the handler in several shells.
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
need jq dash busybox systemd-analyze
mkdir -p "$work/spool"
cp -R "$project/etc" "$work/etc"
# The checkout may have been run before.
rm -rf "$work/etc/demo-library/demo"

try bobbin check
equal "bobbin check accepts the shipped configuration" 0 "$status"
try bobbin run --json
equal "the first run mirrors the three sample files" "0 3" "$status $(json .videos_downloaded)"
equal "they are in the library" "$(names "$project/etc/demo-feed")" "$(names "$work/etc/demo-library/demo")"
try bobbin run --json
equal "the second run finds nothing new" "0 0" "$status $(json .videos_downloaded)"
try bobbin --quiet run
equal "and does not print anything when it is quiet" "" "$(cat "$work/out" "$work/err")"

# The handler by itself.
mirror=$project/etc/handlers/mirror
mkdir "$work/feed" "$work/feed/folder"
cp "$project"/etc/demo-feed/* "$work/feed/"
printf 1 >"$work/feed/-rf"
printf 2 >"$work/feed/two  blanks *.txt"
printf 3 >"$work/feed/*"
printf 4 >"$work/feed/ around "
ln -s /etc/passwd "$work/feed/link"
for shell in dash bash "busybox sh"; do
    target="$work/copy by ${shell// /-}"
    # shellcheck disable=SC2086 # "busybox sh" is two words
    try env BOBBIN_LIMIT=2 $shell "$mirror" "$work/feed" "$target"
    equal "$shell: as many as the limit, in byte order" "0
$target/ around 
$target/*" "$status
$(cat "$work/out")"
    # shellcheck disable=SC2086
    try $shell "$mirror" "$work/feed" "$target"
    equal "$shell: the others, whatever their names" "0 5" "$status $(wc -l <"$work/out")"
    check "$shell: the contents are the same" cmp "$work/feed/two  blanks *.txt" "$target/two  blanks *.txt"
    check_not "$shell: links are skipped" test -e "$target/link"
    # shellcheck disable=SC2086
    try $shell "$mirror" "$work/feed" "$target"
    equal "$shell: nothing is printed when nothing is new" "0 " "$status $(cat "$work/out" "$work/err")"
    echo changed >"$target/001-spinning.txt"
    # shellcheck disable=SC2086
    try $shell "$mirror" "$work/feed" "$target"
    equal "$shell: a file that differs is copied again" "$target/001-spinning.txt" "$(cat "$work/out")"
    rm "$target/001-spinning.txt" && mkdir "$target/001-spinning.txt" && rm "$target/-rf"
    # shellcheck disable=SC2086
    try $shell "$mirror" "$work/feed" "$target"
    equal "$shell: one failure does not stop the rest" "1 $target/-rf" "$status $(cat "$work/out")"
    check "$shell: and is reported" mentions '001-spinning'
    # shellcheck disable=SC2086
    try $shell "$mirror" "$work/no feed" "$target"
    equal "$shell: a missing feed is a failure" 1 "$status"
done

# The systemd units, with the tested program in place of the installed one.
mkdir "$work/units"
for unit in "$project"/etc/systemd/system/*; do
    sed "s#/usr/local/bin/bobbin#$BOBBIN#" "$unit" >"$work/units/${unit##*/}"
done
try systemd-analyze verify "$work"/units/*
equal "systemd accepts the units" "0 " "$status $(cat "$work/err")"

finished
