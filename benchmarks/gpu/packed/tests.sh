#!/usr/bin/env bash
# The tests tagged gpu of a packed engine; in a rehearsal, which has no device, those of the emulated kernels.
root=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
. "$root/java.sh"
what=(--include-tag gpu --select-package org.hirengine.engine.gpu)
if [[ -n ${HIR_EMULATED:-} ]]; then what=(--select-class org.hirengine.kernels.EmulatedCudaTest); fi
exec "${java[@]}" -cp "$root/jars/*:$root/tests/kernels:$root/tests/engine:$root/tests/verify:$root/tests/*" \
  org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors --details=summary "${what[@]}"
