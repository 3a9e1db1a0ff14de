"""Other DNS servers, as peers and as what names outside the cluster are asked from, and the resolvers of C libraries."""
import os

from support import run

# Prints the addresses of each name on a line of its own, as the C library finds them.
LOOKUP = r"""#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int count, char **names) {
    for (int i = 1; i < count; i++) {
        struct addrinfo *list, hints = {.ai_socktype = SOCK_STREAM};
        char text[INET6_ADDRSTRLEN];
        if (getaddrinfo(names[i], 0, &hints, &list)) { puts("none"); continue; }
        for (; list; list = list->ai_next) {
            void *address = list->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)list->ai_addr)->sin_addr
                                                       : (void *)&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr;
            printf("%s ", inet_ntop(list->ai_family, address, text, sizeof text));
        }
        puts("");
    }
}
"""


def knot(directory, name, listen, zones, workers=None):
    """Writes the configuration of a knotd that answers for zones ("example.test": file name); the path of the file.

    `listen` are addresses with ports, as in 127.0.0.1@5353."""
    os.makedirs(f"{directory}/{name}", exist_ok=True)
    lines = ["server:", f"  rundir: {directory}/{name}", f"  listen: [ {', '.join(listen)} ]"]
    if workers:
        lines += [f"  {kind}-workers: {workers}" for kind in ("udp", "tcp", "background")]
    lines += ["database:", f"  storage: {directory}/{name}", "zone:"]
    for domain, file in zones.items():
        lines += [f"  - domain: {domain}", f"    storage: {directory}", f"    file: {file}"]
    return write(f"{directory}/{name}.conf", lines)


def unbound(directory, port, *options, forward, stubs=None, name="unbound"):
    """Writes the configuration of an unbound that makes addresses of IPv4 ones, asks `forward` (127.0.0.1@5353) for all names,
    and the servers of `stubs` for those of single domains; the path of the file."""
    lines = ["server:", f'  directory: "{directory}"', '  chroot: ""', '  username: ""', f'  pidfile: "{directory}/{name}.pid"',
             "  interface: 127.0.0.1", f"  port: {port}", "  do-not-query-localhost: no", "  do-daemonize: no", "  use-syslog: no",
             '  local-zone: "test." nodefault', '  module-config: "dns64 iterator"', "  dns64-prefix: 64:ff9b::/96"]
    lines += [f"  {option}" for option in options]
    for domain, server in (stubs or {}).items():
        lines += ["stub-zone:", f'  name: "{domain}"', f"  stub-addr: {server}"]
    lines += ["forward-zone:", '  name: "."', f"  forward-addr: {forward}", "remote-control:", "  control-enable: no"]
    return write(f"{directory}/{name}.conf", lines)


def lookup_programs(directory):
    """Makes the programs that look names up by the resolver of musl, and by that of glibc; their paths."""
    with open(f"{directory}/lookup.c", "w") as file:
        file.write(LOOKUP)
    programs = [f"{directory}/lookup-musl", f"{directory}/lookup-glibc"]
    for compiler, program in zip((["musl-gcc", "-static"], ["gcc"]), programs):
        run(*compiler, "-o", program, f"{directory}/lookup.c")
    return programs


def write(path, lines):
    with open(path, "w") as file:
        file.writelines(line + "\n" for line in lines)
    return path
