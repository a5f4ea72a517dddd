/* routes.c: the API's table of routes. */
#include "api.h"
#include "guests/lib/bh_string.h"
#include "history.h"
#include "parts.h"

#define PARTITION API "/partitions/{name}"
#define BYTES	  "application/octet-stream"
#define JSON	  "application/json"

#define GET(path, run, needs)                             \
	{                                                 \
		HTTP_GET, path, run, NULL, 0, NULL, needs \
	}
#define POST(path, run, type, needs)                       \
	{                                                  \
		HTTP_POST, path, run, type, 0, NULL, needs \
	}
#define DELETE(path, run, needs)                             \
	{                                                    \
		HTTP_DELETE, path, run, NULL, 0, NULL, needs \
	}

/* For administrators; its body comes in pieces. */
#define PUT(path, run, type, most, piece)                                 \
	{                                                                 \
		HTTP_PUT, path, run, type, most, piece, API_ADMINISTRATOR \
	}
#define IMAGE_PIECE_MAX (4u << 20)

static const struct http_route routes[] = {
	GET(API "/partitions", api_get_partitions, API_TOKEN),
	GET(PARTITION, api_get_partition, API_SEE),
	POST(PARTITION "/start", api_post_operation, NULL, API_OPERATE),
	POST(PARTITION "/stop", api_post_operation, NULL, API_OPERATE),
	POST(PARTITION "/pause", api_post_operation, NULL, API_OPERATE),
	POST(PARTITION "/resume", api_post_operation, NULL, API_OPERATE),
	POST(PARTITION "/restart", api_post_operation, NULL, API_OPERATE),
	GET(PARTITION "/report", api_get_report, API_SEE),
	GET(PARTITION "/exits", api_get_exits, API_SEE),
	GET(PARTITION "/console", api_get_console, API_SEE),
	POST(PARTITION "/console", api_post_console, BYTES, API_OPERATE),
	GET(PARTITION "/console/stream", api_get_console_stream, API_SEE),
	GET(API "/machine", api_get_machine, API_TOKEN),
	GET(API "/machine/capabilities", api_get_capabilities, API_ALL),
	GET(API "/machine/pci", api_get_pci, API_ALL),
	GET(API "/machine/iommu", api_get_iommu, API_ALL),
	GET(API "/statistics", api_get_statistics, API_TOKEN),
	GET(API "/history", api_get_history, API_TOKEN),
	GET(API "/networks", api_get_networks, API_TOKEN),
	GET(API "/ports", api_get_ports, API_TOKEN),
	GET(API "/log", api_get_log, API_ALL),
	GET(API "/events", api_get_events, API_TOKEN),
	GET(API "/audit", api_get_audit, API_ADMINISTRATOR),
	GET(API "/tokens", api_get_tokens, API_ADMINISTRATOR),
	POST(API "/tokens", api_post_token, JSON, API_ADMINISTRATOR),
	DELETE(API "/tokens/{name}", api_delete_token, API_ADMINISTRATOR),
	GET(API "/session", api_get_session, API_TOKEN),
	POST(API "/session", api_post_session, JSON, API_NOTHING),
	DELETE(API "/session", api_delete_session, API_TOKEN),
	GET(API "/openapi.json", api_get_openapi, API_NOTHING),
	GET("/metrics", api_get_metrics, API_TOKEN),
	POST(API "/partitions", api_post_partition, JSON, API_ADMINISTRATOR),
	DELETE(PARTITION, api_delete_partition, API_ADMINISTRATOR),
	GET(API "/images", api_get_images, API_ADMINISTRATOR),
	POST(API "/images", api_post_image, JSON, API_ADMINISTRATOR),
	PUT(API "/images/{name}/content", api_put_image, BYTES, IMAGE_PIECE_MAX, api_put_image_piece),
	DELETE(API "/images/{name}", api_delete_image, API_ADMINISTRATOR),
	GET(API "/configuration", api_get_configuration, API_ADMINISTRATOR),
};

const struct users_host *api_host;

void api_start(const struct users_host *host, bool (*otherwise)(struct http *http), uint64_t now_ms)
{
	static struct http_table table = { routes, sizeof(routes) / sizeof(routes[0]), api_gate, NULL };

	api_host = host;
	table.otherwise = otherwise;
	api_events_start();
	history_start();
	api_openapi_start();
	http_serve(&table);
	http_tick(now_ms);
}

void api_tick(uint64_t now_ms)
{
	api_events_look();
	history_tick(now_ms);
	http_tick(now_ms);
}

bool api_send_file(struct http *http, const struct http_file *files, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(files[i].path, http_path(http))) {
			http_send_file(http, &files[i]);
			return true;
		}
	return false;
}
