/* Guards a C host, whose SIGPIPE ends the process by default, against clients of a stream that go away while
   events are on their way to them. */
#include "expect.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static mfn_error *error;

/* Asks for the stream and returns the socket, which resets the connection when it is closed. */
static int connect_client(int port)
{
    const char request[] = "GET /events?topic=news HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    struct linger reset = {1, 0};
    struct sockaddr_in address;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    char head[12];

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    EXPECT(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    EXPECT(send(client, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
    EXPECT(recv(client, head, sizeof head, MSG_WAITALL) == sizeof head && memcmp(head, "HTTP/1.1 200", sizeof head) == 0);
    return client;
}

/* Usage: gone_clients PLUGIN_SSE */
int main(int argc, char **argv)
{
    static uint8_t payload[60000];
    mfn_record event = {.struct_size = sizeof event, .payload = payload, .payload_len = sizeof payload, .id = "e"};
    mfn_transport *transport = NULL;
    mfn_endpoints *endpoints = NULL;
    mfn_runtime *runtime = NULL;
    int client, i, port, round;

    EXPECT(argc == 2 && signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    memset(payload, 'x', sizeof payload);
    CALL(mfn_runtime_create(NULL, &runtime, &error), MFN_OK, "");
    CALL(mfn_runtime_load_plugin(runtime, argv[1], NULL, &error), MFN_OK, "");
    CALL(mfn_transport_open(runtime, "sse", "live", "{\"bind\": \"127.0.0.1:0\"}", NULL, &transport, &error), MFN_OK, "");
    CALL(mfn_component_endpoints(mfn_transport_component(transport), &endpoints, &error), MFN_OK, "");
    EXPECT(sscanf(mfn_endpoints_url(endpoints, 0), "http://127.0.0.1:%d/", &port) == 1);
    mfn_endpoints_free(endpoints);
    for (round = 0; round < 20; round++) {
        client = connect_client(port);
        for (i = 0; i < 30; i++) {
            CALL(mfn_transport_publish(transport, "news", &event, NULL, &error), MFN_OK, "");
            if (i == 10)
                close(client);
        }
    }
    mfn_transport_free(transport);
    mfn_runtime_free(runtime);
    EXPECT(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
    return mfn_live_handles() != 0;
}
