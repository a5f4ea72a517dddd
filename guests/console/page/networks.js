// networks.js: networks and their ports.
import { get } from "./api.js";
import { el, table } from "./dom.js";
import { on, state } from "./state.js";
import { announce } from "./live.js";
import { bitRate, bytes, count, printable } from "./words.js";

function portRow(port) {
	const drops = Object.entries(port.drops).filter(([, number]) => number);
	const link = port.link ? "up" : port.enabled ? "down" : "taken down";
	return [printable(port.name), port.guest ? el("a", { href: `#/partition/${encodeURIComponent(port.guest)}` }, printable(port.guest)) : "",
		el("span", { class: "state", "data-state": port.link ? "running" : "stopped" }, link), port.trunk ? "trunk" : port.vlan ? String(port.vlan) : "",
		port.mac, port.rate_bytes_per_second ? bitRate(port.rate_bytes_per_second) : "no limit",
		`${bytes(port.in_bytes)}, ${count(port.in_frames)}`, `${bytes(port.out_bytes)}, ${count(port.out_frames)}`,
		drops.map(([why, number]) => `${why} ${count(number)}`).join(", ") || "none", printable(port.words)];
}

function section(network) {
	const ports = state.ports.filter((port) => port.network === network.name);
	const sub = `MTU ${network.mtu}, ${network.uplink ? "with an uplink" : "without an uplink"}, ${network.broadcasts_per_second
		? `${network.broadcasts_per_second} broadcasts a second at most` : "any number of broadcasts"}`;
	return el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", null, printable(network.name)), el("p", { class: "sub" }, sub)),
		ports.length ? table(`Ports of ${printable(network.name)}`,
			["Port", "Guest", "Link", "VLAN", "MAC", "Rate", "In: bytes, frames", "Out: bytes, frames", "Dropped", "Card"], ports.map(portRow))
			: el("p", { class: "sub" }, "No ports."));
}

export function networks(main) {
	const body = el("div", { class: "stack" }), service = el("p", { class: "sub" });
	let all = [], drawn = "";
	main.append(el("h1", { tabindex: "-1" }, "Networks"), service, body);

	function update() {
		const key = JSON.stringify([all, state.ports]);
		// While somebody reads or has marked a place in it, it stands still.
		if (key === drawn || body.contains(document.activeElement))
			return;
		drawn = key;
		service.textContent = { none: "This machine has no networks.", stopped: "The service that switches frames does not run.",
			running: "The service that switches frames runs." }[state.service] ?? "";
		body.replaceChildren(...all.map(section));
	}
	get("/networks").then((answer) => {
		all = answer.networks;
		update();
	}).catch((error) => announce(error.message, "bad"));
	return on("sample", update);
}
