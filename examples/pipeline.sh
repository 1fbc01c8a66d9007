#!/bin/sh
# Build, push, deploy, check; back to what ran before where the check fails.
#
# FUNCTION, ALIAS, IMAGE say what is deployed where; DRYDOCK_URL and DRYDOCK_TOKEN, by whom. BUILD, PUSH and CHECK are
# commands, and CONFIRM the name that production asks for. The exit code: 0 deployed, 1 failed and taken back, and
# drydock's own (docs/cli.md), 5 where an approver has to agree: nothing is changed until then.
set -eu

: "${FUNCTION:?the function, as billing-api}" "${ALIAS:?the alias, as staging}" "${IMAGE:?the image, as HOST/billing:1.8.3}"
build=${BUILD:-"docker build --provenance=false -t \"$IMAGE\" ."}
push=${PUSH:-"docker push \"$IMAGE\""}
check=${CHECK:-"drydock invoke \"$FUNCTION:$ALIAS\" '{}' --wait"}

sh -euc "$build"
sh -euc "$push"

before=$(drydock show "$FUNCTION:$ALIAS" | awk 'NR == 1 { print $2 }') # the version that the alias points to
drydock deploy "$FUNCTION" "$IMAGE" "$ALIAS" ${CONFIRM:+--confirm "$CONFIRM"} --wait # undoes itself where it fails

if sh -euc "$check"; then
  echo "$FUNCTION:$ALIAS runs $IMAGE."
else
  echo "The check failed: back to version $before." >&2
  drydock rollback "$FUNCTION" "$ALIAS" "$before" ${CONFIRM:+--confirm "$CONFIRM"} --wait
  exit 1
fi
