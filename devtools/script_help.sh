# Sourced by the scripts: prints the comment at the head of the script if the user asks for help, and exits. Nothing is
# installed before that.
# shellcheck shell=bash

for argument; do
  case $argument in
    -h | --help)
      awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
      exit
      ;;
  esac
done
