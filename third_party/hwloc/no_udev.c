// What the static archive of hwloc asks of libudev, answered with "not there". hwloc then names block and network
// devices less fully, which Seedtune never asks for, and the binary needs no libudev.

#include <stddef.h>

struct udev;
struct udev_device;

struct udev *udev_new(void) { return NULL; }

struct udev *udev_unref(struct udev *udev) {
  (void)udev;
  return NULL;
}

struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev, const char *subsystem,
                                                           const char *sysname) {
  (void)udev;
  (void)subsystem;
  (void)sysname;
  return NULL;
}

const char *udev_device_get_property_value(struct udev_device *device, const char *key) {
  (void)device;
  (void)key;
  return NULL;
}

struct udev_device *udev_device_unref(struct udev_device *device) {
  (void)device;
  return NULL;
}
