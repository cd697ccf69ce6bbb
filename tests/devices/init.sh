#!/bin/busybox sh
# The first process of the guest: mounts the host's files under a layer of its own, and runs the command there.
/bin/busybox mkdir -p /sbin /dev /proc /sys /host /exchange /over /guest
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
modprobe -a virtio_pci 9pnet_virtio 9p overlay || exec poweroff -f
fast=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o ro,cache=loose,$fast host /host &&
mount -t 9p -o $fast exchange /exchange &&
mount -t tmpfs none /over && mkdir /over/upper /over/work &&
mount -t overlay -o "lowerdir=/layer:/host,upperdir=/over/upper,workdir=/over/work" none /guest ||
exec poweroff -f
for place in dev proc sys; do mount --move /$place /guest/$place; done
mount -t tmpfs none /guest/run
mkdir /guest/run/exchange
mount --move /exchange /guest/run/exchange
modprobe -a evdev uinput uhid hid-sony hid-microsoft hid-generic
chroot /guest /bin/sh <<'ROOT'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export SYSTEMD_IGNORE_CHROOT=1 # else `udevadm settle` waits for nothing, and a pad is looked for before its link is there
# `inputs` sees the pads that udev has given such a link, as it does for those with a USB plug, and here for all but one.
mkdir -p /etc/udev/rules.d
echo 'KERNEL=="event*", ENV{ID_INPUT_JOYSTICK}=="1", ATTRS{name}!="Without a plug", SYMLINK+="input/by-id/usb-%k-event-joystick"' > /etc/udev/rules.d/61-pads.rules
grep -q ^input: /etc/group || echo input:x:64999: >> /etc/group
/lib/systemd/systemd-udevd --daemon >/dev/null 2>&1
(udevadm trigger --subsystem-match=input --subsystem-match=misc && udevadm settle) 2>/dev/null
(sh /run/exchange/command; echo $? > /run/exchange/exit) 2>&1 | cat
ROOT
poweroff -f
