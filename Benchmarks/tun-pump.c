// tun-pump NAME QUEUES: what a TUN device costs by itself. A thread for each queue reads packets, exchanges the third and
// the fourth 16-bit word of both IPv6 addresses, which no checksum notices, and writes them back.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int open_queue(const char *name) {
    int queue = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (queue < 0) fail("tun-pump: open /dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(queue, TUNSETIFF, &request) != 0) fail("tun-pump: make the device");
    unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (ioctl(queue, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6) != 0 && ioctl(queue, TUNSETOFFLOAD, offloads) != 0)
        fail("tun-pump: set offloads");
    return queue;
}

static void exchange(uint16_t *address) {
    uint16_t third = address[2];
    address[2] = address[3];
    address[3] = third;
}

static void *pump(void *argument) {
    int queue = (int)(intptr_t)argument;
    static _Thread_local uint16_t packet[40000];
    struct virtio_net_hdr header;
    while (1) {
        struct iovec room[2] = {{&header, sizeof header}, {packet, sizeof packet}};
        ssize_t count = readv(queue, room, 2);
        if (count < 0) {
            if (errno != EAGAIN && errno != EINTR) fail("tun-pump: read");
            struct pollfd wait = {.fd = queue, .events = POLLIN};
            poll(&wait, 1, -1);
            continue;
        }
        size_t length = (size_t)count - sizeof header;
        if (length < 40 || *(uint8_t *)packet >> 4 != 6) continue;
        exchange(packet + 4);
        exchange(packet + 12);
        struct iovec parts[2] = {{&header, sizeof header}, {packet, length}};
        // One that the kernel has no room for is lost, as on any link.
        if (writev(queue, parts, 2) < 0) continue;
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 3) {
        fputs("usage: tun-pump NAME QUEUES\n", stderr);
        return 2;
    }
    for (int number = atoi(arguments[2]); number > 0; number--) {
        pthread_t thread;
        int queue = open_queue(arguments[1]);
        if (pthread_create(&thread, NULL, pump, (void *)(intptr_t)queue) != 0) fail("tun-pump: start a thread");
    }
    while (1) pause();
}
