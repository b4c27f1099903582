/* Guards components that a host drives by itself: fetch from a connector, publish, settle, offer an event, read
   health and endpoints, and the polled log. */
#define _POSIX_C_SOURCE 200809L
#include "expect.h"

#include <time.h>

static mfn_error *error;

static void check_component(const mfn_component *component, const char *name, const char *plugin)
{
    char *detail = NULL;
    uint64_t left = 77;
    int32_t health = 0;

    EXPECT(strcmp(mfn_component_name(component), name) == 0 && strcmp(mfn_component_plugin(component), plugin) == 0);
    CALL(mfn_component_health(component, &health, &detail, &error), MFN_OK, "");
    EXPECT(health == MFN_HEALTH_READY && detail != NULL);
    mfn_string_free(detail);
    CALL(mfn_component_check(component, &error), MFN_OK, "");
    CALL(mfn_component_probe(component, 20000, &error), MFN_OK, "");
    CALL(mfn_component_drain(component, 1000, &left, &error), MFN_OK, "");
    EXPECT(left == 0);
    EXPECT(mfn_component_last_error(component) == NULL);
}

static void publish(const mfn_publisher *publisher, const mfn_record *record)
{
    mfn_error *results[1] = {(mfn_error *)(void *)publisher};
    mfn_header header = {"source", (const uint8_t *)"test", 4};
    mfn_record copy = *record;

    copy.headers = &header;
    copy.header_count = 1;
    CALL(mfn_publisher_publish(publisher, &copy, 1, 1, 5000, results, &error), MFN_OK, "");
    EXPECT(results[0] == NULL);
    CALL(mfn_publisher_flush(publisher, 5000, &error), MFN_OK, "");
}

static void move_records(const mfn_connector *connector, const mfn_publisher *publisher)
{
    mfn_verdict verdicts[8];
    mfn_record record = {.struct_size = sizeof record};
    mfn_batch *batch = NULL;
    mfn_bytes position;
    int64_t backlog = -7;
    mfn_status status;
    size_t i, total = 0;

    CALL(mfn_connector_pause(connector, &error), MFN_OK, "");
    CALL(mfn_connector_resume(connector, &error), MFN_OK, "");
    CALL(mfn_connector_fetch(connector, 0, 1, 1, &batch, &error), MFN_INVALID, "records_max = 0");
    while ((status = mfn_connector_fetch(connector, 8, UINT64_MAX, 5000, &batch, &error)) == MFN_OK) {
        EXPECT(mfn_batch_count(batch) >= 1 && mfn_batch_count(batch) <= 8 && *mfn_batch_partition(batch) != '\0');
        EXPECT(mfn_batch_epoch(batch) < UINT64_MAX);
        CALL(mfn_batch_record(batch, 8, &record, &error), MFN_INVALID, "index = 8");
        for (i = 0; i < mfn_batch_count(batch); i++, total++) {
            CALL(mfn_batch_record(batch, i, &record, &error), MFN_OK, "");
            EXPECT(*record.id != '\0' && strcmp(record.content_type, "application/json") == 0 && record.payload_len > 2);
            EXPECT(record.payload[0] == '{');
            publish(publisher, &record);
            verdicts[i].fate = i == 0 ? MFN_VERDICT_REJECT : MFN_VERDICT_ACK;
            verdicts[i].reason = "because";
        }
        CALL(mfn_connector_settle(connector, NULL, verdicts, i, &error), MFN_INVALID, "batch is NULL");
        CALL(mfn_connector_settle(connector, batch, NULL, i, &error), MFN_INVALID, "verdicts is NULL");
        CALL(mfn_connector_settle(connector, batch, verdicts, i + 1, &error), MFN_INVALID, "a verdict for each");
        verdicts[0].fate = 9;
        CALL(mfn_connector_settle(connector, batch, verdicts, i, &error), MFN_INVALID, "verdicts[0].fate = 9");
        verdicts[0].fate = MFN_VERDICT_REJECT;
        verdicts[0].reason = NULL;
        CALL(mfn_connector_settle(connector, batch, verdicts, i, &error), MFN_INVALID, "verdicts[0].reason is NULL");
        verdicts[0].reason = "because";
        CALL(mfn_connector_settle(connector, batch, verdicts, i, &error), MFN_OK, "");
        EXPECT(mfn_connector_settle(connector, batch, verdicts, i, NULL) == MFN_PLUGIN);
        CALL(mfn_connector_position(connector, mfn_batch_partition(batch), &position, &error), MFN_OK, "");
        mfn_bytes_free(&position);
        EXPECT(position.data == NULL);
        mfn_batch_free(batch);
    }
    EXPECT(status == MFN_END && error == NULL && total == 4);
    CALL(mfn_connector_backlog(connector, &backlog, &error), MFN_OK, "");
    EXPECT(backlog == 0);
    error = mfn_connector_last_error(connector);
    EXPECT(strcmp(mfn_error_plugin(error), "file") == 0 && strcmp(mfn_error_component(error), "in") == 0);
    EXPECT(mfn_error_class(error) != 0 && mfn_error_status(error) == MFN_PLUGIN);
    mfn_error_free(error);
    error = NULL;
}

/* Two connectors number their batches alike: neither may settle what the other brought. */
static void check_foreign_batch(const mfn_runtime *runtime, const char *requests)
{
    mfn_verdict verdict = {MFN_VERDICT_ACK, 0, NULL};
    mfn_connector *connectors[2] = {NULL, NULL};
    mfn_batch *batches[2] = {NULL, NULL};
    char config[1024];
    int i;

    snprintf(config, sizeof config, "{\"directory\": \"%s\"}", requests);
    for (i = 0; i < 2; i++) {
        CALL(mfn_connector_open(runtime, "file", i == 0 ? "a" : "b", config, NULL, &connectors[i], &error), MFN_OK, "");
        CALL(mfn_connector_fetch(connectors[i], 1, UINT64_MAX, 5000, &batches[i], &error), MFN_OK, "");
    }
    CALL(mfn_connector_settle(connectors[0], batches[1], &verdict, 1, &error), MFN_INVALID, "another connector");
    CALL(mfn_connector_settle(connectors[0], batches[0], &verdict, 1, &error), MFN_OK, "");
    CALL(mfn_connector_settle(connectors[1], batches[1], &verdict, 1, &error), MFN_OK, "");
    for (i = 0; i < 2; i++) {
        mfn_connector_free(connectors[i]);
        mfn_batch_free(batches[i]);
    }
}

static long elapsed_ms(struct timespec since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since.tv_sec) * 1000 + (now.tv_nsec - since.tv_nsec) / 1000000;
}

/* A fetch that brings nothing takes the time it was given, and none succeeds after the connector was closed. */
static void check_waiting(const mfn_runtime *runtime, const char *folder)
{
    mfn_connector *connector = NULL;
    mfn_batch *batch = NULL;
    struct timespec begin;
    char config[1024];

    snprintf(config, sizeof config, "{\"directory\": \"%s\", \"pattern\": \"none\", \"at_end\": \"watch\"}", folder);
    CALL(mfn_connector_open(runtime, "file", "waiting", config, NULL, &connector, &error), MFN_OK, "");
    clock_gettime(CLOCK_MONOTONIC, &begin);
    CALL(mfn_connector_fetch(connector, 1, 1, 600, &batch, &error), MFN_WOULD_BLOCK, "");
    EXPECT(elapsed_ms(begin) >= 600);
    CALL(mfn_component_close(mfn_connector_component(connector), &error), MFN_OK, "");
    CALL(mfn_connector_fetch(connector, 1, 1, 600, &batch, &error), MFN_CLOSED, "was closed");
    mfn_connector_free(connector);
}

static void check_listeners(const mfn_runtime *runtime)
{
    mfn_record event = {.struct_size = sizeof event, .id = "e1", .payload = (const uint8_t *)"{}", .payload_len = 2};
    mfn_transport *transport = NULL;
    mfn_endpoints *endpoints = NULL;
    mfn_exporter *exporter = NULL;
    char *cursor = NULL;

    CALL(mfn_transport_open(runtime, "sse", "live", "{\"bind\": \"127.0.0.1:0\"}", NULL, &transport, &error), MFN_OK, "");
    CALL(mfn_transport_publish(transport, "news", &event, &cursor, &error), MFN_OK, "");
    EXPECT(strlen(cursor) > 2 && strcmp(cursor + strlen(cursor) - 2, "-1") == 0);
    mfn_string_free(cursor);
    CALL(mfn_transport_publish(transport, NULL, &event, NULL, &error), MFN_INVALID, "topic is NULL");
    CALL(mfn_transport_publish(transport, "news", NULL, NULL, &error), MFN_INVALID, "event is NULL");
    CALL(mfn_component_endpoints(mfn_transport_component(transport), NULL, &error), MFN_INVALID, "endpoints is NULL");
    CALL(mfn_component_health(mfn_transport_component(transport), NULL, NULL, &error), MFN_INVALID, "health is NULL");
    CALL(mfn_component_endpoints(mfn_transport_component(transport), &endpoints, &error), MFN_OK, "");
    EXPECT(mfn_endpoints_count(endpoints) == 1 && strstr(mfn_endpoints_url(endpoints, 0), "http://") != NULL);
    mfn_endpoints_free(endpoints);
    CALL(mfn_exporter_open(runtime, "prometheus", "metrics", "{\"bind\": \"127.0.0.1:0\"}", NULL, &exporter, &error), MFN_OK, "");
    CALL(mfn_exporter_flush(exporter, 1000, &error), MFN_OK, "");
    check_component(mfn_exporter_component(exporter), "metrics", "prometheus");
    mfn_exporter_free(exporter);
    CALL(mfn_component_close(mfn_transport_component(transport), &error), MFN_OK, "");
    CALL(mfn_component_close(mfn_transport_component(transport), &error), MFN_OK, "");
    CALL(mfn_transport_publish(transport, "news", &event, NULL, &error), MFN_CLOSED, "was closed");
    CALL(mfn_component_check(mfn_transport_component(transport), &error), MFN_CLOSED, "was closed");
    CALL(mfn_component_probe(mfn_transport_component(transport), 1000, &error), MFN_CLOSED, "was closed");
    EXPECT(mfn_transport_publish(transport, "news", &event, NULL, NULL) == MFN_CLOSED);
    error = mfn_transport_last_error(transport);
    EXPECT(mfn_error_class(error) == MFN_CLASS_FATAL && mfn_error_retriable(error) == 0);
    mfn_error_free(error);
    error = NULL;
    mfn_transport_free(transport);
}

static void check_log(mfn_runtime *runtime)
{
    mfn_log_entry *entry = NULL;
    const mfn_log_record *record;
    int count = 0;

    while (mfn_runtime_next_log(runtime, 0, &entry, &error) == MFN_OK) {
        record = mfn_log_entry_record(entry);
        EXPECT(record->level >= MFN_LOG_ERROR && *record->message != '\0' && *record->target != '\0');
        mfn_log_entry_free(entry);
        count++;
    }
    EXPECT(count == 4 && error == NULL && mfn_runtime_log_dropped(runtime) > 0);
}

/* Usage: components REQUESTS OUT PLUGIN_FILE PLUGIN_SSE PLUGIN_PROMETHEUS */
int main(int argc, char **argv)
{
    mfn_runtime_options options;
    mfn_connector *connector = NULL;
    mfn_publisher *publisher = NULL;
    mfn_runtime *runtime = NULL;
    char *text = NULL, config[1024];
    int i;

    EXPECT(argc == 6);
    CALL(mfn_runtime_options_init(&options, sizeof options, &error), MFN_OK, "");
    options.log_queue_max = 4;
    options.log_level = MFN_LOG_DEBUG;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_OK, "");
    for (i = 3; i < argc; i++) {
        CALL(mfn_runtime_load_plugin(runtime, argv[i], &text, &error), MFN_OK, "");
        EXPECT(strcmp(text, i == 3 ? "file" : i == 4 ? "sse" : "prometheus") == 0);
        mfn_string_free(text);
    }
    CALL(mfn_runtime_plugins(runtime, &text, &error), MFN_OK, "");
    EXPECT(text[0] == '[' && strstr(text, "prometheus") != NULL);
    mfn_string_free(text);
    CALL(mfn_runtime_plugin_describe(runtime, "file", &text, &error), MFN_OK, "");
    EXPECT(text[0] == '{' && strstr(text, "config_schema") != NULL && strstr(text, "publisher") != NULL);
    mfn_string_free(text);
    CALL(mfn_runtime_load_report(runtime, 1, &text, &error), MFN_OK, "");
    EXPECT(strstr(text, "\"attempts\":[") != NULL);
    mfn_string_free(text);

    snprintf(config, sizeof config, "{\"directory\": \"%s\", \"state_file\": \"%s/journal\"}", argv[1], argv[2]);
    CALL(mfn_connector_open(runtime, "file", "in", config, argv[2], &connector, &error), MFN_OK, "");
    snprintf(config, sizeof config, "{\"directory\": \"%s\", \"file_name\": \"out\"}", argv[2]);
    CALL(mfn_publisher_open(runtime, "file", "out", config, NULL, &publisher, &error), MFN_OK, "");
    move_records(connector, publisher);
    check_component(mfn_connector_component(connector), "in", "file");
    check_foreign_batch(runtime, argv[1]);
    check_waiting(runtime, argv[1]);
    check_component(mfn_publisher_component(publisher), "out", "file");
    EXPECT(mfn_publisher_last_error(publisher) == NULL);
    check_listeners(runtime);
    mfn_connector_free(connector);
    mfn_publisher_free(publisher);
    CALL(mfn_runtime_set_log_level(runtime, MFN_LOG_OFF, &error), MFN_OK, "");
    check_log(runtime);
    mfn_runtime_free(runtime);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
