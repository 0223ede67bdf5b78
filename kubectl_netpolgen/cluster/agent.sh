# The agent that captures inside a pod. POSIX sh: dash and busybox ash both run it, with tcpdump, sha256sum,
# wc, head, tail, date, grep, sed, tr and sleep around it.
#
# Everything it is told comes as environment values, so that no text from outside is ever read as script:
#   NPG_RUN     names its directory        NPG_IF      interface            NPG_FILTER  packet filter
#   NPG_SNAP    bytes kept of a packet     NPG_BUF     kernel buffer, KiB   NPG_PKTS    packets, then tcpdump ends
#   NPG_MAX     bytes of packets           NPG_SOCKMAX bytes of sockets     NPG_SNAPEVERY seconds between snapshots
#   NPG_DUR     seconds, then it stops     NPG_LEASE   seconds without a client, then it stops
#   NPG_LINGER  seconds that a finished agent keeps its files for collection
#   NPG_BASES, NPG_TERM, NPG_TICK          directories to try, termination log, seconds of one turn
# The client talks to it through files (pull.sh): `lease` renews, `stop` ends, `collected` lets it go, and a
# USR1 makes it look at once.
set -u
umask 077
TERMINATION=${NPG_TERM:-/dev/termination-log}
D=
for B in ${NPG_BASES:-/tmp /var/tmp /run /dev/shm}; do
  mkdir "$B/npg-$NPG_RUN" 2>/dev/null && cd "$B/npg-$NPG_RUN" && D=$B/npg-$NPG_RUN && break
done
if [ -z "$D" ]; then
  printf '{"v":1,"state":"failed","reason":"no-directory","words":"no directory can be written to"}\n' >"$TERMINATION"
  exit 90
fi
echo $$ >pid

# The kernel's uptime needs no process to read and never goes back.
clock() { read -r UPTIME REST </proc/uptime; UP=${UPTIME%.*}; }
nap() { sleep 0.05 2>/dev/null || sleep 1; }
size() { if [ -f "$1" ]; then SIZE=$(wc -c <"$1"); SIZE=$((SIZE)); else SIZE=0; fi; }
plain() { tr '\n"\\' ";' " | tr -cd ' -~'; }

say() {
  size cap.pcap
  clock
  WORDS=
  COUNTERS=
  if [ "$1" = failed ] || [ "$1" = done ]; then
    WORDS=$(tail -c 600 tcpdump.err 2>/dev/null | plain)
    COUNTERS=$(grep -E 'packets? (captured|received|dropped)' tcpdump.err 2>/dev/null | head -n 8 | plain)
  fi
  printf '{"v":1,"state":"%s","reason":"%s","t0":%s,"t":%s,"up":%s,"listening":%s,"bytes":%s,"snapshots":%s,"counters":"%s","words":"%s"}\n' \
    "$1" "$2" "$T0" "$(date +%s)" "$UPTIME" "$LISTENING" "$SIZE" "$SNAPSHOTS" "$COUNTERS" "$WORDS" >status.new
  mv status.new status.json
}

# The cap is hard: a pod with very many sockets must not fill the node's disk.
append() {
  size sockets
  [ "$SIZE" -lt "$NPG_SOCKMAX" ] && head -c $((NPG_SOCKMAX - SIZE)) >>sockets
}

tables() {
  NOW=$(date +%s)
  for F in tcp tcp6 udp udp6; do
    [ -r /proc/net/$F ] && echo "#npg $NOW $F" && cat /proc/net/$F
  done
}

surroundings() {
  NOW=$(date +%s)
  for F in route ipv6_route; do
    [ -r /proc/net/$F ] && echo "#npg $NOW $F" && cat /proc/net/$F
  done
  echo "#npg $NOW resolv.conf"
  sed 's/^#npg/# npg/' /etc/resolv.conf
  printf '\n#npg %s environment\nKUBERNETES_SERVICE_HOST=%s\nKUBERNETES_SERVICE_PORT=%s\n' \
    "$NOW" "${KUBERNETES_SERVICE_HOST-}" "${KUBERNETES_SERVICE_PORT-}"
}

snapshot() {
  tables 2>/dev/null | append
  SNAPSHOTS=$((SNAPSHOTS + 1))
}

start() {
  tcpdump -n -p -i "$NPG_IF" --immediate-mode -U -s "$NPG_SNAP" -B "$NPG_BUF" -c "$NPG_PKTS" "$@" \
    -w cap.pcap "$NPG_FILTER" 2>tcpdump.err &
  P=$!
}

listening() {
  while read -r LINE; do
    case $LINE in *'listening on'*) return 0 ;; esac
  done <tcpdump.err
  return 1
}

await() {
  clock
  SILENT=$((UP + 20))
  while [ -z "$END" ]; do
    listening && return 0
    if ! kill -0 "$P" 2>/dev/null; then
      listening
      return
    fi
    clock
    [ "$UP" -ge "$SILENT" ] && return 1
    nap
  done
  return 1
}

halt() {
  N=0
  kill -INT "$P" 2>/dev/null
  while kill -0 "$P" 2>/dev/null && [ $N -lt 80 ]; do
    N=$((N + 1))
    [ $N = 40 ] && kill -TERM "$P" 2>/dev/null
    [ $N = 60 ] && kill -KILL "$P" 2>/dev/null
    nap
  done
  wait "$P" 2>/dev/null
}

# A signal that comes between the test and the wait would be slept over; WAKE keeps it.
rest() {
  [ -n "$WAKE" ] || { sleep "${NPG_TICK:-1}" & wait $!; } 2>/dev/null
  WAKE=
}

finish() {
  say "$1" "$2"
  cat status.json >"$TERMINATION" 2>/dev/null
}

leave() {
  clock
  LAST=$((UP + $1))
  while [ "$UP" -lt "$LAST" ] && [ ! -e collected ]; do
    rest
    clock
    [ "$END" = sigterm ] && [ "$LAST" -gt $((UP + 5)) ] && LAST=$((UP + 5))
  done
  cd / && rm -rf "$D"
  exit "$2"
}

END=
ENDED=
WAKE=
SNAPSHOTS=0
LISTENING=0
T0=$(date +%s)
clock
FINAL=$((UP + NPG_DUR))
LEASED=$UP
: >tcpdump.err
: >sockets
trap 'END=sigterm WAKE=1' TERM INT
trap 'WAKE=1' USR1
say starting ''

if ! command -v tcpdump >/dev/null 2>&1; then
  echo 'tcpdump: not found in the image' >tcpdump.err
  finish failed no-tcpdump
  leave 30 1
fi
start
snapshot
surroundings 2>/dev/null | append
if ! await && grep -q -e "Couldn't change" -e 'cap.pcap: Permission denied' tcpdump.err; then
  # A tcpdump built to drop to a user of its own cannot, with so few capabilities: let it stay what it is.
  rm -f cap.pcap
  start -Z root
  await
fi
if ! listening; then
  halt
  REASON=tcpdump-exited
  grep -q -i -e 'permi' -e "Couldn't change" tcpdump.err && REASON=permission
  [ -n "$END" ] && REASON=$END
  finish failed "$REASON"
  leave 30 1
fi
clock
LISTENING=$UPTIME
say capturing ''

NEXT=$((UP + NPG_SNAPEVERY))
while :; do
  rest
  clock
  [ -e lease ] && rm -f lease && LEASED=$UP
  if [ -e stop ]; then
    END=${END:-client}
  elif [ "$UP" -ge "$FINAL" ]; then
    END=${END:-duration}
  elif [ $((UP - LEASED)) -ge "$NPG_LEASE" ]; then
    END=${END:-lease-expired}
  fi
  [ -n "$END" ] && break
  if [ -z "$ENDED" ]; then
    # Sockets are still read once packets have ended: they are small and show what the packets no longer can.
    size cap.pcap
    if ! kill -0 "$P" 2>/dev/null; then
      ENDED=tcpdump-exited
      grep -q -E "^$NPG_PKTS packets? captured" tcpdump.err && ENDED=packet-cap
    elif [ "$SIZE" -ge "$NPG_MAX" ]; then
      ENDED=size-cap
      halt
    fi
    [ -n "$ENDED" ] && say capturing "$ENDED"
  fi
  if [ "$UP" -ge "$NEXT" ]; then
    snapshot
    NEXT=$((UP + NPG_SNAPEVERY))
  fi
done

[ -z "$ENDED" ] && halt
snapshot
for F in cap.pcap sockets tcpdump.err; do
  size $F
  HASH=$(sha256sum 2>/dev/null <$F)
  HASH=${HASH%% *}
  echo "${HASH:--} $SIZE $F"
done >manifest.new
finish done "${ENDED:-$END}"
mv manifest.new manifest
if [ "$END" = sigterm ]; then
  leave 5 0
fi
leave "$NPG_LINGER" 0
