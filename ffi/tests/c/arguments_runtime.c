/* Guards the functions of runtimes, components, records, connectors, publishers, transports, exporters and
   pictures against arguments that no caller should give. The plugins are real: their libraries are the arguments. */
#include "expect.h"
#include <math.h>

static mfn_error *error;
static double cells[16];

static void check_options(void)
{
    mfn_runtime_options options;
    mfn_runtime *runtime = NULL;

    CALL(mfn_runtime_options_init(NULL, sizeof options, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_runtime_options_init(&options, 8, &error), MFN_INVALID, "struct_size = 8");
    CALL(mfn_runtime_options_init(&options, sizeof options, &error), MFN_OK, "");
    CALL(mfn_runtime_create(&options, NULL, &error), MFN_INVALID, "runtime is NULL");
    options.log_level = 6;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_INVALID, "options.log_level = 6");
    options.log_level = -1;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_INVALID, "options.log_level = -1");
    options.log_level = MFN_LOG_TRACE;
    options.require_manifest = 2;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_INVALID, "options.require_manifest = 2");
    options.require_manifest = 0;
    options.log_queue_max = UINT64_MAX;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_INVALID, "options.log_queue_max");
    options.log_queue_max = 0;
    options.threads = UINT32_MAX;
    CALL(mfn_runtime_create(&options, &runtime, &error), MFN_INVALID, "threads");
    EXPECT(runtime == NULL);
}

static void check_runtime(mfn_runtime *runtime)
{
    mfn_log_entry *entry = NULL;
    mfn_error *last;
    char *text = NULL;
    size_t loaded = 7;

    CALL(mfn_runtime_set_log_level(NULL, 1, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_runtime_set_log_level(runtime, 9, &error), MFN_INVALID, "log_level = 9");
    CALL(mfn_runtime_next_log(NULL, 0, &entry, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_runtime_next_log(runtime, 0, NULL, &error), MFN_INVALID, "entry is NULL");
    CALL(mfn_runtime_next_log(runtime, 1, &entry, &error), MFN_WOULD_BLOCK, "");
    EXPECT(mfn_log_entry_record(NULL) == NULL && mfn_runtime_log_dropped(NULL) == 0 && mfn_runtime_log_dropped(runtime) == 0);
    mfn_log_entry_free(NULL);
    CALL(mfn_runtime_load_plugin(NULL, "x", NULL, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_runtime_load_plugin(runtime, NULL, NULL, &error), MFN_INVALID, "path is NULL");
    CALL(mfn_runtime_load_plugin(runtime, "\xff", NULL, &error), MFN_INVALID, "path is not UTF-8");
    CALL(mfn_runtime_load_plugin(runtime, "/nowhere/x.so", &text, &error), MFN_PLUGIN, "not_found");
    CALL(mfn_runtime_scan_directory(NULL, ".", &loaded, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_runtime_scan_directory(runtime, NULL, &loaded, &error), MFN_INVALID, "directory is NULL");
    CALL(mfn_runtime_scan_directory(runtime, "/nowhere", &loaded, &error), MFN_IO, "/nowhere");
    CALL(mfn_runtime_plugins(NULL, &text, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_runtime_plugins(runtime, NULL, &error), MFN_INVALID, "json is NULL");
    CALL(mfn_runtime_plugin_describe(NULL, "file", &text, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_runtime_plugin_describe(runtime, NULL, &text, &error), MFN_INVALID, "name is NULL");
    CALL(mfn_runtime_plugin_describe(runtime, "kafka", &text, &error), MFN_INVALID, "no plugin \"kafka\" is loaded");
    CALL(mfn_runtime_load_report(NULL, 0, &text, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_runtime_load_report(runtime, 2, &text, &error), MFN_INVALID, "as_json = 2");
    CALL(mfn_runtime_load_report(runtime, 0, NULL, &error), MFN_INVALID, "report is NULL");
    EXPECT(text == NULL && entry == NULL && loaded == 7 && mfn_runtime_last_error(NULL) == NULL);
    last = mfn_runtime_last_error(runtime);
    EXPECT(strcmp(mfn_error_message(last), "report is NULL") == 0);
    mfn_error_free(last);
    mfn_runtime_free(NULL);
}

static void check_pictures(void)
{
    mfn_field_view view = mfn_field_rows(cells, 4, 4);
    mfn_picture_options options;

    CALL(mfn_picture_options_init(NULL, sizeof options, &error), MFN_INVALID, "options is NULL");
    CALL(mfn_picture_options_init(&options, sizeof options, &error), MFN_OK, "");
    CALL(mfn_picture_write(NULL, &view, &options, &error), MFN_INVALID, "path is NULL");
    CALL(mfn_picture_write("/nowhere/x.png", NULL, &options, &error), MFN_INVALID, "field is NULL");
    CALL(mfn_picture_write("/nowhere/x.png", &view, NULL, &error), MFN_IO, "/nowhere/x.png");
    options.range_low_mv = 5;
    CALL(mfn_picture_write("/nowhere/x.png", &view, &options, &error), MFN_INVALID, "range_mv");
    options.title = "\xc3";
    CALL(mfn_picture_write("/nowhere/x.png", &view, &options, &error), MFN_INVALID, "options.title is not UTF-8");
    cells[0] = NAN;
    view = mfn_field_rows(cells, 1, 1);
    CALL(mfn_picture_write("/nowhere/x.png", &view, NULL, &error), MFN_INVALID, "finite");
}

static void check_null_components(void)
{
    mfn_endpoints *endpoints = NULL;
    int32_t health = 77;

    EXPECT(*mfn_component_name(NULL) == 0 && *mfn_component_plugin(NULL) == 0 && mfn_component_last_error(NULL) == NULL);
    CALL(mfn_component_health(NULL, &health, NULL, &error), MFN_INVALID, "component is NULL");
    CALL(mfn_component_check(NULL, &error), MFN_INVALID, "component is NULL");
    CALL(mfn_component_probe(NULL, 1, &error), MFN_INVALID, "component is NULL");
    CALL(mfn_component_endpoints(NULL, &endpoints, &error), MFN_INVALID, "component is NULL");
    CALL(mfn_component_drain(NULL, 1, NULL, &error), MFN_INVALID, "component is NULL");
    CALL(mfn_component_close(NULL, &error), MFN_INVALID, "component is NULL");
    EXPECT(mfn_endpoints_count(NULL) == 0 && *mfn_endpoints_component(NULL, 0) == 0);
    EXPECT(*mfn_endpoints_name(NULL, 0) == 0 && *mfn_endpoints_url(NULL, 0) == 0);
    mfn_endpoints_free(NULL);
    EXPECT(health == 77 && endpoints == NULL);
}

static void check_null_connectors(mfn_runtime *runtime)
{
    mfn_record record = {.struct_size = sizeof record};
    mfn_bytes position = {NULL, 0};
    mfn_connector *connector = NULL;
    mfn_batch *batch = NULL;
    int64_t backlog = 77;

    CALL(mfn_connector_open(NULL, "file", "a", NULL, NULL, &connector, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_connector_open(runtime, NULL, "a", NULL, NULL, &connector, &error), MFN_INVALID, "plugin is NULL");
    CALL(mfn_connector_open(runtime, "file", NULL, NULL, NULL, &connector, &error), MFN_INVALID, "name is NULL");
    CALL(mfn_connector_open(runtime, "file", "a", "{", NULL, &connector, &error), MFN_INVALID, "config_json");
    CALL(mfn_connector_open(runtime, "file", "a", "{}", "\xff", &connector, &error), MFN_INVALID, "base_dir");
    CALL(mfn_connector_open(runtime, "file", "a b", "{}", NULL, &connector, &error), MFN_INVALID, "name");
    CALL(mfn_connector_open(runtime, "kafka", "a", "{}", NULL, &connector, &error), MFN_INVALID, "kafka");
    CALL(mfn_connector_open(runtime, "sse", "a", "{}", NULL, &connector, &error), MFN_INVALID, "connector");
    CALL(mfn_connector_open(runtime, "file", "a", "{}", NULL, NULL, &error), MFN_INVALID, "connector is NULL");
    CALL(mfn_connector_open(runtime, "file", "a", "{\"directory\": 7}", NULL, &connector, &error), MFN_PLUGIN, "directory");
    EXPECT(mfn_connector_component(NULL) == NULL && mfn_connector_last_error(NULL) == NULL);
    CALL(mfn_connector_fetch(NULL, 1, 1, 1, &batch, &error), MFN_INVALID, "connector is NULL");
    CALL(mfn_connector_settle(NULL, NULL, NULL, 0, &error), MFN_INVALID, "connector is NULL");
    CALL(mfn_connector_position(NULL, "p", &position, &error), MFN_INVALID, "connector is NULL");
    CALL(mfn_connector_backlog(NULL, &backlog, &error), MFN_INVALID, "connector is NULL");
    CALL(mfn_connector_pause(NULL, &error), MFN_INVALID, "connector is NULL");
    CALL(mfn_connector_resume(NULL, &error), MFN_INVALID, "connector is NULL");
    mfn_connector_free(NULL);
    EXPECT(mfn_batch_count(NULL) == 0 && *mfn_batch_partition(NULL) == 0 && mfn_batch_epoch(NULL) == 0);
    CALL(mfn_batch_record(NULL, 0, &record, &error), MFN_INVALID, "batch is NULL");
    mfn_batch_free(NULL);
    EXPECT(connector == NULL && batch == NULL && position.data == NULL && backlog == 77);
}

static void check_records(mfn_runtime *runtime, const char *folder)
{
    mfn_publisher_traits traits = {.struct_size = sizeof traits};
    mfn_error *results[3] = {NULL, NULL, NULL};
    mfn_record records[2] = {{.struct_size = sizeof(mfn_record)}, {.struct_size = sizeof(mfn_record)}};
    mfn_header header = {"n", NULL, 3};
    mfn_publisher *publisher = NULL;
    char config[512];

    snprintf(config, sizeof config, "{\"directory\": \"%s/refused\"}", folder);
    CALL(mfn_publisher_open(NULL, "file", "p", config, NULL, &publisher, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_publisher_open(runtime, "file", "p", config, NULL, NULL, &error), MFN_INVALID, "publisher is NULL");
    CALL(mfn_publisher_open(runtime, "file", "p", config, NULL, &publisher, &error), MFN_OK, "");
    CALL(mfn_publisher_get_traits(NULL, &traits, &error), MFN_INVALID, "publisher is NULL");
    CALL(mfn_publisher_get_traits(publisher, NULL, &error), MFN_INVALID, "traits is NULL");
    CALL(mfn_publisher_get_traits(publisher, &traits, &error), MFN_OK, "");
    EXPECT(traits.records_max >= 1 && traits.bytes_max >= 1 && traits.struct_size == sizeof traits);

    CALL(mfn_publisher_publish(NULL, records, 1, 1, 1, results, &error), MFN_INVALID, "publisher is NULL");
    CALL(mfn_publisher_publish(publisher, NULL, 1, 1, 1, results, &error), MFN_INVALID, "records is NULL");
    CALL(mfn_publisher_publish(publisher, records, 0, 1, 1, results, &error), MFN_INVALID, "0 records");
    CALL(mfn_publisher_publish(publisher, records, (size_t)-1, 1, 1, results, &error), MFN_INVALID, "memory");
    CALL(mfn_publisher_publish(publisher, records, 1, 1, 1, results, &error), MFN_INVALID, "records.id is NULL");
    records[0].id = records[1].id = "";
    CALL(mfn_publisher_publish(publisher, records, 1, 1, 1, results, &error), MFN_INVALID, "records.id is empty");
    records[0].id = records[1].id = "a";
    CALL(mfn_publisher_publish(publisher, records, 1, 1, 1, NULL, &error), MFN_INVALID, "results is NULL");
    CALL(mfn_publisher_publish(publisher, records, 1, 0, 1, results, &error), MFN_INVALID, "attempt = 0");
    records[1].payload_len = 5;
    CALL(mfn_publisher_publish(publisher, records, 2, 1, 1, results, &error), MFN_INVALID, "records[1].payload is NULL");
    records[1].payload = (const uint8_t *)"x";
    records[1].payload_len = (size_t)-1;
    CALL(mfn_publisher_publish(publisher, records, 2, 1, 1, results, &error), MFN_INVALID, "records[1].payload has");
    records[1].payload_len = 1;
    records[1].struct_size = 96;
    CALL(mfn_publisher_publish(publisher, records, 2, 1, 1, results, &error), MFN_INVALID, "records[1]");
    records[1].struct_size = sizeof(mfn_record);
    records[1].has_timestamp = 5;
    CALL(mfn_publisher_publish(publisher, records, 2, 1, 1, results, &error), MFN_INVALID, "has_timestamp = 5");
    records[1].has_timestamp = 0;
    records[1].headers = &header;
    records[1].header_count = 1;
    CALL(mfn_publisher_publish(publisher, records, 2, 1, 1, results, &error), MFN_INVALID, "headers.value is NULL");
    header.value_len = 0;
    header.name = NULL;
    CALL(mfn_publisher_publish(publisher, records, 2, 1, 1, results, &error), MFN_INVALID, "headers.name is NULL");
    records[1].header_count = 0;
    records[1].key_len = 1;
    CALL(mfn_publisher_publish(publisher, records, 2, 1, 1, results, &error), MFN_INVALID, "key is NULL");
    EXPECT(results[0] == NULL && results[1] == NULL && mfn_publisher_component(NULL) == NULL);
    CALL(mfn_publisher_flush(NULL, 1, &error), MFN_INVALID, "publisher is NULL");
    EXPECT(mfn_publisher_last_error(NULL) == NULL);
    mfn_publisher_free(publisher);
    mfn_publisher_free(NULL);
}

static void check_null_listeners(mfn_runtime *runtime)
{
    mfn_record event = {.struct_size = sizeof event, .id = "a"};
    mfn_transport *transport = NULL;
    mfn_exporter *exporter = NULL;

    CALL(mfn_transport_open(NULL, "sse", "t", NULL, NULL, &transport, &error), MFN_INVALID, "runtime is NULL");
    CALL(mfn_transport_open(runtime, "file", "t", NULL, NULL, &transport, &error), MFN_INVALID, "transport");
    CALL(mfn_transport_open(runtime, "sse", "t", "{\"bind\": \"nowhere\"}", NULL, &transport, &error), MFN_PLUGIN, "bind");
    CALL(mfn_transport_publish(NULL, "t", &event, NULL, &error), MFN_INVALID, "transport is NULL");
    EXPECT(mfn_transport_component(NULL) == NULL && mfn_transport_last_error(NULL) == NULL);
    mfn_transport_free(NULL);
    CALL(mfn_exporter_open(runtime, "prometheus", "m", NULL, NULL, NULL, &error), MFN_INVALID, "exporter is NULL");
    CALL(mfn_exporter_open(runtime, "prometheus", "m", "[]", NULL, &exporter, &error), MFN_INVALID, "config_json is no JSON object");
    CALL(mfn_exporter_flush(NULL, 1, &error), MFN_INVALID, "exporter is NULL");
    EXPECT(mfn_exporter_component(NULL) == NULL && mfn_exporter_last_error(NULL) == NULL);
    mfn_exporter_free(NULL);
    EXPECT(transport == NULL && exporter == NULL);
}

/* Usage: arguments_runtime FOLDER PLUGIN... */
int main(int argc, char **argv)
{
    mfn_runtime *runtime = NULL;
    int i;

    check_options();
    CALL(mfn_runtime_create(NULL, &runtime, &error), MFN_OK, "");
    check_runtime(runtime);
    for (i = 2; i < argc; i++)
        CALL(mfn_runtime_load_plugin(runtime, argv[i], NULL, &error), MFN_OK, "");
    check_pictures();
    check_null_components();
    check_null_connectors(runtime);
    check_records(runtime, argv[1]);
    check_null_listeners(runtime);
    mfn_runtime_free(runtime);
    EXPECT(mfn_live_handles() == 0);
    return 0;
}
