#!/bin/sh
# The first thing that runs in the device's container: gives it the board's devices, then gives up root for good.
#
# A container's /dev is a picture of the board's at the container's start: what is plugged in later is not in it. Where the container
# is privileged, the kernel's own /dev takes its place. libcamera finds camera modules by what udev has noted about them, and the
# board's notes cannot be seen from here: so a udevd of the container's own takes them, with no rules but ours, and in a network of its
# own, where it hears the kernel and nobody hears it. Without the privilege the agent has the devices that the container was given.
set -eu

take_over_devices() {
  # Of the image, and empty: a card that cannot be written any more takes no new directory, and must not keep the agent from starting.
  new=/mnt
  mount -t devtmpfs none "$new" 2> /dev/null || return 0
  for name in pts shm mqueue; do
    mountpoint -q "/dev/$name" || continue
    mkdir -p "$new/$name"
    mount --move "/dev/$name" "$new/$name" || echo "/dev/$name is not there any more" >&2
  done
  mount --move "$new" /dev
  if [ -x /lib/systemd/systemd-udevd ]; then
    unshare --net /lib/systemd/systemd-udevd --daemon
    # Those that are there already.
    for subsystem in video4linux media sound dma_heap vchiq; do
      udevadm trigger --action=add --subsystem-match="$subsystem"
    done
    udevadm settle --timeout=10 || echo 'the devices that are plugged in were not looked through within 10 s' >&2
  fi
}

if [ "$(id -u)" = 0 ]; then take_over_devices; fi
exec /app/setup/container/as-agent.sh "$@"
