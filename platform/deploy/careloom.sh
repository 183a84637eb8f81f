#!/bin/sh
# /usr/local/bin/careloom: the command with the settings of this machine, as the user careloom.
set -eu
set -a
. /etc/careloom/careloom.env
set +a
umask 077
exec runuser -u careloom -- /opt/careloom/current/bin/careloom "$@"
