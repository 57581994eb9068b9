#!/usr/bin/env bash
# Keep a record on a branch of its own: benchmarks/keep_record.sh RECORD BRANCH
# The branch is checked out beside the code, as a folder of the branch's name; the record is added to it under the
# commit's date and id and its own hash, and pushed. What is there is never changed.
set -euo pipefail
record=$1 branch=$2
[ -s "$record" ] || { echo "keep_record.sh: no record there: $record" >&2; exit 2; }
[ ! -e "$branch" ] || { echo "keep_record.sh: $branch is there already: remove it" >&2; exit 2; }

name=$(TZ=UTC git show --no-patch --date=format-local:%Y%m%d_%H%M%S --format=%cd_%h)
name+=_$(git hash-object "$record" | cut -c1-8)
git worktree prune # a folder that was removed
if git fetch --quiet --depth 1 origin "$branch"; then
  git worktree add --quiet "$branch" FETCH_HEAD
else
  git worktree add --quiet --detach --no-checkout "$branch"
  git -C "$branch" symbolic-ref HEAD "refs/heads/$branch" # not born yet
  git -C "$branch" read-tree --empty
fi
[ ! -e "$branch/$name.json" ] || { echo "keep_record.sh: $name is kept already"; exit 0; }
cp "$record" "$branch/$name.json"

as=(-c user.name=parabola -c user.email=parabola@localhost)
git -C "$branch" add --all
git -C "$branch" "${as[@]}" commit --quiet --message "Record of $name"
for _ in 1 2 3 4 5 6 7 8 9 10; do
  git -C "$branch" push --quiet origin "HEAD:refs/heads/$branch" && exit 0
  git -C "$branch" fetch --quiet origin "$branch" # another one was faster
  git -C "$branch" "${as[@]}" rebase --quiet FETCH_HEAD
done
echo "keep_record.sh: $branch could not be pushed" >&2
exit 1
