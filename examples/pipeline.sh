#!/bin/sh
# Build, push, deploy, check; back to what ran before where the check fails.
#
# FUNCTION, ALIAS, IMAGE say what is deployed where; DRYDOCK_URL and DRYDOCK_TOKEN, by whom. BUILD, PUSH and CHECK are
# commands, and CONFIRM the name that production asks for. The exit code: 0 deployed, 1 failed and taken back (an alias
# that is new has nothing to go back to: that is said), and drydock's own (docs/cli.md), 5 where an approver has to agree:
# nothing is changed until then.
set -eu

: "${FUNCTION:?the function, as billing-api}" "${ALIAS:?the alias, as staging}" "${IMAGE:?the image, as HOST/billing:1.8.3}"
build=${BUILD:-"docker build --provenance=false -t \"$IMAGE\" ."}
push=${PUSH:-"docker push \"$IMAGE\""}
check=${CHECK:-"drydock invoke \"$FUNCTION:$ALIAS\" '{}' --wait"}

shown=$(drydock show "$FUNCTION") # where nobody answers, nothing is built
before=$(printf '%s\n' "$shown" | awk -v alias="$ALIAS" '$1 == alias { print $2; exit }') # the version it points to
case $before in
"") echo "$FUNCTION has no alias $ALIAS yet: where the check fails, there is no version to go back to." >&2 ;;
*[!0-9]*)
  echo "$FUNCTION:$ALIAS points to $before, to which there is no way back. Nothing was built." >&2
  exit 3
  ;;
esac

sh -euc "$build"
sh -euc "$push"

drydock deploy "$FUNCTION" "$IMAGE" "$ALIAS" ${CONFIRM:+--confirm "$CONFIRM"} --wait # undoes itself where it fails

if sh -euc "$check"; then
  echo "$FUNCTION:$ALIAS runs $IMAGE."
elif [ -z "$before" ]; then
  echo "The check failed, and there is no version to go back to: $FUNCTION:$ALIAS still runs $IMAGE." >&2
  exit 1
else
  echo "The check failed: back to version $before." >&2
  drydock rollback "$FUNCTION" "$ALIAS" "$before" ${CONFIRM:+--confirm "$CONFIRM"} --wait
  exit 1
fi
