// Holds a pod's namespaces: waits for signals, collects orphaned children, ends at once when asked to.
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

int main(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    for (;;) {
        int received = 0;
        if (sigwait(&signals, &received) != 0) return 1;
        if (received != SIGCHLD) return 0;
        while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    }
}
