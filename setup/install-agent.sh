#!/bin/sh
# Installs the device agent on a machine for which there is no Node 24, from the package that "npm run pack-agent" makes elsewhere: on a
# Raspberry Pi Zero W (32-bit Raspberry Pi OS) with the system's own Node 20.19 or newer. Run it as root in the unpacked package; once
# more after an update. It needs g++ and about 400 MB while it runs.
#
#   sh setup/install-agent.sh                      all of it
#   sh setup/install-agent.sh --without-packages   the Debian packages are there already
#   sh setup/install-agent.sh --remove             takes it away again, but for settings, recordings and packages
set -eu

target=/opt/makespacelive
here=$(cd "$(dirname "$0")/.." && pwd)

give_up() {
  echo "$1" >&2
  exit 1
}

packages_of() {
  sed 's/#.*//' "$here/setup/packages/device.txt" "$here/setup/packages/build.txt"
}

install_packages() {
  apt-get update -q
  # Node and its headers, which the binding is built against.
  packages_of | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y -q --no-install-recommends nodejs libnode-dev
}

# A file that this version no longer has must not stay: each profile in the folder takes part. The agent that runs may look there
# meanwhile, and the power may go: the new one is whole, and on the disk, before it takes the place.
replace() {
  rm -rf "$target/$1.new"
  mkdir -p "$target/$1"
  cp -R "$here/$1" "$target/$1.new"
  sync
  rm -rf "$target/$1.old"
  mv "$target/$1" "$target/$1.old"
  mv "$target/$1.new" "$target/$1"
  rm -rf "$target/$1.old"
}

copy_files() {
  replace .build/agent
  replace hardware-profiles
  for part in package.json LICENSE docs setup node_modules; do
    cp -R "$here/$part" "$target"
  done
}

# What npm would have done with node-gyp, which a small card and 512 MB are better off without.
build_binding() {
  binding=$target/node_modules/gstreamer-superficial
  mkdir -p "$binding/build/Release"
  # shellcheck disable=SC2046
  g++ -O2 -shared -fPIC -std=c++20 -DBUILDING_NODE_EXTENSION -DNODE_GYP_MODULE_NAME=gstreamer-superficial \
    -Wno-cast-function-type -I/usr/include/node -I"$target/node_modules/nan" \
    $(pkg-config --cflags gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0) \
    "$binding"/*.cpp -o "$binding/build/Release/gstreamer-superficial.node" \
    $(pkg-config --libs gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0)
}

install_service() {
  install -D -m 644 "$target/setup/systemd/makespacelive.sysusers.conf" /etc/sysusers.d/makespacelive.conf
  install -D -m 644 "$target/setup/systemd/makespacelive-agent.service" /etc/systemd/system/makespacelive-agent.service
  install -D -m 644 "$target/setup/systemd/makespacelive-leds.rules" /etc/udev/rules.d/60-makespacelive-leds.rules
  install -D -m 644 "$target/setup/systemd/makespacelive-reboot.rules" /etc/polkit-1/rules.d/60-makespacelive-reboot.rules
  [ -e /etc/makespacelive/agent.env ] || install -D -m 600 /dev/null /etc/makespacelive/agent.env
  # Not in a chroot, where an image is being made: systemd does it at the first start.
  [ -d /run/systemd/system ] || return 0
  systemd-sysusers
  udevadm control --reload
  udevadm trigger --subsystem-match=leds
  systemctl daemon-reload
  systemctl enable makespacelive-agent
}

remove() {
  if [ -d /run/systemd/system ] && [ -e /etc/systemd/system/makespacelive-agent.service ]; then
    systemctl disable --now makespacelive-agent
  fi
  rm -f /etc/systemd/system/makespacelive-agent.service /etc/sysusers.d/makespacelive.conf \
    /etc/udev/rules.d/60-makespacelive-leds.rules /etc/polkit-1/rules.d/60-makespacelive-reboot.rules
  [ "$(readlink /usr/local/bin/makespacelive)" != "$target/.build/agent/agent.js" ] || rm -f /usr/local/bin/makespacelive
  [ ! -d /run/systemd/system ] || systemctl daemon-reload
  # A fleet server may be installed there as well.
  if [ -e /etc/systemd/system/makespacelive-server.service ]; then
    echo "Removed, but for $target: the fleet server is there, too."
  else
    rm -rf "$target"
    echo 'Removed.'
  fi
  echo 'Settings and recordings are kept: /etc/makespacelive, /var/lib/makespacelive.'
}

[ "$(id -u)" = 0 ] || give_up 'expected to be run as root: sudo sh setup/install-agent.sh'
if [ "${1:-}" = --remove ]; then
  remove
  exit
fi
[ -e "$here/.build/agent/agent.js" ] || give_up 'expected the unpacked package of "npm run pack-agent", found no .build/agent/agent.js'
case ${1:-} in
  '') install_packages ;;
  --without-packages) ;;
  *) give_up "expected nothing, --without-packages or --remove, came $1" ;;
esac
node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' ||
  give_up "expected Node 20.19 or newer, found $(node --version || echo none)"
[ "$here" = "$target" ] || copy_files
echo 'Building the GStreamer binding: some minutes on a Raspberry Pi Zero.'
build_binding
mkdir -p /usr/local/bin
ln -sf "$target/.build/agent/agent.js" /usr/local/bin/makespacelive
install_service
echo "Installed: $(makespacelive --version). Write FLEET_URL=… and FLEET_JOIN_TOKEN=…, or AV_STREAM_URL=… and AV_STREAM_KEY=…, into"
echo '/etc/makespacelive/agent.env, then: systemctl restart makespacelive-agent'
