#!/bin/sh
# /usr/local/sbin/careloom-restart: one process after the other, workers first. Nobody notices: nginx
# goes to the other web process meanwhile, and what a worker leaves the others do.
set -eu
units=$(systemctl list-units --plain --no-legend --state=active 'careloom-work@*' 'careloom-web@*' |
    awk '{print $1}' | sort -r)
for unit in $units; do
    systemctl restart "$unit"
    echo "$unit is back"
done
