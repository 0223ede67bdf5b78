# What the client runs beside the agent, by exec: MODE RUN LIMIT WAIT, then the bytes it already has of each file.
#   wait     until tcpdump listens or failed        pull     whatever there is, and renew the lease
#   stop     end the capture, then everything       release  all is collected, the agent may go
#   halt     end the capture, wait for nothing
# The answer is a line `npg1 EPOCH UPTIME`, then for each file a line `NAME SIZE OFFSET LENGTH` and LENGTH bytes,
# then a line `end`: the files only grow, so every byte that arrived stays good when the rest is lost.
MODE=$1
RUN=$2
LIMIT=$3
LEFT=$(($4 * 20))
nap() { LEFT=$((LEFT - 1)); sleep 0.05 2>/dev/null || { sleep 1; LEFT=$((LEFT - 19)); }; }
find_agent() {
  for B in ${NPG_BASES:-/tmp /var/tmp /run /dev/shm}; do
    [ -f "$B/npg-$RUN/pid" ] && cd "$B/npg-$RUN" && return 0
  done
  return 1
}
# An exec may be quicker than the agent, which is just being started.
until find_agent; do
  [ "$MODE" = wait ] && [ "$LEFT" -gt 0 ] || exit 91
  nap
done
wake() { kill -USR1 "$(cat pid)" 2>/dev/null; }
state() { STATE=; read -r STATE <status.json; } 2>/dev/null
send() {
  SIZE=0
  [ -f "$1" ] && SIZE=$(wc -c <"$1")
  LENGTH=$((SIZE - $2))
  [ "$LENGTH" -lt 0 ] && LENGTH=0
  [ "$LENGTH" -gt "$3" ] && LENGTH=$3
  echo "$1 $((SIZE)) $2 $LENGTH"
  [ "$LENGTH" = 0 ] || tail -c +$(($2 + 1)) "$1" | head -c "$LENGTH"
}
: >lease
case $MODE in
wait)
  state
  while [ "$LEFT" -gt 0 ]; do
    case $STATE in *'"state":"starting"'* | '') nap ;; *) break ;; esac
    state
  done
  ;;
stop)
  : >stop
  wake
  while [ ! -f manifest ] && [ "$LEFT" -gt 0 ]; do
    state
    case $STATE in *'"state":"failed"'*) break ;; esac
    nap
  done
  ;;
halt)
  : >stop
  wake
  ;;
release)
  : >collected
  wake
  ;;
esac
read -r UPTIME REST </proc/uptime
echo "npg1 $(date +%s.%N) $UPTIME"
case $MODE in halt | release) echo end; exit 0 ;; esac
# The manifest before the files: one that is there says that the files are whole by now.
send status.json 0 8192
send manifest 0 4096
if [ "$MODE" != wait ]; then
  send cap.pcap "$5" "$LIMIT"
  send sockets "$6" "$LIMIT"
  send tcpdump.err "$7" 65536
fi
echo end
case $MODE$STATE in
wait*'"state":"failed"'*)
  : >collected
  wake
  ;;
esac
