// overview.js: the whole machine on one screen.
import { actions } from "./actions.js";
import { get } from "./api.js";
import { el, setAttribute, setText } from "./dom.js";
import { plan } from "./plan.js";
import { plot } from "./plot.js";
import { colour, on, seesAll, shown, state } from "./state.js";
import { bits, bytes, duration, percent, plural, printable, rate } from "./words.js";

export const plots = () => [
	plot("CPU", ["cpu"], percent, 0.1),
	plot("Exits", ["exits"], rate, 10),
	plot("Network, bit/s", ["in", "out"], bits, 125, ["in", "out"]),
];

export function stateMark() {
	const element = el("span", { class: "state" });
	return { element, update(partition) {
		setText(element, printable(partition.words));
		setAttribute(element, "data-state", partition.cause === "failed" && partition.state === "stopped" ? "failed" : partition.state);
	} };
}

export function facts(partition) {
	const up = state.machine && partition.started_ns && (partition.state === "running" || partition.state === "paused")
		? duration((state.machine.now_ns - partition.started_ns) / 1e9) : "";
	return [partition.kind, plural(partition.vcpus, "vCPU"), bytes(partition.memory_bytes), up && `up ${up}`,
		partition.restarts ? plural(partition.restarts, "restart") : ""].filter(Boolean).join(" \u00b7 ");
}

function card(name) {
	const mark = stateMark(), lines = plots(), acts = actions(name), sub = el("p", { class: "sub" });
	const swatch = el("i", { class: "swatch", "aria-hidden": "true" });
	const to = `#/partition/${encodeURIComponent(name)}`;
	const terminal = el("a", { class: "button", href: to, "aria-label": `open ${printable(name)}` }, state.partitions.get(name).console ? "Terminal" : "Details");
	const element = el("article", { class: "panel card", "data-partition": name, "aria-label": printable(name) },
		el("div", { class: "panel-head" }, el("h3", null, swatch, el("a", { href: to }, printable(name))), mark.element),
		sub, el("div", { class: "plots" }, lines.map((line) => line.element)),
		el("div", { class: "foot" }, acts.element, terminal));

	return { element, update() {
		const partition = state.partitions.get(name);
		if (!partition)
			return;
		swatch.style.setProperty("--own", colour(name));
		element.style.setProperty("--own", colour(name));
		mark.update(partition);
		setText(sub, facts(partition));
		acts.update();
		lines.forEach((line) => line.update(state.rates.get(name)));
	} };
}

function cards() {
	const element = el("div", { class: "cards" });
	let known = new Map();

	return { element, update() {
		const names = shown().map((partition) => partition.name);
		if (names.join("\n") !== [...known.keys()].join("\n")) {
			known = new Map(names.map((name) => [name, known.get(name) ?? card(name)]));
			element.replaceChildren(...[...known.values()].map((each) => each.element));
		}
		known.forEach((each) => each.update());
	} };
}

function tiles() {
	const values = ["Running", "CPU time", "Memory free", "Exits", "Up"].map((name) => [name, el("b")]);
	const element = el("dl", { class: "tiles" }, values.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
	const sum = (key) => [...state.rates.values()].reduce((all, rates) => all + (rates[key].at(-1) ?? 0), 0);

	return { element, update() {
		if (!state.machine)
			return;
		const all = shown(), idle = [...state.idle.values()];
		const busy = idle.length ? percent(1 - idle.reduce((a, b) => a + b, 0) / idle.length) : "\u2013";
		const texts = [`${all.filter((partition) => partition.state === "running").length} of ${all.length}`, busy,
			bytes(state.machine.memory_free_bytes), rate(sum("exits")), duration(state.machine.now_ns / 1e9)];
		values.forEach(([, value], index) => setText(value, texts[index]));
	} };
}

// What the machine says of itself, read when somebody opens it.
function paper(title, path) {
	const text = el("pre", { tabindex: "0", "aria-label": title });
	return el("details", { ontoggle: async (event) => {
		if (!event.target.open || text.textContent)
			return;
		try {
			text.textContent = (await get(path)).text || "There is nothing to say.";
		} catch (error) {
			text.textContent = error.message;
		}
	} }, el("summary", null, title), text);
}

export function overview(main) {
	const parts = [tiles(), plan(), cards()];
	main.append(el("h1", { tabindex: "-1", class: "hidden" }, "Overview"), parts[0].element, parts[1].element,
		el("h2", { class: "between" }, "Partitions"), parts[2].element);
	if (seesAll())
		main.append(el("section", { class: "panel papers", "aria-label": "The machine in words" },
			paper("What this machine can do", "/machine/capabilities"), paper("PCI devices", "/machine/pci"), paper("IOMMU", "/machine/iommu")));
	const update = () => parts.forEach((part) => part.update());
	const ends = [on("partitions", update), on("sample", update), on("pending", update)];
	const timer = setInterval(() => state.pending.size && parts[2].update(), 1000);
	update();
	return () => {
		ends.forEach((end) => end());
		clearInterval(timer);
	};
}
