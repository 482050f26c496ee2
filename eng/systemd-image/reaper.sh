#!/bin/sh
# Writes an app's exit code down, as shells have it, and ends the pod with it where it is the first that is not 0.
set -u
app=$1
[ "$app" != --begin ] || exit 0

ExecMainCode=0 ExecMainStatus=0 Result=success
while IFS='=' read -r name value; do
    case $name in ExecMainCode | ExecMainStatus | Result) eval "$name=\$value" ;; esac
done <<END
$(systemctl show --property=ExecMainCode,ExecMainStatus,Result "$app.service")
END

code=$ExecMainStatus
case $ExecMainCode in
    2 | 3) code=$((128 + ExecMainStatus)) ;; # CLD_KILLED, CLD_DUMPED
    0) [ "$Result" = success ] || code=254 ;; # not even started
esac
echo "$code" >"/rkt/status/$app"
if [ "$code" -ne 0 ] && (set -C; echo "$code" >/rkt/first) 2>/dev/null; then
    systemctl --no-block exit "$code"
fi
