/* networks.c: networks and ports. */
#include "guests/lib/bh_format.h"
#include "guests/lib/bh_string.h"
#include "lists.h"

bool api_sees_port(struct http *http, const struct view_port *port)
{
	const struct users_token *token = api_token(http);

	return token && (port->guest[0] ? users_may_see(token, port->guest) : users_may_see_all(token));
}

/* Who does not see all sees the networks that he has a port on. */
static bool sees_network(struct http *http, unsigned network)
{
	const struct users_token *token = api_token(http);
	struct view_port port;

	if (token && users_may_see_all(token))
		return true;
	for (unsigned i = 0; i < view_ports(); i++)
		if (view_port(i, &port) && port.network == network && api_sees_port(http, &port))
			return true;
	return false;
}

static void service_head(struct http *http, struct json *json)
{
	static const char *const words[] = { "none", "stopped", "running" };

	(void)http;
	json_string(json, "service", words[view_service()]);
}

static unsigned count_networks(struct http *http)
{
	(void)http;
	return view_networks();
}

static bool put_network(struct http *http, struct api_request *request, struct json *json)
{
	const struct bh_network *network = view_network(request->step);

	if (!sees_network(http, request->step))
		return true;
	json_open(json, NULL, '{');
	json_string(json, "name", network->name);
	json_number(json, "mtu", network->mtu);
	json_bool(json, "uplink", network->uplink != 0);
	json_number(json, "broadcasts_per_second", network->broadcasts);
	json_close(json, '}');
	return true;
}

static enum http_more produce_networks(struct http *http, struct text *text)
{
	static const struct api_list list = { service_head, "networks", count_networks, put_network };

	return api_list(http, text, &list);
}

void api_get_networks(struct http *http) { api_json(http, 200, produce_networks); }

/* ---- ports ---- */

static unsigned count_ports(struct http *http)
{
	(void)http;
	return view_ports();
}

static void put_drops(struct json *json, const struct bh_port_stat *stat)
{
	static const char *const keys[] = { "malformed", "spoofed", "vlan", "rate",  "broadcast",
					    "oversize",	 "link",    "full", "device" };

	_Static_assert(sizeof(keys) / sizeof(keys[0]) == BH_DROPS, "a key for each");
	json_open(json, "drops", '{');
	for (unsigned i = 0; i < BH_DROPS; i++)
		json_number(json, keys[i], stat->drops[i]);
	json_close(json, '}');
}

static void put_numbers(struct json *json, const struct bh_port_stat *stat)
{
	char mac[20];

	bh_snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", stat->mac[0], stat->mac[1], stat->mac[2],
		    stat->mac[3], stat->mac[4], stat->mac[5]);
	json_string(json, "mac", mac);
	json_bool(json, "link", stat->link != 0);
	json_bool(json, "enabled", stat->admin != 0);
	json_bool(json, "driver", stat->driver != 0);
	json_text(json, "words", stat->words, strnlen(stat->words, sizeof(stat->words)));
	json_number(json, "out_frames", stat->out_frames);
	json_number(json, "out_bytes", stat->out_bytes);
	json_number(json, "in_frames", stat->in_frames);
	json_number(json, "in_bytes", stat->in_bytes);
	put_drops(json, stat);
}

static bool put_port(struct http *http, struct api_request *request, struct json *json)
{
	struct view_port port;

	if (!view_port(request->step, &port) || !api_sees_port(http, &port))
		return true;
	json_open(json, NULL, '{');
	json_string(json, "name", port.name);
	json_string(json, "network", view_network(port.network)->name);
	if (port.guest[0])
		json_string(json, "guest", port.guest);
	json_number(json, "vlan", port.vlan);
	json_bool(json, "trunk", port.trunk);
	json_number(json, "rate_bytes_per_second", port.rate);
	put_numbers(json, &port.stat);
	json_close(json, '}');
	return true;
}

static enum http_more produce_ports(struct http *http, struct text *text)
{
	static const struct api_list list = { service_head, "ports", count_ports, put_port };

	return api_list(http, text, &list);
}

void api_get_ports(struct http *http) { api_json(http, 200, produce_ports); }
