// udp-sessions PREFIX: sends small datagrams through many sessions of a translator. There are 1,000 sources, of 64 addresses, and
// 1,000 hosts behind the prefix of 96 bits. For each line "FIRST COUNT HOSTS ROUNDS" of its input it sends, so many times over, a
// datagram from each of COUNT sources, from number FIRST on, to each of the first HOSTS, and then prints "done".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { SOURCES = 1000, HOSTS = 1000, ADDRESSES = 64 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int open_source(int number) {
    int source = socket(AF_INET6, SOCK_DGRAM, 0);
    if (source < 0) fail("udp-sessions: make a socket");
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(10000 + number / ADDRESSES)};
    inet_pton(AF_INET6, "2001:db8:9::", &own.sin6_addr);
    own.sin6_addr.s6_addr[15] = number % ADDRESSES + 1;
    if (bind(source, (struct sockaddr *)&own, sizeof own) != 0) fail("udp-sessions: bind");
    return source;
}

int main(int count, char **arguments) {
    static struct sockaddr_in6 hosts[HOSTS];
    static struct mmsghdr messages[HOSTS];
    static struct iovec data = {"sixteen bytes..", 16};
    static int sources[SOURCES];
    struct in6_addr prefix;
    if (count != 2 || inet_pton(AF_INET6, arguments[1], &prefix) != 1) {
        fputs("usage: udp-sessions PREFIX\n", stderr);
        return 2;
    }
    for (int number = 0; number < HOSTS; number++) {
        hosts[number] = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = prefix};
        uint32_t address = htonl(0xCB007000 + number / 250 * 256 + number % 250 + 1);  // 203.0.112.0/22
        __builtin_memcpy(hosts[number].sin6_addr.s6_addr + 12, &address, 4);
        messages[number].msg_hdr = (struct msghdr){
            .msg_name = &hosts[number], .msg_namelen = sizeof hosts[number], .msg_iov = &data, .msg_iovlen = 1};
    }
    for (int number = 0; number < SOURCES; number++) sources[number] = open_source(number);
    int first, some, remotes, rounds;
    while (scanf("%d %d %d %d", &first, &some, &remotes, &rounds) == 4) {
        if (first < 0 || some < 0 || first + some > SOURCES || remotes > HOSTS) return 2;
        for (; rounds > 0; rounds--)
            for (int number = first; number < first + some; number++)
                for (int sent = 0; sent < remotes;) {
                    int taken = sendmmsg(sources[number], messages + sent, remotes - sent, 0);
                    sent += taken > 0 ? taken : 1;
                }
        puts("done");
        fflush(stdout);
    }
}
